/*
 * tei.c
 *	  Protocol tei: Hugging Face's Text Embeddings Inference, its own routes.
 *
 * Format: https://huggingface.github.io/text-embeddings-inference.
 *
 * The reply is a bare array; the tokens are in a header.  truncate is false: a
 * text that is too long is an error, and not cut without a word.
 *
 * Settings		prompt_name.
 */
#include "provider/protocol/protocols.h"

#include "provider/parts.h"
#include "provider/place.h"

static bool
tei_build(const AiTarget *target, const AiRequest *request,
		  AiHttpRequest *http, AiFailure *failure)
{
	bool		embed = request->task == AI_TASK_EMBED;
	const char *prompt = ai_setting(target, "prompt_name");
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_url(http, target, embed ? "/embed" : "/rerank", failure))
		return false;
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	if (embed)
	{
		ai_write_inputs(&writer, "inputs", request);
		if (prompt != NULL)
			ai_write_string_member(&writer, "prompt_name", prompt);
		if (request->dimensions > 0)
		{
			ai_write_key(&writer, "dimensions");
			ai_write_int(&writer, request->dimensions);
		}
	}
	else
	{
		ai_write_string_member(&writer, "query", request->query);
		ai_write_inputs(&writer, "texts", request);
	}
	ai_write_key(&writer, "truncate");
	ai_write_bool(&writer, false);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

static bool
tei_parse(const AiTarget *target, const AiRequest *request,
		  const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	char		tokens[24];
	bool		good;

	ai_failure_clear(failure);
	reply->model = ai_strdup(target->remote_model);
	if (ai_http_header(http, "x-compute-tokens", tokens, sizeof(tokens)))
		reply->usage.uncached_input = ai_tokens_of_text(tokens);
	if (request->task == AI_TASK_EMBED)
	{
		AiJsonReader reader;

		ai_read_start(&reader, http->body.data, http->body.len);
		good = ai_read_vectors(&reader, request, reply, failure);
		return ai_finish_vectors(&reader, good, request, reply, failure);
	}
	else
	{
		const char *why;
		cJSON	   *body = ai_json_parse(http->body.data, http->body.len, &why);

		if (body == NULL)
			return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply cannot be read: %s", why);
		good = ai_read_scores(body, request, reply, failure);
		cJSON_Delete(body);
		/* it knows no top_n: all come back, the best first */
		if (good && request->top_n > 0 && reply->n_scores > request->top_n)
			reply->n_scores = request->top_n;
		return good;
	}
}

const AiProtocol ai_protocol_tei = {
	.name = "tei",
	.options = {
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
		[AI_TASK_RERANK] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 32,
	.build = tei_build,
	.parse = tei_parse,
};
