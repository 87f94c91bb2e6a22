/*
 * cohere.c
 *	  Protocol cohere: Cohere's own chat, embed and rerank, version 2.
 *
 * Format: https://docs.cohere.com/reference.
 *
 * Options		top_p is p, stop is stop_sequences; reasoning_effort "none" is
 *				thinking disabled, others enabled with a token budget;
 *				tool_choice is REQUIRED or NONE.
 * Schema		response_format of type json_object with the schema beside it.
 * Usage		usage.tokens, with the hidden template; what is billed differs.
 * Settings		input_type (default search_document), truncate (default NONE).
 */
#include "provider/protocol/protocols.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"
#include "provider/stream.h"

static void
write_message(AiJsonWriter *writer, const AiMessage *message)
{
	static const char *const roles[] = {
		[AI_ROLE_SYSTEM] = "system",
		[AI_ROLE_USER] = "user",
		[AI_ROLE_ASSISTANT] = "assistant",
		[AI_ROLE_TOOL] = "tool",
	};
	const cJSON *call;

	ai_write_object(writer);
	ai_write_string_member(writer, "role", roles[message->role]);
	if (message->tool_calls != NULL)
	{
		ai_write_key(writer, "tool_calls");
		ai_write_array(writer);
		cJSON_ArrayForEach(call, message->tool_calls)
		{
			const char *id = ai_json_string(call, "id");

			ai_write_object(writer);
			ai_write_string_member(writer, "id", id ? id : "");
			ai_write_string_member(writer, "type", "function");
			ai_write_key(writer, "function");
			ai_write_object(writer);
			ai_write_string_member(writer, "name", ai_json_string(call, "name"));
			ai_write_arguments_text(writer, call);
			ai_write_object_end(writer);
			ai_write_object_end(writer);
		}
		ai_write_array_end(writer);
	}
	/* a message of tool calls has its words in tool_plan, or none */
	if (message->tool_calls == NULL || message->text != NULL)
		ai_write_content(writer, message);
	if (message->tool_call_id != NULL)
		ai_write_string_member(writer, "tool_call_id", message->tool_call_id);
	ai_write_object_end(writer);
}

static void
write_thinking(AiJsonWriter *writer, const char *effort)
{
	static const struct
	{
		const char *effort;
		int			budget;		/* 0 = as much as it likes */
	}			budgets[] = {
		{"minimal", 512}, {"low", 1024}, {"medium", 8192}, {"high", 0},
	};
	int			budget = 0;

	ai_write_key(writer, "thinking");
	ai_write_object(writer);
	ai_write_string_member(writer, "type", strcmp(effort, "none") == 0 ? "disabled" : "enabled");
	for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
	{
		if (strcmp(budgets[i].effort, effort) == 0)
			budget = budgets[i].budget;
	}
	if (budget > 0)
	{
		ai_write_key(writer, "token_budget");
		ai_write_int(writer, budget);
	}
	ai_write_object_end(writer);
}

static bool
check_tool_choice(const AiRequest *request, AiFailure *failure)
{
	const cJSON *choice = ai_option_set(&request->options, AI_OPTION_TOOL_CHOICE)
		? request->options.tool_choice : NULL;

	if (choice != NULL && !cJSON_IsString(choice))
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					   "protocol \"cohere\" has no \"tool_choice\" that names a tool");
	return true;
}

static void
write_chat(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	static const AiSpelling spelling = {
		.max_tokens = "max_tokens",.temperature = "temperature",.top_p = "p",
		.seed = "seed",.stop = "stop_sequences",
	};
	const AiOptions *options = &request->options;

	ai_write_key(writer, "messages");
	ai_write_array(writer);
	for (int i = 0; i < request->n_messages; i++)
		write_message(writer, &request->messages[i]);
	ai_write_array_end(writer);
	if (request->tools != NULL)
	{
		ai_write_key(writer, "tools");
		ai_write_tree(writer, request->tools);
	}
	ai_write_options(writer, target, options, &spelling);
	if (ai_option_set(options, AI_OPTION_REASONING_EFFORT))
		write_thinking(writer, options->reasoning_effort);
	if (ai_option_set(options, AI_OPTION_TOOL_CHOICE) &&
		strcmp(options->tool_choice->valuestring, "auto") != 0)
		ai_write_string_member(writer, "tool_choice",
							   strcmp(options->tool_choice->valuestring, "none") == 0 ? "NONE" : "REQUIRED");
	if (request->schema != NULL && ai_provider_takes_schema(target))
	{
		ai_write_key(writer, "response_format");
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "json_object");
		ai_write_key(writer, "json_schema");
		ai_write_tree(writer, request->schema);
		ai_write_object_end(writer);
	}
	ai_write_key(writer, "stream");
	ai_write_bool(writer, request->stream);
}

static void
write_embed(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	const char *type = ai_setting(target, "input_type");
	const char *truncate = ai_setting(target, "truncate");

	ai_write_inputs(writer, "texts", request);
	ai_write_string_member(writer, "input_type", type ? type : "search_document");
	ai_write_key(writer, "embedding_types");
	ai_write_array(writer);
	ai_write_string(writer, "float");
	ai_write_array_end(writer);
	if (request->dimensions > 0)
	{
		ai_write_key(writer, "output_dimension");
		ai_write_int(writer, request->dimensions);
	}
	ai_write_string_member(writer, "truncate", truncate ? truncate : "NONE");
}

static void
write_rerank(AiJsonWriter *writer, const AiRequest *request)
{
	ai_write_string_member(writer, "query", request->query);
	ai_write_inputs(writer, "documents", request);
	if (request->top_n > 0)
	{
		ai_write_key(writer, "top_n");
		ai_write_int(writer, request->top_n);
	}
}

static bool
cohere_build(const AiTarget *target, const AiRequest *request,
			 AiHttpRequest *http, AiFailure *failure)
{
	static const char *const paths[AI_TASKS] = {
		[AI_TASK_CHAT] = "/chat",[AI_TASK_EMBED] = "/embed",[AI_TASK_RERANK] = "/rerank",
	};
	AiJsonWriter writer;
	bool		good;

	if (!check_tool_choice(request, failure) || !ai_put_url(http, target, paths[request->task], failure))
		return false;
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", target->remote_model);
	if (request->task == AI_TASK_CHAT)
		write_chat(&writer, target, request);
	else if (request->task == AI_TASK_EMBED)
		write_embed(&writer, target, request);
	else
		write_rerank(&writer, request);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* ---- replies ---- */

static const AiFinishName finish_names[] = {
	{"COMPLETE", AI_FINISH_STOP},
	{"STOP_SEQUENCE", AI_FINISH_STOP},
	{"MAX_TOKENS", AI_FINISH_LENGTH},
	{"TOOL_CALL", AI_FINISH_TOOL_CALLS},
	{"ERROR_TOXIC", AI_FINISH_CONTENT_FILTER},
	{NULL}
};

static bool
read_chat(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *message = ai_json_get(body, "message");
	const cJSON *usage = ai_json_get(body, "usage");
	const cJSON *tokens = ai_json_get(usage, "tokens");
	const cJSON *item;
	AiBuffer	text = {0};
	AiBuffer	reasoning = {0};
	bool		good = true;

	if (!cJSON_IsObject(message))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"message\"");
	ai_append_content(&text, ai_json_get(message, "content"));
	cJSON_ArrayForEach(item, ai_json_get(message, "content"))
	{
		if (ai_json_string(item, "thinking"))
			ai_buffer_append_string(&reasoning, ai_json_string(item, "thinking"));
	}
	cJSON_ArrayForEach(item, ai_json_get(message, "tool_calls"))
	{
		const cJSON *function = ai_json_get(item, "function");

		good = good && ai_reply_add_tool_call(reply, ai_json_string(item, "id"),
											  ai_json_string(function, "name"),
											  ai_json_string(function, "arguments"), NULL, failure);
	}
	reply->text = text.data;
	reply->reasoning = reasoning.data;
	reply->finish = ai_finish_by_name(finish_names, ai_json_string(body, "finish_reason"), reply);
	if (reply->text == NULL && reply->finish == AI_FINISH_STOP)
		reply->text = ai_strdup("");
	reply->usage.cache_read = ai_json_int64(usage, "cached_tokens");
	reply->usage.reasoning = ai_json_int64(tokens, "reasoning_tokens");
	ai_usage_split(ai_json_int64(tokens, "input_tokens"), ai_json_int64(tokens, "output_tokens"),
				   &reply->usage);
	if (good && (text.failed || reasoning.failed))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	return good;
}

/* Walks to {"meta": {"billed_units": {"input_tokens": n}}}. */
static void
read_meta(AiJsonReader *reader, AiReply *reply)
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
		if (ai_name_is(name, len, "billed_units"))
			read_meta(reader, reply);
		else if (ai_name_is(name, len, "input_tokens"))
			ai_read_int64(reader, &reply->usage.uncached_input);
		else
			ai_read_skip(reader);
	}
}

static bool
parse_embed(const AiRequest *request, const AiHttpReply *http, AiReply *reply, AiFailure *failure)
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
		if (ai_name_is(name, len, "embeddings") && ai_read_peek(&reader) == '{')
		{
			good = ai_read_object(&reader);
			while (good && ai_read_member(&reader, &name, &len))
			{
				if (ai_name_is(name, len, "float"))
					good = ai_read_vectors(&reader, request, reply, failure);
				else
					ai_read_skip(&reader);
			}
		}
		else if (ai_name_is(name, len, "embeddings"))
			good = ai_read_vectors(&reader, request, reply, failure);
		else if (ai_name_is(name, len, "meta"))
			read_meta(&reader, reply);
		else
			ai_read_skip(&reader);
	}
	return ai_finish_vectors(&reader, good, request, reply, failure);
}

static bool
cohere_parse(const AiTarget *target, const AiRequest *request,
			 const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body;
	bool		good;

	if (request->task == AI_TASK_EMBED)
	{
		reply->model = ai_strdup(target->remote_model);
		return parse_embed(request, http, reply, failure);
	}
	body = ai_reply_tree(http, &ai_assemble_cohere, failure);
	if (body == NULL)
		return false;
	good = request->task == AI_TASK_CHAT ? read_chat(body, reply, failure)
		: ai_read_scores(ai_json_get(body, "results"), request, reply, failure);
	reply->model = ai_strdup(target->remote_model);
	cJSON_Delete(body);
	return good;
}

const AiProtocol ai_protocol_cohere = {
	.name = "cohere",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) |
		AI_OPTION_BIT(AI_OPTION_SEED) | AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) |
		AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) | AI_OPTION_BIT(AI_OPTION_EXTRA),
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
		[AI_TASK_RERANK] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 96,
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_cohere,
	.build = cohere_build,
	.parse = cohere_parse,
};
