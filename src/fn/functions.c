/*
 * functions.c
 *	  The entries of the scalar model calls, and running one of them alone.
 */
#include "postgres.h"

#include "fn/fn.h"
#include "fn/functions.h"
#include "fn/signature.h"

static Datum
run(FunctionCallInfo fcinfo, AiCallSet *set, const void *argument)
{
	const AiFunction *function = argument;
	AiCall	   *call = ai_function_call(function, fcinfo, set);
	AiAnswer	answer;

	ai_fn_wait(call);
	answer = ai_answer_of(call, 0);
	return function->result(function, fcinfo, &answer);
}

/* The function as SQL calls it: one call, waited for. */
static Datum
run_alone(FunctionCallInfo fcinfo, const AiFunction *function)
{
	ai_signature_check(function->name, fcinfo, function->n_arguments);
	if (ai_function_is_null(function, fcinfo))
		PG_RETURN_NULL();
	return ai_fn_run(fcinfo, run, function);
}

#define ENTRY(symbol) \
	PG_FUNCTION_INFO_V1(symbol); \
	Datum symbol(PG_FUNCTION_ARGS) \
	{ \
		return run_alone(fcinfo, &AI_FUNCTION(symbol)); \
	}

AI_FUNCTIONS(ENTRY)

#define ROW(symbol) &AI_FUNCTION(symbol),

const AiFunction *const ai_functions[] = {
	AI_FUNCTIONS(ROW)
	NULL
};
