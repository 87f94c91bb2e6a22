/*
 * node.h
 *	  The plan node that keeps many model calls under way: what plan/ writes
 *	  into a finished plan and exec/ reads.
 *
 * Words
 *	host		the plan node whose expressions hold the calls.  It stays, below
 *				the new node, and emits no more than the columns that these
 *				expressions are made of.
 *	register	a column of the new node's scan tuple, behind the columns of
 *				the child: the result of a step.
 *	step		what is done for a row before its turn: a VALUE is an expression
 *				worth remembering, a CALL is a model call, a FILTER lets the row
 *				pass or drops it.
 *	guard		under which results of earlier steps a step is done at all.
 *				It says what CASE, COALESCE, AND, OR and FILTER of the query
 *				say, so that nothing is called which they would have skipped.
 *	group		the steps of one filter, or of the target list; a row works on
 *				one group at a time, the filters' first.
 *
 * The CustomScan
 *	lefttree			the child
 *	custom_scan_tlist	a Var of OUTER_VAR for each column of the child that is
 *						used, then for each register the expression that it
 *						stands for, for EXPLAIN to print
 *	targetlist, qual	the host's, over INDEX_VAR; the qual is there for EXPLAIN,
 *						its conjuncts are executed as steps
 *	custom_exprs		the expression of each step, over INDEX_VAR; counts and
 *						offsets of limits at the end
 *	custom_private		see AiNodePart
 *
 * plan/build.c writes it once, in the planner's memory; the plan may be cached and
 * executed many times, so that exec/scan.c reads it and changes nothing.
 */
#ifndef AI_NODE_H
#define AI_NODE_H

#include "postgres.h"

#include "nodes/extensible.h"
#include "nodes/plannodes.h"

typedef enum AiStepKind
{
	AI_STEP_VALUE,
	AI_STEP_CALL,
	AI_STEP_FILTER,
} AiStepKind;

/* Where the guards begin in a step's description. */
#define AI_STEP_GUARDS	4

typedef enum AiGuardTest
{
	AI_GUARD_TRUE,
	AI_GUARD_NOT_TRUE,
	AI_GUARD_NOT_FALSE,
	AI_GUARD_NULL,
} AiGuardTest;

/* The parts of custom_private. */
typedef enum AiNodePart
{
	AI_NODE_STEPS,				/* a list of lists of integers: kind, register
								 * (attribute number; 0 = none), group,
								 * whether a call remembers (job.h), then
								 * pairs of register and test: the guards */
	AI_NODE_COLUMNS,			/* integers: which attribute of the child each
								 * column is */
	AI_NODE_PACE,				/* integers, see AiPacePart */
	AI_NODE_REASONS,			/* strings: why some calls are made one by one */
	AI_NODE_ORIGINS,			/* a list of integers for each step: the
								 * columns that tell which row a call is asked
								 * about once, of those that come several
								 * times; NIL = it is asked for each row */
	AI_NODE_BEFORE,				/* integers: nodes whose rows are counted with
								 * these, and come before them */
} AiNodePart;

/* How far ahead of its reader the node may work; see plan/above.h. */
typedef enum AiPacePart
{
	AI_PACE_FILTERS,			/* how many groups are filters */
	AI_PACE_EARLY_END,			/* the reader may stop at any row */
	AI_PACE_RUN,				/* AiPaceRun */
	AI_PACE_ALONE,				/* one row at a time */
	AI_PACE_COUNTED,			/* custom_exprs ends with the counts and
								 * offsets of so many limits */
	AI_PACE_FAR,				/* and of so many */
	AI_PACE_TIES,				/* behind its count one of them reads on */
	AI_PACE_JOINS,				/* its rows are of no table alone */
	AI_PACE_REORDERS,			/* the filters may be tested in any order */
} AiPacePart;

/* Does the executor's row count reach the node's rows? */
typedef enum AiPaceRun
{
	AI_RUN_NONE,
	AI_RUN_FAR,					/* it counts others, made of them */
	AI_RUN_COUNTED,
} AiPaceRun;

extern const CustomScanMethods ai_node_methods;

/* Once, when the library is loaded. */
extern void ai_node_init(void);

#endif							/* AI_NODE_H */
