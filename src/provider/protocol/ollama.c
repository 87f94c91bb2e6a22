/*
 * ollama.c
 *	  Protocol ollama: Ollama's own /api/chat and /api/embed.
 *
 * Format: https://docs.ollama.com/api.
 *
 * Options		go into the object "options": max_tokens is num_predict, the
 *				others keep their names; reasoning_effort is the member think,
 *				where "none" is false.  There is no tool_choice.
 * Embeddings	truncate is false: a text that is too long is an error, where
 *				the server's default would cut it without a word.
 * Usage		prompt_eval_count is absent when the prompt was cached: unknown.
 * Settings		keep_alive, num_ctx.
 */
#include "provider/protocol/protocols.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/stream.h"

static void
write_messages(AiJsonWriter *writer, const AiRequest *request)
{
	static const char *const roles[] = {
		[AI_ROLE_SYSTEM] = "system",
		[AI_ROLE_USER] = "user",
		[AI_ROLE_ASSISTANT] = "assistant",
		[AI_ROLE_TOOL] = "tool",
	};

	ai_write_key(writer, "messages");
	ai_write_array(writer);
	for (int i = 0; i < request->n_messages; i++)
	{
		const AiMessage *message = &request->messages[i];
		const cJSON *call;

		ai_write_object(writer);
		ai_write_string_member(writer, "role", roles[message->role]);
		ai_write_string_member(writer, "content", message->text ? message->text : "");
		if (message->n_images > 0)
		{
			ai_write_key(writer, "images");
			ai_write_array(writer);
			for (int k = 0; k < message->n_images; k++)
				ai_write_base64(writer, "", message->images[k].data, message->images[k].len);
			ai_write_array_end(writer);
		}
		if (message->tool_calls != NULL)
		{
			ai_write_key(writer, "tool_calls");
			ai_write_array(writer);
			cJSON_ArrayForEach(call, message->tool_calls)
			{
				ai_write_object(writer);
				ai_write_key(writer, "function");
				ai_write_object(writer);
				ai_write_string_member(writer, "name", ai_json_string(call, "name"));
				ai_write_key(writer, "arguments");
				ai_write_tree(writer, ai_json_get(call, "arguments"));
				ai_write_object_end(writer);
				ai_write_object_end(writer);
			}
			ai_write_array_end(writer);
		}
		if (message->tool_call_id != NULL)
			ai_write_string_member(writer, "tool_call_id", message->tool_call_id);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
}

static void
write_options(AiJsonWriter *writer, const AiTarget *target, const AiOptions *options)
{
	static const AiSpelling spelling = {
		.max_tokens = "num_predict",.temperature = "temperature",.top_p = "top_p",
		.seed = "seed",.stop = "stop",
	};
	const cJSON *num_ctx = ai_json_get(target->settings, "num_ctx");

	ai_write_key(writer, "options");
	ai_write_object(writer);
	if (num_ctx != NULL)
	{
		ai_write_key(writer, "num_ctx");
		ai_write_tree(writer, num_ctx);
	}
	ai_write_options(writer, target, options, &spelling);
	ai_write_object_end(writer);
}

static void
write_chat(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	const AiOptions *options = &request->options;

	write_messages(writer, request);
	ai_write_key(writer, "stream");
	ai_write_bool(writer, request->stream);
	if (ai_option_set(options, AI_OPTION_REASONING_EFFORT))
	{
		ai_write_key(writer, "think");
		if (strcmp(options->reasoning_effort, "none") == 0)
			ai_write_bool(writer, false);
		else
			ai_write_string(writer, options->reasoning_effort);
	}
	write_options(writer, target, options);
	if (request->schema != NULL)
	{
		ai_write_key(writer, "format");
		ai_write_tree(writer, request->schema);
	}
	if (request->tools != NULL)
	{
		ai_write_key(writer, "tools");
		ai_write_tree(writer, request->tools);
	}
}

static void
write_embed(AiJsonWriter *writer, const AiRequest *request)
{
	ai_write_inputs(writer, "input", request);
	ai_write_key(writer, "truncate");
	ai_write_bool(writer, false);
	if (request->dimensions > 0)
	{
		ai_write_key(writer, "dimensions");
		ai_write_int(writer, request->dimensions);
	}
}

static bool
ollama_build(const AiTarget *target, const AiRequest *request,
			 AiHttpRequest *http, AiFailure *failure)
{
	bool		embed = request->task == AI_TASK_EMBED;
	const cJSON *keep_alive = ai_json_get(target->settings, "keep_alive");
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_url(http, target, embed ? "/api/embed" : "/api/chat", failure))
		return false;
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", target->remote_model);
	if (embed)
		write_embed(&writer, request);
	else
		write_chat(&writer, target, request);
	if (keep_alive != NULL)
	{
		ai_write_key(&writer, "keep_alive");
		ai_write_tree(&writer, keep_alive);
	}
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* With a tool call it says stop; load and unload: nothing was asked. */
static const AiFinishName done_reasons[] = {
	{"stop", AI_FINISH_STOP},
	{"length", AI_FINISH_LENGTH},
	{"load", AI_FINISH_ERROR},
	{"unload", AI_FINISH_ERROR},
	{NULL}
};

static bool
read_chat(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *message = ai_json_get(body, "message");
	const char *response = ai_json_string(body, "response");	/* of /api/generate */
	const char *reason = ai_json_string(body, "done_reason");
	const cJSON *call;

	if ((message == NULL && response == NULL) || cJSON_IsFalse(ai_json_get(body, "done")))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, message == NULL && response == NULL
					   ? "the reply has no \"message\"" : "the reply is not done");
	reply->text = ai_strdup(message ? ai_json_string(message, "content") : response);
	reply->reasoning = ai_strdup(ai_json_string(message, "thinking"));
	ai_reply_split_thinking(reply);
	cJSON_ArrayForEach(call, ai_json_get(message, "tool_calls"))
	{
		const cJSON *function = ai_json_get(call, "function");

		if (!ai_reply_add_tool_call(reply, ai_json_string(call, "id"),
									ai_json_string(function, "name"), NULL,
									ai_json_get(function, "arguments"), failure))
			return false;
	}
	reply->finish = ai_finish_by_name(done_reasons, reason, reply);
	reply->model = ai_strdup(ai_json_string(body, "model"));
	reply->usage.uncached_input = ai_json_int64(body, "prompt_eval_count");
	reply->usage.visible_output = ai_json_int64(body, "eval_count");
	return true;
}

static bool
parse_embed(const AiRequest *request, const AiHttpReply *http, AiReply *reply,
			AiFailure *failure)
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
		if (ai_name_is(name, len, "embeddings"))
			good = ai_read_vectors(&reader, request, reply, failure);
		else if (ai_name_is(name, len, "embedding") && request->n_inputs == 1)
			good = ai_read_vector(&reader, request, 0, reply, failure); /* the older form */
		else if (ai_name_is(name, len, "prompt_eval_count"))
			ai_read_int64(&reader, &reply->usage.uncached_input);
		else if (ai_name_is(name, len, "model") && reply->model == NULL)
			reply->model = ai_read_string(&reader);
		else
			ai_read_skip(&reader);
	}
	return ai_finish_vectors(&reader, good, request, reply, failure);
}

static bool
ollama_parse(const AiTarget *target, const AiRequest *request,
			 const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body;
	bool		good;

	(void) target;
	if (request->task == AI_TASK_EMBED)
		return parse_embed(request, http, reply, failure);
	body = ai_reply_tree(http, &ai_assemble_ollama, failure);
	if (body == NULL)
		return false;
	if (ai_classify_found(body, failure))
	{
		good = false;
	}
	else
		good = read_chat(body, reply, failure);
	cJSON_Delete(body);
	return good;
}

const AiProtocol ai_protocol_ollama = {
	.name = "ollama",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) |
		AI_OPTION_BIT(AI_OPTION_SEED) | AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) |
		AI_OPTION_BIT(AI_OPTION_EXTRA),
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 512,
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_ollama,
	.build = ollama_build,
	.parse = ollama_parse,
};
