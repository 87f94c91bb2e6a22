/*
 * embed.c
 *	  ai_embed(): one text to one vector, or an array of texts to a table.
 *
 * The array is cut into as few requests as the protocol's limits allow, and up
 * to ai_gateway.max_in_flight of them are under way at once.  Rows come out in
 * the order of the array; a NULL element gives a NULL vector and costs nothing.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "fn/fn.h"
#include "fn/functions.h"
#include "fn/signature.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/errors.h"
#include "pg/guc.h"
#include "pg/text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ai_embed_array_0_1);

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
		if (call->request.dimensions < 1 || call->request.dimensions > 65536)
			return ai_fn_bad_argument(failure, "dimensions must be between 1 and 65536");
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
				   .shares_request = true,
				   .prepare = prepare,
				   .result = embed_result);

/* One request's share of the array: elements [first, first + count). */
typedef struct Share
{
	int			first;
	int			count;
	AiCall	   *call;
} Share;

typedef struct Batch
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	const char *model;
	int			max_inputs;
	int			max_bytes;
	Share	   *shares;
	int			n_shares;
} Batch;

/* Cuts the array by count and by bytes; a text that is too large goes alone. */
static void
cut_shares(Batch *batch)
{
	int64		bytes = 0;
	int			inputs = 0;

	batch->shares = palloc(sizeof(Share) * Max(batch->n, 1));
	batch->n_shares = 0;
	for (int i = 0; i < batch->n; i++)
	{
		int64		size = batch->nulls[i] ? 0 :
			toast_raw_datum_size(batch->elements[i]) - VARHDRSZ;
		bool		full = inputs >= batch->max_inputs ||
			(batch->max_bytes > 0 && inputs > 0 && bytes + size > batch->max_bytes);

		if (batch->n_shares == 0 || (full && !batch->nulls[i]))
		{
			batch->shares[batch->n_shares++] = (Share)
			{
				.first = i
			};
			bytes = 0;
			inputs = 0;
		}
		batch->shares[batch->n_shares - 1].count++;
		if (!batch->nulls[i])
		{
			inputs++;
			bytes += size;
		}
	}
}

static void
start_share(FunctionCallInfo fcinfo, AiCallSet *set, Batch *batch, Share *share)
{
	AiCall	   *call = ai_call_new(set);
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	const char **inputs = palloc(sizeof(char *) * share->count);
	bool		good = true;
	int			n = 0;

	for (int i = share->first; good && i < share->first + share->count; i++)
	{
		if (batch->nulls[i])
			continue;
		inputs[n] = ai_text_to_utf8(DatumGetTextPP(batch->elements[i]), &call->failure);
		good = inputs[n++] != NULL;
	}
	MemoryContextSwitchTo(caller);
	if (n == 0)
	{
		ai_call_free(call);
		return;
	}
	call->request.inputs = inputs;
	call->request.n_inputs = n;
	share->call = call;
	if (good && set_common(fcinfo, call, &call->failure))
		ai_call_submit(call, batch->model);
	else
		ai_call_refuse(call);
}

static void
emit_share(ReturnSetInfo *rsinfo, Batch *batch, Share *share)
{
	AiCall	   *call = share->call;
	bool		good = false;
	int			n = 0;

	if (call != NULL)
	{
		AiAnswer	answer = ai_answer_of(call, 0);

		good = ai_fn_succeeded(&answer);
	}
	for (int i = share->first; i < share->first + share->count; i++)
	{
		Datum		values[2] = {Int32GetDatum(i + 1), (Datum) 0};
		bool		nulls[2] = {false, batch->nulls[i] || !good};
		ArrayType  *vector = NULL;

		if (!nulls[1])
		{
			vector = make_vector(call->reply.vectors + (size_t) n * call->reply.dimensions,
								 call->reply.dimensions);
			values[1] = PointerGetDatum(vector);
		}
		n += !batch->nulls[i];
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		if (vector != NULL)
			pfree(vector);
	}
	if (call != NULL)
		ai_call_free(call);
}

static Datum
embed_many(FunctionCallInfo fcinfo, AiCallSet *set, const void *ignored)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Batch		batch = {0};
	AiFailure	failure;
	int			started = 0;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_INPUT), TEXTOID, -1, false, TYPALIGN_INT,
					  &batch.elements, &batch.nulls, &batch.n);
	batch.model = ai_fn_text_arg(fcinfo, ARG_MODEL);
	if (!ai_call_embed_limits(batch.model, &batch.max_inputs, &batch.max_bytes, &failure))
		ai_report(ERROR, "", &failure, 0);
	cut_shares(&batch);
	for (int i = 0; i < batch.n_shares; i++)
	{
		Share	   *share = &batch.shares[i];

		while (started < batch.n_shares && started < i + ai_guc_max_in_flight)
			start_share(fcinfo, set, &batch, &batch.shares[started++]);
		while (share->call != NULL && share->call->state != AI_CALL_DONE)
			ai_call_set_next(set);
		emit_share(rsinfo, &batch, share);
	}
	return (Datum) 0;
}

Datum
ai_embed_array_0_1(PG_FUNCTION_ARGS)
{
	static const Oid columns[] = {INT4OID, FLOAT4ARRAYOID};
	static const AiRowType row = {"ai_embed", lengthof(columns), columns};

	ai_signature_set(fcinfo, N_ARGUMENTS, &row);
	if (!PG_ARGISNULL(ARG_INPUT))
		ai_fn_run(fcinfo, embed_many, NULL);
	return (Datum) 0;
}
