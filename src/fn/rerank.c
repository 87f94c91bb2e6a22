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
#include "fn/signature.h"
#include "funcapi.h"
#include "pg/text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ai_rerank_0_1);

enum
{
	ARG_QUERY,
	ARG_DOCUMENTS,
	ARG_MODEL,
	ARG_TOP_N,
	ARG_OPTIONS,
	N_ARGUMENTS,
};

typedef struct Documents
{
	Datum	   *elements;
	int		   *places;			/* of each input in the array */
} Documents;

static bool
read_documents(FunctionCallInfo fcinfo, AiCall *call, Documents *documents, AiFailure *failure)
{
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	const char **inputs;
	bool	   *nulls;
	bool		good = true;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_DOCUMENTS), TEXTOID, -1, false, TYPALIGN_INT,
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
	call->request.inputs = inputs;
	MemoryContextSwitchTo(caller);
	return good;
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

static bool
prepare(FunctionCallInfo fcinfo, AiCall *call, Documents *documents, AiFailure *failure)
{
	call->request.task = AI_TASK_RERANK;
	if (!PG_ARGISNULL(ARG_TOP_N))
	{
		call->request.top_n = PG_GETARG_INT32(ARG_TOP_N);
		if (call->request.top_n < 1)
			return ai_fn_bad_argument(failure, "top_n must be at least 1");
	}
	return ai_fn_utf8_arg(fcinfo, ARG_QUERY, call, &call->request.query, failure) &&
		read_documents(fcinfo, call, documents, failure) &&
		ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure);
}

static Datum
rerank(FunctionCallInfo fcinfo, AiJobTable *jobs, const void *ignored)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AiCall	   *call = ai_call_new(jobs->window);
	AiReply    *reply = &call->reply;
	AiAnswer	answer;
	Documents	documents;

	if (!prepare(fcinfo, call, &documents, &call->failure))
		ai_call_refuse(call);
	else if (call->request.n_inputs == 0)
		return (Datum) 0;
	else
		ai_call_resolve(call, ai_fn_text_arg(fcinfo, ARG_MODEL));
	ai_fn_wait(call);
	answer = ai_answer_of(call, 0);
	if (!ai_fn_succeeded(&answer))
		return (Datum) 0;
	qsort(reply->scores, reply->n_scores, sizeof(AiScore), compare_scores);
	for (int i = 0; i < reply->n_scores; i++)
	{
		int			place = documents.places[reply->scores[i].index];
		Datum		values[3] = {
			Int32GetDatum(place + 1), documents.elements[place],
			Float8GetDatum(reply->scores[i].score)
		};
		bool		nulls[3] = {false, false, false};

		if (call->request.top_n > 0 && i >= call->request.top_n)
			break;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
ai_rerank_0_1(PG_FUNCTION_ARGS)
{
	static const Oid columns[] = {INT4OID, TEXTOID, FLOAT8OID};
	static const AiRowType row = {"ai_rerank", lengthof(columns), columns};

	ai_signature_set(fcinfo, N_ARGUMENTS, &row);
	if (!PG_ARGISNULL(ARG_QUERY) && !PG_ARGISNULL(ARG_DOCUMENTS))
		ai_fn_run(fcinfo, false, rerank, NULL);
	return (Datum) 0;
}
