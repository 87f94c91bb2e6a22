/*
 * functions.c
 *	  The entries of the scalar model calls, and running one of them alone.
 */
#include "postgres.h"

#include "fn/fn.h"
#include "fn/functions.h"
#include "fn/signature.h"
#include "pg/compat.h"

static Datum
run(FunctionCallInfo fcinfo, AiJobTable *jobs, const void *argument)
{
	MemoryContext caller = MemoryContextSwitchTo(jobs->context);
	AiSite	   *site = ai_site_create(argument, fcinfo);
	AiWaiter	waiter = {0};
	AiJob	   *job;
	bool		isnull;
	Datum		value;

	MemoryContextSwitchTo(caller);
	job = ai_job_ask(jobs, site, &waiter);
	while (waiter.waits)
		ai_jobs_wait(jobs, true);
	value = ai_job_value(jobs, job, site, &isnull);
	fcinfo->isnull = isnull;
	return value;
}

Datum
ai_function_run(FunctionCallInfo fcinfo, const AiFunction *function)
{
	ai_signature_check(function->name, fcinfo, function->n_arguments);
	if (ai_function_is_null(function, fcinfo))
		PG_RETURN_NULL();
	/* one question has none that it could be equal to, but for its own parts */
	return ai_fn_run(fcinfo, function->element != NULL, run, function);
}

#define ENTRY(symbol) \
	AI_SQL_FUNCTION(symbol); \
	Datum symbol(PG_FUNCTION_ARGS) \
	{ \
		return ai_function_run(fcinfo, &AI_FUNCTION(symbol)); \
	}

AI_FUNCTIONS(ENTRY)

#define ROW(symbol) &AI_FUNCTION(symbol),

const AiFunction *const ai_functions[] = {
	AI_FUNCTIONS(ROW)
	NULL
};
