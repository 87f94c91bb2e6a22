/*
 * gemini.c
 *	  Protocol gemini: Google's generateContent and batchEmbedContents, at
 *	  Gemini's API and at Vertex AI.
 *
 * Format: https://ai.google.dev/api/generate-content and /embeddings.
 *
 * Options		go into generationConfig in camel case; reasoning_effort is
 *				thinkingConfig.thinkingLevel, or a thinkingBudget for families
 *				whose profile says "renames": {"reasoning_effort":
 *				"thinkingBudget"}; tool_choice is functionCallingConfig.
 * Messages		roles are user and model; system text is systemInstruction; a
 *				tool's result is named by the function, not by the call's id.
 * Schema		responseJsonSchema.
 * Usage		promptTokenCount includes cached tokens and not those of tools;
 *				candidatesTokenCount excludes thoughts.
 * Filters		a blocked prompt is status 200 without candidates; a blocked
 *				answer has a finishReason of its own.
 */
#include "provider/protocol/protocols.h"

#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"
#include "provider/stream.h"

/* Both "models/x" and "x" are in use. */
static const char *
model_name(const AiTarget *target)
{
	const char *name = target->remote_model;

	return strncmp(name, "models/", 7) == 0 ? name + 7 : name;
}

/* ---- requests ---- */

static void
write_text_part(AiJsonWriter *writer, const char *text)
{
	ai_write_object(writer);
	ai_write_string_member(writer, "text", text);
	ai_write_object_end(writer);
}

/* The name of the function that a call with this id called. */
static const char *
called_function(const AiRequest *request, const char *id)
{
	for (int i = 0; i < request->n_messages; i++)
	{
		const cJSON *call;

		cJSON_ArrayForEach(call, request->messages[i].tool_calls)
		{
			const char *own = ai_json_string(call, "id");

			if (own != NULL && id != NULL && strcmp(own, id) == 0)
				return ai_json_string(call, "name");
		}
	}
	return id ? id : "";		/* servers without ids have the name stand in */
}

static void
write_tool_result(AiJsonWriter *writer, const AiRequest *request, const AiMessage *message)
{
	ai_write_object(writer);
	ai_write_key(writer, "functionResponse");
	ai_write_object(writer);
	ai_write_string_member(writer, "name", called_function(request, message->tool_call_id));
	ai_write_key(writer, "response");
	ai_write_object(writer);
	ai_write_string_member(writer, "result", message->text ? message->text : "");
	ai_write_object_end(writer);
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_tool_call(AiJsonWriter *writer, const cJSON *call)
{
	const char *signature = ai_json_string(call, "signature");

	ai_write_object(writer);
	ai_write_key(writer, "functionCall");
	ai_write_object(writer);
	ai_write_string_member(writer, "name", ai_json_string(call, "name"));
	ai_write_key(writer, "args");
	ai_write_tree(writer, ai_json_get(call, "arguments"));
	ai_write_object_end(writer);
	/* Gemini 3 refuses a history without what it signed */
	if (signature != NULL)
		ai_write_string_member(writer, "thoughtSignature", signature);
	ai_write_object_end(writer);
}

/* Writes message i, and the tool results right behind it; returns the next i. */
static int
write_message(AiJsonWriter *writer, const AiRequest *request, int i)
{
	const AiMessage *message = &request->messages[i];
	const cJSON *call;

	ai_write_object(writer);
	ai_write_string_member(writer, "role", message->role == AI_ROLE_ASSISTANT ? "model" : "user");
	ai_write_key(writer, "parts");
	ai_write_array(writer);
	if (message->role == AI_ROLE_TOOL)
	{
		while (i < request->n_messages && request->messages[i].role == AI_ROLE_TOOL)
			write_tool_result(writer, request, &request->messages[i++]);
	}
	else
	{
		if (message->text != NULL)
			write_text_part(writer, message->text);
		for (int k = 0; k < message->n_images; k++)
		{
			ai_write_object(writer);
			ai_write_key(writer, "inlineData");
			ai_write_object(writer);
			ai_write_string_member(writer, "mimeType", message->images[k].media_type);
			ai_write_key(writer, "data");
			ai_write_base64(writer, "", message->images[k].data, message->images[k].len);
			ai_write_object_end(writer);
			ai_write_object_end(writer);
		}
		cJSON_ArrayForEach(call, message->tool_calls)
			write_tool_call(writer, call);
		i++;
	}
	ai_write_array_end(writer);
	ai_write_object_end(writer);
	return i;
}

static void
write_thinking(AiJsonWriter *writer, const AiTarget *target, const char *effort)
{
	static const struct
	{
		const char *effort;
		int			budget;		/* -1 = as much as it likes */
	}			budgets[] = {
		{"none", 0}, {"minimal", 512}, {"low", 1024}, {"medium", 8192}, {"high", 24576},
	};
	const char *renamed = ai_profile_rename(target, "reasoning_effort");

	ai_write_key(writer, "thinkingConfig");
	ai_write_object(writer);
	if (renamed != NULL && strcmp(renamed, "thinkingBudget") == 0)
	{
		int			budget = -1;

		for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
		{
			if (strcmp(budgets[i].effort, effort) == 0)
				budget = budgets[i].budget;
		}
		ai_write_key(writer, "thinkingBudget");
		ai_write_int(writer, budget);
	}
	else
		ai_write_string_member(writer, "thinkingLevel", effort);
	ai_write_object_end(writer);
}

static void
write_generation_config(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	static const AiSpelling spelling = {
		.max_tokens = "maxOutputTokens",.temperature = "temperature",.top_p = "topP",
		.stop = "stopSequences",.seed = "seed",
	};
	const AiOptions *options = &request->options;
	uint32_t	mine = AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) | AI_OPTION_BIT(AI_OPTION_TEMPERATURE) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) | AI_OPTION_BIT(AI_OPTION_SEED) |
		AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT);
	bool		schema = request->schema != NULL && ai_provider_takes_schema(target);

	if ((options->set & mine) == 0 && !schema)
		return;
	ai_write_key(writer, "generationConfig");
	ai_write_object(writer);
	ai_write_options(writer, target, options, &spelling);
	if (ai_option_set(options, AI_OPTION_REASONING_EFFORT))
		write_thinking(writer, target, options->reasoning_effort);
	if (schema)
	{
		ai_write_string_member(writer, "responseMimeType", "application/json");
		ai_write_key(writer, "responseJsonSchema");
		ai_write_tree(writer, request->schema);
	}
	ai_write_object_end(writer);
}

static void
write_tools(AiJsonWriter *writer, const cJSON *tools)
{
	const cJSON *tool;

	ai_write_key(writer, "tools");
	ai_write_array(writer);
	ai_write_object(writer);
	ai_write_key(writer, "functionDeclarations");
	ai_write_array(writer);
	cJSON_ArrayForEach(tool, tools)
	{
		const cJSON *function = ai_json_get(tool, "function");
		const char *description = ai_json_string(function, "description");

		ai_write_object(writer);
		ai_write_string_member(writer, "name", ai_json_string(function, "name"));
		if (description != NULL)
			ai_write_string_member(writer, "description", description);
		if (ai_json_get(function, "parameters") != NULL)
		{
			ai_write_key(writer, "parametersJsonSchema");
			ai_write_tree(writer, ai_json_get(function, "parameters"));
		}
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
	ai_write_object_end(writer);
	ai_write_array_end(writer);
}

static void
write_tool_choice(AiJsonWriter *writer, const cJSON *choice)
{
	const char *name = cJSON_GetStringValue(choice);
	const char *mode = "ANY";

	if (name != NULL && strcmp(name, "auto") == 0)
		mode = "AUTO";
	else if (name != NULL && strcmp(name, "none") == 0)
		mode = "NONE";
	ai_write_key(writer, "toolConfig");
	ai_write_object(writer);
	ai_write_key(writer, "functionCallingConfig");
	ai_write_object(writer);
	ai_write_string_member(writer, "mode", mode);
	if (name == NULL)
	{
		ai_write_key(writer, "allowedFunctionNames");
		ai_write_array(writer);
		ai_write_string(writer, ai_json_string(choice, "name"));
		ai_write_array_end(writer);
	}
	ai_write_object_end(writer);
	ai_write_object_end(writer);
}

static void
write_chat(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	char	   *system = ai_system_text(request);

	if (system != NULL && system[0] != '\0')
	{
		ai_write_key(writer, "systemInstruction");
		ai_write_object(writer);
		ai_write_key(writer, "parts");
		ai_write_array(writer);
		write_text_part(writer, system);
		ai_write_array_end(writer);
		ai_write_object_end(writer);
	}
	free(system);
	if (request->tools != NULL)
		write_tools(writer, request->tools);
	ai_write_key(writer, "contents");
	ai_write_array(writer);
	for (int i = 0; i < request->n_messages;)
	{
		if (request->messages[i].role == AI_ROLE_SYSTEM)
			i++;
		else
			i = write_message(writer, request, i);
	}
	ai_write_array_end(writer);
	write_generation_config(writer, target, request);
	if (ai_option_set(&request->options, AI_OPTION_TOOL_CHOICE))
		write_tool_choice(writer, request->options.tool_choice);
}

static void
write_embed_members(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request, int i)
{
	ai_write_key(writer, "content");
	ai_write_object(writer);
	ai_write_key(writer, "parts");
	ai_write_array(writer);
	write_text_part(writer, request->inputs[i]);
	ai_write_array_end(writer);
	ai_write_object_end(writer);
	if (ai_setting(target, "task_type") != NULL)
		ai_write_string_member(writer, "taskType", ai_setting(target, "task_type"));
	if (request->dimensions > 0)
	{
		ai_write_key(writer, "outputDimensionality");
		ai_write_int(writer, request->dimensions);
	}
}

static void
write_embed(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	AiBuffer	model = {0};

	ai_buffer_printf(&model, "models/%s", model_name(target));
	ai_write_key(writer, "requests");
	ai_write_array(writer);
	for (int i = 0; i < request->n_inputs; i++)
	{
		ai_write_object(writer);
		ai_write_string_member(writer, "model", model.data ? model.data : "");
		write_embed_members(writer, target, request, i);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
	ai_buffer_free(&model);
}

/* Vertex has no batch of this form. */
static bool
is_vertex(const AiTarget *target)
{
	return target->provider->auth == AI_AUTH_GOOGLE;
}

static const char *
method(const AiTarget *target, const AiRequest *request)
{
	if (request->task == AI_TASK_CHAT)
		return request->stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
	return is_vertex(target) || request->n_inputs == 1 ? ":embedContent" : ":batchEmbedContents";
}

static int
gemini_limit(const AiTarget *target)
{
	return is_vertex(target) ? 1 : 100;
}

static bool
gemini_build(const AiTarget *target, const AiRequest *request,
			 AiHttpRequest *http, AiFailure *failure)
{
	bool		embed = request->task == AI_TASK_EMBED;
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_model_url(http, target, "/models/", model_name(target), method(target, request), failure))
		return false;
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	if (!embed)
		write_chat(&writer, target, request);
	else if (is_vertex(target) || request->n_inputs == 1)
		write_embed_members(&writer, target, request, 0);
	else
		write_embed(&writer, target, request);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* ---- replies ---- */

static const AiFinishName finish_names[] = {
	{"STOP", AI_FINISH_STOP},
	{"FUNCTION_CALL", AI_FINISH_TOOL_CALLS},
	{"MAX_TOKENS", AI_FINISH_LENGTH},
	{"CONTINUATION", AI_FINISH_LENGTH},
	{"OTHER", AI_FINISH_ERROR},
	{"MALFORMED_FUNCTION_CALL", AI_FINISH_ERROR},
	{"UNEXPECTED_TOOL_CALL", AI_FINISH_ERROR},
	{"TOO_MANY_TOOL_CALLS", AI_FINISH_ERROR},
	{"MALFORMED_RESPONSE", AI_FINISH_ERROR},
	{"MISSING_THOUGHT_SIGNATURE", AI_FINISH_ERROR},
	{"SAFETY", AI_FINISH_CONTENT_FILTER},
	{"RECITATION", AI_FINISH_CONTENT_FILTER},
	{"BLOCKLIST", AI_FINISH_CONTENT_FILTER},
	{"PROHIBITED_CONTENT", AI_FINISH_CONTENT_FILTER},
	{"SPII", AI_FINISH_CONTENT_FILTER},
	{"IMAGE_SAFETY", AI_FINISH_CONTENT_FILTER},
	{"MODEL_ARMOR", AI_FINISH_CONTENT_FILTER},
	{"LANGUAGE", AI_FINISH_CONTENT_FILTER},
	{NULL}
};

static void
read_usage(const cJSON *usage, AiUsage *out)
{
	int64_t		prompt = ai_json_int64(usage, "promptTokenCount");
	int64_t		tools = ai_json_int64(usage, "toolUsePromptTokenCount");
	int64_t		visible = ai_json_int64(usage, "candidatesTokenCount");

	out->cache_read = ai_json_int64(usage, "cachedContentTokenCount");
	out->reasoning = ai_json_int64(usage, "thoughtsTokenCount");
	if (prompt >= 0)
		prompt += ai_not_below_zero(tools);
	/* cut off while thinking, or withheld: no candidate was counted */
	if (visible < 0 && out->reasoning >= 0)
		visible = 0;
	else if (visible < 0 && prompt >= 0 && ai_json_int64(usage, "totalTokenCount") == prompt)
		visible = 0;
	if (visible >= 0)
		visible += ai_not_below_zero(out->reasoning);
	ai_usage_split(prompt, visible, out);
}

static bool
read_parts(const cJSON *parts, AiReply *reply, AiFailure *failure)
{
	AiBuffer	text = {0};
	AiBuffer	reasoning = {0};
	const cJSON *part;
	bool		good = true;

	cJSON_ArrayForEach(part, parts)
	{
		const cJSON *call = ai_json_get(part, "functionCall");
		const char *words = ai_json_string(part, "text");
		const char *signature = ai_json_string(part, "thoughtSignature");

		if (words != NULL)
			ai_buffer_append_string(cJSON_IsTrue(ai_json_get(part, "thought")) ? &reasoning : &text, words);
		if (call == NULL || !good)
			continue;
		good = ai_reply_add_tool_call(reply, ai_json_string(call, "id"), ai_json_string(call, "name"),
									  NULL, ai_json_get(call, "args"), failure);
		if (good && !reply->unreadable_call && signature != NULL)
			cJSON_AddStringToObject(cJSON_GetArrayItem(reply->tool_calls, cJSON_GetArraySize(reply->tool_calls) - 1),
									"signature", signature);
	}
	reply->text = text.data;
	reply->reasoning = reasoning.data;
	if (good && (text.failed || reasoning.failed))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	return good;
}

static bool
read_chat(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *candidates = ai_json_get(body, "candidates");
	const cJSON *candidate = cJSON_IsArray(candidates) ? candidates->child : NULL;
	const cJSON *feedback = ai_json_get(body, "promptFeedback");
	const char *reason = ai_json_string(candidate, "finishReason");

	read_usage(ai_json_get(body, "usageMetadata"), &reply->usage);
	reply->model = ai_strdup(ai_json_string(body, "modelVersion"));
	if (candidate == NULL)
	{
		const char *message = ai_json_string(feedback, "blockReasonMessage");

		if (feedback == NULL && reply->usage.all_input < 0 && candidates == NULL)
			return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"candidates\"");
		reply->finish = feedback ? AI_FINISH_CONTENT_FILTER : AI_FINISH_ERROR;
		reply->refusal = ai_strdup(message ? message : ai_json_string(feedback, "blockReason"));
		return true;
	}
	if (!read_parts(ai_json_get(ai_json_get(candidate, "content"), "parts"), reply, failure))
		return false;
	reply->finish = reason == NULL && reply->text == NULL && reply->tool_calls == NULL ? AI_FINISH_ERROR :
		ai_finish_by_name(finish_names, reason, reply);
	if (reply->finish == AI_FINISH_CONTENT_FILTER || reply->finish == AI_FINISH_ERROR)
		reply->refusal = ai_strdup(ai_json_string(candidate, "finishMessage"));
	return true;
}

/* One of {"values": [...]}, or an array of these. */
static bool
read_values(AiJsonReader *reader, const AiRequest *request, int index, AiReply *reply,
			AiFailure *failure)
{
	const char *name;
	size_t		len;
	bool		found = false;

	if (!ai_read_object(reader))
		return false;
	while (ai_read_member(reader, &name, &len))
	{
		if (!ai_name_is(name, len, "values"))
			ai_read_skip(reader);
		else if (!ai_read_vector(reader, request, index, reply, failure))
			return false;
		else
			found = true;
	}
	return !reader->failed && found;
}

static bool
read_embeddings(AiJsonReader *reader, const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	int			count = 0;

	if (!ai_read_array(reader))
		return false;
	while (ai_read_element(reader))
	{
		if (count >= request->n_inputs)
			return ai_fail(failure, AI_ERROR_INVALID_REPLY,
						   "the reply has more embeddings than the %d inputs that were sent",
						   request->n_inputs);
		if (!read_values(reader, request, count, reply, failure))
			return false;
		count++;
	}
	if (!reader->failed && count != request->n_inputs)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has %d embeddings for %d inputs", count, request->n_inputs);
	return !reader->failed;
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
		if (ai_name_is(name, len, "embeddings"))
			good = read_embeddings(&reader, request, reply, failure);
		else if (ai_name_is(name, len, "embedding"))
			good = read_values(&reader, request, 0, reply, failure);
		else if (ai_name_is(name, len, "usageMetadata") && ai_read_peek(&reader) == '{')
		{
			ai_read_object(&reader);
			while (ai_read_member(&reader, &name, &len))
			{
				if (ai_name_is(name, len, "promptTokenCount"))
					ai_read_int64(&reader, &reply->usage.uncached_input);
				else
					ai_read_skip(&reader);
			}
		}
		else
			ai_read_skip(&reader);
	}
	return ai_finish_vectors(&reader, good, request, reply, failure);
}

static bool
gemini_parse(const AiTarget *target, const AiRequest *request,
			 const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	cJSON	   *body;
	bool		good;

	(void) target;
	if (request->task == AI_TASK_EMBED)
		return parse_embed(request, http, reply, failure);
	body = ai_reply_tree(http, &ai_assemble_gemini, failure);
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

const AiProtocol ai_protocol_gemini = {
	.name = "gemini",
	.options = {
		[AI_TASK_CHAT] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_MAX_TOKENS) |
		AI_OPTION_BIT(AI_OPTION_TOP_P) | AI_OPTION_BIT(AI_OPTION_STOP) |
		AI_OPTION_BIT(AI_OPTION_SEED) | AI_OPTION_BIT(AI_OPTION_REASONING_EFFORT) |
		AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) | AI_OPTION_BIT(AI_OPTION_EXTRA),
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.max_inputs = 100,
	.limit = gemini_limit,
	.images = true,
	.tools = true,
	.schema = true,
	.assembler = &ai_assemble_gemini,
	.build = gemini_build,
	.parse = gemini_parse,
};
