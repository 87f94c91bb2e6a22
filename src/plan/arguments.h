/*
 * arguments.h
 *	  Calls in the arguments of aggregates and window functions.
 */
#ifndef AI_ARGUMENTS_H
#define AI_ARGUMENTS_H

#include "postgres.h"

#include "plan/build.h"

/*
 * If the host is an Agg or a WindowAgg whose functions have calls in their
 * arguments, a node between it and its child computes them.  `above` is the
 * host as the child's reader.
 */
extern void ai_lift_arguments(AiRewrite *rewrite, Plan *host, const AiAbove *above);

#endif							/* AI_ARGUMENTS_H */
