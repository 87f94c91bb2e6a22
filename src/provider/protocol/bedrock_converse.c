/*
 * bedrock_converse.c
 *	  Protocol bedrock-converse: Amazon Bedrock's Converse, one form for all
 *	  the models that it serves.
 *
 * Format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
 *
 * Options		go into inferenceConfig; reasoning_effort is outputConfig.effort;
 *				tool_choice "none" leaves the tools in and the choice out.
 *				There is no seed.
 * Messages		must alternate between user and assistant, so neighbours of one
 *				role become blocks of one message.
 * Schema		outputConfig.textFormat, the schema as a string.
 * Usage		inputTokens excludes what was read from and written to the cache.
 * Settings		region, guardrail_id, guardrail_version.
 */
#include "provider/protocol/protocols.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"
#include "provider/stream.h"

static void
write_text(AiJsonWriter *writer, const char *text)
{
	ai_write_object(writer);
	ai_write_string_member(writer, "text", text);
	ai_write_object_end(writer);
}

static void
write_image(AiJsonWriter *writer, const AiImage *image)
{
	const char *slash = strchr(image->media_type, '/');

	ai_write_object(writer);
	ai_write_key(writer, "image");
	ai_write_object(writer);
	ai_write_string_member(writer, "format", slash ? slash + 1 : "png");
	ai_write_key(writer, "source");
	ai_write_object(writer);
	ai_write_key(writer, "bytes");
	ai_write_base64(writer, "", image->data, image->len);
	ai_write_object_end(writer);
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_tool_result(AiJsonWriter *writer, const AiMessage *message)
{
	ai_write_object(writer);
	ai_write_key(writer, "toolResult");
	ai_write_object(writer);
	ai_write_string_member(writer, "toolUseId", message->tool_call_id);
	ai_write_key(writer, "content");
	ai_write_array(writer);
	write_text(writer, message->text ? message->text : "");
	ai_write_array_end(writer);
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_tool_use(AiJsonWriter *writer, const cJSON *call)
{
	const char *id = ai_json_string(call, "id");

	ai_write_object(writer);
	ai_write_key(writer, "toolUse");
	ai_write_object(writer);
	ai_write_string_member(writer, "toolUseId", id ? id : "");
	ai_write_string_member(writer, "name", ai_json_string(call, "name"));
	ai_write_key(writer, "input");
	ai_write_tree(writer, ai_json_get(call, "arguments"));
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_blocks(AiJsonWriter *writer, const AiMessage *message)
{
	const cJSON *call;

	if (message->role == AI_ROLE_TOOL)
	{
		write_tool_result(writer, message);
		return;
	}
	for (int i = 0; i < message->n_images; i++)
		write_image(writer, &message->images[i]);
	if (message->text != NULL && message->text[0] != '\0')
		write_text(writer, message->text);
	cJSON_ArrayForEach(call, message->tool_calls)
		write_tool_use(writer, call);
}

static void
write_messages(AiJsonWriter *writer, const AiRequest *request)
{
	int			open = -1;		/* the role of the open message, as a bool */

	ai_write_key(writer, "messages");
	ai_write_array(writer);
	for (int i = 0; i < request->n_messages; i++)
	{
		const AiMessage *message = &request->messages[i];
		int			assistant = message->role == AI_ROLE_ASSISTANT;

		if (message->role == AI_ROLE_SYSTEM)
			continue;
		if (open != assistant)
		{
			if (open >= 0)
			{
				ai_write_array_end(writer);
				ai_write_object_end(writer);
			}
			ai_write_object(writer);
			ai_write_string_member(writer, "role", assistant ? "assistant" : "user");
			ai_write_key(writer, "content");
			ai_write_array(writer);
			open = assistant;
		}
		write_blocks(writer, message);
	}
	if (open >= 0)
	{
		ai_write_array_end(writer);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
}

static void
write_inference_config(AiJsonWriter *writer, const AiTarget *target, const AiOptions *options)
{
	static const AiSpelling spelling = {
		.max_tokens = "maxTokens",.temperature = "temperature",.top_p = "topP",
		.stop = "stopSequences",
	};
	uint32_t	mine = AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) | AI_OPTION_BIT(AI_OPTION_TEMPERATURE) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP);

	if ((options->set & mine) == 0)
		return;
	ai_write_key(writer, "inferenceConfig");
	ai_write_object(writer);
	ai_write_options(writer, target, options, &spelling);
	ai_write_object_end(writer);
}

static void
write_tools(AiJsonWriter *writer, const AiRequest *request)
{
	const cJSON *choice = ai_option_set(&request->options, AI_OPTION_TOOL_CHOICE)
		? request->options.tool_choice : NULL;
	const char *word = cJSON_GetStringValue(choice);
	const cJSON *tool;

	ai_write_key(writer, "toolConfig");
	ai_write_object(writer);
	ai_write_key(writer, "tools");
	ai_write_array(writer);
	cJSON_ArrayForEach(tool, request->tools)
	{
		const cJSON *function = ai_json_get(tool, "function");
		const char *description = ai_json_string(function, "description");

		ai_write_object(writer);
		ai_write_key(writer, "toolSpec");
		ai_write_object(writer);
		ai_write_string_member(writer, "name", ai_json_string(function, "name"));
		if (description != NULL)
			ai_write_string_member(writer, "description", description);
		ai_write_key(writer, "inputSchema");
		ai_write_object(writer);
		ai_write_key(writer, "json");
		if (ai_json_get(function, "parameters") != NULL)
			ai_write_tree(writer, ai_json_get(function, "parameters"));
		else
		{
			ai_write_object(writer);
			ai_write_string_member(writer, "type", "object");
			ai_write_object_end(writer);
		}
		ai_write_object_end(writer);
		ai_write_object_end(writer);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
	if (choice != NULL && (word == NULL || strcmp(word, "none") != 0))
	{
		ai_write_key(writer, "toolChoice");
		ai_write_object(writer);
		ai_write_key(writer, word == NULL ? "tool" : strcmp(word, "required") == 0 ? "any" : "auto");
		ai_write_object(writer);
		if (word == NULL)
			ai_write_string_member(writer, "name", ai_json_string(choice, "name"));
		ai_write_object_end(writer);
		ai_write_object_end(writer);
	}
	ai_write_object_end(writer);
}

static void
write_output_config(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	bool		effort = ai_option_set(&request->options, AI_OPTION_REASONING_EFFORT);
	bool		schema = request->schema != NULL && ai_provider_takes_schema(target);

	if (!effort && !schema)
		return;
	ai_write_key(writer, "outputConfig");
	ai_write_object(writer);
	if (schema)
	{
		AiBuffer	text = {0};
		AiJsonWriter inner;

		ai_write_start(&inner, &text);
		ai_write_closed_schema(&inner, request->schema);
		ai_write_end(&inner);
		ai_write_key(writer, "textFormat");
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "json_schema");
		ai_write_key(writer, "structure");
		ai_write_object(writer);
		ai_write_key(writer, "jsonSchema");
		ai_write_object(writer);
		ai_write_string_member(writer, "schema", text.data ? text.data : "{}");
		ai_write_string_member(writer, "name", AI_SCHEMA_NAME);
		ai_write_object_end(writer);
		ai_write_object_end(writer);
		ai_write_object_end(writer);
		ai_buffer_free(&text);
	}
	if (effort)
		ai_write_string_member(writer, "effort", request->options.reasoning_effort);
	ai_write_object_end(writer);
}

static bool
converse_build(const AiTarget *target, const AiRequest *request,
			   AiHttpRequest *http, AiFailure *failure)
{
	const char *guardrail = ai_setting(target, "guardrail_id");
	const char *version = ai_setting(target, "guardrail_version");
	char	   *system;
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_model_url(http, target, "/model/", target->remote_model,
						  request->stream ? "/converse-stream" : "/converse", failure))
		return false;
	system = ai_system_text(request);
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	if (system != NULL && system[0] != '\0')
	{
		ai_write_key(&writer, "system");
		ai_write_array(&writer);
		write_text(&writer, system);
		ai_write_array_end(&writer);
	}
	free(system);
	if (request->tools != NULL)
		write_tools(&writer, request);
	write_messages(&writer, request);
	write_inference_config(&writer, target, &request->options);
	write_output_config(&writer, target, request);
	if (guardrail != NULL)
	{
		ai_write_key(&writer, "guardrailConfig");
		ai_write_pair(&writer, "guardrailIdentifier", guardrail,
					  "guardrailVersion", version ? version : "DRAFT");
	}
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* ---- replies ---- */

static const AiFinishName stop_reasons[] = {
	{"end_turn", AI_FINISH_STOP},
	{"stop_sequence", AI_FINISH_STOP},
	{"max_tokens", AI_FINISH_LENGTH},
	{"model_context_window_exceeded", AI_FINISH_LENGTH},
	{"tool_use", AI_FINISH_TOOL_CALLS},
	{"guardrail_intervened", AI_FINISH_CONTENT_FILTER},
	{"content_filtered", AI_FINISH_CONTENT_FILTER},
	{"refusal", AI_FINISH_REFUSAL},
	{"malformed_model_output", AI_FINISH_ERROR},
	{"malformed_tool_use", AI_FINISH_ERROR},
	{NULL}
};

/* Two spellings with the same value are in use. */
static int64_t
cache_tokens(const cJSON *usage, const char *name, const char *other)
{
	int64_t		tokens = ai_json_int64(usage, name);

	return tokens >= 0 ? tokens : ai_json_int64(usage, other);
}

static bool
read_block(const cJSON *block, AiBuffer *text, AiBuffer *reasoning, AiReply *reply,
		   AiFailure *failure)
{
	const cJSON *tool = ai_json_get(block, "toolUse");
	const char *words = ai_json_string(block, "text");
	const char *thought = ai_json_string(ai_json_get(ai_json_get(block, "reasoningContent"), "reasoningText"), "text");

	if (words != NULL)
		ai_buffer_append_string(text, words);
	if (thought != NULL)
		ai_buffer_append_string(reasoning, thought);
	if (tool != NULL)
	{
		const cJSON *input = ai_json_get(tool, "input");

		return ai_reply_add_tool_call(reply, ai_json_string(tool, "toolUseId"),
									  ai_json_string(tool, "name"),
									  cJSON_GetStringValue(input),
									  cJSON_IsString(input) ? NULL : input, failure);
	}
	return true;
}

static bool
converse_parse(const AiTarget *target, const AiRequest *request,
			   const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body = ai_reply_tree(http, &ai_assemble_bedrock, failure);
	const cJSON *content = ai_json_get(ai_json_get(ai_json_get(body, "output"), "message"), "content");
	const cJSON *usage = ai_json_get(body, "usage");
	const cJSON *block;
	AiBuffer	text = {0};
	AiBuffer	reasoning = {0};
	bool		good = true;

	(void) request;
	if (body == NULL)
		return false;
	if (!cJSON_IsArray(content))
	{
		cJSON_Delete(body);
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"output\"");
	}
	cJSON_ArrayForEach(block, content)
		good = good && read_block(block, &text, &reasoning, reply, failure);
	reply->text = text.data;
	reply->reasoning = reasoning.data;
	reply->finish = ai_finish_by_name(stop_reasons, ai_json_string(body, "stopReason"), reply);
	if (reply->text == NULL && reply->finish == AI_FINISH_STOP)
		reply->text = ai_strdup("");
	reply->model = ai_strdup(target->remote_model);
	reply->usage.uncached_input = ai_json_int64(usage, "inputTokens");
	reply->usage.cache_read = cache_tokens(usage, "cacheReadInputTokens", "cacheReadInputTokenCount");
	reply->usage.cache_write = cache_tokens(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount");
	ai_usage_split(-1, ai_json_int64(usage, "outputTokens"), &reply->usage);
	cJSON_Delete(body);
	if (good && (text.failed || reasoning.failed))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	return good;
}

const AiProtocol ai_protocol_bedrock_converse = {
	.name = "bedrock-converse",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) |
		AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) | AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) |
		AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_bedrock,
	.build = converse_build,
	.parse = converse_parse,
};
