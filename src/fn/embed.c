/*
 * embed.c
 *	  ai_embed(): one text to one vector, or an array of texts to a table.
 *
 * Each text of an array is a question like that of one text alone: equal ones
 * are asked once, and they share requests.  Rows come out in the order of the
 * array; a NULL element gives a NULL vector and costs nothing.
 */
#include "postgres.h"

#include "ask/bundle.h"
#include "catalog/pg_type.h"
#include "fn/fn.h"
#include "fn/functions.h"
#include "fn/rows.h"
#include "pg/compat.h"
#include "utils/array.h"
#include "utils/builtins.h"

AI_SQL_FUNCTION(ai_embed_rows_0_1);
AI_SQL_FUNCTION(ai_open_embeddings_0_1);

enum
{
	ARG_INPUT,
	ARG_MODEL,
	ARG_DIMENSIONS,
	ARG_OPTIONS,
	N_ARGUMENTS,
};

/* real[] holds float4 as they are, so the vector is copied in one go. */
static ArrayType *
make_vector(const float *numbers, int dimensions)
{
	Size		bytes = sizeof(float) * dimensions + ARR_OVERHEAD_NONULLS(1);
	ArrayType  *array = palloc0(bytes);

	SET_VARSIZE(array, bytes);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = FLOAT4OID;
	ARR_DIMS(array)[0] = dimensions;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), numbers, sizeof(float) * dimensions);
	return array;
}

static bool
set_common(FunctionCallInfo fcinfo, AiCall *call, AiFailure *failure)
{
	call->request.task = AI_TASK_EMBED;
	if (!PG_ARGISNULL(ARG_DIMENSIONS))
	{
		call->request.dimensions = PG_GETARG_INT32(ARG_DIMENSIONS);
		if (call->request.dimensions < 1 || call->request.dimensions > AI_MAX_DIMENSIONS)
			return ai_fn_bad_argument(failure, "dimensions must be between 1 and %d", AI_MAX_DIMENSIONS);
	}
	return ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure);
}

static bool
prepare(const AiFunction *function, FunctionCallInfo fcinfo, AiCall *call,
		AiFailure *failure)
{
	const char **inputs = MemoryContextAlloc(call->context, sizeof(char *));

	if (!ai_fn_utf8_arg(fcinfo, ARG_INPUT, call, &inputs[0], failure))
		return false;
	call->request.inputs = inputs;
	call->request.n_inputs = 1;
	return set_common(fcinfo, call, failure);
}

static Datum
embed_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(make_vector(call->reply.vectors + (size_t) answer->input * call->reply.dimensions,
									  call->reply.dimensions));
}

AI_DEFINE_FUNCTION(ai_embed_0_1,
				   .name = "ai_embed",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_EMBED,
				   .required = 1U << ARG_INPUT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .bundle = &ai_bundle_inputs,
				   .prepare = prepare,
				   .result = embed_result);

static const Oid columns[] = {INT4OID, FLOAT4ARRAYOID};
static const AiRowType row_type = {"ai_embed", lengthof(columns), columns};

static void
add_row(AiRows *rows, int ord, Datum vector, bool isnull)
{
	Datum		values[2] = {Int32GetDatum(ord), vector};
	bool		nulls[2] = {false, isnull};

	ai_rows_add(rows, values, nulls);
}

static Datum
join_vectors(const AiFunction *function, FunctionCallInfo fcinfo,
			 const Datum *values, const bool *nulls, int n)
{
	AiRows	   *rows = ai_rows_begin(fcinfo, &row_type);

	for (int i = 0; i < n; i++)
		add_row(rows, i + 1, values[i], nulls[i]);
	return ai_rows_end(rows);
}

/* ai_gateway.embed_array() */
AI_DEFINE_FUNCTION(ai_embed_array_0_1,
				   .name = "ai_embed",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_EMBED,
				   .required = 1U << ARG_INPUT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .array = ARG_INPUT,
				   .element = &AI_FUNCTION(ai_embed_0_1),
				   .join = join_vectors);

/*
 * The same as a set, each row as soon as those before it are there: a set may
 * be larger than any value.
 */
static Datum
embed_rows(FunctionCallInfo fcinfo, AiJobTable *jobs, const void *ignored)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(ARG_INPUT);
	AiSite	   *site = ai_site_create(&AI_FUNCTION(ai_embed_0_1), fcinfo);
	AiRows	   *rows = ai_rows_begin(fcinfo, &row_type);
	Datum	   *elements;
	bool	   *nulls;
	AiWaiter   *waiters;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	waiters = palloc0(sizeof(AiWaiter) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		fcinfo->args[ARG_INPUT].value = elements[i];
		if (!nulls[i])
			ai_job_ask(jobs, site, &waiters[i]);
	}
	for (int i = 0; i < n; i++)
	{
		Datum		vector = (Datum) 0;
		bool		isnull = nulls[i];

		while (waiters[i].waits)
			ai_jobs_wait(jobs, true);
		if (!isnull)
		{
			vector = ai_job_value(jobs, waiters[i].job, site, &isnull);
			ai_job_leave(jobs, &waiters[i]);
		}
		add_row(rows, i + 1, vector, isnull);
		if (!isnull)
			pfree(DatumGetPointer(vector));
	}
	return (Datum) 0;
}

Datum
ai_embed_rows_0_1(PG_FUNCTION_ARGS)
{
	ai_signature_set(fcinfo, N_ARGUMENTS, &row_type);
	if (!PG_ARGISNULL(ARG_INPUT))
		ai_fn_run(fcinfo, true, embed_rows, NULL);
	return (Datum) 0;
}

Datum
ai_open_embeddings_0_1(PG_FUNCTION_ARGS)
{
	ai_rows_open(fcinfo, &row_type);
	return (Datum) 0;
}
