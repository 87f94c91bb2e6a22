/*
 * expression.h
 *	  What matters about an expression with model calls before it is moved.
 */
#ifndef AI_EXPRESSION_H
#define AI_EXPRESSION_H

#include "postgres.h"

#include "nodes/nodes.h"

/* Is there a node in it for which the test is true? */
typedef bool (*AiTest) (Node *node, void *context);

extern bool ai_find(Node *expression, AiTest test, void *context);

/* Is it a model call? */
extern bool ai_is_call(const Node *node);

/* Is there one in it? */
extern bool ai_contains_call(Node *node);

/* How many places in it call. */
extern int	ai_count_calls(Node *node);

/*
 * May the planner's proof that a row has but one partner in a join
 * (Join.inner_unique) rest on this condition?  It takes equalities that are not
 * volatile.
 */
extern bool ai_may_prove(Node *condition);

/* Is it volatile but for its calls? */
extern bool ai_is_volatile(Node *node);

/* Volatile but for its calls, or bound to the plan node where it stands. */
extern bool ai_is_bound(Node *node);

#endif							/* AI_EXPRESSION_H */
