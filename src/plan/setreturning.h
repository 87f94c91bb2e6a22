/*
 * setreturning.h
 *	  Calls in the arguments of functions that return sets.
 */
#ifndef AI_SETRETURNING_H
#define AI_SETRETURNING_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * Has such arguments computed below, as columns, in the whole plan.  Nodes are
 * added, numbered from *last_id on, and parameters to the statement's.
 */
extern void ai_lift_set_arguments(PlannedStmt *stmt, Plan **plan, int *last_id);

#endif							/* AI_SETRETURNING_H */
