/*
 * lift.h
 *	  From the expressions of a host to the steps of the node above it.
 *
 * An expression's calls are taken out of it, the innermost first, and replaced
 * by registers.  Where the expression decides whether a call is made at all
 * (CASE, COALESCE, AND, OR), the deciding parts become steps of their own, the
 * calls are guarded by them, and the expression reads their results, so that
 * nothing is evaluated twice.  What decides in a way that is not known here is
 * left as it is: its calls are made when and if the expression comes to them,
 * one by one, and EXPLAIN says so.
 *
 * Memory: all of it in the planner's context.
 */
#ifndef AI_LIFT_H
#define AI_LIFT_H

#include "postgres.h"

#include "exec/node.h"

typedef struct AiLift
{
	/* the columns of the child */
	List	   *leaves;			/* the expressions that the host computes */
	List	   *positions;		/* integers: where the child has each; NIL =
								 * in this order */
	/* what became of the expressions */
	List	   *registers;		/* for EXPLAIN: expressions over OUTER_VAR */
	List	   *steps;			/* see AI_NODE_STEPS */
	List	   *expressions;	/* one a step */
	List	   *origins;		/* one a step, see AI_NODE_ORIGINS */
	List	   *reasons;
	int			n_calls;
	bool		joins;			/* the rows are of no table alone */
	bool		reorders;		/* the filters may be tested in any order */
	/* while at it */
	int			group;
	List	   *guards;			/* integers: register and test, in turn */
	List	   *origin;			/* integers, of what is being lifted */
	bool		remembers;		/* equal questions are one, as a Memoize would
								 * have it */
} AiLift;

/* Would all calls in it be lifted, none left to be made one by one? */
extern bool ai_lift_takes_all(Node *node);

/*
 * Adds the leaves of an expression, which are the columns that the child is to
 * have.  All expressions must be announced before the first is lifted.
 */
extern void ai_lift_leaves(AiLift *lift, Node *expression);

/* The expression, its calls where they were, over a plan whose columns the leaves are. */
extern Node *ai_lift_over_leaves(AiLift *lift, Node *expression);

/* The expression over the node's scan tuple, its calls where they are. */
extern Node *ai_lift_over_scan(AiLift *lift, Node *expression);

/* Such an expression, its calls lifted; `group` is set. */
extern Node *ai_lift_calls(AiLift *lift, Node *expression);

/* Both. */
extern Node *ai_lift_expression(AiLift *lift, Node *expression);

/* A register with the value of an expression whose calls are lifted. */
extern Var *ai_lift_register(AiLift *lift, Node *expression);

/* A conjunct of a filter over the scan tuple: a group of its own. */
extern Node *ai_lift_filter(AiLift *lift, Node *conjunct);

/* The columns and registers as the node's custom_scan_tlist. */
extern List *ai_lift_scan_tlist(AiLift *lift);

/* Notes why calls are made one by one, once each. */
extern void ai_lift_reason(AiLift *lift, const char *reason);

#endif							/* AI_LIFT_H */
