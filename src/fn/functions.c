/*
 * functions.c
 *	  The table of scalar model calls, and running one of them alone.
 */
#include "postgres.h"

#include "fn/fn.h"
#include "fn/functions.h"

const AiFunction *const ai_functions[] = {
	&ai_function_complete,
	&ai_function_try_complete,
	&ai_function_chat,
	&ai_function_json,
	&ai_function_embed,
	&ai_function_moderate,
	&ai_function_transcribe,
	NULL
};

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

Datum
ai_function_run(FunctionCallInfo fcinfo, const AiFunction *function)
{
	if (ai_function_is_null(function, fcinfo))
		PG_RETURN_NULL();
	return ai_fn_run(fcinfo, run, function);
}
