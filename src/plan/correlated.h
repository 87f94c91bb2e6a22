/*
 * correlated.h
 *	  Calls in correlated subqueries that give one value.
 */
#ifndef AI_CORRELATED_H
#define AI_CORRELATED_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * In the whole statement: a call on the value of a correlated subquery stands
 * outside it, where it is one call of a row.
 * `last_id` is that of plan nodes.
 */
extern void ai_lift_correlated(PlannedStmt *stmt, int *last_id);

#endif							/* AI_CORRELATED_H */
