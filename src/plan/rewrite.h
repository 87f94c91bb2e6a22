/*
 * rewrite.h
 *	  Splices the node that keeps many model calls under way into finished plans.
 */
#ifndef AI_REWRITE_H
#define AI_REWRITE_H

/* Sets planner_hook; once, when the library is loaded. */
extern void ai_rewrite_init(void);

#endif							/* AI_REWRITE_H */
