/*
 * callee.h
 *	  The function that a step calls: what the executor does for a function in an
 *	  expression, for one that the node stands in for (ExecInitFunc).
 */
#ifndef AI_CALLEE_H
#define AI_CALLEE_H

#include "postgres.h"

#include "ask/job.h"
#include "nodes/primnodes.h"

/*
 * The place that calls, in the current context.  NULL if only the executor can
 * call the function: since the plan was made, it was given settings or an owner's
 * rights.  Raises where the role may not execute it.
 */
extern AiSite *ai_callee_site(FuncExpr *call);

/*
 * Calls the function with the arguments that are in the site: asks, or finds that
 * it is NULL without a question (false).  Counts it as a call of the function.
 */
extern bool ai_callee_ask(AiJobTable *jobs, AiSite *site, AiWaiter *waiter);

#endif							/* AI_CALLEE_H */
