/*
 * program.h
 *	  The rows that a node holds, each a small state machine.
 *
 * The story of a row.
 *	1. It is made of the child's tuple (ai_row_add): WORKING, all steps PENDING.
 *	2. ai_row_work() does the steps of one group after the other, the filters'
 *	   first, as far as possible.  A step is done when the steps that it reads are;
 *	   where its guards do not hold it is skipped, and its register is NULL.  A VALUE
 *	   fills its register; a CALL asks (job.h) and is WAITING, or has ARRIVED at
 *	   once; a FILTER passes the row on to the next group, or it is DROPPED.
 *	3. A call that arrives is noted, and the row is worked on again
 *	   (ai_row_collect).  Its value is taken when a step reads it.
 *	4. When nothing of the target list's group is open, the row is READY.
 *	5. In its turn it is emitted: values not yet taken are (ai_row_slot).
 *	6. It is recycled; what it still waits for is given up.
 *
 * What raises an error waits for the row's turn (`blocked`), be it a call's failure
 * or an expression (ahead.h): rows are worked on ahead, and the reader may never
 * want this one.
 *
 * Memory: values are in the row's own context, reset when it is recycled.  What
 * a context holds is measured at one place (count_memory), whoever made it grow:
 * the node's sum is what was last measured of each row, so that a row takes out
 * of it exactly what it put in.  What expressions give is per-tuple memory of the
 * node, gone when the work on a row ends.
 *
 * Who may throw: a row whose turn it is, anything.  One that is worked on ahead,
 * a cancel; want of memory where it asks; and what its reader would have come to
 * in any case (ahead.h).
 */
#ifndef AI_PROGRAM_H
#define AI_PROGRAM_H

#include "postgres.h"

#include "exec/ahead.h"
#include "exec/node.h"
#include "exec/history.h"
#include "exec/pace.h"
#include "exec/position.h"
#include "exec/statement.h"

typedef struct AiGuard
{
	int			attribute;		/* in the scan tuple, from 0 */
	AiGuardTest test;
} AiGuard;

typedef struct AiStep
{
	AiStepKind	kind;
	int			attribute;		/* its register in the scan tuple, from 0; -1
								 * = none */
	int			group;
	AiGuard    *guards;
	int			n_guards;
	int		   *origin;			/* attributes from 0, see AI_NODE_ORIGINS */
	int			n_origin;
	int		   *needs;			/* steps whose registers it reads */
	int			n_needs;
	Expr	   *source;			/* CALL: the function's expression */
	MemoryContext remade;		/* of what follows, once made anew; else NULL */
	ExprState  *expression;		/* VALUE, FILTER */
	ExprState **arguments;		/* CALL */
	AiRisk		risk;			/* of evaluating them before the row's turn */
	AiSite	   *site;
	int16		typlen;			/* of the register */
	bool		typbyval;
	/* FILTER: measured, for the order of several */
	int64		tested;
	int64		passed;
} AiStep;

typedef enum AiStepState
{
	AI_STEP_PENDING,
	AI_STEP_WAITING,			/* for its call */
	AI_STEP_ARRIVED,			/* the call has, its value was not taken yet */
	AI_STEP_DONE,
} AiStepState;

typedef enum AiRowState
{
	AI_ROW_WORKING,
	AI_ROW_READY,
	AI_ROW_DROPPED,
} AiRowState;

typedef struct AiRow
{
	dlist_node	node;			/* in the node's ring, or among the free */
	MemoryContext context;
	Size		counted;		/* of its context, in the node's bytes */
	AiRowState	state;
	bool		blocked;
	int			stage;			/* filters passed */
	AiPosition	position;
	Datum	   *values;			/* of the scan tuple */
	bool	   *nulls;
	AiStepState *steps;
	AiWaiter   *waiters;		/* one a step */
} AiRow;

typedef struct AiNodeState
{
	CustomScanState custom;		/* first */
	AiJobTable *jobs;			/* of the statement */
	MemoryContext context;		/* of the rows */
	int			n_columns;
	int			n_attributes;
	int		   *columns;		/* which attribute of the child each is */
	AiStep	   *steps;
	int			n_steps;
	int			n_filters;
	bool		reorders;		/* the filters may be tested in any order */
	int		   *order;			/* of the filters */
	AiPace		pace;
	List	   *reasons;
	dlist_head	rows;			/* in the order of the child */
	int			n_rows;
	dlist_head	free;
	dlist_head	ready;			/* waiters whose call has arrived, in that
								 * order */
	Size		bytes;			/* the sum of the rows' `counted` */
	bool		child_done;
	uint32		run;			/* of the child: how often it has begun anew */
	ScanState  *source;			/* whose rows the child's are; NULL = of none
								 * alone */
	AiHistory  *history;		/* for a reader that may go back; else NULL */
	AiRow	   *emitted;		/* the reader still looks at it */
	double		waited_ms;		/* with nothing else to do */
} AiNodeState;

/* Makes what a step evaluates, from its source, in the current context. */
extern void ai_step_make(AiStep *step, PlanState *parent);

/* A new row at the end of the ring, from the child's tuple. */
extern AiRow *ai_row_add(AiNodeState *node, TupleTableSlot *slot);

/* Does what can be done.  Its turn: errors are raised, not put off. */
extern void ai_row_work(AiNodeState *node, AiRow *row, bool its_turn);

/*
 * Puts the filter first that drops most rows for what it costs: by the cost of
 * a row divided by the share that is dropped, both as measured so far (rank
 * ordering; Hellerstein and Stonebraker, Predicate Migration, SIGMOD 1993).
 */
extern void ai_row_rank_filters(AiNodeState *node);

/* Takes in the calls that arrived, and goes on with the rows that waited. */
extern void ai_row_collect(AiNodeState *node);

/* A READY row's scan tuple, complete; errors are raised here. */
extern TupleTableSlot *ai_row_slot(AiNodeState *node, AiRow *row);

/* Out of the ring, its calls given up. */
extern void ai_row_recycle(AiNodeState *node, AiRow *row);

#endif							/* AI_PROGRAM_H */
