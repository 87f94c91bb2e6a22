/*
 * check.h
 *	  Is a rewritten plan one that the executor can run?
 *
 * Compiled in where PostgreSQL has assertions, or with -DAI_CHECK_PLANS, as the
 * project's own tests are.
 */
#ifndef AI_CHECK_H
#define AI_CHECK_H

#include "postgres.h"

#include "nodes/plannodes.h"

#if defined(USE_ASSERT_CHECKING) || defined(AI_CHECK_PLANS)
#define AI_CHECKS_PLANS
#endif

/*
 * Raises an internal error that names the node where one is not:
 *	- each Var names a column that is there, and has its type;
 *	- columns to sort, group or merge by are there;
 *	- the parts of an Append have its columns;
 *	- what hands rows on (AI_HANDS_ON) has the columns of its child;
 *	- a Result has no filter, which the executor would not test;
 *	- only an Append's own foreign scans answer asynchronously;
 *	- the inner side of a merge join can mark, where it must;
 *	- a step of our node reads columns and earlier steps alone.
 */
extern void ai_check_plans(PlannedStmt *stmt);

#endif							/* AI_CHECK_H */
