/*
 * assemble.c
 *	  The assemblers of stream.h: one a format of events, each building the tree
 *	  of the same provider's reply in one piece.
 *
 * Sources: the vendors' references of streaming; what they leave open is as
 * recorded traffic shows it (usage repeats and the last one counts, a tool
 * without arguments sends none, indexes may be missing).
 */
#include "provider/stream.h"

#include <string.h>

static bool
is(const char *name, const char *expected)
{
	return name != NULL && strcmp(name, expected) == 0;
}

static void
copy_member(AiStream *stream, const cJSON *from, const char *name)
{
	const cJSON *item = ai_json_get(from, name);

	if (item != NULL && !cJSON_IsNull(item))
		ai_tree_set(stream->tree, name, cJSON_Duplicate(item, true));
}

static size_t
count_values(const cJSON *item)
{
	const cJSON *child;
	size_t		n = 1;

	cJSON_ArrayForEach(child, item)
		n += count_values(child);
	return n;
}

/* A copy that stays in the tree beside those of other events. */
static cJSON *
keep(AiStream *stream, const cJSON *item)
{
	stream->kept += count_values(item);
	return cJSON_Duplicate(item, true);
}

/* The member of that name, made if it is missing. */
static cJSON *
member(cJSON *object, const char *name, cJSON *(*create) (void))
{
	cJSON	   *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (item == NULL)
	{
		item = create();
		cJSON_AddItemToObject(object, name, item);
	}
	return item;
}

/*
 * The members of an event's object in place of those that the tree has, but for
 * one that was built of other events.
 */
static void
take_members(AiStream *stream, const cJSON *from, const char *own)
{
	cJSON	   *tree = cJSON_Duplicate(from, true);
	cJSON	   *built = own != NULL ? cJSON_DetachItemFromObjectCaseSensitive(stream->tree, own) : NULL;

	if (!cJSON_IsObject(tree))
	{
		cJSON_Delete(tree);
		tree = cJSON_CreateObject();
	}
	if (built != NULL)
		ai_tree_set(tree, own, built);
	cJSON_Delete(stream->tree);
	stream->tree = tree;
}

static void
set_text(cJSON *object, const char *name, AiBuffer *text)
{
	if (text->data != NULL)
		ai_tree_set(object, name, cJSON_CreateString(text->data));
	ai_buffer_reset(text);
}

/* ---- openai-chat ---- */

static void
append_part(AiStream *stream, const cJSON *content)
{
	const cJSON *part;

	if (cJSON_IsString(content))
		ai_buffer_append_string(&stream->text, content->valuestring);
	else if (cJSON_IsArray(content))
	{
		cJSON_ArrayForEach(part, content)
		{
			const cJSON *thinking = ai_json_get(part, "thinking");
			const cJSON *each;

			if (ai_json_string(part, "text"))
				ai_buffer_append_string(&stream->text, ai_json_string(part, "text"));
			cJSON_ArrayForEach(each, thinking)
			{
				if (ai_json_string(each, "text"))
					ai_buffer_append_string(&stream->reasoning, ai_json_string(each, "text"));
			}
		}
	}
}

/*
 * Which call a piece belongs to; NULL = a new one.  By the index that the server
 * gives, wherever it counts from, else it is the last.  A new id with a name of its
 * own is another call, though some servers give all the same index.
 */
static AiStreamCall *
find_call(const AiStream *stream, int64_t index, const char *id, const char *name)
{
	/* mostly the last */
	for (int i = stream->n_calls - 1; i >= 0; i--)
	{
		AiStreamCall *call = &stream->calls[i];
		const char *own;

		if (index >= 0 && call->index != index)
			continue;
		own = ai_json_string(call->call, "id");
		if (id != NULL && id[0] && !is(own, id) && (index < 0 || (own != NULL && own[0] && name != NULL && name[0])))
			return NULL;
		return call;
	}
	return NULL;
}

static AiStreamCall *
new_call(AiStream *stream, cJSON *calls, int64_t index)
{
	cJSON	   *call = cJSON_CreateObject();

	cJSON_AddItemToArray(calls, call);
	cJSON_AddItemToObject(call, "function", cJSON_CreateObject());
	return ai_stream_call(stream, call, index);
}

/* False with a failure. */
static bool
merge_tool_call(AiStream *stream, cJSON *calls, const cJSON *delta)
{
	const cJSON *function = ai_json_get(delta, "function");
	const cJSON *arguments = ai_json_get(function, "arguments");
	const char *name = ai_json_string(function, "name");
	const char *id = ai_json_string(delta, "id");
	int64_t		index = ai_json_int64(delta, "index");
	AiStreamCall *call = find_call(stream, index, id, name);

	if (call == NULL)
		call = new_call(stream, calls, index);
	if (call == NULL)
		return false;
	if (id != NULL && id[0])
		ai_tree_set(call->call, "id", cJSON_CreateString(id));
	if (name != NULL && name[0])
		ai_tree_set(call->function, "name", cJSON_CreateString(name));
	if (cJSON_IsString(arguments))
		ai_buffer_append_string(&call->arguments, arguments->valuestring);
	else if (cJSON_IsObject(arguments))
		ai_tree_set(call->function, "arguments", keep(stream, arguments));
	return !call->arguments.failed || ai_fail(stream->failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
}

static bool
take_openai_chat(AiStream *stream, const char *event, const cJSON *data)
{
	const cJSON *choices = ai_json_get(data, "choices");
	const cJSON *choice = cJSON_IsArray(choices) ? choices->child : NULL;
	const cJSON *delta = ai_json_get(choice, "delta");
	const cJSON *call;
	cJSON	   *message = member(stream->tree, "message", cJSON_CreateObject);
	const char *reasoning;

	copy_member(stream, data, "model");
	copy_member(stream, data, "usage");
	if (delta == NULL)			/* a server may send the whole at once */
		delta = ai_json_get(choice, "message");
	append_part(stream, ai_json_get(delta, "content"));
	reasoning = ai_json_string(delta, "reasoning_content");
	if (reasoning == NULL)
		reasoning = ai_json_string(delta, "reasoning");
	if (reasoning != NULL)
		ai_buffer_append_string(&stream->reasoning, reasoning);
	if (ai_json_string(delta, "refusal"))
		ai_buffer_append_string(&stream->refusal, ai_json_string(delta, "refusal"));
	cJSON_ArrayForEach(call, ai_json_get(delta, "tool_calls"))
	{
		if (!merge_tool_call(stream, member(message, "tool_calls", cJSON_CreateArray), call))
			return false;
	}
	if (ai_json_string(choice, "finish_reason"))
	{
		copy_member(stream, choice, "finish_reason");
		stream->ended = true;
	}
	return true;
}

static void
end_openai_chat(AiStream *stream)
{
	cJSON	   *choices = cJSON_CreateArray();
	cJSON	   *choice = cJSON_CreateObject();
	cJSON	   *message = cJSON_DetachItemFromObjectCaseSensitive(stream->tree, "message");
	cJSON	   *finish = cJSON_DetachItemFromObjectCaseSensitive(stream->tree, "finish_reason");

	if (message == NULL)
		message = cJSON_CreateObject();
	if (finish != NULL)
		cJSON_AddItemToObject(choice, "finish_reason", finish);
	set_text(message, "content", &stream->text);
	set_text(message, "reasoning_content", &stream->reasoning);
	set_text(message, "refusal", &stream->refusal);
	cJSON_AddItemToObject(choice, "message", message);
	cJSON_AddItemToArray(choices, choice);
	cJSON_AddItemToObject(stream->tree, "choices", choices);
}

const AiAssembler ai_assemble_openai_chat = {take_openai_chat, end_openai_chat};

/* ---- anthropic-messages ---- */

/* The counts that there are stay few, whatever a server sends. */
#define MAX_COUNTS	100

static void
merge_usage(AiStream *stream, const cJSON *usage)
{
	const cJSON *item;
	cJSON	   *own = member(stream->tree, "usage", cJSON_CreateObject);
	int			n = 0;

	cJSON_ArrayForEach(item, usage)
	{
		if (!cJSON_IsNull(item) && n++ < MAX_COUNTS)
			ai_tree_set(own, item->string, keep(stream, item));
	}
}

static bool
take_anthropic(AiStream *stream, const char *event, const cJSON *data)
{
	const char *type = ai_json_string(data, "type");
	const cJSON *delta = ai_json_get(data, "delta");

	if (type == NULL)
		type = event;
	if (is(type, "message_start"))
	{
		/* a second beginning takes the place of the first one */
		stream->block = NULL;
		ai_buffer_reset(&stream->text);
		ai_buffer_reset(&stream->reasoning);
		take_members(stream, ai_json_get(data, "message"), NULL);
		if (!cJSON_IsArray(ai_json_get(stream->tree, "content")))
			ai_tree_set(stream->tree, "content", cJSON_CreateArray());
	}
	else if (is(type, "content_block_start"))
	{
		stream->block = keep(stream, ai_json_get(data, "content_block"));
		if (stream->block != NULL)
			cJSON_AddItemToArray(member(stream->tree, "content", cJSON_CreateArray), stream->block);
		if (ai_json_string(stream->block, "text"))
			ai_buffer_append_string(&stream->text, ai_json_string(stream->block, "text"));
	}
	else if (is(type, "content_block_delta"))
	{
		static const char *const names[] = {"text", "partial_json"};

		for (size_t i = 0; i < 2; i++)
		{
			if (ai_json_string(delta, names[i]))
				ai_buffer_append_string(&stream->text, ai_json_string(delta, names[i]));
		}
		if (ai_json_string(delta, "thinking"))
			ai_buffer_append_string(&stream->reasoning, ai_json_string(delta, "thinking"));
	}
	else if (is(type, "content_block_stop") && stream->block != NULL)
	{
		const char *kind = ai_json_string(stream->block, "type");
		const char *why;

		if (is(kind, "text"))
			set_text(stream->block, "text", &stream->text);
		else if (is(kind, "thinking"))
			set_text(stream->block, "thinking", &stream->reasoning);
		else if (is(kind, "tool_use") && stream->text.len > 0)
		{
			cJSON	   *input = ai_json_parse(stream->text.data, stream->text.len, &why);

			/* what cannot be read is named by the reader of the whole */
			ai_tree_set(stream->block, "input",
						input ? input : cJSON_CreateString(stream->text.data));
		}
		ai_buffer_reset(&stream->text);
		ai_buffer_reset(&stream->reasoning);
		stream->block = NULL;
	}
	else if (is(type, "message_delta"))
	{
		copy_member(stream, delta, "stop_reason");
		copy_member(stream, delta, "stop_details");
		merge_usage(stream, ai_json_get(data, "usage"));
	}
	else if (is(type, "message_stop"))
		stream->ended = true;
	return true;
}

static void
end_nothing(AiStream *stream)
{
	(void) stream;
}

const AiAssembler ai_assemble_anthropic = {take_anthropic, end_nothing};

/* ---- openai-responses: the last event holds the whole ---- */

static bool
take_responses(AiStream *stream, const char *event, const cJSON *data)
{
	const char *type = ai_json_string(data, "type");
	const cJSON *response = ai_json_get(data, "response");

	if (type == NULL)
		type = event;
	if (is(type, "response.completed") || is(type, "response.incomplete") ||
		is(type, "response.failed"))
	{
		take_members(stream, response, NULL);
		stream->ended = true;
	}
	return true;
}

const AiAssembler ai_assemble_responses = {take_responses, end_nothing};

/* ---- gemini: each event is a partial reply ---- */

static bool
take_gemini(AiStream *stream, const char *event, const cJSON *data)
{
	const cJSON *candidates = ai_json_get(data, "candidates");
	const cJSON *candidate = cJSON_IsArray(candidates) ? candidates->child : NULL;
	cJSON	   *own = member(stream->tree, "candidates", cJSON_CreateArray);
	const cJSON *part;
	cJSON	   *parts;

	copy_member(stream, data, "usageMetadata");
	copy_member(stream, data, "modelVersion");
	copy_member(stream, data, "promptFeedback");
	if (ai_json_get(data, "promptFeedback") != NULL)
		stream->ended = true;
	if (candidate == NULL)
		return true;
	if (own->child == NULL)
	{
		cJSON	   *first = cJSON_CreateObject();
		cJSON	   *content = cJSON_CreateObject();

		cJSON_AddItemToObject(content, "parts", cJSON_CreateArray());
		cJSON_AddItemToObject(first, "content", content);
		cJSON_AddItemToArray(own, first);
	}
	parts = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(own->child, "content"), "parts");
	cJSON_ArrayForEach(part, ai_json_get(ai_json_get(candidate, "content"), "parts"))
		cJSON_AddItemToArray(parts, keep(stream, part));
	if (ai_json_string(candidate, "finishReason"))
	{
		ai_tree_set(own->child, "finishReason",
					cJSON_CreateString(ai_json_string(candidate, "finishReason")));
		stream->ended = true;
	}
	return true;
}

const AiAssembler ai_assemble_gemini = {take_gemini, end_nothing};

/* ---- gemini-interactions ---- */

static bool
take_interactions(AiStream *stream, const char *event, const cJSON *data)
{
	const char *type = ai_json_string(data, "event_type");
	const cJSON *delta = ai_json_get(data, "delta");
	const cJSON *item;
	cJSON	   *content;
	const char *why;

	if (is(type, "step.start"))
	{
		stream->block = keep(stream, ai_json_get(data, "step"));
		if (stream->block != NULL)
			cJSON_AddItemToArray(member(stream->tree, "steps", cJSON_CreateArray), stream->block);
	}
	else if (is(type, "step.delta"))
	{
		if (is(ai_json_string(delta, "type"), "text") && ai_json_string(delta, "text"))
			ai_buffer_append_string(&stream->text, ai_json_string(delta, "text"));
		else if (ai_json_string(delta, "arguments"))
			ai_buffer_append_string(&stream->reasoning, ai_json_string(delta, "arguments"));
	}
	else if (is(type, "step.stop") && stream->block != NULL)
	{
		if (stream->text.len > 0)
		{
			item = cJSON_CreateObject();
			cJSON_AddStringToObject((cJSON *) item, "type", "text");
			cJSON_AddStringToObject((cJSON *) item, "text", stream->text.data);
			content = member(stream->block, "content", cJSON_CreateArray);
			cJSON_AddItemToArray(content, (cJSON *) item);
		}
		if (stream->reasoning.len > 0)
		{
			cJSON	   *arguments = ai_json_parse(stream->reasoning.data, stream->reasoning.len, &why);

			ai_tree_set(stream->block, "arguments",
						arguments ? arguments : cJSON_CreateString(stream->reasoning.data));
		}
		ai_buffer_reset(&stream->text);
		ai_buffer_reset(&stream->reasoning);
		stream->block = NULL;
	}
	else if (is(type, "interaction.completed"))
	{
		take_members(stream, ai_json_get(data, "interaction"), "steps");
		stream->ended = true;
	}
	return true;
}

const AiAssembler ai_assemble_interactions = {take_interactions, end_nothing};

/* ---- cohere ---- */

/* False with a failure. */
static bool
append_arguments(AiStream *stream, AiStreamCall *call, const cJSON *piece)
{
	const char *arguments = ai_json_string(ai_json_get(piece, "function"), "arguments");

	if (call == NULL)
		return false;
	if (arguments != NULL)
		ai_buffer_append_string(&call->arguments, arguments);
	return !call->arguments.failed || ai_fail(stream->failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
}

static bool
take_cohere(AiStream *stream, const char *event, const cJSON *data)
{
	const char *type = ai_json_string(data, "type");
	const cJSON *delta = ai_json_get(data, "delta");
	const cJSON *message = ai_json_get(delta, "message");
	const cJSON *content = ai_json_get(message, "content");
	const cJSON *call = ai_json_get(message, "tool_calls");
	cJSON	   *own = member(stream->tree, "message", cJSON_CreateObject);

	if (type == NULL)
		type = event;
	if (is(type, "content-start") || is(type, "content-delta"))
	{
		if (ai_json_string(content, "text"))
			ai_buffer_append_string(&stream->text, ai_json_string(content, "text"));
		if (ai_json_string(content, "thinking"))
			ai_buffer_append_string(&stream->reasoning, ai_json_string(content, "thinking"));
	}
	else if (is(type, "tool-call-start") && call != NULL)
	{
		cJSON	   *started = keep(stream, call);

		cJSON_AddItemToArray(member(own, "tool_calls", cJSON_CreateArray), started);
		return append_arguments(stream, ai_stream_call(stream, started, -1), call);
	}
	else if (is(type, "tool-call-delta") && stream->n_calls > 0)
		return append_arguments(stream, &stream->calls[stream->n_calls - 1], call);
	else if (is(type, "message-end"))
	{
		copy_member(stream, delta, "finish_reason");
		copy_member(stream, delta, "usage");
		stream->ended = true;
	}
	return true;
}

static void
end_cohere(AiStream *stream)
{
	cJSON	   *message = member(stream->tree, "message", cJSON_CreateObject);
	cJSON	   *content = cJSON_CreateArray();
	static const char *const names[] = {"thinking", "text"};
	AiBuffer   *texts[] = {&stream->reasoning, &stream->text};

	for (int i = 0; i < 2; i++)
	{
		cJSON	   *block;

		if (texts[i]->len == 0)
			continue;
		block = cJSON_CreateObject();
		cJSON_AddStringToObject(block, "type", names[i]);
		cJSON_AddStringToObject(block, names[i], texts[i]->data);
		cJSON_AddItemToArray(content, block);
	}
	ai_tree_set(message, "content", content);
}

const AiAssembler ai_assemble_cohere = {take_cohere, end_cohere};

/* ---- ollama: one document a line ---- */

static bool
take_ollama(AiStream *stream, const char *event, const cJSON *data)
{
	const cJSON *message = ai_json_get(data, "message");
	const cJSON *item;
	cJSON	   *own = member(stream->tree, "message", cJSON_CreateObject);

	if (ai_json_string(message, "content"))
		ai_buffer_append_string(&stream->text, ai_json_string(message, "content"));
	if (ai_json_string(data, "response"))
		ai_buffer_append_string(&stream->text, ai_json_string(data, "response"));
	if (ai_json_string(message, "thinking"))
		ai_buffer_append_string(&stream->reasoning, ai_json_string(message, "thinking"));
	cJSON_ArrayForEach(item, ai_json_get(message, "tool_calls"))
		cJSON_AddItemToArray(member(own, "tool_calls", cJSON_CreateArray), keep(stream, item));
	if (cJSON_IsTrue(ai_json_get(data, "done")))
	{
		take_members(stream, data, "message");
		cJSON_DeleteItemFromObjectCaseSensitive(stream->tree, "response");
		stream->ended = true;
	}
	return true;
}

static void
end_ollama(AiStream *stream)
{
	cJSON	   *message = member(stream->tree, "message", cJSON_CreateObject);

	set_text(message, "content", &stream->text);
	set_text(message, "thinking", &stream->reasoning);
}

const AiAssembler ai_assemble_ollama = {take_ollama, end_ollama};

/* ---- bedrock-converse: the usage comes behind the stop ---- */

static bool
take_bedrock(AiStream *stream, const char *event, const cJSON *data)
{
	cJSON	   *output = member(stream->tree, "output", cJSON_CreateObject);
	cJSON	   *message = member(output, "message", cJSON_CreateObject);
	cJSON	   *content = member(message, "content", cJSON_CreateArray);
	const cJSON *delta = ai_json_get(data, "delta");
	const char *why;

	if (is(event, "contentBlockStart"))
	{
		stream->block = keep(stream, ai_json_get(data, "start"));
		if (stream->block != NULL)
			cJSON_AddItemToArray(content, stream->block);
	}
	else if (is(event, "contentBlockDelta"))
	{
		const cJSON *reasoning = ai_json_get(delta, "reasoningContent");

		if (ai_json_string(delta, "text"))
			ai_buffer_append_string(&stream->text, ai_json_string(delta, "text"));
		if (ai_json_string(ai_json_get(delta, "toolUse"), "input"))
			ai_buffer_append_string(&stream->text, ai_json_string(ai_json_get(delta, "toolUse"), "input"));
		if (ai_json_string(reasoning, "text"))
			ai_buffer_append_string(&stream->reasoning, ai_json_string(reasoning, "text"));
	}
	else if (is(event, "contentBlockStop"))
	{
		cJSON	   *tool = cJSON_GetObjectItemCaseSensitive(stream->block, "toolUse");

		if (tool != NULL)
		{
			cJSON	   *input = stream->text.len > 0 ? ai_json_parse(stream->text.data, stream->text.len, &why)
				: cJSON_CreateObject();

			ai_tree_set(tool, "input", input ? input : cJSON_CreateString(stream->text.data));
		}
		else if (stream->text.len > 0)
		{
			cJSON	   *block = cJSON_CreateObject();

			cJSON_AddStringToObject(block, "text", stream->text.data);
			cJSON_AddItemToArray(content, block);
		}
		else if (stream->reasoning.len > 0)
		{
			cJSON	   *block = cJSON_CreateObject();
			cJSON	   *inner = cJSON_AddObjectToObject(block, "reasoningContent");
			cJSON	   *words = cJSON_AddObjectToObject(inner, "reasoningText");

			cJSON_AddStringToObject(words, "text", stream->reasoning.data);
			cJSON_AddItemToArray(content, block);
		}
		ai_buffer_reset(&stream->text);
		ai_buffer_reset(&stream->reasoning);
		stream->block = NULL;
	}
	else if (is(event, "messageStop"))
		copy_member(stream, data, "stopReason");
	else if (is(event, "metadata"))
	{
		copy_member(stream, data, "usage");
		stream->ended = true;
	}
	return true;
}

const AiAssembler ai_assemble_bedrock = {take_bedrock, end_nothing};
