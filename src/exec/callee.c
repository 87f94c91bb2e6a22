/*
 * callee.c
 *	  Functions that steps call (callee.h).
 *
 * A plan may be kept and run by another role and after ALTER FUNCTION, so who may
 * execute a function, and how, is looked at when a plan begins to run.
 *
 * State: none.
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "exec/callee.h"
#include "fmgr.h"
#include "pg/compat.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

AiSite *
ai_callee_site(FuncExpr *call)
{
	const AiFunction *function = ai_function_by_oid(call->funcid);
	int			n_arguments = list_length(call->args);
	FmgrInfo   *flinfo;
	FunctionCallInfo fcinfo;

	if (function == NULL)
		return NULL;			/* the executor checks it itself */
	if (!AI_MAY_EXECUTE(call->funcid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(call->funcid));
	InvokeFunctionExecuteHook(call->funcid);

	flinfo = palloc0(sizeof(FmgrInfo));
	fcinfo = palloc0(SizeForFunctionCallInfo(n_arguments));
	fmgr_info(call->funcid, flinfo);
	fmgr_info_set_expr((Node *) call, flinfo);
	InitFunctionCallInfoData(*fcinfo, flinfo, n_arguments, call->inputcollid, NULL, NULL);
	return ai_site_create(function, fcinfo);
}

/* With track_functions = 'all'; what time a call takes is its model's, not ours. */
bool
ai_callee_ask(AiJobTable *jobs, AiSite *site, AiWaiter *waiter)
{
	bool		counted = pgstat_track_functions > site->fcinfo->flinfo->fn_stats;
	bool		asks;
	PgStat_FunctionCallUsage usage;

	if (counted)
		pgstat_init_function_usage(site->fcinfo, &usage);
	asks = !ai_function_is_null(site->function, site->fcinfo);
	if (asks)
		ai_job_ask(jobs, site, waiter);
	if (counted)
		pgstat_end_function_usage(&usage, true);
	return asks;
}
