/*
 * messages.c
 *	  Reads the messages and tools that ai_chat is given (messages.h).
 */
#include "provider/messages.h"

#include <string.h>

static const struct
{
	const char *name;
	AiRole		role;
}			roles[] = {
	{"system", AI_ROLE_SYSTEM},
	{"user", AI_ROLE_USER},
	{"assistant", AI_ROLE_ASSISTANT},
	{"tool", AI_ROLE_TOOL},
};

static bool
bad(AiFailure *failure, int position, const char *what)
{
	return ai_fail(failure, AI_ERROR_INVALID_REQUEST, "message %d %s", position, what);
}

/* Several text parts become one string in the tree. */
static bool
join_parts(cJSON *item, const cJSON *parts, int position, AiFailure *failure)
{
	AiBuffer	text = {0};
	const cJSON *part;
	cJSON	   *joined;

	cJSON_ArrayForEach(part, parts)
	{
		const char *type = ai_json_string(part, "type");
		const char *string = ai_json_string(part, "text");

		if (type == NULL || strcmp(type, "text") != 0 || string == NULL)
		{
			ai_buffer_free(&text);
			return bad(failure, position,
					   "has a content part that is not {\"type\": \"text\", \"text\": ...}");
		}
		ai_buffer_append_string(&text, string);
	}
	joined = cJSON_CreateString(text.data ? text.data : "");
	ai_buffer_free(&text);
	if (joined == NULL || !cJSON_ReplaceItemInObjectCaseSensitive(item, "content", joined))
		return bad(failure, position, "could not be read: memory ran out");
	return true;
}

/*
 * OpenAI's own form of a tool call, {"function": {"name", "arguments": "{...}"}},
 * becomes the neutral one.
 */
static void
unwrap_tool_call(cJSON *call)
{
	const cJSON *function = ai_json_get(call, "function");
	const char *name = ai_json_string(function, "name");
	const char *text = ai_json_string(function, "arguments");
	const char *why;
	cJSON	   *arguments;

	if (name == NULL || text == NULL)
		return;
	arguments = ai_json_parse(text[0] ? text : "{}", text[0] ? strlen(text) : 2, &why);
	if (arguments == NULL)
		return;
	cJSON_AddStringToObject(call, "name", name);
	cJSON_AddItemToObject(call, "arguments", arguments);
}

static bool
check_tool_calls(const cJSON *calls, int position, AiFailure *failure)
{
	cJSON	   *call;

	if (!cJSON_IsArray(calls))
		return bad(failure, position, "has \"tool_calls\" that is not an array");
	cJSON_ArrayForEach(call, calls)
	{
		unwrap_tool_call(call);
		if (ai_json_string(call, "name") == NULL ||
			!cJSON_IsObject(ai_json_get(call, "arguments")))
			return bad(failure, position,
					   "has a tool call that is not {\"id\", \"name\", \"arguments\": {...}}");
	}
	return true;
}

bool
ai_message_parse(cJSON *item, int position, AiMessage *message, AiFailure *failure)
{
	const char *role = ai_json_string(item, "role");
	const cJSON *content = ai_json_get(item, "content");
	const cJSON *calls = ai_json_get(item, "tool_calls");
	const cJSON *member;
	size_t		i;

	memset(message, 0, sizeof(*message));
	if (!cJSON_IsObject(item))
		return bad(failure, position, "is not an object");
	cJSON_ArrayForEach(member, item)
	{
		if (strcmp(member->string, "role") != 0 && strcmp(member->string, "content") != 0 &&
			strcmp(member->string, "tool_calls") != 0 && strcmp(member->string, "tool_call_id") != 0)
			return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
						   "message %d has a member \"%s\"; the members are role, content, tool_calls, tool_call_id",
						   position, member->string);
	}
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
	{
		if (role != NULL && strcmp(roles[i].name, role) == 0)
			break;
	}
	if (i == sizeof(roles) / sizeof(roles[0]))
		return bad(failure, position, "needs a \"role\": system, user, assistant or tool");
	message->role = roles[i].role;

	if (cJSON_IsArray(content))
	{
		if (!join_parts(item, content, position, failure))
			return false;
		content = ai_json_get(item, "content");
	}
	else if (content != NULL && !cJSON_IsString(content) && !cJSON_IsNull(content))
		return bad(failure, position, "has a \"content\" that is neither text nor an array of parts");
	message->text = cJSON_GetStringValue(content);

	if (calls != NULL && !cJSON_IsNull(calls))
	{
		if (message->role != AI_ROLE_ASSISTANT)
			return bad(failure, position, "has \"tool_calls\", which only an assistant has");
		if (!check_tool_calls(calls, position, failure))
			return false;
		if (calls->child != NULL)
			message->tool_calls = calls;
	}
	message->tool_call_id = ai_json_string(item, "tool_call_id");
	if ((message->role == AI_ROLE_TOOL) != (message->tool_call_id != NULL))
		return bad(failure, position, message->role == AI_ROLE_TOOL
				   ? "of role tool needs a \"tool_call_id\""
				   : "has a \"tool_call_id\", which only role tool has");
	if (message->text == NULL && message->tool_calls == NULL)
		return bad(failure, position, "has no \"content\"");
	return true;
}

bool
ai_tools_check(const cJSON *tools, AiFailure *failure)
{
	const cJSON *tool;

	if (!cJSON_IsArray(tools))
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST, "tools must be a JSON array");
	cJSON_ArrayForEach(tool, tools)
	{
		const char *name = ai_json_string(ai_json_get(tool, "function"), "name");
		const char *type = ai_json_string(tool, "type");

		if (type == NULL || strcmp(type, "function") != 0 || name == NULL)
			return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
						   "each tool must be {\"type\": \"function\", \"function\": {\"name\": ..., \"parameters\": {...}}}");
		if (strlen(name) > 64 ||
			strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
			return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
						   "a tool's name has at most 64 letters, digits, \"_\" and \"-\"");
	}
	return true;
}
