/*
 * correlated.h
 *	  Calls in correlated subqueries that give one value.
 */
#ifndef AI_CORRELATED_H
#define AI_CORRELATED_H

#include "postgres.h"

#include "plan/build.h"

/*
 * In a node of the statement's main plan, or of a subplan: a call on the value of
 * a correlated subquery stands outside it, where it is one call of a row.  The
 * main plan may get subplans of its own at the end of the statement's list; that
 * of a subplan stays as long as it is.
 */
extern void ai_lift_correlated(AiRewrite *rewrite, Plan *plan, bool in_subplan);

#endif							/* AI_CORRELATED_H */
