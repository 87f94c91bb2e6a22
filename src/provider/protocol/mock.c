/*
 * mock.c
 *	  Provider mock: answers in process, without a network, for testing one's
 *	  own SQL.
 *
 * What it does is set by options.mock, an object in models.options or in a
 * call's options:
 *
 *	answer			the text; {prompt}, {system}, {model}, {n} (how many answers
 *					the mock gave in this session) and {attempt} are replaced;
 *					default "{prompt}"
 *	answers			{"prompt": "answer", ...}, looked at before `answer`
 *	answer_bytes	in place of `answer`: words of so many bytes in all, made from
 *					a hash of the model, the system text and the prompt
 *	latency_ms		how long it takes, or [from, to], by a hash of the prompt;
 *					default 0
 *	fail			an error_kind to fail with
 *	fail_times		only the first so many attempts of a call fail
 *	fail_if			only prompts that contain this text fail
 *	message			what the failure says
 *	retry_after_ms	the server's hint that goes with it
 *	finish_reason	stop, length, tool_calls, content_filter or refusal
 *	tool_calls		[{"name": ..., "arguments": {...}}]
 *	tokens			{"input", "cache_read", "cache_write", "output",
 *					"reasoning"}; default: a token for every four bytes
 *	dimensions		of embeddings; default 8
 *	moderation		{"category": score, ...}; from 0.5 on a category is found
 *
 * A document's score in a rerank is the share of the query's words that it
 * holds.  A transcription is the answer, in which {bytes} is the size of the
 * recording.
 *
 * Embeddings are made from a hash of the text and have length 1.  Whatever is
 * made from a hash is always the same for the same text.
 *
 * State: the count of answers, which {n} shows.
 */
#include "provider/protocol/protocols.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int64_t n_answers = 0;

static const char *const known_keys[] = {
	"answer", "answers", "answer_bytes", "latency_ms", "fail", "fail_times", "fail_if", "message",
	"retry_after_ms", "finish_reason", "tool_calls", "tokens", "dimensions", "moderation",
};

#define N_KNOWN_KEYS	(sizeof(known_keys) / sizeof(known_keys[0]))

static bool
check_keys(const cJSON *mock, AiFailure *failure)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, mock)
	{
		AiBuffer	names = {0};
		size_t		i;

		for (i = 0; i < N_KNOWN_KEYS; i++)
		{
			if (strcmp(known_keys[i], item->string) == 0)
				break;
		}
		if (i < N_KNOWN_KEYS)
			continue;
		for (i = 0; i < N_KNOWN_KEYS; i++)
			ai_buffer_printf(&names, "%s%s", i ? ", " : "", known_keys[i]);
		ai_fail(failure, AI_ERROR_INVALID_REQUEST,
				"option \"mock\" has no key \"%s\"; the keys are %s", item->string,
				names.data ? names.data : "");
		ai_buffer_free(&names);
		return false;
	}
	return true;
}

static double
number_of(const cJSON *mock, const char *name, double otherwise)
{
	const cJSON *item = ai_json_get(mock, name);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static const char *
last_prompt(const AiRequest *request)
{
	for (int i = request->n_messages - 1; i >= 0; i--)
	{
		if (request->messages[i].text != NULL && request->messages[i].role != AI_ROLE_SYSTEM)
			return request->messages[i].text;
	}
	return "";
}

/* FNV-1a. */
static uint64_t
hash_text(uint64_t state, const char *text)
{
	for (const unsigned char *p = (const unsigned char *) text; *p; p++)
		state = (state ^ *p) * UINT64_C(1099511628211);
	return state;
}

#define HASH_START		UINT64_C(14695981039346656037)

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* From 0 to 1, without 1. */
static double
next_fraction(uint64_t *state)
{
	return (double) (next_random(state) >> 11) / 9007199254740992.0;
}

static double
latency_of(const cJSON *mock, const AiRequest *request)
{
	const cJSON *range = ai_json_get(mock, "latency_ms");
	const cJSON *from = cJSON_GetArrayItem(range, 0);
	const cJSON *to = cJSON_GetArrayItem(range, 1);
	uint64_t	state = hash_text(HASH_START, request->n_inputs > 0 ? request->inputs[0] : last_prompt(request));

	if (!cJSON_IsNumber(from) || !cJSON_IsNumber(to))
		return number_of(mock, "latency_ms", 0);
	return from->valuedouble + (to->valuedouble - from->valuedouble) * next_fraction(&state);
}

static bool
prompt_contains(const AiRequest *request, const char *part)
{
	for (int i = 0; i < request->n_inputs; i++)
	{
		if (strstr(request->inputs[i], part) != NULL)
			return true;
	}
	return request->task == AI_TASK_CHAT && strstr(last_prompt(request), part) != NULL;
}

/* True if this attempt is to fail; fills the failure. */
static bool
scripted_failure(const cJSON *mock, const AiRequest *request, int attempt,
				 AiFailure *failure)
{
	const char *name = ai_json_string(mock, "fail");
	const char *part = ai_json_string(mock, "fail_if");
	const char *message = ai_json_string(mock, "message");
	AiErrorKind kind;

	if (name == NULL || attempt > number_of(mock, "fail_times", 1e9) ||
		(part != NULL && !prompt_contains(request, part)))
		return false;
	kind = ai_error_kind_by_name(name);
	if (kind == AI_ERROR_NONE)
	{
		ai_fail(failure, AI_ERROR_INVALID_REQUEST, "option mock.fail names no error kind: \"%s\"",
				name);
		return true;
	}
	ai_fail(failure, kind, "%s", message ? message : "the mock was told to fail");
	failure->retry_after_ms = number_of(mock, "retry_after_ms", -1);
	return true;
}

static char *
fill_template(const char *template, const AiTarget *target, const AiRequest *request,
			  int attempt)
{
	AiBuffer	out = {0};
	char	   *system = ai_system_text(request);
	char		number[32];

	ai_buffer_append_string(&out, "");
	while (*template)
	{
		static const char *const names[] = {"{prompt}", "{system}", "{model}", "{n}", "{attempt}", "{bytes}"};
		const char *values[] = {last_prompt(request), system ? system : "", target->remote_model};
		const int64_t numbers[] = {0, 0, 0, n_answers, attempt, (int64_t) request->audio_len};
		size_t		i;

		for (i = 0; i < 6; i++)
		{
			if (strncmp(template, names[i], strlen(names[i])) == 0)
				break;
		}
		if (i == 6)
		{
			ai_buffer_append_char(&out, *template++);
			continue;
		}
		snprintf(number, sizeof(number), "%lld", (long long) numbers[i]);
		ai_buffer_append_string(&out, i < 3 ? values[i] : number);
		template += strlen(names[i]);
	}
	free(system);
	return out.data;
}

#define MOST_ANSWER_BYTES	(64 * 1024 * 1024)

/* Words of one to eight letters, `bytes` with the blanks between them. */
static char *
hashed_answer(size_t bytes, const AiTarget *target, const AiRequest *request)
{
	AiBuffer	out = {0};
	char	   *system = ai_system_text(request);
	uint64_t	state = hash_text(hash_text(HASH_START, target->remote_model), system ? system : "");

	state = hash_text(state, last_prompt(request));
	free(system);
	ai_buffer_append_string(&out, "");
	while (out.len < bytes && !out.failed)
	{
		uint64_t	random = next_random(&state);
		int			letters = 1 + (int) (random % 8);

		if (out.len > 0 && out.len + 1 < bytes)
			ai_buffer_append_char(&out, ' ');
		for (; letters > 0 && out.len < bytes; letters--, random /= 26)
			ai_buffer_append_char(&out, (char) ('a' + random / 8 % 26));
	}
	return out.data;
}

static int64_t
estimate(size_t bytes)
{
	return (int64_t) (bytes + 3) / 4;
}

static void
fill_usage(const cJSON *mock, const AiRequest *request, AiReply *reply)
{
	const cJSON *tokens = ai_json_get(mock, "tokens");
	size_t		bytes = 0;

	for (int i = 0; i < request->n_messages; i++)
		bytes += request->messages[i].text ? strlen(request->messages[i].text) : 0;
	for (int i = 0; i < request->n_inputs; i++)
		bytes += strlen(request->inputs[i]);
	reply->usage.uncached_input = (int64_t) number_of(tokens, "input", (double) estimate(bytes));
	reply->usage.cache_read = (int64_t) number_of(tokens, "cache_read", 0);
	reply->usage.cache_write = (int64_t) number_of(tokens, "cache_write", 0);
	if (request->task == AI_TASK_CHAT)
	{
		size_t		answer = reply->text ? strlen(reply->text) : 0;

		reply->usage.visible_output = (int64_t) number_of(tokens, "output", (double) estimate(answer));
		reply->usage.reasoning = (int64_t) number_of(tokens, "reasoning", 0);
	}
}

static bool
respond_chat(const cJSON *mock, const AiTarget *target, const AiRequest *request,
			 int attempt, AiReply *reply, AiFailure *failure)
{
	const char *template = ai_json_string(ai_json_get(mock, "answers"), last_prompt(request));
	const char *finish = ai_json_string(mock, "finish_reason");
	const cJSON *call;
	double		bytes = number_of(mock, "answer_bytes", -1);
	int			n = 0;

	if (bytes > MOST_ANSWER_BYTES)
	{
		ai_fail(failure, AI_ERROR_INVALID_REQUEST, "option mock.answer_bytes may be %d at most", MOST_ANSWER_BYTES);
		return false;
	}
	if (template == NULL && bytes >= 0)
		reply->text = hashed_answer((size_t) bytes, target, request);
	else
	{
		if (template == NULL)
			template = ai_json_string(mock, "answer");
		reply->text = fill_template(template ? template : "{prompt}", target, request, attempt);
	}
	reply->finish = AI_FINISH_STOP;
	cJSON_ArrayForEach(call, ai_json_get(mock, "tool_calls"))
	{
		char		id[32];

		snprintf(id, sizeof(id), "call_%d", ++n);
		if (!ai_reply_add_tool_call(reply, id, ai_json_string(call, "name"), NULL,
									ai_json_get(call, "arguments"), failure))
			return false;
		reply->finish = AI_FINISH_TOOL_CALLS;
	}
	for (int i = AI_FINISH_STOP; finish != NULL && i < AI_FINISH_REASONS; i++)
	{
		if (strcmp(ai_finish_reason_names[i], finish) == 0)
			reply->finish = (AiFinishReason) i;
	}
	if (reply->finish == AI_FINISH_REFUSAL)
		reply->refusal = ai_strdup(reply->text);
	return ai_reply_check(reply, failure);
}

static bool
respond_embed(const cJSON *mock, const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	int			dimensions = request->dimensions > 0 ? request->dimensions
		: (int) number_of(mock, "dimensions", 8);

	if (!ai_reply_make_vectors(reply, request->n_inputs, dimensions, failure))
		return false;
	for (int i = 0; i < request->n_inputs; i++)
	{
		float	   *vector = reply->vectors + (size_t) i * (size_t) dimensions;
		uint64_t	state = hash_text(HASH_START, request->inputs[i]);
		double		norm = 0;

		for (int d = 0; d < dimensions; d++)
		{
			double		number = next_fraction(&state) - 0.5;

			vector[d] = (float) number;
			norm += number * number;
		}
		for (int d = 0; d < dimensions; d++)
			vector[d] = (float) (vector[d] / sqrt(norm));
	}
	return true;
}

static size_t
next_word(const char **text)
{
	static const char blanks[] = " \t\r\n.,;:!?";

	*text += strspn(*text, blanks);
	return strcspn(*text, blanks);
}

static bool
holds_word(const char *text, const char *word, size_t len)
{
	for (size_t n = next_word(&text); n > 0; text += n, n = next_word(&text))
	{
		if (n == len && strncasecmp(text, word, len) == 0)
			return true;
	}
	return false;
}

static bool
respond_rerank(const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	for (int i = 0; i < request->n_inputs; i++)
	{
		const char *query = request->query;
		int			words = 0;
		int			held = 0;

		for (size_t n = next_word(&query); n > 0; query += n, n = next_word(&query))
		{
			words++;
			held += holds_word(request->inputs[i], query, n);
		}
		if (!ai_reply_add_score(reply, request->n_inputs, i, words ? (double) held / words : 0, failure))
			return false;
	}
	return true;
}

static void
respond_moderate(const cJSON *mock, AiReply *reply)
{
	const cJSON *scores = ai_json_get(mock, "moderation");
	const cJSON *score;
	cJSON	   *categories = cJSON_CreateObject();
	bool		any = false;

	cJSON_ArrayForEach(score, scores)
	{
		bool		found = cJSON_IsNumber(score) && score->valuedouble >= 0.5;

		cJSON_AddBoolToObject(categories, score->string, found);
		any = any || found;
	}
	reply->moderation = cJSON_CreateObject();
	cJSON_AddBoolToObject(reply->moderation, "flagged", any);
	cJSON_AddItemToObject(reply->moderation, "categories", categories);
	cJSON_AddItemToObject(reply->moderation, "scores",
						  scores ? cJSON_Duplicate(scores, true) : cJSON_CreateObject());
}

static bool
respond_task(const cJSON *mock, const AiTarget *target, const AiRequest *request,
			 int attempt, AiReply *reply, AiFailure *failure)
{
	switch (request->task)
	{
		case AI_TASK_CHAT:
			break;
		case AI_TASK_EMBED:
			return respond_embed(mock, request, reply, failure);
		case AI_TASK_RERANK:
			return respond_rerank(request, reply, failure);
		case AI_TASK_MODERATE:
			respond_moderate(mock, reply);
			return true;
		case AI_TASK_TRANSCRIBE:
			break;
	}
	return respond_chat(mock, target, request, attempt, reply, failure);
}

static bool
mock_respond(const AiTarget *target, const AiRequest *request, int attempt,
			 AiReply *reply, AiFailure *failure, double *latency_ms)
{
	const cJSON *mock = ai_option_set(&request->options, AI_OPTION_MOCK)
		? request->options.mock : NULL;
	bool		good;

	ai_reply_init(reply);
	*latency_ms = 0;
	if (!check_keys(mock, failure))
		return false;
	*latency_ms = latency_of(mock, request);
	n_answers++;
	if (scripted_failure(mock, request, attempt, failure))
		return false;
	good = respond_task(mock, target, request, attempt, reply, failure);
	reply->model = ai_strdup(target->remote_model);
	snprintf(reply->request_id, sizeof(reply->request_id), "mock-%lld", (long long) n_answers);
	fill_usage(mock, request, reply);
	return good;
}

#define ALL_OPTIONS		((AI_OPTION_BIT(AI_OPTION_KEYS - 1) << 1) - 1)

const AiProtocol ai_protocol_mock = {
	.name = "mock",
	.options = {
		[AI_TASK_CHAT] = ALL_OPTIONS,
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA) | AI_OPTION_BIT(AI_OPTION_MOCK),
		[AI_TASK_RERANK] = AI_OPTION_BIT(AI_OPTION_EXTRA) | AI_OPTION_BIT(AI_OPTION_MOCK),
		[AI_TASK_MODERATE] = AI_OPTION_BIT(AI_OPTION_EXTRA) | AI_OPTION_BIT(AI_OPTION_MOCK),
		[AI_TASK_TRANSCRIBE] = ALL_OPTIONS,
	},
	.max_inputs = 2048,
	.images = true,
	.tools = true,
	.schema = true,
	.respond = mock_respond,
};
