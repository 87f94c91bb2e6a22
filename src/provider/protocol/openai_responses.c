/*
 * openai_responses.c
 *	  Protocol openai-responses: OpenAI's Responses; and, by openai_tasks.c,
 *	  the tasks beside chat.
 *
 * Format: https://platform.openai.com/docs/api-reference/responses.
 *
 * Options		max_tokens is max_output_tokens (at least 16), reasoning_effort
 *				is reasoning.effort.  There is no stop and no seed.
 * Messages		system text is "instructions", in front; a tool call and its
 *				result are items of their own beside the messages.
 * store		is false: the provider keeps nothing unless the DBA says so with
 *				the setting store.
 * Schema		text.format.
 */
#include "provider/classify.h"
#include "provider/protocol/openai.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/stream.h"

#define MIN_OUTPUT_TOKENS	16

static void
write_content(AiJsonWriter *writer, const AiMessage *message)
{
	ai_write_object(writer);
	ai_write_string_member(writer, "role", message->role == AI_ROLE_ASSISTANT ? "assistant" : "user");
	ai_write_key(writer, "content");
	if (message->n_images == 0)
		ai_write_string(writer, message->text ? message->text : "");
	else
	{
		ai_write_array(writer);
		if (message->text != NULL && message->text[0] != '\0')
			ai_write_pair(writer, "type", "input_text", "text", message->text);
		for (int i = 0; i < message->n_images; i++)
		{
			ai_write_object(writer);
			ai_write_string_member(writer, "type", "input_image");
			ai_write_key(writer, "image_url");
			ai_write_data_url(writer, &message->images[i]);
			ai_write_object_end(writer);
		}
		ai_write_array_end(writer);
	}
	ai_write_object_end(writer);
}

static void
write_message(AiJsonWriter *writer, const AiMessage *message)
{
	const cJSON *call;

	if (message->role == AI_ROLE_SYSTEM)
		return;
	if (message->role == AI_ROLE_TOOL)
	{
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "function_call_output");
		ai_write_string_member(writer, "call_id", message->tool_call_id);
		ai_write_string_member(writer, "output", message->text ? message->text : "");
		ai_write_object_end(writer);
		return;
	}
	if (message->text != NULL || message->n_images > 0)
		write_content(writer, message);
	cJSON_ArrayForEach(call, message->tool_calls)
	{
		const char *id = ai_json_string(call, "id");

		ai_write_object(writer);
		ai_write_string_member(writer, "type", "function_call");
		ai_write_string_member(writer, "call_id", id ? id : "");
		ai_write_string_member(writer, "name", ai_json_string(call, "name"));
		ai_write_arguments_text(writer, call);
		ai_write_object_end(writer);
	}
}

/* The function's members stand beside the type, not in an object of their own. */
static void
write_tools(AiJsonWriter *writer, const cJSON *tools)
{
	const cJSON *tool;
	const cJSON *member;

	ai_write_key(writer, "tools");
	ai_write_array(writer);
	cJSON_ArrayForEach(tool, tools)
	{
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "function");
		cJSON_ArrayForEach(member, ai_json_get(tool, "function"))
		{
			ai_write_key(writer, member->string);
			ai_write_tree(writer, member);
		}
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
}

static void
write_tool_choice(AiJsonWriter *writer, const cJSON *choice)
{
	ai_write_key(writer, "tool_choice");
	if (cJSON_IsString(choice))
		ai_write_string(writer, choice->valuestring);
	else
		ai_write_pair(writer, "type", "function", "name", ai_json_string(choice, "name"));
}

static void
write_schema(AiJsonWriter *writer, const cJSON *schema)
{
	ai_write_key(writer, "text");
	ai_write_object(writer);
	ai_write_key(writer, "format");
	ai_write_object(writer);
	ai_write_string_member(writer, "type", "json_schema");
	ai_write_string_member(writer, "name", AI_SCHEMA_NAME);
	ai_write_key(writer, "schema");
	ai_write_tree(writer, schema);
	ai_write_key(writer, "strict");
	ai_write_bool(writer, ai_schema_is_strict(schema));
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_body(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	static const AiSpelling spelling = {.temperature = "temperature",.top_p = "top_p"};
	const AiOptions *options = &request->options;
	char	   *system = ai_system_text(request);

	ai_write_string_member(writer, "model", target->remote_model);
	if (system != NULL && system[0] != '\0')
		ai_write_string_member(writer, "instructions", system);
	free(system);
	if (request->tools != NULL)
		write_tools(writer, request->tools);
	ai_write_key(writer, "input");
	ai_write_array(writer);
	for (int i = 0; i < request->n_messages; i++)
		write_message(writer, &request->messages[i]);
	ai_write_array_end(writer);
	ai_write_options(writer, target, options, &spelling);
	if (ai_option_set(options, AI_OPTION_MAX_TOKENS))
	{
		ai_write_key(writer, "max_output_tokens");
		ai_write_int(writer, options->max_tokens);
	}
	if (ai_option_set(options, AI_OPTION_REASONING_EFFORT))
	{
		ai_write_key(writer, "reasoning");
		ai_write_object(writer);
		ai_write_string_member(writer, "effort", options->reasoning_effort);
		ai_write_object_end(writer);
	}
	if (ai_option_set(options, AI_OPTION_TOOL_CHOICE))
		write_tool_choice(writer, options->tool_choice);
	if (request->schema != NULL && ai_provider_takes_schema(target))
		write_schema(writer, request->schema);
	ai_write_key(writer, "store");
	ai_write_bool(writer, ai_setting_true(target, "store"));
}

static bool
responses_build(const AiTarget *target, const AiRequest *request,
				AiHttpRequest *http, AiFailure *failure)
{
	AiJsonWriter writer;
	bool		good;

	if (request->task != AI_TASK_CHAT)
		return ai_openai_task_build(target, request, http, failure);
	if (ai_option_set(&request->options, AI_OPTION_MAX_TOKENS) &&
		request->options.max_tokens < MIN_OUTPUT_TOKENS)
	{
		ai_fail(failure, AI_ERROR_INVALID_REQUEST,
				"protocol \"openai-responses\" takes an option \"max_tokens\" of at least %d",
				MIN_OUTPUT_TOKENS);
		ai_failure_hint(failure, "Give more, or use protocol \"openai-chat\".");
		return false;
	}
	if (!ai_put_openai_url(http, target, "/responses", failure))
		return false;
	ai_put_openai_headers(target, http);
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	write_body(&writer, target, request);
	if (request->stream)
		ai_write_stream(&writer);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* ---- replies ---- */

static void
append_parts(AiBuffer *text, const cJSON *parts, const char *type)
{
	const cJSON *part;

	cJSON_ArrayForEach(part, parts)
	{
		const char *kind = ai_json_string(part, "type");
		const char *words = ai_json_string(part, "text");

		if (kind != NULL && words != NULL && strcmp(kind, type) == 0)
			ai_buffer_append_string(text, words);
	}
}

static bool
read_item(const cJSON *item, AiBuffer *text, AiBuffer *reasoning, AiReply *reply,
		  AiFailure *failure)
{
	const char *type = ai_json_string(item, "type");
	const cJSON *part;

	if (type == NULL)
		return true;
	if (strcmp(type, "message") == 0)
	{
		const char *phase = ai_json_string(item, "phase");
		bool		aside = phase != NULL && strcmp(phase, "commentary") == 0;

		append_parts(aside ? reasoning : text, ai_json_get(item, "content"), "output_text");
		cJSON_ArrayForEach(part, ai_json_get(item, "content"))
		{
			if (reply->refusal == NULL && ai_json_string(part, "refusal"))
				reply->refusal = ai_strdup(ai_json_string(part, "refusal"));
		}
	}
	else if (strcmp(type, "reasoning") == 0)
	{
		append_parts(reasoning, ai_json_get(item, "content"), "reasoning_text");
		append_parts(reasoning, ai_json_get(item, "summary"), "summary_text");
	}
	else if (strcmp(type, "function_call") == 0)
	{
		const char *id = ai_json_string(item, "call_id");

		return ai_reply_add_tool_call(reply, id ? id : ai_json_string(item, "id"),
									  ai_json_string(item, "name"),
									  ai_json_string(item, "arguments"), NULL, failure);
	}
	return true;
}

static AiFinishReason
finish_reason(const cJSON *body, const AiReply *reply)
{
	static const AiFinishName incomplete[] = {
		{"max_output_tokens", AI_FINISH_LENGTH},
		{"content_filter", AI_FINISH_CONTENT_FILTER},
		{NULL}
	};
	const char *status = ai_json_string(body, "status");
	const char *reason = ai_json_string(ai_json_get(body, "incomplete_details"), "reason");

	if (status != NULL && strcmp(status, "incomplete") == 0)
		return ai_finish_by_name(incomplete, reason ? reason : "error", reply);
	if (status != NULL && strcmp(status, "completed") != 0)
		return AI_FINISH_ERROR;
	if (reply->tool_calls != NULL)
		return AI_FINISH_TOOL_CALLS;
	if (reply->refusal != NULL && (reply->text == NULL || reply->text[0] == '\0'))
		return AI_FINISH_REFUSAL;
	return AI_FINISH_STOP;
}

static void
read_usage(const cJSON *usage, AiUsage *out)
{
	const cJSON *input = ai_json_get(usage, "input_tokens_details");
	const cJSON *output = ai_json_get(usage, "output_tokens_details");

	out->cache_read = ai_json_int64(input, "cached_tokens");
	out->cache_write = ai_json_int64(input, "cache_write_tokens");
	out->reasoning = ai_json_int64(output, "reasoning_tokens");
	ai_usage_split(ai_json_int64(usage, "input_tokens"), ai_json_int64(usage, "output_tokens"), out);
}

static bool
read_response(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	AiBuffer	text = {0};
	AiBuffer	reasoning = {0};
	const cJSON *item;
	bool		good = true;

	if (!cJSON_IsArray(ai_json_get(body, "output")))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"output\"");
	cJSON_ArrayForEach(item, ai_json_get(body, "output"))
		good = good && read_item(item, &text, &reasoning, reply, failure);
	reply->text = text.data;
	reply->reasoning = reasoning.data;
	reply->finish = finish_reason(body, reply);
	reply->model = ai_strdup(ai_json_string(body, "model"));
	read_usage(ai_json_get(body, "usage"), &reply->usage);
	if (text.failed || reasoning.failed)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	return good;
}

static bool
responses_parse(const AiTarget *target, const AiRequest *request,
				const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body;
	bool		good;

	if (request->task != AI_TASK_CHAT)
		return ai_openai_task_parse(target, request, http, reply, failure);
	body = ai_reply_tree(http, &ai_assemble_responses, failure);
	if (body == NULL)
		return false;
	if (ai_classify_found(body, failure))
	{
		good = false;
	}
	else
		good = read_response(body, reply, failure);
	cJSON_Delete(body);
	return good;
}

const AiProtocol ai_protocol_openai_responses = {
	.name = "openai-responses",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) |
		AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) | AI_OPTION_BIT(AI_OPTION_EXTRA),
		AI_OPENAI_TASKS
	},
	.max_inputs = 2048,
	.max_input_bytes = 900000,
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_responses,
	.build = responses_build,
	.parse = responses_parse,
};
