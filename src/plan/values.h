/*
 * values.h
 *	  Calls in VALUES lists.
 */
#ifndef AI_VALUES_H
#define AI_VALUES_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * In the whole plan: where the rows of a VALUES list differ in one argument
 * only, the list holds that argument, and the scan has the expression around it
 * in its target list and filter.
 */
extern void ai_factor_values(Plan **plan, int *last_id);

#endif							/* AI_VALUES_H */
