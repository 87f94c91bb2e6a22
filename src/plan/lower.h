/*
 * lower.h
 *	  Calls that other plan nodes evaluate by themselves, put below or above them.
 */
#ifndef AI_LOWER_H
#define AI_LOWER_H

#include "postgres.h"

#include "plan/build.h"

/*
 * Each looks at one plan node, whose children are done, and returns what stands in
 * its place.
 */

/* SELECT f(set(g(x))): what the set is made of, below; what is beside it, above. */
extern Plan *ai_lower_project_set(AiRewrite *rewrite, Plan *plan);

/* FROM t, set(g(t.x)): on the outer side of the loop. */
extern void ai_lower_set_in_loop(AiRewrite *rewrite, NestLoop *loop);

/* Arguments and FILTER of aggregates and window functions: below. */
extern void ai_lower_arguments(AiRewrite *rewrite, Plan *plan);

/* RETURNING: above. */
extern Plan *ai_raise_returning(AiRewrite *rewrite, ModifyTable *plan);

#endif							/* AI_LOWER_H */
