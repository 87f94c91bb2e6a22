/*
 * build.h
 *	  Making the node of exec/ out of what was lifted, and projections.
 *
 * Memory: all of it in the planner's context.
 */
#ifndef AI_BUILD_H
#define AI_BUILD_H

#include "postgres.h"

#include "nodes/plannodes.h"
#include "plan/above.h"
#include "plan/lift.h"

/* What the passes over one statement share. */
typedef struct AiRewrite
{
	PlannedStmt *stmt;
	int			last_id;		/* of plan nodes */
	int			n_nodes;		/* spliced */
	Cost		waiting;		/* what the planner took their calls to cost */
	bool		reorders;		/* no row security policy is among the filters */
	bool		for_cursor;		/* rows are fetched, and may be pointed at */
	Bitmapset  *initplans;		/* parameters that stand for one, which is run
								 * when they are first read */
	List	   *joins;			/* stages that stand for a loop: of no table's
								 * rows alone */
	List	   *memoized;		/* stages that stand for what a Memoize kept */
	SubLinkType *kinds;			/* of the subplans, by their number */
} AiRewrite;


/*
 * The node with `child` below it, which costs what `like` costs and has its
 * initplans.  `targetlist`
 * and `qual` are over the lift's registers; the first `n_filters` groups of its
 * steps are filters.
 */
extern Plan *ai_build_node(AiRewrite *rewrite, AiLift *lift, Plan *like, Plan *child, List *targetlist, List *qual,
						   int n_filters, const AiAbove *above);

/*
 * The child, with a node above it that hands its rows on and tells in EXPLAIN
 * why calls are made one by one; if it is such a node already, it tells.
 */
extern Plan *ai_build_note(AiRewrite *rewrite, Plan *child, const char *reason, const AiAbove *above);

/*
 * A Result between a plan and its child, with the child's columns.  The next
 * adds a column to it, which the plan reads as the Var returned.
 */
extern Plan *ai_build_projection(int *last_id, const Plan *parent, Plan *child);
extern Var *ai_add_column(Plan *projection, Node *expression);

/* A parameter of the statement's, for such values. */
extern Param *ai_new_parameter(AiRewrite *rewrite, const Node *value);

#endif							/* AI_BUILD_H */
