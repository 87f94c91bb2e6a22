/*
 * origin.h
 *	  Expressions that are evaluated once for each row of a table, though they
 *	  stand above a join that may give the row several times.
 *
 * Such an expression is marked with the columns that tell which row it is about.
 * The mark is a node that no executor knows, of the expression's own type, and is
 * passed along and copied like the rest; lift.c takes it off, and the steps of what
 * is below it have the columns (AI_NODE_ORIGINS).
 */
#ifndef AI_ORIGIN_H
#define AI_ORIGIN_H

#include "postgres.h"

#include "nodes/plannodes.h"

/* Can the rows of a plan node be told apart?  Of those that move filters and columns. */
extern bool ai_has_origin(const Plan *source);

/*
 * The expression over the source's columns, marked with them; it gets those that
 * tell its rows apart.
 */
extern Node *ai_mark_origin(Plan *source, Node *expression);

extern bool ai_is_marked(const Node *node);
extern bool ai_contains_mark(Node *node);

/* What is marked, and the columns. */
extern Node *ai_marked_expression(const Node *node);
extern List *ai_marked_columns(const Node *node);

#endif							/* AI_ORIGIN_H */
