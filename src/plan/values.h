/*
 * values.h
 *	  Calls in VALUES lists.
 */
#ifndef AI_VALUES_H
#define AI_VALUES_H

#include "postgres.h"

#include "plan/build.h"

/*
 * Where the rows of a VALUES list differ in one argument only, the list holds that
 * argument, and the expression around it is evaluated over the scan's column.
 * Returns what stands in the scan's place.
 */
extern Plan *ai_factor_values(AiRewrite *rewrite, ValuesScan *scan);

#endif							/* AI_VALUES_H */
