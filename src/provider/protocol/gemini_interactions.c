/*
 * gemini_interactions.c
 *	  Protocol gemini-interactions: Google's Interactions API.
 *
 * Format: https://ai.google.dev/api/interactions.
 *
 * Options		go into generation_config in snake case; reasoning_effort is
 *				thinking_level; tool_choice "required" is "any".
 * Messages		are steps: user_input, model_output, function_call,
 *				function_result.
 * store		is false unless the setting store says otherwise.
 * Usage		total_output_tokens excludes thoughts.
 */
#include "provider/protocol/protocols.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"
#include "provider/stream.h"

static void
write_content(AiJsonWriter *writer, const AiMessage *message)
{
	ai_write_key(writer, "content");
	ai_write_array(writer);
	if (message->text != NULL && message->text[0] != '\0')
		ai_write_pair(writer, "type", "text", "text", message->text);
	for (int i = 0; i < message->n_images; i++)
	{
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "image");
		ai_write_key(writer, "data");
		ai_write_base64(writer, "", message->images[i].data, message->images[i].len);
		ai_write_string_member(writer, "mime_type", message->images[i].media_type);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
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
		ai_write_string_member(writer, "type", "function_result");
		ai_write_string_member(writer, "call_id", message->tool_call_id);
		ai_write_string_member(writer, "result", message->text ? message->text : "");
		ai_write_object_end(writer);
		return;
	}
	if (message->text != NULL || message->n_images > 0)
	{
		ai_write_object(writer);
		ai_write_string_member(writer, "type", message->role == AI_ROLE_ASSISTANT ? "model_output" : "user_input");
		write_content(writer, message);
		ai_write_object_end(writer);
	}
	cJSON_ArrayForEach(call, message->tool_calls)
	{
		const char *id = ai_json_string(call, "id");

		ai_write_object(writer);
		ai_write_string_member(writer, "type", "function_call");
		ai_write_string_member(writer, "id", id ? id : "");
		ai_write_string_member(writer, "name", ai_json_string(call, "name"));
		ai_write_key(writer, "arguments");
		ai_write_tree(writer, ai_json_get(call, "arguments"));
		ai_write_object_end(writer);
	}
}

static void
write_generation_config(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	static const AiSpelling spelling = {
		.max_tokens = "max_output_tokens",.temperature = "temperature",.top_p = "top_p",
		.stop = "stop_sequences",.seed = "seed",.reasoning_effort = "thinking_level",
	};
	const AiOptions *options = &request->options;

	if ((options->set & ~(AI_OPTIONS_ENGINE | AI_OPTION_BIT(AI_OPTION_EXTRA))) == 0)
		return;
	ai_write_key(writer, "generation_config");
	ai_write_object(writer);
	ai_write_options(writer, target, options, &spelling);
	if (ai_option_set(options, AI_OPTION_TOOL_CHOICE))
	{
		const char *choice = cJSON_GetStringValue(options->tool_choice);

		ai_write_key(writer, "tool_choice");
		if (choice != NULL)
			ai_write_string(writer, strcmp(choice, "required") == 0 ? "any" : choice);
		else
		{
			ai_write_object(writer);
			ai_write_key(writer, "allowed_tools");
			ai_write_object(writer);
			ai_write_string_member(writer, "mode", "any");
			ai_write_key(writer, "tools");
			ai_write_array(writer);
			ai_write_string(writer, ai_json_string(options->tool_choice, "name"));
			ai_write_array_end(writer);
			ai_write_object_end(writer);
			ai_write_object_end(writer);
		}
	}
	ai_write_object_end(writer);
}

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
			if (strcmp(member->string, "strict") == 0)
				continue;
			ai_write_key(writer, member->string);
			ai_write_tree(writer, member);
		}
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
}

static bool
interactions_build(const AiTarget *target, const AiRequest *request,
				   AiHttpRequest *http, AiFailure *failure)
{
	char	   *system = ai_system_text(request);
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_url(http, target, "/interactions", failure))
	{
		free(system);
		return false;
	}
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", target->remote_model);
	if (system != NULL && system[0] != '\0')
		ai_write_string_member(&writer, "system_instruction", system);
	free(system);
	if (request->tools != NULL)
		write_tools(&writer, request->tools);
	ai_write_key(&writer, "input");
	ai_write_array(&writer);
	for (int i = 0; i < request->n_messages; i++)
		write_message(&writer, &request->messages[i]);
	ai_write_array_end(&writer);
	write_generation_config(&writer, target, request);
	if (request->schema != NULL && ai_provider_takes_schema(target))
	{
		ai_write_key(&writer, "response_format");
		ai_write_array(&writer);
		ai_write_object(&writer);
		ai_write_string_member(&writer, "type", "text");
		ai_write_string_member(&writer, "mime_type", "application/json");
		ai_write_key(&writer, "schema");
		ai_write_tree(&writer, request->schema);
		ai_write_object_end(&writer);
		ai_write_array_end(&writer);
	}
	ai_write_key(&writer, "store");
	ai_write_bool(&writer, ai_setting_true(target, "store"));
	if (request->stream)
		ai_write_stream(&writer);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

static bool
read_step(const cJSON *step, AiBuffer *text, AiBuffer *reasoning, AiReply *reply,
		  AiFailure *failure)
{
	const char *type = ai_json_string(step, "type");

	if (type == NULL)
		return true;
	if (strcmp(type, "model_output") == 0)
		ai_append_content(text, ai_json_get(step, "content"));
	else if (strcmp(type, "thought") == 0)
		ai_append_content(reasoning, ai_json_get(step, "summary"));
	else if (strcmp(type, "function_call") == 0)
	{
		const cJSON *arguments = ai_json_get(step, "arguments");

		return ai_reply_add_tool_call(reply, ai_json_string(step, "id"), ai_json_string(step, "name"),
									  cJSON_GetStringValue(arguments),
									  cJSON_IsString(arguments) ? NULL : arguments, failure);
	}
	return true;
}

static const AiFinishName statuses[] = {
	{"completed", AI_FINISH_STOP},
	{"requires_action", AI_FINISH_TOOL_CALLS},
	{"incomplete", AI_FINISH_LENGTH},
	{"requires_continuation", AI_FINISH_LENGTH},
	{"in_progress", AI_FINISH_ERROR},
	{"budget_exceeded", AI_FINISH_LENGTH},
	{NULL}
};

static void
read_usage(const cJSON *usage, AiUsage *out)
{
	int64_t		input = ai_json_int64(usage, "total_input_tokens");
	int64_t		output = ai_json_int64(usage, "total_output_tokens");

	out->cache_read = ai_json_int64(usage, "total_cached_tokens");
	out->reasoning = ai_json_int64(usage, "total_thought_tokens");
	if (input >= 0)
		input += ai_not_below_zero(ai_json_int64(usage, "total_tool_use_tokens"));
	if (output >= 0)
		output += ai_not_below_zero(out->reasoning);
	ai_usage_split(input, output, out);
}

static bool
read_interaction(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	AiBuffer	text = {0};
	AiBuffer	reasoning = {0};
	const char *status = ai_json_string(body, "status");
	const cJSON *step;
	bool		good = true;

	if (status == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"status\"");
	cJSON_ArrayForEach(step, ai_json_get(body, "steps"))
		good = good && read_step(step, &text, &reasoning, reply, failure);
	reply->text = text.data;
	reply->reasoning = reasoning.data;
	reply->finish = ai_finish_by_name(statuses, status, reply);
	reply->model = ai_strdup(ai_json_string(body, "model"));
	read_usage(ai_json_get(body, "usage"), &reply->usage);
	if (good && (text.failed || reasoning.failed))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	return good;
}

static bool
interactions_parse(const AiTarget *target, const AiRequest *request,
				   const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body = ai_reply_tree(http, &ai_assemble_interactions, failure);
	bool		good;

	(void) target;
	(void) request;
	if (body == NULL)
		return false;
	if (ai_classify_found(body, failure))
	{
		good = false;
	}
	else
		good = read_interaction(body, reply, failure);
	cJSON_Delete(body);
	return good;
}

const AiProtocol ai_protocol_gemini_interactions = {
	.name = "gemini-interactions",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) |
		AI_OPTION_BIT(AI_OPTION_SEED) | AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) |
		AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) | AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_interactions,
	.build = interactions_build,
	.parse = interactions_parse,
};
