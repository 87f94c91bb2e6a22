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
run(FunctionCallInfo fcinfo, AiJobTable *jobs, const void *argument)
{
	AiSite	   *site = ai_site_create(argument, fcinfo);
	AiWaiter	waiter = {0};
	AiJob	   *job = ai_job_ask(jobs, site, &waiter);
	bool		isnull;
	Datum		value;

	while (waiter.waits)
		ai_jobs_wait(jobs, true);
	value = ai_job_value(jobs, job, site, &isnull);
	fcinfo->isnull = isnull;
	return value;
}

Datum
ai_function_run(FunctionCallInfo fcinfo, const AiFunction *function)
{
	if (ai_function_is_null(function, fcinfo))
		PG_RETURN_NULL();
	/* one question has none that it could be equal to, but for its own parts */
	return ai_fn_run(fcinfo, function->element != NULL, run, function);
}
