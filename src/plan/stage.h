/*
 * stage.h
 *	  Calls move in a plan as stages, and are never copied.
 *
 * A stage is a Result over another plan node: columns, made of those of its child,
 * and a filter.  An expression that calls stands in exactly one place of a plan,
 * and who needs its value reads the column; so it is one call for each row of the
 * place where it stands, however often it is read and whatever the cache policy.
 * That sharing between rows may be lost then changes no result.
 *
 * The executor does not test a Result's filter: a chain of stages, down to the
 * first node below that calls, becomes one node of exec/, in which a column that is
 * read more than once is a register.
 */
#ifndef AI_STAGE_H
#define AI_STAGE_H

#include "postgres.h"

#include "plan/build.h"

/* A Result whose columns and filter the node above it can evaluate in its place. */
extern bool ai_is_stage(const Plan *plan);

/* A plan that calls, and whose calls a stage above it may be one node with. */
extern bool ai_takes_stage(const Plan *below);

/*
 * The last of the chain that begins at `top`: a stage, or the host that calls below
 * them.  NULL if there is nothing for a node to do.
 */
extern Plan *ai_chain_bottom(Plan *top);

/*
 * A stage and those below it as one, where nothing is read twice for that, and as
 * much is lifted.
 */
extern Plan *ai_merge_stages(const AiRewrite *rewrite, Plan *top);

/*
 * Splits a node in two: it emits the columns that its target list and these filters
 * are made of, which were cut off it, and a stage over it does the rest.
 */
extern Plan *ai_split(AiRewrite *rewrite, Plan *host, List *filters);

/* In place of a column that a node reads: an expression over the columns that it reads. */
typedef struct AiMoved
{
	int			varno;
	int			column;
	Node	   *value;
} AiMoved;

extern AiMoved *ai_moved(int varno, int column, Node *value);

/*
 * The node evaluates these.  Where each is read once it does so there; else it emits
 * them as columns, which a stage over it reads.  Of a join condition that reads one
 * the join must be an inner one.
 */
extern Plan *ai_evaluate(AiRewrite *rewrite, Plan *host, List *moved);

/* The node that does what the chain does. */
extern Plan *ai_collapse_chain(AiRewrite *rewrite, Plan *top, const AiAbove *above);

#endif							/* AI_STAGE_H */
