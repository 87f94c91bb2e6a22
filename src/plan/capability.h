/*
 * capability.h
 *	  What a node that is spliced into a finished plan owes its surroundings.
 *
 * The planner and the executor know things of each plan node that stand in no
 * expression, and the node takes a node's place.  Property by property:
 *
 *	EXECUTE, execute hook,	exec/callee.h: looked at when the plan begins to run
 *	function statistics		(a kept plan may be another role's)
 *	initplans, parameters	of the plan that it stands for, moved up: they must be
 *							run before it is (here)
 *	run conditions			of a WindowAgg point into its target list by number,
 *							and follow the columns (here)
 *	tuple bound				of a Limit above goes on to a Sort below, which is what
 *							pace.h passes on; WITH TIES reads on behind its count, row by
 *							row, and bounds nothing
 *	asynchronous execution	only an Append asks so: a child of ours is not, and
 *							neither are we (here)
 *	mark and restore		a merge join marks its inner side; one of ours gets a
 *							Material (here)
 *	backward				exec/history.h keeps what was emitted; announced by a flag
 *							of the node (here)
 *	WHERE CURRENT OF		exec/position.h
 *	parallel safety			never below a Gather: the functions are restricted, and
 *							planned above it; the node is marked unsafe (here)
 *	JIT						plan/rewrite.c: the thresholds are for the plan without
 *							the waiting
 */
#ifndef AI_CAPABILITY_H
#define AI_CAPABILITY_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * The node stands for `like`, and reads `child`: takes over costs, initplans and
 * parameters, and says what it can.
 */
extern void ai_capability_take_over(CustomScan *node, Plan *like, Plan *child);

/* The same for a Result that is put between a plan and its child. */
extern void ai_capability_project(Plan *result, const Plan *parent, Plan *child);

/* Can a Limit's count be known beforehand? */
extern bool ai_capability_counts(const Limit *limit);

/*
 * The host's target list becomes one of these leaves, in this order: what points
 * into it by number is pointed anew.
 */
extern void ai_capability_columns_move(Plan *host, List *leaves);

/* Can the inner side of a join mark and restore, if the join does? */
extern bool ai_capability_marks(const Plan *join, const Plan *inner);

/* The inner side of a join, after it was rewritten; with a Material if the join needs one. */
extern Plan *ai_capability_markable(const Plan *join, Plan *inner, int *last_id);

#endif							/* AI_CAPABILITY_H */
