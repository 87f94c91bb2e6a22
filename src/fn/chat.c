/*
 * chat.c
 *	  ai_chat(): messages and tools in, everything that came back out as jsonb.
 */
#include "postgres.h"

#include "fn/fn.h"
#include "fn/functions.h"
#include "pg/text.h"
#include "provider/messages.h"
#include "utils/builtins.h"

enum
{
	ARG_MESSAGES,
	ARG_MODEL,
	ARG_TOOLS,
	ARG_OPTIONS,
	N_ARGUMENTS,
};

static bool
prepare(const AiFunction *function, FunctionCallInfo fcinfo, AiCall *call,
		AiFailure *failure)
{
	AiFailure	fault;
	AiMessage  *messages;
	cJSON	   *item;
	int			n;

	if (!ai_fn_json_arg(fcinfo, ARG_MESSAGES, &call->trees[0], failure) ||
		!ai_fn_json_arg(fcinfo, ARG_TOOLS, &call->trees[1], failure) ||
		!ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure))
		return false;
	n = cJSON_GetArraySize(call->trees[0]);
	if (!cJSON_IsArray(call->trees[0]) || n == 0)
	{
		ai_fn_bad_argument(failure, "messages must be a JSON array with at least one message");
		ai_failure_hint(failure, "SELECT ai_chat('[{\"role\": \"user\", \"content\": \"Hello\"}]');");
		return false;
	}
	messages = MemoryContextAllocZero(call->context, n * sizeof(AiMessage));
	n = 0;
	cJSON_ArrayForEach(item, call->trees[0])
	{
		if (!ai_message_parse(item, n + 1, &messages[n], &fault))
			return ai_fn_bad_argument(failure, "%s", fault.message);
		n++;
	}
	if (call->trees[1] != NULL && !ai_tools_check(call->trees[1], &fault))
		return ai_fn_bad_argument(failure, "%s", fault.message);
	call->request.task = AI_TASK_CHAT;
	call->request.messages = messages;
	call->request.n_messages = n;
	call->request.tools = call->trees[1];
	return true;
}

static void
write_count(AiJsonWriter *writer, const char *name, int64 tokens)
{
	ai_write_key(writer, name);
	if (tokens < 0)
		ai_write_tree(writer, NULL);
	else
		ai_write_int(writer, tokens);
}

static void
write_text(AiJsonWriter *writer, const char *name, const char *value)
{
	ai_write_key(writer, name);
	if (value == NULL || value[0] == '\0')
		ai_write_tree(writer, NULL);
	else
		ai_write_string(writer, value);
}

/* malloc memory; `cost` is its decimal text or NULL. */
static void
write_result(AiBuffer *out, const AiCall *call, const char *cost)
{
	const AiReply *reply = &call->reply;
	AiJsonWriter writer;

	ai_write_start(&writer, out);
	ai_write_object(&writer);
	ai_write_key(&writer, "text");
	if (reply->text == NULL)
		ai_write_tree(&writer, NULL);
	else
		ai_write_string(&writer, reply->text);
	if (reply->reasoning != NULL && reply->reasoning[0] != '\0')
		ai_write_string_member(&writer, "reasoning", reply->reasoning);
	ai_write_key(&writer, "tool_calls");
	ai_write_tree(&writer, reply->tool_calls);
	write_text(&writer, "finish_reason", ai_finish_reason_names[reply->finish]);
	ai_write_key(&writer, "usage");
	ai_write_object(&writer);
	write_count(&writer, "input_tokens", ai_usage_input(&reply->usage));
	write_count(&writer, "cached_tokens", reply->usage.cache_read);
	write_count(&writer, "cache_write_tokens", reply->usage.cache_write);
	write_count(&writer, "output_tokens", ai_usage_output(&reply->usage));
	write_count(&writer, "reasoning_tokens", reply->usage.reasoning);
	ai_write_object_end(&writer);
	write_text(&writer, "model", reply->model ? reply->model : call->model->remote_model);
	write_text(&writer, "provider", call->model->provider);
	write_text(&writer, "request_id", reply->request_id);
	ai_write_key(&writer, "cost");
	ai_buffer_append_string(out, cost ? cost : "null");
	ai_write_object_end(&writer);
	ai_write_end(&writer);
}

static Datum
chat_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;
	char		cost[AI_MONEY_TEXT];
	AiBuffer	out = {0};

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	write_result(&out, call, ai_money_format(ai_call_cost(call), cost));
	if (out.failed)
		ai_buffer_free(&out);
	return ai_fn_jsonb_result(fcinfo, call, out.data);
}

AI_DEFINE_FUNCTION(ai_chat_0_1,
				   .name = "ai_chat",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_CHAT,
				   .required = 1U << ARG_MESSAGES,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .prepare = prepare,
				   .result = chat_result);
