/*
 * rewrite.h
 *	  Splices the node that keeps many model calls under way into finished plans.
 */
#ifndef AI_REWRITE_H
#define AI_REWRITE_H

/* What the planner takes a model call to cost, in operators. */
#define AI_CALL_OPERATORS	20000

/* Sets planner_hook; once, when the library is loaded. */
extern void ai_rewrite_init(void);

#endif							/* AI_REWRITE_H */
