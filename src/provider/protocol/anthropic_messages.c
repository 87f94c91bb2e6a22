/*
 * anthropic_messages.c
 *	  Protocol anthropic-messages: Anthropic's Messages API, wherever it is
 *	  served: at Anthropic, on Azure AI Foundry, by InvokeModel on Bedrock, by
 *	  rawPredict on Vertex.
 *
 * Format: https://docs.anthropic.com/en/api/messages.
 *
 * Options		max_tokens is required there, so 4096 stands in where none is
 *				given; stop is stop_sequences; reasoning_effort is
 *				output_config.effort; tool_choice "required" is {"type": "any"},
 *				{"name": n} is {"type": "tool"}.  There is no seed.
 * Messages		system text is a member of its own, in front, so that its bytes
 *				begin every request alike; tool results are blocks of a user
 *				message, and results that follow each other share one.
 * Schema		output_config.format, all objects closed; never a forced tool,
 *				which newer models refuse.
 * Cache		with the setting cache_control (5m, 1h) the static prefix (tools
 *				and system text) ends in a breakpoint.
 * Usage		input_tokens excludes what was read from and written to the
 *				cache; output_tokens includes thinking.
 * Elsewhere	Bedrock and Vertex have the model in the URL and the version in
 *				the body.
 * Settings		anthropic_version (default 2023-06-01), anthropic_beta,
 *				cache_control.
 */
#include "provider/protocol/protocols.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"
#include "provider/stream.h"

#define DEFAULT_MAX_TOKENS	4096
#define DEFAULT_VERSION		"2023-06-01"

static void
write_image(AiJsonWriter *writer, const AiImage *image)
{
	ai_write_object(writer);
	ai_write_string_member(writer, "type", "image");
	ai_write_key(writer, "source");
	ai_write_object(writer);
	ai_write_string_member(writer, "type", "base64");
	ai_write_string_member(writer, "media_type", image->media_type);
	ai_write_key(writer, "data");
	ai_write_base64(writer, "", image->data, image->len);
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_text_block(AiJsonWriter *writer, const char *text)
{
	/* an empty text block is refused */
	if (text != NULL && text[0] != '\0')
		ai_write_pair(writer, "type", "text", "text", text);
}

/* A breakpoint: what stands before it is kept by the provider. */
static void
write_cache_control(AiJsonWriter *writer, const AiTarget *target)
{
	const char *ttl = ai_setting(target, "cache_control");

	if (ttl == NULL)
		return;
	ai_write_key(writer, "cache_control");
	ai_write_object(writer);
	ai_write_string_member(writer, "type", "ephemeral");
	if (strcmp(ttl, "5m") != 0)
		ai_write_string_member(writer, "ttl", ttl);
	ai_write_object_end(writer);
}

static void
write_system(AiJsonWriter *writer, const AiTarget *target, const char *system)
{
	ai_write_key(writer, "system");
	if (ai_setting(target, "cache_control") == NULL)
	{
		ai_write_string(writer, system);
		return;
	}
	ai_write_array(writer);
	ai_write_object(writer);
	ai_write_string_member(writer, "type", "text");
	ai_write_string_member(writer, "text", system);
	write_cache_control(writer, target);
	ai_write_object_end(writer);
	ai_write_array_end(writer);
}

static void
write_tool_use(AiJsonWriter *writer, const cJSON *call)
{
	const char *id = ai_json_string(call, "id");

	ai_write_object(writer);
	ai_write_string_member(writer, "type", "tool_use");
	ai_write_string_member(writer, "id", id ? id : "");
	ai_write_string_member(writer, "name", ai_json_string(call, "name"));
	ai_write_key(writer, "input");
	ai_write_tree(writer, ai_json_get(call, "arguments"));
	ai_write_object_end(writer);
}

static void
write_tool_result(AiJsonWriter *writer, const AiMessage *message)
{
	ai_write_object(writer);
	ai_write_string_member(writer, "type", "tool_result");
	ai_write_string_member(writer, "tool_use_id", message->tool_call_id);
	ai_write_string_member(writer, "content", message->text ? message->text : "");
	ai_write_object_end(writer);
}

/* Writes message i, and the tool results right behind it; returns the next i. */
static int
write_message(AiJsonWriter *writer, const AiRequest *request, int i)
{
	const AiMessage *message = &request->messages[i];
	bool		plain = message->n_images == 0 && message->tool_calls == NULL &&
		message->role != AI_ROLE_TOOL;
	const cJSON *call;

	ai_write_object(writer);
	ai_write_string_member(writer, "role",
						   message->role == AI_ROLE_ASSISTANT ? "assistant" : "user");
	ai_write_key(writer, "content");
	if (plain)
	{
		ai_write_string(writer, message->text ? message->text : "");
		ai_write_object_end(writer);
		return i + 1;
	}
	ai_write_array(writer);
	if (message->role == AI_ROLE_TOOL)
	{
		while (i < request->n_messages && request->messages[i].role == AI_ROLE_TOOL)
			write_tool_result(writer, &request->messages[i++]);
	}
	else
	{
		for (int k = 0; k < message->n_images; k++)
			write_image(writer, &message->images[k]);
		write_text_block(writer, message->text);
		cJSON_ArrayForEach(call, message->tool_calls)
			write_tool_use(writer, call);
		i++;
	}
	ai_write_array_end(writer);
	ai_write_object_end(writer);
	return i;
}

static void
write_tools(AiJsonWriter *writer, const AiTarget *target, const cJSON *tools, bool cache)
{
	const cJSON *tool;

	ai_write_key(writer, "tools");
	ai_write_array(writer);
	cJSON_ArrayForEach(tool, tools)
	{
		const cJSON *function = ai_json_get(tool, "function");
		const cJSON *parameters = ai_json_get(function, "parameters");
		const cJSON *strict = ai_json_get(function, "strict");
		const char *description = ai_json_string(function, "description");

		ai_write_object(writer);
		ai_write_string_member(writer, "name", ai_json_string(function, "name"));
		if (description != NULL)
			ai_write_string_member(writer, "description", description);
		ai_write_key(writer, "input_schema");
		if (parameters != NULL)
			ai_write_tree(writer, parameters);
		else
		{
			ai_write_object(writer);
			ai_write_string_member(writer, "type", "object");
			ai_write_object_end(writer);
		}
		if (strict != NULL)
		{
			ai_write_key(writer, "strict");
			ai_write_tree(writer, strict);
		}
		if (cache && tool->next == NULL)
			write_cache_control(writer, target);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
}

static void
write_tool_choice(AiJsonWriter *writer, const cJSON *choice)
{
	const char *name = cJSON_GetStringValue(choice);

	ai_write_key(writer, "tool_choice");
	ai_write_object(writer);
	if (name == NULL)
	{
		ai_write_string_member(writer, "type", "tool");
		ai_write_string_member(writer, "name", ai_json_string(choice, "name"));
	}
	else
		ai_write_string_member(writer, "type", strcmp(name, "required") == 0 ? "any" : name);
	ai_write_object_end(writer);
}

/* output_config holds two things. */
static void
write_output_config(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	bool		effort = ai_option_set(&request->options, AI_OPTION_REASONING_EFFORT);
	bool		schema = request->schema != NULL && ai_provider_takes_schema(target);

	if (!effort && !schema)
		return;
	ai_write_key(writer, "output_config");
	ai_write_object(writer);
	if (effort)
		ai_write_string_member(writer, "effort", request->options.reasoning_effort);
	if (schema)
	{
		ai_write_key(writer, "format");
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "json_schema");
		ai_write_key(writer, "schema");
		ai_write_closed_schema(writer, request->schema);
		ai_write_object_end(writer);
	}
	ai_write_object_end(writer);
}

/* Where the API is a part of another: the version it has there, or NULL. */
static const char *
version_within(const AiTarget *target)
{
	if (target->provider->auth == AI_AUTH_AWS && strstr(target->endpoint, "bedrock-mantle") == NULL)
		return "bedrock-2023-05-31";
	if (target->provider->auth == AI_AUTH_GOOGLE)
		return "vertex-2023-10-16";
	return NULL;
}

/* InvokeModel wraps its events once more; Converse streams the same models. */
static bool
anthropic_streams(const AiTarget *target)
{
	return target->provider->auth != AI_AUTH_AWS || version_within(target) == NULL;
}

static bool
put_url(AiHttpRequest *http, const AiTarget *target, bool stream, AiFailure *failure)
{
	if (target->provider->auth == AI_AUTH_GOOGLE)
		return ai_put_model_url(http, target, "/models/", target->remote_model,
								stream ? ":streamRawPredict" : ":rawPredict", failure);
	if (version_within(target) != NULL)
		return ai_put_model_url(http, target, "/model/", target->remote_model, "/invoke", failure);
	return ai_put_url(http, target, ai_endpoint_ends_with(target, "/v1") ? "/messages" : "/v1/messages",
					  failure);
}

static bool
anthropic_build(const AiTarget *target, const AiRequest *request,
				AiHttpRequest *http, AiFailure *failure)
{
	static const AiSpelling spelling = {
		.temperature = "temperature",.top_p = "top_p",.stop = "stop_sequences",
	};
	const char *version = ai_setting(target, "anthropic_version");
	const char *beta = ai_setting(target, "anthropic_beta");
	const char *within = version_within(target);
	char	   *system = ai_system_text(request);
	bool		has_system = system != NULL && system[0] != '\0';
	AiJsonWriter writer;
	bool		good;

	if (!put_url(http, target, request->stream, failure))
	{
		free(system);
		return false;
	}
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	if (within != NULL)
		ai_write_string_member(&writer, "anthropic_version", version ? version : within);
	else
	{
		ai_put_header(http, "anthropic-version", version ? version : DEFAULT_VERSION);
		if (beta != NULL)
			ai_put_header(http, "anthropic-beta", beta);
		ai_write_string_member(&writer, "model", target->remote_model);
	}
	ai_write_key(&writer, "max_tokens");
	ai_write_int(&writer, ai_option_set(&request->options, AI_OPTION_MAX_TOKENS)
				 ? request->options.max_tokens : DEFAULT_MAX_TOKENS);
	if (has_system)
		write_system(&writer, target, system);
	free(system);
	if (request->tools != NULL)
		write_tools(&writer, target, request->tools, !has_system);
	ai_write_key(&writer, "messages");
	ai_write_array(&writer);
	for (int i = 0; i < request->n_messages;)
	{
		if (request->messages[i].role == AI_ROLE_SYSTEM)
			i++;
		else
			i = write_message(&writer, request, i);
	}
	ai_write_array_end(&writer);
	ai_write_options(&writer, target, &request->options, &spelling);
	if (ai_option_set(&request->options, AI_OPTION_TOOL_CHOICE))
		write_tool_choice(&writer, request->options.tool_choice);
	write_output_config(&writer, target, request);
	if (request->stream)
		ai_write_stream(&writer);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

static const AiFinishName stop_reasons[] = {
	{"end_turn", AI_FINISH_STOP},
	{"stop_sequence", AI_FINISH_STOP},
	{"pause_turn", AI_FINISH_STOP},
	{"max_tokens", AI_FINISH_LENGTH},
	{"model_context_window_exceeded", AI_FINISH_LENGTH},
	{"tool_use", AI_FINISH_TOOL_CALLS},
	{"refusal", AI_FINISH_REFUSAL},
	{NULL}
};

static bool
read_content(const cJSON *content, AiReply *reply, AiFailure *failure)
{
	AiBuffer	text = {0};
	AiBuffer	reasoning = {0};
	const cJSON *block;
	bool		good = true;

	/* thinking comes first, and unknown blocks may come anywhere */
	cJSON_ArrayForEach(block, content)
	{
		const char *type = ai_json_string(block, "type");

		if (type == NULL)
			continue;
		if (strcmp(type, "text") == 0 && ai_json_string(block, "text"))
			ai_buffer_append_string(&text, ai_json_string(block, "text"));
		else if (strcmp(type, "thinking") == 0 && ai_json_string(block, "thinking"))
			ai_buffer_append_string(&reasoning, ai_json_string(block, "thinking"));
		else if (strcmp(type, "tool_use") == 0)
		{
			const cJSON *input = ai_json_get(block, "input");

			good = good && ai_reply_add_tool_call(reply, ai_json_string(block, "id"),
												  ai_json_string(block, "name"),
												  cJSON_GetStringValue(input),
												  cJSON_IsString(input) ? NULL : input, failure);
		}
	}
	if (good && (text.failed || reasoning.failed))
		good = ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	reply->text = text.data;
	reply->reasoning = reasoning.data;
	return good;
}

static void
read_usage(const cJSON *usage, AiUsage *out)
{
	out->uncached_input = ai_json_int64(usage, "input_tokens");
	out->cache_read = ai_json_int64(usage, "cache_read_input_tokens");
	out->cache_write = ai_json_int64(usage, "cache_creation_input_tokens");
	out->reasoning = ai_json_int64(ai_json_get(usage, "output_tokens_details"), "thinking_tokens");
	ai_usage_split(-1, ai_json_int64(usage, "output_tokens"), out);
}

static void
read_refusal(const cJSON *body, AiReply *reply)
{
	const cJSON *details = ai_json_get(body, "stop_details");
	const char *explanation = ai_json_string(details, "explanation");
	const char *category = ai_json_string(details, "category");

	reply->refusal = ai_strdup(explanation ? explanation : category);
}

static bool
anthropic_parse(const AiTarget *target, const AiRequest *request,
				const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body = ai_reply_tree(http, &ai_assemble_anthropic, failure);
	const char *type = ai_json_string(body, "type");
	const char *reason = ai_json_string(body, "stop_reason");
	bool		good;

	(void) target;
	(void) request;
	if (body == NULL)
		return false;
	if (type != NULL && strcmp(type, "error") == 0)
	{
		ai_classify_told(body, failure);
		good = false;
	}
	else if (!cJSON_IsArray(ai_json_get(body, "content")))
		good = ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"content\"");
	else
	{
		good = read_content(ai_json_get(body, "content"), reply, failure);
		reply->finish = ai_finish_by_name(stop_reasons, reason, reply);
		if (reply->finish == AI_FINISH_REFUSAL)
			read_refusal(body, reply);
		/* an answer of no words is an answer */
		if (reply->text == NULL && reply->finish == AI_FINISH_STOP)
			reply->text = ai_strdup("");
		reply->model = ai_strdup(ai_json_string(body, "model"));
		read_usage(ai_json_get(body, "usage"), &reply->usage);
	}
	cJSON_Delete(body);
	return good;
}

const AiProtocol ai_protocol_anthropic_messages = {
	.name = "anthropic-messages",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) |
		AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) | AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) |
		AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_anthropic,
	.streams = anthropic_streams,
	.build = anthropic_build,
	.parse = anthropic_parse,
};
