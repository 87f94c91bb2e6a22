/*
 * complete.c
 *	  ai_complete() and ai_try_complete(): a prompt in, a text out.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fn/fn.h"
#include "fn/functions.h"
#include "fn/signature.h"
#include "funcapi.h"
#include "pg/compat.h"
#include "pg/dollars.h"
#include "pg/errors.h"
#include "pg/text.h"
#include "utils/builtins.h"

enum
{
	ARG_PROMPT,
	ARG_MODEL,
	ARG_SYSTEM,
	ARG_FILES,
	ARG_OPTIONS,
	N_ARGUMENTS,
};

static bool
prepare(const AiFunction *function, FunctionCallInfo fcinfo, AiCall *call,
		AiFailure *failure)
{
	return ai_fn_prompt(fcinfo, call, ARG_PROMPT, ARG_SYSTEM, ARG_FILES, failure) &&
		ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure);
}

static Datum
complete_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;
	text	   *result;

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	result = ai_fn_text_result(call, call->reply.text ? call->reply.text : "");
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

AI_DEFINE_FUNCTION(ai_complete_0_1,
				   .name = "ai_complete",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_CHAT,
				   .required = 1U << ARG_PROMPT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .prepare = prepare,
				   .result = complete_result);

static void
put_tokens(Datum *value, bool *isnull, int64 tokens)
{
	*isnull = tokens < 0;
	*value = Int32GetDatum((int32) Min(tokens, PG_INT32_MAX));
}

static void
put_text(Datum *value, bool *isnull, const char *string)
{
	*isnull = string == NULL || string[0] == '\0';
	if (!*isnull)
		*value = CStringGetTextDatum(ai_message_from_utf8(string));
}

/* The columns of ai_result, in their order. */
enum
{
	COL_VALUE,
	COL_ERROR,
	COL_ERROR_KIND,
	COL_SQLSTATE,
	COL_FINISH_REASON,
	COL_MODEL,
	COL_PROVIDER,
	COL_INPUT_TOKENS,
	COL_OUTPUT_TOKENS,
	COL_CACHED_TOKENS,
	COL_REASONING_TOKENS,
	COL_COST,
	COL_LATENCY_MS,
	COL_ATTEMPTS,
	COL_CACHED,
	COL_REQUEST_ID,
	N_COLUMNS,
};

static const Oid columns[N_COLUMNS] = {
	[COL_VALUE] = TEXTOID,[COL_ERROR] = TEXTOID,[COL_ERROR_KIND] = TEXTOID,[COL_SQLSTATE] = TEXTOID,
	[COL_FINISH_REASON] = TEXTOID,[COL_MODEL] = TEXTOID,[COL_PROVIDER] = TEXTOID,
	[COL_INPUT_TOKENS] = INT4OID,[COL_OUTPUT_TOKENS] = INT4OID,[COL_CACHED_TOKENS] = INT4OID,
	[COL_REASONING_TOKENS] = INT4OID,[COL_COST] = NUMERICOID,[COL_LATENCY_MS] = FLOAT8OID,
	[COL_ATTEMPTS] = INT4OID,[COL_CACHED] = BOOLOID,[COL_REQUEST_ID] = TEXTOID,
};
static const AiRowType result_row = {"ai_try_complete", N_COLUMNS, columns};

static Datum
try_complete_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;
	TupleDesc	descriptor = ai_signature_row(fcinfo, &result_row);
	Datum		values[N_COLUMNS] = {0};
	bool		nulls[N_COLUMNS];
	const AiReply *reply = &call->reply;
	AiFailure	failure;
	AiFailure	ignored;
	bool		failed = answer->failure != NULL;
	text	   *value = NULL;
	int64		cost;

	/* a bad argument is no outcome of a call */
	if (failed && ai_function_raises(function, answer->failure))
		ai_fn_on_error(call, answer->failure);
	memset(nulls, true, sizeof(nulls));
	if (failed)
		failure = *answer->failure;
	else
	{
		value = ai_text_from_utf8(reply->text ? reply->text : "", &failure);
		failed = value == NULL;
	}
	if (failed)
	{
		AiErrorKind kind = failure.kind;

		/* a filter may leave a part of the answer */
		value = reply->text &&reply->text[0] ? ai_text_from_utf8(reply->text, &ignored) : NULL;
		nulls[COL_VALUE] = value == NULL;
		values[COL_VALUE] = PointerGetDatum(value);
		put_text(&values[COL_ERROR], &nulls[COL_ERROR], failure.message);
		put_text(&values[COL_ERROR_KIND], &nulls[COL_ERROR_KIND], ai_error_kinds[kind].name);
		put_text(&values[COL_SQLSTATE], &nulls[COL_SQLSTATE], ai_failure_sqlstate(&failure));
		put_text(&values[COL_FINISH_REASON], &nulls[COL_FINISH_REASON],
				 reply->finish != AI_FINISH_NONE ? ai_finish_reason_names[reply->finish] :
				 kind == AI_ERROR_REFUSAL ? "refusal" :
				 kind == AI_ERROR_CONTENT_FILTER ? "content_filter" : "error");
		put_text(&values[COL_REQUEST_ID], &nulls[COL_REQUEST_ID], failure.request_id);
	}
	else
	{
		values[COL_VALUE] = PointerGetDatum(value);
		nulls[COL_VALUE] = false;
		put_text(&values[COL_FINISH_REASON], &nulls[COL_FINISH_REASON],
				 ai_finish_reason_names[reply->finish]);
		put_text(&values[COL_REQUEST_ID], &nulls[COL_REQUEST_ID], reply->request_id);
	}
	put_text(&values[COL_MODEL], &nulls[COL_MODEL],
			 reply->model ? reply->model : call->model ? call->model->remote_model : call->asked);
	put_text(&values[COL_PROVIDER], &nulls[COL_PROVIDER], call->model ? call->model->provider : NULL);
	put_tokens(&values[COL_INPUT_TOKENS], &nulls[COL_INPUT_TOKENS],
			   ai_fn_input_tokens(&reply->usage));
	put_tokens(&values[COL_OUTPUT_TOKENS], &nulls[COL_OUTPUT_TOKENS],
			   ai_fn_output_tokens(&reply->usage));
	put_tokens(&values[COL_CACHED_TOKENS], &nulls[COL_CACHED_TOKENS], reply->usage.cache_read);
	put_tokens(&values[COL_REASONING_TOKENS], &nulls[COL_REASONING_TOKENS],
			   reply->usage.reasoning);
	cost = call->model ? ai_call_cost(call) : AI_MONEY_UNKNOWN;
	nulls[COL_COST] = cost == AI_MONEY_UNKNOWN;
	values[COL_COST] = NumericGetDatum(ai_dollars_of_money(cost));
	nulls[COL_LATENCY_MS] = nulls[COL_ATTEMPTS] = nulls[COL_CACHED] = false;
	values[COL_LATENCY_MS] = Float8GetDatum(call->latency_ms);
	values[COL_ATTEMPTS] = Int32GetDatum(call->attempts);
	values[COL_CACHED] = BoolGetDatum(false);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

AI_DEFINE_FUNCTION(ai_try_complete_0_1,
				   .name = "ai_try_complete",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_CHAT,
				   .required = 1U << ARG_PROMPT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .reports_failure = true,
				   .prepare = prepare,
				   .result = try_complete_result);
