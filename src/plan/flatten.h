/*
 * flatten.h
 *	  Loops whose inner side is one row, as stages over their outer side.
 */
#ifndef AI_FLATTEN_H
#define AI_FLATTEN_H

#include "postgres.h"

#include "plan/build.h"

/*
 * Each looks at one plan node, whose children are done, and returns what stands in
 * its place.
 */

/* "FROM t, ai_complete(t.x) a" and the like. */
extern Plan *ai_flatten_loop(AiRewrite *rewrite, NestLoop *loop);

/* "UPDATE t SET (a, b) = (SELECT value, error FROM ai_try_complete(t.x))". */
extern Plan *ai_set_by_stages(AiRewrite *rewrite, Plan *plan);

/*
 * The expression of an inner side for evaluation above its nested loop: what
 * the loop hands down as parameters becomes columns of its outer side.
 */
extern Node *ai_above_loop(const NestLoop *loop, Node *expression);

#endif							/* AI_FLATTEN_H */
