/*
 * openai_chat.c
 *	  Protocol openai-chat: OpenAI's chat completions and embeddings, which
 *	  most other servers speak too.
 *
 * Format: https://platform.openai.com/docs/api-reference/chat and /embeddings.
 *
 * Options		max_tokens is max_completion_tokens at OpenAI itself, whose
 *				reasoning models refuse the old name, and max_tokens for every
 *				compatible server; tool_choice {"name": n} is wrapped in
 *				{"type": "function", ...}; the others keep their names.
 * Usage		prompt_tokens includes cached and written tokens,
 *				completion_tokens includes reasoning; some servers report more
 *				of the part than of the whole, so nothing goes below zero.
 * Embeddings	base64 is asked for at OpenAI only; both forms are read.
 */
#include "provider/protocols.h"

#include <stdlib.h>
#include <string.h>

#define CHAT_OPTIONS \
	(AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) | \
	 AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) | \
	 AI_OPTION_BIT(AI_OPTION_SEED) | AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) | \
	 AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) | AI_OPTION_BIT(AI_OPTION_EXTRA))

static bool
is_openai(const AiTarget *target)
{
	return strcmp(target->provider->name, "openai") == 0;
}

static void
write_content(AiJsonWriter *writer, const AiMessage *message)
{
	ai_write_key(writer, "content");
	if (message->n_images == 0)
	{
		ai_write_string(writer, message->text ? message->text : "");
		return;
	}
	ai_write_array(writer);
	if (message->text != NULL && message->text[0] != '\0')
	{
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "text");
		ai_write_string_member(writer, "text", message->text);
		ai_write_object_end(writer);
	}
	for (int i = 0; i < message->n_images; i++)
	{
		AiBuffer	prefix = {0};

		ai_buffer_printf(&prefix, "data:%s;base64,", message->images[i].media_type);
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "image_url");
		ai_write_key(writer, "image_url");
		ai_write_object(writer);
		ai_write_key(writer, "url");
		ai_write_base64(writer, prefix.data, message->images[i].data, message->images[i].len);
		ai_write_object_end(writer);
		ai_write_object_end(writer);
		ai_buffer_free(&prefix);
	}
	ai_write_array_end(writer);
}

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
		char	   *arguments = cJSON_PrintUnformatted(ai_json_get(call, "arguments"));

		ai_write_object(writer);
		ai_write_string_member(writer, "id", id ? id : "");
		ai_write_string_member(writer, "type", "function");
		ai_write_key(writer, "function");
		ai_write_object(writer);
		ai_write_string_member(writer, "name", name ? name : "");
		ai_write_string_member(writer, "arguments", arguments ? arguments : "{}");
		ai_write_object_end(writer);
		ai_write_object_end(writer);
		cJSON_free(arguments);
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
		write_content(writer, message);
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
write_options(AiJsonWriter *writer, const AiTarget *target, const AiOptions *options)
{
	if (ai_option_set(options, AI_OPTION_MAX_TOKENS))
	{
		ai_write_key(writer, is_openai(target) ? "max_completion_tokens" : "max_tokens");
		ai_write_int(writer, options->max_tokens);
	}
	if (ai_option_set(options, AI_OPTION_TEMPERATURE))
	{
		ai_write_key(writer, "temperature");
		ai_write_double(writer, options->temperature);
	}
	if (ai_option_set(options, AI_OPTION_TOP_P))
	{
		ai_write_key(writer, "top_p");
		ai_write_double(writer, options->top_p);
	}
	if (ai_option_set(options, AI_OPTION_STOP))
	{
		ai_write_key(writer, "stop");
		ai_write_tree(writer, options->stop);
	}
	if (ai_option_set(options, AI_OPTION_SEED))
	{
		ai_write_key(writer, "seed");
		ai_write_int(writer, options->seed);
	}
	if (ai_option_set(options, AI_OPTION_REASONING_EFFORT))
		ai_write_string_member(writer, "reasoning_effort", options->reasoning_effort);
	if (ai_option_set(options, AI_OPTION_TOOL_CHOICE))
		write_tool_choice(writer, options->tool_choice);
}

static void
put_settings(const AiTarget *target, AiHttpRequest *http)
{
	const char *organization = ai_json_string(target->settings, "organization");
	const char *project = ai_json_string(target->settings, "project");

	if (organization != NULL)
		ai_put_header(http, "OpenAI-Organization", organization);
	if (project != NULL)
		ai_put_header(http, "OpenAI-Project", project);
}

static void
write_embeddings(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	ai_write_key(writer, "input");
	ai_write_array(writer);
	for (int i = 0; i < request->n_inputs; i++)
		ai_write_string(writer, request->inputs[i]);
	ai_write_array_end(writer);
	if (request->dimensions > 0)
	{
		ai_write_key(writer, "dimensions");
		ai_write_int(writer, request->dimensions);
	}
	if (is_openai(target))
		ai_write_string_member(writer, "encoding_format", "base64");
}

static bool
openai_chat_build(const AiTarget *target, const AiRequest *request,
				  AiHttpRequest *http, AiFailure *failure)
{
	AiJsonWriter writer;
	bool		good = true;

	ai_put_url(http, target->endpoint,
			   request->task == AI_TASK_EMBED ? "/embeddings" : "/chat/completions");
	put_settings(target, http);

	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", target->remote_model);
	if (request->task == AI_TASK_EMBED)
		write_embeddings(&writer, target, request);
	else
	{
		ai_write_key(&writer, "messages");
		ai_write_array(&writer);
		for (int i = 0; i < request->n_messages; i++)
			write_message(&writer, &request->messages[i]);
		ai_write_array_end(&writer);
		write_options(&writer, target, &request->options);
		if (request->tools != NULL)
		{
			ai_write_key(&writer, "tools");
			ai_write_tree(&writer, request->tools);
		}
	}
	if (ai_option_set(&request->options, AI_OPTION_EXTRA))
		good = ai_write_extra(&writer, request->options.extra, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* Content is a string, null, absent, or an array of parts. */
static void
append_content(AiBuffer *text, const cJSON *content)
{
	const cJSON *part;

	if (cJSON_IsString(content))
		ai_buffer_append_string(text, content->valuestring);
	else if (cJSON_IsArray(content))
	{
		cJSON_ArrayForEach(part, content)
		{
			const char *type = ai_json_string(part, "type");
			const char *string = ai_json_string(part, "text");

			if (string != NULL && (type == NULL || strcmp(type, "text") == 0))
				ai_buffer_append_string(text, string);
		}
	}
}

static AiFinishReason
finish_reason(const char *name, bool has_tool_calls, bool has_text)
{
	static const struct
	{
		const char *name;
		AiFinishReason reason;
	}			names[] = {
		{"stop", AI_FINISH_STOP},
		{"eos", AI_FINISH_STOP},
		{"length", AI_FINISH_LENGTH},
		{"model_length", AI_FINISH_LENGTH},
		{"max_tokens", AI_FINISH_LENGTH},
		{"tool_calls", AI_FINISH_TOOL_CALLS},
		{"function_call", AI_FINISH_TOOL_CALLS},
		{"content_filter", AI_FINISH_CONTENT_FILTER},
	};

	if (name == NULL)
		return has_tool_calls ? AI_FINISH_TOOL_CALLS : AI_FINISH_STOP;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(names[i].name, name) == 0)
		{
			if (has_tool_calls && names[i].reason == AI_FINISH_STOP)
				return AI_FINISH_TOOL_CALLS;
			return names[i].reason;
		}
	}
	return has_text ? AI_FINISH_STOP : AI_FINISH_ERROR;
}

static int64_t
not_below_zero(int64_t value)
{
	return value > 0 ? value : 0;
}

static void
read_usage(const cJSON *usage, AiUsage *out)
{
	const cJSON *input = ai_json_get(usage, "prompt_tokens_details");
	const cJSON *output = ai_json_get(usage, "completion_tokens_details");
	int64_t		prompt = ai_json_int64(usage, "prompt_tokens");
	int64_t		completion = ai_json_int64(usage, "completion_tokens");

	out->cache_read = ai_json_int64(input, "cached_tokens");
	out->cache_write = ai_json_int64(input, "cache_write_tokens");
	out->reasoning = ai_json_int64(output, "reasoning_tokens");
	if (prompt >= 0)
		out->uncached_input = not_below_zero(prompt - not_below_zero(out->cache_read) -
											 not_below_zero(out->cache_write));
	if (completion >= 0)
		out->visible_output = not_below_zero(completion - not_below_zero(out->reasoning));
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
read_chat(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *choices = ai_json_get(body, "choices");
	const cJSON *choice = cJSON_IsArray(choices) ? choices->child : NULL;
	const cJSON *message = ai_json_get(choice, "message");
	const cJSON *refusal = ai_json_get(message, "refusal");
	AiBuffer	text = {0};

	if (choice == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"choices\"");
	append_content(&text, ai_json_get(message, "content"));
	reply->text = text.data;
	if (text.failed)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	if (!read_tool_calls(ai_json_get(message, "tool_calls"), reply, failure))
		return false;
	reply->finish = finish_reason(ai_json_string(choice, "finish_reason"),
								  reply->tool_calls != NULL, text.len > 0);
	if (cJSON_IsString(refusal) && text.len == 0)
	{
		reply->finish = AI_FINISH_REFUSAL;
		reply->refusal = ai_strdup(refusal->valuestring);
	}
	/* an empty string is an answer; no content at all is not */
	if (reply->text == NULL && cJSON_IsString(ai_json_get(message, "content")))
		reply->text = ai_strdup("");
	read_usage(ai_json_get(body, "usage"), &reply->usage);
	reply->model = ai_strdup(ai_json_string(body, "model"));
	return true;
}

static bool
openai_chat_parse(const AiTarget *target, const AiRequest *request,
				  const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	const char *why;
	cJSON	   *body;
	const cJSON *error;
	bool		good;

	(void) target;
	if (request->task == AI_TASK_EMBED)
		return ai_parse_openai_embeddings(request, http, reply, failure);

	body = ai_json_parse(http->body.data, http->body.len, &why);
	if (body == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply cannot be read: %s", why);
	error = ai_json_get(body, "error");
	if (error != NULL && !cJSON_IsNull(error))
	{
		int64_t		status = ai_json_int64(error, "code");

		/* a gateway's 200 around the error of the server behind it */
		ai_classify_body(status >= 400 && status < 600 ? (int) status : 500, body, failure);
		good = false;
	}
	else
		good = read_chat(body, reply, failure);
	cJSON_Delete(body);
	if (!good)
		ai_reply_free(reply);
	return good;
}

const AiProtocol ai_protocol_openai_chat = {
	.name = "openai-chat",
	.options = {
		[AI_TASK_CHAT] = CHAT_OPTIONS,
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 2048,
	.max_input_bytes = 900000,	/* 300,000 tokens a request, 3 bytes a token */
	.images = true,
	.tools = true,
	.build = openai_chat_build,
	.parse = openai_chat_parse,
};
