/*
 * rerank.c
 *	  ai_rerank(): documents in the order of how well they answer a query.
 *
 * Rows come best first, whatever order the provider has; index is the place in
 * the array, from 1.  NULL documents are not sent and not returned.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fn/fn.h"
#include "fn/functions.h"
#include "fn/rows.h"
#include "pg/compat.h"
#include "pg/text.h"
#include "utils/array.h"

AI_SQL_FUNCTION(ai_rerank_0_1);
AI_SQL_FUNCTION(ai_open_ranked_0_1);

enum
{
	ARG_QUERY,
	ARG_DOCUMENTS,
	ARG_MODEL,
	ARG_TOP_N,
	ARG_OPTIONS,
	N_ARGUMENTS,
};

static const Oid columns[] = {INT4OID, TEXTOID, FLOAT8OID};
static const AiRowType row_type = {"ai_rerank", lengthof(columns), columns};

/* The documents as they were given, in the call's context. */
typedef struct Documents
{
	Datum	   *elements;
	int		   *places;			/* of each input in the array */
} Documents;

static bool
is_empty(const AiFunction *function, FunctionCallInfo fcinfo)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(ARG_DOCUMENTS);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const bits8 *bitmap = ARR_NULLBITMAP(array);

	fcinfo->args[ARG_DOCUMENTS].value = PointerGetDatum(array);
	for (int i = 0; i < n; i++)
	{
		if (bitmap == NULL || (bitmap[i / 8] & (1 << (i % 8))) != 0)
			return false;
	}
	return true;
}

static bool
read_documents(FunctionCallInfo fcinfo, AiCall *call, AiFailure *failure)
{
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	Documents  *documents = palloc(sizeof(Documents));
	const char **inputs;
	bool	   *nulls;
	bool		good = true;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P_COPY(ARG_DOCUMENTS), TEXTOID, -1, false, TYPALIGN_INT,
					  &documents->elements, &nulls, &n);
	inputs = palloc(sizeof(char *) * Max(n, 1));
	documents->places = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; good && i < n; i++)
	{
		char	   *utf8;

		if (nulls[i])
			continue;
		utf8 = ai_text_to_utf8(DatumGetTextPP(documents->elements[i]), failure);
		good = utf8 != NULL;
		documents->places[call->request.n_inputs] = i;
		inputs[call->request.n_inputs++] = utf8;
	}
	MemoryContextSwitchTo(caller);
	call->request.inputs = inputs;
	call->prepared = documents;
	return good;
}

static bool
prepare(const AiFunction *function, FunctionCallInfo fcinfo, AiCall *call, AiFailure *failure)
{
	call->request.task = AI_TASK_RERANK;
	if (!PG_ARGISNULL(ARG_TOP_N))
	{
		call->request.top_n = PG_GETARG_INT32(ARG_TOP_N);
		if (call->request.top_n < 1)
			return ai_fn_bad_argument(failure, "top_n must be at least 1");
	}
	return ai_fn_utf8_arg(fcinfo, ARG_QUERY, call, &call->request.query, failure) &&
		read_documents(fcinfo, call, failure) &&
		ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure);
}

/* By score; of equals the earlier document. */
static int
compare_scores(const void *a, const void *b)
{
	const AiScore *left = a;
	const AiScore *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return left->index - right->index;
}

static Datum
rerank_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;
	AiReply    *reply = &call->reply;
	const Documents *documents = call->prepared;
	AiRows	   *rows;
	int			n = reply->n_scores;

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	if (call->request.top_n > 0)
		n = Min(n, call->request.top_n);
	rows = ai_rows_begin(fcinfo, &row_type);
	qsort(reply->scores, reply->n_scores, sizeof(AiScore), compare_scores);
	for (int i = 0; i < n; i++)
	{
		int			place = documents->places[reply->scores[i].index];
		Datum		values[3] = {
			Int32GetDatum(place + 1), documents->elements[place],
			Float8GetDatum(reply->scores[i].score)
		};
		bool		nulls[3] = {false, false, false};

		ai_rows_add(rows, values, nulls);
	}
	return ai_rows_end(rows);
}

/* ai_gateway.rerank_array(); ai_rerank() asks the same, and returns a set. */
AI_DEFINE_FUNCTION(ai_rerank_array_0_1,
				   .name = "ai_rerank",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_RERANK,
				   .required = 1U << ARG_QUERY | 1U << ARG_DOCUMENTS,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .is_empty = is_empty,
				   .prepare = prepare,
				   .result = rerank_result);

Datum
ai_rerank_0_1(PG_FUNCTION_ARGS)
{
	ai_signature_set(fcinfo, N_ARGUMENTS, &row_type);
	return ai_function_run(fcinfo, &AI_FUNCTION(ai_rerank_array_0_1));
}

Datum
ai_open_ranked_0_1(PG_FUNCTION_ARGS)
{
	ai_rows_open(fcinfo, &row_type);
	return (Datum) 0;
}
