/*
 * lateral.h
 *	  Calls on the inner side of nested loops, brought above them.
 */
#ifndef AI_LATERAL_H
#define AI_LATERAL_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * "FROM t, ai_complete(t.x) a" and the like, in the whole plan.  Returns the
 * plan, which may have another node at the top.  `last_id` numbers new nodes.
 */
extern Plan *ai_flatten_laterals(Plan *plan, int *last_id);

/*
 * The expression of an inner side for evaluation above its nested loop: what
 * the loop hands down as parameters becomes columns of its outer side.
 */
extern Node *ai_above_loop(const NestLoop *loop, Node *expression);

#endif							/* AI_LATERAL_H */
