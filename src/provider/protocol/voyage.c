/*
 * voyage.c
 *	  Protocol voyage: Voyage's embeddings and rerank.
 *
 * Format: https://docs.voyageai.com/reference.
 *
 * OpenAI's shape, but for the names: output_dimension, top_k, a list of scores
 * under "data", and usage with a total alone.  encoding_format "float" is
 * refused there, base64 is float32.
 *
 * Settings		input_type (query, document).
 */
#include "provider/protocol/protocols.h"

#include "provider/parts.h"
#include "provider/place.h"

static bool
voyage_build(const AiTarget *target, const AiRequest *request,
			 AiHttpRequest *http, AiFailure *failure)
{
	bool		embed = request->task == AI_TASK_EMBED;
	const char *type = ai_setting(target, "input_type");
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_url(http, target, embed ? "/embeddings" : "/rerank", failure))
		return false;
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", target->remote_model);
	if (embed)
	{
		ai_write_inputs(&writer, "input", request);
		if (type != NULL)
			ai_write_string_member(&writer, "input_type", type);
		if (request->dimensions > 0)
		{
			ai_write_key(&writer, "output_dimension");
			ai_write_int(&writer, request->dimensions);
		}
		ai_write_string_member(&writer, "encoding_format", "base64");
	}
	else
	{
		ai_write_string_member(&writer, "query", request->query);
		ai_write_inputs(&writer, "documents", request);
		if (request->top_n > 0)
		{
			ai_write_key(&writer, "top_k");
			ai_write_int(&writer, request->top_n);
		}
	}
	/* a text that is too long is an error, and not cut without a word */
	ai_write_key(&writer, "truncation");
	ai_write_bool(&writer, false);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

static bool
voyage_parse(const AiTarget *target, const AiRequest *request,
			 const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	const char *why;
	cJSON	   *body;
	bool		good;

	(void) target;
	if (request->task == AI_TASK_EMBED)
		return ai_parse_openai_embeddings(request, http, reply, failure);
	body = ai_json_parse(http->body.data, http->body.len, &why);
	if (body == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply cannot be read: %s", why);
	good = ai_read_scores(ai_json_get(body, "data"), request, reply, failure);
	reply->usage.uncached_input = ai_json_int64(ai_json_get(body, "usage"), "total_tokens");
	reply->model = ai_strdup(ai_json_string(body, "model"));
	cJSON_Delete(body);
	return good;
}

const AiProtocol ai_protocol_voyage = {
	.name = "voyage",
	.options = {
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
		[AI_TASK_RERANK] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 1000,
	.max_input_bytes = 360000,	/* 120,000 tokens with the smallest limit */
	.build = voyage_build,
	.parse = voyage_parse,
};
