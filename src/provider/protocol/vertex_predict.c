/*
 * vertex_predict.c
 *	  Protocol vertex-predict: embeddings by Vertex AI's :predict.
 *
 * Format: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api.
 *
 * At most 250 texts and 20,000 tokens a request, and gemini-embedding-001 one
 * text.  autoTruncate is false: a text that is too long is an error, where the
 * default would cut it without a word.
 *
 * Settings		project, location, task_type.
 */
#include "provider/protocol/protocols.h"

#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"

static bool
predict_build(const AiTarget *target, const AiRequest *request,
			  AiHttpRequest *http, AiFailure *failure)
{
	const char *task = ai_setting(target, "task_type");
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_model_url(http, target, "/models/", target->remote_model, ":predict", failure))
		return false;
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_key(&writer, "instances");
	ai_write_array(&writer);
	for (int i = 0; i < request->n_inputs; i++)
	{
		ai_write_object(&writer);
		ai_write_string_member(&writer, "content", request->inputs[i]);
		if (task != NULL)
			ai_write_string_member(&writer, "task_type", task);
		ai_write_object_end(&writer);
	}
	ai_write_array_end(&writer);
	ai_write_key(&writer, "parameters");
	ai_write_object(&writer);
	if (request->dimensions > 0)
	{
		ai_write_key(&writer, "outputDimensionality");
		ai_write_int(&writer, request->dimensions);
	}
	ai_write_key(&writer, "autoTruncate");
	ai_write_bool(&writer, false);
	ai_write_object_end(&writer);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

#define MOST_TOKENS (INT64_C(1) << 53)

/* "statistics": {"token_count": 4.0, ...}; the count may be a float. */
static void
read_statistics(AiJsonReader *reader, AiReply *reply)
{
	const char *name;
	size_t		len;

	if (ai_read_peek(reader) != '{' || !ai_read_object(reader))
	{
		ai_read_skip(reader);
		return;
	}
	while (ai_read_member(reader, &name, &len))
	{
		int64_t		tokens;

		if (!ai_name_is(name, len, "token_count"))
			ai_read_skip(reader);
		else if (ai_read_int64(reader, &tokens) && tokens >= 0)
		{
			/*
			 * each is below 2^53, their sum over many inputs is kept there
			 * too
			 */
			tokens += ai_not_below_zero(reply->usage.uncached_input);
			reply->usage.uncached_input = tokens < MOST_TOKENS ? tokens : MOST_TOKENS;
		}
	}
}

/* "embeddings": {"values": [...], "statistics": ...} */
static bool
read_embeddings(AiJsonReader *reader, const AiRequest *request, int index, AiReply *reply,
				AiFailure *failure)
{
	const char *name;
	size_t		len;
	bool		good = ai_read_object(reader);

	while (good && ai_read_member(reader, &name, &len))
	{
		if (ai_name_is(name, len, "values"))
			good = ai_read_vector(reader, request, index, reply, failure);
		else if (ai_name_is(name, len, "statistics"))
			read_statistics(reader, reply);
		else
			ai_read_skip(reader);
	}
	return good && !reader->failed;
}

static bool
read_predictions(AiJsonReader *reader, const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	const char *name;
	size_t		len;
	int			count = 0;
	bool		good = ai_read_array(reader);

	while (good && ai_read_element(reader))
	{
		if (count >= request->n_inputs)
			return ai_fail(failure, AI_ERROR_INVALID_REPLY,
						   "the reply has more embeddings than the %d inputs that were sent",
						   request->n_inputs);
		good = ai_read_object(reader);
		while (good && ai_read_member(reader, &name, &len))
		{
			if (ai_name_is(name, len, "embeddings"))
				good = read_embeddings(reader, request, count, reply, failure);
			else
				ai_read_skip(reader);
		}
		count++;
	}
	if (good && !reader->failed && count != request->n_inputs)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has %d embeddings for %d inputs", count, request->n_inputs);
	return good && !reader->failed;
}

static bool
predict_parse(const AiTarget *target, const AiRequest *request,
			  const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	AiJsonReader reader;
	const char *name;
	size_t		len;
	bool		good;

	ai_failure_clear(failure);
	ai_read_start(&reader, http->body.data, http->body.len);
	good = ai_read_object(&reader);
	while (good && ai_read_member(&reader, &name, &len))
	{
		if (ai_name_is(name, len, "predictions"))
			good = read_predictions(&reader, request, reply, failure);
		else
			ai_read_skip(&reader);
	}
	reply->model = ai_strdup(target->remote_model);
	return ai_finish_vectors(&reader, good, request, reply, failure);
}

static int
predict_limit(const AiTarget *target)
{
	return strncmp(target->remote_model, "gemini-embedding", 16) == 0 ? 1 : 250;
}

const AiProtocol ai_protocol_vertex_predict = {
	.name = "vertex-predict",
	.options = {
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 250,
	.max_input_bytes = 60000,	/* 20,000 tokens, 3 bytes a token */
	.limit = predict_limit,
	.build = predict_build,
	.parse = predict_parse,
};
