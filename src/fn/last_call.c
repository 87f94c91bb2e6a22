/*
 * last_call.c
 *	  ai_gateway.last_call(): what the last call of this session was.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "call/retry.h"
#include "catalog/pg_type.h"
#include "fn/fn.h"
#include "fn/signature.h"
#include "funcapi.h"
#include "pg/compat.h"
#include "pg/text.h"
#include "utils/builtins.h"

AI_SQL_FUNCTION(ai_last_call_0_1);

/* The columns, in their order. */
static const Oid columns[] = {
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, BOOLOID, FLOAT8OID,
	INT4OID, FLOAT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, INT8OID
};

#define N_COLUMNS	lengthof(columns)

static const AiRowType row = {"ai_gateway.last_call", N_COLUMNS, columns};

static int
put_text(Datum *values, bool *nulls, int column, const char *string)
{
	nulls[column] = string == NULL || string[0] == '\0';
	if (!nulls[column])
		values[column] = CStringGetTextDatum(ai_message_from_utf8(string));
	return column + 1;
}

static int
put_count(Datum *values, bool *nulls, int column, int64 count)
{
	nulls[column] = count < 0;
	values[column] = Int64GetDatum(count);
	return column + 1;
}

Datum
ai_last_call_0_1(PG_FUNCTION_ARGS)
{
	const AiLastCall *last = &ai_last_call;
	const AiFailure *failure = &last->failure;
	TupleDesc	descriptor = ai_signature_row(fcinfo, &row);
	Datum		values[N_COLUMNS] = {0};
	bool		nulls[N_COLUMNS] = {0};
	int			n = 0;

	if (last->task < 0)
		PG_RETURN_NULL();
	/* the registration's name is in the database's encoding already */
	values[n++] = CStringGetTextDatum(last->model);
	n = put_text(values, nulls, n, last->provider);
	n = put_text(values, nulls, n, last->served_by);
	n = put_text(values, nulls, n, ai_task_names[last->task]);
	n = put_text(values, nulls, n, ai_finish_reason_names[last->finish]);
	n = put_text(values, nulls, n, last->failed ? ai_error_kinds[failure->kind].name : NULL);
	n = put_text(values, nulls, n, last->failed ? failure->code : NULL);
	nulls[n] = !last->failed || failure->http_status == 0;
	values[n++] = Int32GetDatum(failure->http_status);
	nulls[n] = !last->failed;
	values[n++] = BoolGetDatum(ai_retry_allowed(failure));
	nulls[n] = !last->failed || failure->retry_after_ms <= 0;
	values[n++] = Float8GetDatum(failure->retry_after_ms);
	values[n++] = Int32GetDatum(last->attempts);
	values[n++] = Float8GetDatum(last->latency_ms);
	n = put_count(values, nulls, n, ai_usage_input(&last->usage));
	n = put_count(values, nulls, n, last->usage.cache_read);
	n = put_count(values, nulls, n, last->usage.cache_write);
	n = put_count(values, nulls, n, ai_usage_output(&last->usage));
	n = put_count(values, nulls, n, last->usage.reasoning);
	n = put_text(values, nulls, n, last->request_id);
	n = put_count(values, nulls, n, ai_calls_started);
	Assert(n == N_COLUMNS);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}
