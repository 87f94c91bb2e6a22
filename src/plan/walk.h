/*
 * walk.h
 *	  What all that changes finished plans needs: their children, columns and calls.
 */
#ifndef AI_WALK_H
#define AI_WALK_H

#include "postgres.h"

#include "nodes/plannodes.h"
#include "nodes/primnodes.h"

/* What a kind of plan node is to those who move calls; flags. */
#define AI_IS_HOST		0x01	/* it evaluates a target list */
#define AI_IS_SCAN		0x02	/* its rows are those of no child */
#define AI_IS_TABLE		0x04	/* but of a table, where each has its place */
#define AI_IS_JOIN		0x08
#define AI_HANDS_ON		0x10	/* the rows of its child, as they are */

/* Is it one of these? */
extern bool ai_plan_is(const Plan *plan, int kinds);

typedef void (*AiPlanVisit) (Plan **child, void *context);

/* Calls `visit` for each child of a plan node, which may put another there. */
extern void ai_plan_children(Plan *plan, AiPlanVisit visit, void *context);

/*
 * An expression with other parts in places; the replacement is what comes in place
 * of a node, or NULL, and then its parts are looked at.
 */
typedef Node *(*AiReplacement) (Node *node, void *context);

extern Node *ai_replace(Node *expression, AiReplacement replacement, void *context);

/* A NULL of an expression's type. */
extern Expr *ai_null_of(const void *expression);

/* A column of a child plan, with the type of an expression. */
extern Var *ai_column(int varno, int number, const void *expression);

/* How often an expression reads a column; 0 = the row as a whole. */
#define AI_ANY_COLUMN	INT_MAX
extern int	ai_count_reads(Node *expression, int varno, int column);

/* An expression over a scan's columns, for a node above that reads these as they are. */
extern Node *ai_read_above(Node *expression, int relid);

/* A target list of a node above that hands the columns on. */
extern List *ai_pass_columns(const Plan *child);

/*
 * The number of the column of a plan node that is what `var` is to it; it is
 * added if there is none.
 */
extern int	ai_column_of(Plan *plan, Var *var);

/*
 * The number of the column of a plan that is column `var` of one of the tables
 * it reads, added on all nodes on the way; 0 if it cannot be had.  Nodes on the
 * way to where it failed may have got a column that nobody reads.
 */
extern int	ai_expose(Plan *plan, Var *var);

/*
 * Cuts the conjuncts from the first with a call on off a filter; if it must be
 * cautious, from the first that may raise an error.
 */
extern List *ai_split_filter(List **filter, bool cautious);

/*
 * Are there model calls in the target list or a filter of this node; anywhere
 * in it; or in it and what is below?
 */
extern bool ai_node_hosts_calls(const Plan *plan);
extern bool ai_node_calls(const Plan *plan);
extern bool ai_plan_calls(Plan *plan);

#endif							/* AI_WALK_H */
