/*
 * fuzz_reply.c
 *	  Any bytes as the reply of a provider: the reader of FUZZ_PROTOCOL.
 *
 * Byte 0 chooses the task, byte 1 the status, byte 2 the content type; the rest
 * is the body.  A chat reply is read once more, taken in as it comes, in pieces.
 * Whatever comes, a reader gives a reply or a failure, and both
 * are clean: UTF-8 without control characters in a failure, finite vectors,
 * every score of a document that was sent.  Vectors in OpenAI's shape stand where
 * a tree of the reply has them.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "provider/stream.h"
#include "util/utf8.h"

#define N_INPUTS	3

int			LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const int statuses[] = {200, 200, 200, 200, 400, 401, 403, 404, 429, 500, 402, 302};
static const char *const types[] = {
	"content-type: application/json\n",
	"content-type: text/event-stream\n",
	"content-type: application/vnd.amazon.eventstream\n",
	"content-type: application/x-ndjson\nx-compute-tokens: 5\n",
	"x-amzn-errortype: ThrottlingException:http://x\nx-amzn-bedrock-input-token-count: 9\n",
	"",
};

static void
check_reply(const AiRequest *request, const AiReply *reply)
{
	assert(reply->text == NULL || ai_utf8_valid(reply->text, strlen(reply->text)));
	assert(reply->reasoning == NULL || ai_utf8_valid(reply->reasoning, strlen(reply->reasoning)));
	if (request->task == AI_TASK_EMBED)
	{
		assert(reply->n_vectors == request->n_inputs && reply->dimensions > 0);
		for (int i = 0; i < reply->n_vectors * reply->dimensions; i++)
			assert(isfinite(reply->vectors[i]));
	}
	for (int i = 0; i < reply->n_scores; i++)
		assert(reply->scores[i].index >= 0 && reply->scores[i].index < request->n_inputs);
	assert(reply->n_scores <= request->n_inputs);
}

/* Does it have exactly one member of that name? */
static const cJSON *
only(const cJSON *object, const char *name)
{
	const cJSON *found = NULL;
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		if (item->string == NULL || strcmp(item->string, name) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = item;
	}
	return found;
}

/* Where each item says its index and its numbers once, they are in that place. */
static void
check_places(const AiHttpReply *http, const AiReply *reply)
{
	const char *why;
	cJSON	   *tree = ai_json_parse(http->body.data, http->body.len, &why);
	const cJSON *item;

	cJSON_ArrayForEach(item, only(tree, "data"))
	{
		const cJSON *index = only(item, "index");
		const cJSON *embedding = only(item, "embedding");
		const cJSON *number;
		const float *place;

		if (!cJSON_IsNumber(index) || !cJSON_IsArray(embedding))
			continue;
		place = reply->vectors + (size_t) index->valuedouble * (size_t) reply->dimensions;
		cJSON_ArrayForEach(number, embedding)
		{
			double		expected = number->valuedouble;

			assert(fabs(*place - expected) <= fabs(expected) * 1e-6 + 1e-38);
			place++;
		}
	}
	cJSON_Delete(tree);
}

static void
check_outcome(const AiRequest *request, bool good, const AiReply *reply, const AiFailure *failure)
{
	if (good)
	{
		check_reply(request, reply);
		return;
	}
	assert(failure->kind != AI_ERROR_NONE);
	assert(ai_utf8_valid(failure->message, strlen(failure->message)));
	for (const char *p = failure->message; *p; p++)
		assert((unsigned char) *p >= 0x20);
}

/* The same reply in pieces: of a stream, the outcome is the same. */
static void
take_in_pieces(const AiTarget *target, const AiRequest *request, const AiHttpReply *whole,
			   size_t piece, bool whole_good, const AiReply *whole_reply, const AiFailure *whole_failure)
{
	AiHttpReply http = {.status = whole->status,.headers = whole->headers};
	AiReplyStream *stream = ai_reply_stream_new(ai_protocols[target->protocol]->assembler);
	AiStreamState state = AI_STREAM_NONE;
	AiReply		reply;
	AiFailure	failure;
	bool		good;

	for (size_t i = 0; i < whole->body.len && state != AI_STREAM_FAILED; i += piece)
	{
		size_t		len = whole->body.len - i < piece ? whole->body.len - i : piece;

		state = ai_reply_stream_take(stream, &http, whole->body.data + i, len);
		if (state == AI_STREAM_NONE)
			ai_buffer_append(&http.body, whole->body.data + i, len);
	}
	http.stream = stream;
	good = ai_provider_parse(target, request, &http, 1795435200, &reply, &failure);
	check_outcome(request, good, &reply, &failure);
	if (state != AI_STREAM_NONE &&
		(strncmp(whole->body.data, "data:", 5) == 0 || strncmp(whole->body.data, "event:", 6) == 0))
	{
		assert(good == whole_good);
		assert(good || failure.kind == whole_failure->kind);
		assert(!good || !reply.text == !whole_reply->text);
		assert(!good || reply.text == NULL || strcmp(reply.text, whole_reply->text) == 0);
	}
	ai_reply_free(&reply);
	ai_reply_stream_free(stream);
	ai_buffer_free(&http.body);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const inputs[N_INPUTS] = {"a", "b", "c"};
	AiMessage	message = {.role = AI_ROLE_USER,.text = "hi"};
	AiTarget	target = {.remote_model = "cohere.model",.endpoint = "http://h"};
	AiRequest	request = {.messages = &message,.n_messages = 1,.inputs = inputs,.query = "q"};
	AiHttpReply http = {0};
	AiReply		reply;
	AiFailure	failure;
	const AiProtocol *protocol;
	int			task;
	bool		good;

	if (size < 3)
		return 0;
	target.protocol = ai_protocol_by_name(FUZZ_PROTOCOL);
	protocol = ai_protocols[target.protocol];
	for (int i = 0; i < ai_n_providers; i++)
	{
		if (ai_provider_speaks(&ai_providers[i], target.protocol))
			target.provider = &ai_providers[i];
	}
	task = data[0] % AI_TASKS;
	while (protocol->options[task] == 0)
		task = (task + 1) % AI_TASKS;
	request.task = (AiTask) task;
	if (task == AI_TASK_EMBED)
		request.n_inputs = data[0] & 0x80 ? 1 : N_INPUTS;
	else
		request.n_inputs = N_INPUTS;
	http.status = statuses[data[1] % (sizeof(statuses) / sizeof(statuses[0]))];
	ai_buffer_append_string(&http.headers, types[data[2] % (sizeof(types) / sizeof(types[0]))]);
	ai_buffer_append(&http.body, (const char *) data + 3, size - 3);

	good = ai_provider_parse(&target, &request, &http, 1795435200, &reply, &failure);
	check_outcome(&request, good, &reply, &failure);
	if (good && request.task == AI_TASK_EMBED && strcmp(FUZZ_PROTOCOL, "openai-chat") == 0)
		check_places(&http, &reply);
	if (ai_provider_streams(&target, request.task))
		take_in_pieces(&target, &request, &http, 1 + data[0] / 5, good, &reply, &failure);
	ai_reply_free(&reply);
	ai_http_reply_free(&http);
	return 0;
}
