/*
 * openai_chat.c
 *	  Protocol openai-chat: OpenAI's chat completions, which most other servers
 *	  speak too; and, by openai_tasks.c, the tasks beside chat.
 *
 * Format: https://platform.openai.com/docs/api-reference/chat.
 *
 * Options		max_tokens and seed go by the provider's dialect, then by the
 *				model's profile (OpenAI's reasoning models want
 *				max_completion_tokens); tool_choice {"name": n} is wrapped in
 *				{"type": "function", ...}; the others keep their names.
 * Schema		response_format of type json_schema, strict where the schema can
 *				be; {"type": "json_object"} where the provider knows no more.
 * Usage		prompt_tokens includes cached and written tokens,
 *				completion_tokens includes reasoning (not at xAI); some servers
 *				report more of the part than of the whole, so nothing goes
 *				below zero.
 * Reasoning	reasoning_content, reasoning, parts of type "thinking", or
 *				<think> at the beginning of the text.
 */
#include "provider/classify.h"
#include "provider/protocol/openai.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/stream.h"

static void
write_tool_calls(AiJsonWriter *writer, const cJSON *tool_calls)
{
	const cJSON *call;

	ai_write_key(writer, "tool_calls");
	ai_write_array(writer);
	cJSON_ArrayForEach(call, tool_calls)
	{
		const char *id = ai_json_string(call, "id");
		const char *name = ai_json_string(call, "name");

		ai_write_object(writer);
		ai_write_string_member(writer, "id", id ? id : "");
		ai_write_string_member(writer, "type", "function");
		ai_write_key(writer, "function");
		ai_write_object(writer);
		ai_write_string_member(writer, "name", name ? name : "");
		ai_write_arguments_text(writer, call);
		ai_write_object_end(writer);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
}

static void
write_message(AiJsonWriter *writer, const AiMessage *message)
{
	static const char *const roles[] = {
		[AI_ROLE_SYSTEM] = "system",
		[AI_ROLE_USER] = "user",
		[AI_ROLE_ASSISTANT] = "assistant",
		[AI_ROLE_TOOL] = "tool",
	};

	ai_write_object(writer);
	ai_write_string_member(writer, "role", roles[message->role]);
	if (message->text == NULL && message->n_images == 0)
	{
		ai_write_key(writer, "content");
		ai_write_tree(writer, NULL);
	}
	else
		ai_write_content(writer, message);
	if (message->tool_calls != NULL)
		write_tool_calls(writer, message->tool_calls);
	if (message->tool_call_id != NULL)
		ai_write_string_member(writer, "tool_call_id", message->tool_call_id);
	ai_write_object_end(writer);
}

static void
write_tool_choice(AiJsonWriter *writer, const cJSON *choice)
{
	ai_write_key(writer, "tool_choice");
	if (cJSON_IsString(choice))
	{
		ai_write_string(writer, choice->valuestring);
		return;
	}
	ai_write_object(writer);
	ai_write_string_member(writer, "type", "function");
	ai_write_key(writer, "function");
	ai_write_object(writer);
	ai_write_string_member(writer, "name", ai_json_string(choice, "name"));
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_response_format(AiJsonWriter *writer, const AiTarget *target, const cJSON *schema)
{
	ai_write_key(writer, "response_format");
	ai_write_object(writer);
	if (!ai_provider_takes_schema(target))
		ai_write_string_member(writer, "type", "json_object");
	else
	{
		ai_write_string_member(writer, "type", "json_schema");
		ai_write_key(writer, "json_schema");
		ai_write_object(writer);
		ai_write_string_member(writer, "name", AI_SCHEMA_NAME);
		ai_write_key(writer, "schema");
		ai_write_tree(writer, schema);
		ai_write_key(writer, "strict");
		ai_write_bool(writer, ai_schema_is_strict(schema));
		ai_write_object_end(writer);
	}
	ai_write_object_end(writer);
}

/* Which providers may be asked for JSON at all, beside being told in words. */
static bool
has_json_mode(const AiTarget *target)
{
	return ai_provider_takes_schema(target) || target->provider->dialect.json_object_only;
}

static bool
openai_chat_build(const AiTarget *target, const AiRequest *request,
				  AiHttpRequest *http, AiFailure *failure)
{
	const AiDialect *dialect = &target->provider->dialect;
	AiSpelling	spelling = {
		.temperature = "temperature",
		.max_tokens = dialect->max_tokens ? dialect->max_tokens : "max_tokens",
		.top_p = "top_p",
		.stop = "stop",
		.seed = dialect->seed ? dialect->seed : "seed",
		.reasoning_effort = "reasoning_effort",
	};
	AiJsonWriter writer;
	bool		good;

	if (request->task != AI_TASK_CHAT)
		return ai_openai_task_build(target, request, http, failure);
	if (!ai_put_openai_url(http, target, "/chat/completions", failure))
		return false;
	ai_put_openai_headers(target, http);

	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", target->remote_model);
	ai_write_key(&writer, "messages");
	ai_write_array(&writer);
	for (int i = 0; i < request->n_messages; i++)
		write_message(&writer, &request->messages[i]);
	ai_write_array_end(&writer);
	ai_write_options(&writer, target, &request->options, &spelling);
	if (ai_option_set(&request->options, AI_OPTION_TOOL_CHOICE))
		write_tool_choice(&writer, request->options.tool_choice);
	if (request->tools != NULL)
	{
		ai_write_key(&writer, "tools");
		ai_write_tree(&writer, request->tools);
	}
	if (request->schema != NULL && has_json_mode(target))
		write_response_format(&writer, target, request->schema);
	if (request->stream)
		ai_write_stream(&writer);
	if (request->stream && !dialect->no_stream_options)
	{
		ai_write_key(&writer, "stream_options");
		ai_write_object(&writer);
		ai_write_key(&writer, "include_usage");
		ai_write_bool(&writer, true);
		ai_write_object_end(&writer);
	}
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* Mistral's {"type": "thinking", "thinking": [{"type": "text", ...}]} */
static void
append_thinking(AiBuffer *text, const cJSON *content)
{
	const cJSON *part;

	if (!cJSON_IsArray(content))
		return;
	cJSON_ArrayForEach(part, content)
	{
		if (ai_json_get(part, "thinking") != NULL)
			ai_append_content(text, ai_json_get(part, "thinking"));
	}
}

static const AiFinishName finish_names[] = {
	{"stop", AI_FINISH_STOP},
	{"eos", AI_FINISH_STOP},
	{"eos_token", AI_FINISH_STOP},
	{"stop_sequence", AI_FINISH_STOP},
	{"end_turn", AI_FINISH_STOP},
	{"length", AI_FINISH_LENGTH},
	{"model_length", AI_FINISH_LENGTH},
	{"max_tokens", AI_FINISH_LENGTH},
	{"max_output_tokens", AI_FINISH_LENGTH},
	{"tool_calls", AI_FINISH_TOOL_CALLS},
	{"tool_call", AI_FINISH_TOOL_CALLS},
	{"tool_use", AI_FINISH_TOOL_CALLS},
	{"function_call", AI_FINISH_TOOL_CALLS},
	{"content_filter", AI_FINISH_CONTENT_FILTER},
	{"safety", AI_FINISH_CONTENT_FILTER},
	{"insufficient_system_resource", AI_FINISH_ERROR},
	{NULL}
};

static int64_t
first_known(int64_t a, int64_t b, int64_t c)
{
	return a >= 0 ? a : b >= 0 ? b : c;
}

static void
read_usage(const AiDialect *dialect, const cJSON *usage, AiUsage *out)
{
	const cJSON *input = ai_json_get(usage, "prompt_tokens_details");
	const cJSON *output = ai_json_get(usage, "completion_tokens_details");
	int64_t		prompt = ai_json_int64(usage, "prompt_tokens");
	int64_t		completion = ai_json_int64(usage, "completion_tokens");

	out->cache_read = first_known(ai_json_int64(input, "cached_tokens"),
								  ai_json_int64(usage, "prompt_cache_hit_tokens"),
								  ai_json_int64(usage, "num_cached_tokens"));
	if (out->cache_read < 0)
		out->cache_read = ai_json_int64(usage, "cached_tokens");
	out->cache_write = ai_json_int64(input, "cache_write_tokens");
	out->reasoning = first_known(ai_json_int64(output, "reasoning_tokens"),
								 ai_json_int64(usage, "reasoning_tokens"), -1);
	if (dialect->reasoning_beside && completion >= 0)
		completion += ai_not_below_zero(out->reasoning);
	ai_usage_split(prompt, completion, out);
}

static bool
read_tool_calls(const cJSON *calls, AiReply *reply, AiFailure *failure)
{
	const cJSON *call;

	cJSON_ArrayForEach(call, calls)
	{
		const cJSON *function = ai_json_get(call, "function");
		const cJSON *arguments = ai_json_get(function, "arguments");

		if (!ai_reply_add_tool_call(reply, ai_json_string(call, "id"),
									ai_json_string(function, "name"),
									cJSON_GetStringValue(arguments),
									cJSON_IsString(arguments) ? NULL : arguments,
									failure))
			return false;
	}
	return true;
}

static bool
read_chat(const AiTarget *target, const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *choices = ai_json_get(body, "choices");
	const cJSON *choice = cJSON_IsArray(choices) ? choices->child : NULL;
	const cJSON *message = ai_json_get(choice, "message");
	const cJSON *content = ai_json_get(message, "content");
	const char *refusal = ai_json_string(message, "refusal");
	const char *thoughts = ai_json_string(message, "reasoning_content");
	AiBuffer	text = {0};
	AiBuffer	reasoning = {0};

	if (choice == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"choices\"");
	ai_append_content(&text, content);
	reply->text = text.data;
	if (thoughts == NULL)
		thoughts = ai_json_string(message, "reasoning");
	if (thoughts != NULL)
		ai_buffer_append_string(&reasoning, thoughts);
	append_thinking(&reasoning, content);
	reply->reasoning = reasoning.data;
	if (text.failed || reasoning.failed)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	ai_reply_split_thinking(reply);
	read_usage(&target->provider->dialect, ai_json_get(body, "usage"), &reply->usage);
	reply->model = ai_strdup(ai_json_string(body, "model"));
	if (!read_tool_calls(ai_json_get(message, "tool_calls"), reply, failure))
		return false;
	reply->finish = ai_finish_by_name(finish_names, ai_json_string(choice, "finish_reason"), reply);
	if (refusal != NULL && refusal[0] != '\0' && text.len == 0)
	{
		reply->finish = AI_FINISH_REFUSAL;
		reply->refusal = ai_strdup(refusal);
	}
	/* an empty string is an answer; no content at all is not */
	if (reply->text == NULL && cJSON_IsString(content))
		reply->text = ai_strdup("");
	return true;
}

/* A gateway's 200 around the error of the server behind it. */
static bool
read_error(const cJSON *body, AiFailure *failure)
{
	const cJSON *choices = ai_json_get(body, "choices");
	const cJSON *choice = cJSON_IsArray(choices) ? choices->child : NULL;

	return !ai_classify_found(body, failure) && !ai_classify_found(choice, failure);
}

static bool
openai_chat_parse(const AiTarget *target, const AiRequest *request,
				  const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body;
	bool		good;

	if (request->task != AI_TASK_CHAT)
		return ai_openai_task_parse(target, request, http, reply, failure);
	body = ai_reply_tree(http, &ai_assemble_openai_chat, failure);
	if (body == NULL)
		return false;
	good = read_error(body, failure) && read_chat(target, body, reply, failure);
	cJSON_Delete(body);
	return good;
}

const AiProtocol ai_protocol_openai_chat = {
	.name = "openai-chat",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) |
		AI_OPTION_BIT(AI_OPTION_SEED) | AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) |
		AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) | AI_OPTION_BIT(AI_OPTION_EXTRA),
		AI_OPENAI_TASKS
	},
	.max_inputs = 2048,
	.max_input_bytes = 900000,	/* 300,000 tokens a request, 3 bytes a token */
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_openai_chat,
	.build = openai_chat_build,
	.parse = openai_chat_parse,
};
