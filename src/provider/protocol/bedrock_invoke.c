/*
 * bedrock_invoke.c
 *	  Protocol bedrock-invoke: Amazon Bedrock's InvokeModel for embeddings and
 *	  rerank, where each family of models has a form of its own.
 *
 * Formats: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
 * (Titan, Cohere Embed and Rerank, Nova Embeddings, Amazon Rerank).
 *
 * The family is told by the model's id, behind the prefix of a geography or
 * within an ARN; the setting family says it where the id does not.  Titan and
 * Nova take one text a request.
 *
 * Settings		region, family, input_type (Cohere: search_document,
 *				search_query, ...), truncate (NONE, START, END).
 */
#include "provider/protocol/protocols.h"

#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"

typedef enum Family
{
	FAMILY_TITAN_V1,
	FAMILY_TITAN,
	FAMILY_NOVA,
	FAMILY_COHERE,
	FAMILY_RERANK,
} Family;

static Family
family(const AiTarget *target)
{
	static const struct
	{
		const char *part;
		Family		family;
	}			parts[] = {
		{"titan-embed-text-v1", FAMILY_TITAN_V1},
		{"titan-embed-g1", FAMILY_TITAN_V1},
		{"titan", FAMILY_TITAN},
		{"nova", FAMILY_NOVA},
		{"rerank", FAMILY_RERANK},
		{"cohere", FAMILY_COHERE},
	};
	const char *name = ai_setting(target, "family");

	if (name == NULL)
		name = target->remote_model;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
	{
		if (strstr(name, parts[i].part) != NULL)
			return parts[i].family;
	}
	return FAMILY_TITAN;
}

static void
write_nova(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	const char *truncate = ai_setting(target, "truncate");
	const char *purpose = ai_setting(target, "input_type");

	ai_write_string_member(writer, "taskType", "SINGLE_EMBEDDING");
	ai_write_key(writer, "singleEmbeddingParams");
	ai_write_object(writer);
	ai_write_string_member(writer, "embeddingPurpose", purpose ? purpose : "GENERIC_INDEX");
	if (request->dimensions > 0)
	{
		ai_write_key(writer, "embeddingDimension");
		ai_write_int(writer, request->dimensions);
	}
	ai_write_key(writer, "text");
	ai_write_pair(writer, "truncationMode", truncate ? truncate : "NONE", "value", request->inputs[0]);
	ai_write_object_end(writer);
}

static void
write_cohere(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	const char *type = ai_setting(target, "input_type");
	const char *truncate = ai_setting(target, "truncate");

	ai_write_inputs(writer, "texts", request);
	ai_write_string_member(writer, "input_type", type ? type : "search_document");
	ai_write_string_member(writer, "truncate", truncate ? truncate : "NONE");
	if (request->dimensions > 0)
	{
		ai_write_key(writer, "output_dimension");
		ai_write_int(writer, request->dimensions);
	}
}

static void
write_rerank(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	ai_write_string_member(writer, "query", request->query);
	ai_write_inputs(writer, "documents", request);
	if (request->top_n > 0)
	{
		ai_write_key(writer, "top_n");
		ai_write_int(writer, request->top_n);
	}
	if (strstr(target->remote_model, "cohere") != NULL)
	{
		ai_write_key(writer, "api_version");
		ai_write_int(writer, 2);
	}
}

static bool
invoke_build(const AiTarget *target, const AiRequest *request,
			 AiHttpRequest *http, AiFailure *failure)
{
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_model_url(http, target, "/model/", target->remote_model, "/invoke", failure))
		return false;
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	if (request->task == AI_TASK_RERANK)
		write_rerank(&writer, target, request);
	else
		switch (family(target))
		{
			case FAMILY_TITAN_V1:
			case FAMILY_TITAN:
				ai_write_string_member(&writer, "inputText", request->inputs[0]);
				if (request->dimensions > 0)
				{
					ai_write_key(&writer, "dimensions");
					ai_write_int(&writer, request->dimensions);
				}
				break;
			case FAMILY_NOVA:
				write_nova(&writer, target, request);
				break;
			case FAMILY_COHERE:
			case FAMILY_RERANK:
				write_cohere(&writer, target, request);
				break;
		}
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* Nova's [{"embeddingType": ..., "embedding": [...]}] */
static bool
read_nova(AiJsonReader *reader, const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	const char *name;
	size_t		len;
	bool		good = true;

	if (!ai_read_array(reader))
		return false;
	while (good && ai_read_element(reader))
	{
		good = ai_read_object(reader);
		while (good && ai_read_member(reader, &name, &len))
		{
			if (ai_name_is(name, len, "embedding") && reply->vectors == NULL)
				good = ai_read_vector(reader, request, 0, reply, failure);
			else
				ai_read_skip(reader);
		}
	}
	return good && !reader->failed;
}

/* Cohere's {"float": [[...]]} */
static bool
read_by_type(AiJsonReader *reader, const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	const char *name;
	size_t		len;
	bool		good = ai_read_object(reader);

	while (good && ai_read_member(reader, &name, &len))
	{
		if (ai_name_is(name, len, "float"))
			good = ai_read_vectors(reader, request, reply, failure);
		else
			ai_read_skip(reader);
	}
	return good && !reader->failed;
}

static bool
parse_embed(const AiTarget *target, const AiRequest *request, const AiHttpReply *http,
			AiReply *reply, AiFailure *failure)
{
	AiJsonReader reader;
	const char *name;
	size_t		len;
	char		count[24];
	bool		good;

	ai_failure_clear(failure);
	ai_read_start(&reader, http->body.data, http->body.len);
	good = ai_read_object(&reader);
	while (good && ai_read_member(&reader, &name, &len))
	{
		char		next = ai_read_peek(&reader);

		if (ai_name_is(name, len, "embedding") && next == '[')
			good = ai_read_vector(&reader, request, 0, reply, failure);
		else if (ai_name_is(name, len, "embeddings") && next == '{')
			good = read_by_type(&reader, request, reply, failure);
		else if (ai_name_is(name, len, "embeddings") && next == '[' && family(target) == FAMILY_NOVA)
			good = read_nova(&reader, request, reply, failure);
		else if (ai_name_is(name, len, "embeddings") && next == '[')
			good = ai_read_vectors(&reader, request, reply, failure);
		else if (ai_name_is(name, len, "inputTextTokenCount"))
			ai_read_int64(&reader, &reply->usage.uncached_input);
		else
			ai_read_skip(&reader);
	}
	if (reply->usage.uncached_input < 0 &&
		ai_http_header(http, "x-amzn-bedrock-input-token-count", count, sizeof(count)))
		reply->usage.uncached_input = ai_tokens_of_text(count);
	reply->model = ai_strdup(target->remote_model);
	return ai_finish_vectors(&reader, good, request, reply, failure);
}

static bool
invoke_parse(const AiTarget *target, const AiRequest *request,
			 const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	const char *why;
	cJSON	   *body;
	bool		good;

	if (request->task == AI_TASK_EMBED)
		return parse_embed(target, request, http, reply, failure);
	body = ai_json_parse(http->body.data, http->body.len, &why);
	if (body == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply cannot be read: %s", why);
	good = ai_read_scores(ai_json_get(body, "results"), request, reply, failure);
	reply->model = ai_strdup(target->remote_model);
	cJSON_Delete(body);
	return good;
}

static int
invoke_limit(const AiTarget *target)
{
	switch (family(target))
	{
		case FAMILY_COHERE:
		case FAMILY_RERANK:
			return 96;
		case FAMILY_TITAN_V1:
		case FAMILY_TITAN:
		case FAMILY_NOVA:
			break;
	}
	return 1;
}

const AiProtocol ai_protocol_bedrock_invoke = {
	.name = "bedrock-invoke",
	.options = {
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
		[AI_TASK_RERANK] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 1,
	.limit = invoke_limit,
	.build = invoke_build,
	.parse = invoke_parse,
};
