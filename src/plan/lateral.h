/*
 * lateral.h
 *	  Calls on the inner side of nested loops, brought above them.
 */
#ifndef AI_LATERAL_H
#define AI_LATERAL_H

#include "postgres.h"

#include "plan/build.h"

/* "FROM t, ai_complete(t.x) a" and the like, in the whole plan. */
extern void ai_flatten_laterals(AiRewrite *rewrite, Plan **plan);

/* "UPDATE t SET (a, b) = (SELECT value, error FROM ai_try_complete(t.x))" likewise. */
extern void ai_set_columns(AiRewrite *rewrite, Plan **plan);

/*
 * The expression of an inner side for evaluation above its nested loop: what
 * the loop hands down as parameters becomes columns of its outer side.
 */
extern Node *ai_above_loop(const NestLoop *loop, Node *expression);

#endif							/* AI_LATERAL_H */
