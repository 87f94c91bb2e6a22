/*
 * outcome.c
 *	  The row of type ai_result (outcome.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fn/fn.h"
#include "fn/outcome.h"
#include "fn/signature.h"
#include "funcapi.h"
#include "pg/dollars.h"
#include "pg/errors.h"
#include "pg/text.h"
#include "utils/builtins.h"

/* The columns of ai_result, in their order. */
enum
{
	COL_VALUE,
	COL_ERROR,
	COL_ERROR_KIND,
	COL_SQLSTATE,
	COL_FINISH_REASON,
	COL_MODEL,
	COL_SERVED_BY,
	COL_PROVIDER,
	COL_INPUT_TOKENS,
	COL_OUTPUT_TOKENS,
	COL_CACHED_TOKENS,
	COL_CACHE_WRITE_TOKENS,
	COL_REASONING_TOKENS,
	COL_COST,
	COL_LATENCY_MS,
	COL_ATTEMPTS,
	COL_CACHED,
	COL_MAYBE_BILLED,
	COL_HTTP_STATUS,
	COL_RETRY_AFTER_MS,
	COL_REQUEST_ID,
	N_COLUMNS,
};

static const Oid columns[N_COLUMNS] = {
	[COL_VALUE] = TEXTOID,[COL_ERROR] = TEXTOID,[COL_ERROR_KIND] = TEXTOID,[COL_SQLSTATE] = TEXTOID,
	[COL_FINISH_REASON] = TEXTOID,[COL_MODEL] = TEXTOID,[COL_SERVED_BY] = TEXTOID,[COL_PROVIDER] = TEXTOID,
	[COL_INPUT_TOKENS] = INT4OID,[COL_OUTPUT_TOKENS] = INT4OID,[COL_CACHED_TOKENS] = INT4OID,
	[COL_CACHE_WRITE_TOKENS] = INT4OID,[COL_REASONING_TOKENS] = INT4OID,[COL_COST] = NUMERICOID,
	[COL_LATENCY_MS] = FLOAT8OID,[COL_ATTEMPTS] = INT4OID,[COL_CACHED] = BOOLOID,
	[COL_MAYBE_BILLED] = BOOLOID,[COL_HTTP_STATUS] = INT4OID,[COL_RETRY_AFTER_MS] = FLOAT8OID,
	[COL_REQUEST_ID] = TEXTOID,
};

typedef struct Row
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS];
} Row;

static void
put(Row *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static void
put_tokens(Row *row, int column, int64 tokens)
{
	if (tokens >= 0)
		put(row, column, Int32GetDatum((int32) Min(tokens, PG_INT32_MAX)));
}

/* In the current memory context; what is empty is NULL. */
static void
put_text(Row *row, int column, const char *string)
{
	if (string != NULL && string[0] != '\0')
		put(row, column, CStringGetTextDatum(ai_message_from_utf8(string)));
}

static void
put_failure(Row *row, const AiCall *call, const AiFailure *failure)
{
	const AiReply *reply = &call->reply;
	AiFailure	ignored;
	text	   *part;

	/* a filter may leave a part of the answer */
	part = reply->text &&reply->text[0] ? ai_text_from_utf8(reply->text, &ignored) : NULL;
	if (part != NULL)
		put(row, COL_VALUE, PointerGetDatum(part));
	put_text(row, COL_ERROR, failure->message);
	put_text(row, COL_ERROR_KIND, ai_error_kinds[failure->kind].name);
	put_text(row, COL_SQLSTATE, ai_failure_sqlstate(failure));
	put_text(row, COL_FINISH_REASON,
			 reply->finish != AI_FINISH_NONE ? ai_finish_reason_names[reply->finish] :
			 failure->kind == AI_ERROR_REFUSAL ? ai_finish_reason_names[AI_FINISH_REFUSAL] :
			 failure->kind == AI_ERROR_CONTENT_FILTER ? ai_finish_reason_names[AI_FINISH_CONTENT_FILTER] :
			 ai_finish_reason_names[AI_FINISH_ERROR]);
	put_text(row, COL_REQUEST_ID, failure->request_id);
	put(row, COL_MAYBE_BILLED, BoolGetDatum(call->maybe_billed));
	if (failure->http_status != 0)
		put(row, COL_HTTP_STATUS, Int32GetDatum(failure->http_status));
	if (failure->retry_after_ms > 0)
		put(row, COL_RETRY_AFTER_MS, Float8GetDatum(failure->retry_after_ms));
}

static void
put_answer(Row *row, const AiCall *call, text *value)
{
	const AiReply *reply = &call->reply;

	put(row, COL_VALUE, PointerGetDatum(value));
	put_text(row, COL_FINISH_REASON, ai_finish_reason_names[reply->finish]);
	put_text(row, COL_REQUEST_ID, reply->request_id);
	put(row, COL_MAYBE_BILLED, BoolGetDatum(false));
}

/* Who was asked, who answered, and what it took. */
static void
put_facts(Row *row, const AiCall *call)
{
	const AiUsage *usage = &call->reply.usage;
	const char *name = call->model ? call->model->name : call->asked;
	int64		cost = call->model ? ai_call_cost(call) : AI_MONEY_UNKNOWN;

	/* names are in the database's encoding already */
	if (name != NULL)
		put(row, COL_MODEL, CStringGetTextDatum(name));
	put_text(row, COL_SERVED_BY, call->reply.model);
	put_text(row, COL_PROVIDER, call->model ? call->model->provider : NULL);
	put_tokens(row, COL_INPUT_TOKENS, ai_usage_input(usage));
	put_tokens(row, COL_OUTPUT_TOKENS, ai_usage_output(usage));
	put_tokens(row, COL_CACHED_TOKENS, usage->cache_read);
	put_tokens(row, COL_CACHE_WRITE_TOKENS, usage->cache_write);
	put_tokens(row, COL_REASONING_TOKENS, usage->reasoning);
	if (cost != AI_MONEY_UNKNOWN)
		put(row, COL_COST, NumericGetDatum(ai_dollars_of_money(cost)));
	put(row, COL_LATENCY_MS, Float8GetDatum(call->latency_ms));
	put(row, COL_ATTEMPTS, Int32GetDatum(call->attempts));
	put(row, COL_CACHED, BoolGetDatum(false));
}

Datum
ai_outcome(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer, AiOutcomeText read)
{
	const AiRowType type = {function->name, N_COLUMNS, columns};
	TupleDesc	descriptor = ai_signature_row(fcinfo, &type);
	const AiFailure *failure = answer->failure;
	AiFailure	unreadable;
	text	   *value = NULL;
	Row			row;

	/* a bad argument is no outcome of a call */
	if (failure != NULL && ai_function_raises(function, failure))
		ai_fn_on_error(answer->call, failure);
	memset(row.values, 0, sizeof(row.values));
	memset(row.nulls, true, sizeof(row.nulls));
	if (failure == NULL)
	{
		value = read(answer, &unreadable);
		failure = value == NULL ? &unreadable : NULL;
	}
	if (failure != NULL)
		put_failure(&row, answer->call, failure);
	else
		put_answer(&row, answer->call, value);
	put_facts(&row, answer->call);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, row.values, row.nulls));
}
