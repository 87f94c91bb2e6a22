/*
 * correlated.h
 *	  Calls in correlated subqueries that give one value.
 */
#ifndef AI_CORRELATED_H
#define AI_CORRELATED_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * In the whole plan, which is the statement's main plan or a subplan of it: a
 * call on the value of a correlated subquery stands outside it, where it is one
 * call of a row.  The main plan may get subplans of its own at the end of the
 * statement's list; that of a subplan stays as long as it is.
 * `last_id` is that of plan nodes.
 */
extern void ai_lift_correlated(PlannedStmt *stmt, Plan **plan, bool is_subplan, int *last_id);

#endif							/* AI_CORRELATED_H */
