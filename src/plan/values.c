/*
 * values.c
 *	  Calls in VALUES lists (values.h).
 *
 * "VALUES (1, ai_complete('a')), (2, ai_complete('b'))" evaluates each row's
 * expressions by themselves, one row after the other.  All rows of a column are
 * mostly the same expression of different texts: what is common to them (their
 * least general generalisation; Plotkin 1970) is evaluated over the column of
 * what differs, and a stage above reads it (stage.h).  A column where more than one
 * part differs stays as it is, for there is no name for a second one.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/expression.h"
#include "plan/lift.h"
#include "plan/stage.h"
#include "plan/values.h"
#include "plan/walk.h"

typedef struct Factor
{
	int			relid;
	int			column;
	List	   *parts;			/* what differs, a row each; NIL = nothing yet */
	bool		failed;
} Factor;

static bool
are_equal(List *rows)
{
	ListCell   *cell;

	foreach(cell, rows)
	{
		if (!equal(linitial(rows), lfirst(cell)))
			return false;
	}
	return true;
}

/* Expressions without a call, of one type: the column of them. */
static Node *
differing(Factor *factor, List *rows)
{
	Node	   *first = linitial(rows);
	ListCell   *cell;

	foreach(cell, rows)
	{
		Node	   *part = lfirst(cell);

		if (ai_contains_call(part) || exprType(part) != exprType(first) ||
			exprCollation(part) != exprCollation(first))
			factor->failed = true;
	}
	if (factor->parts != NIL && !equal(factor->parts, rows))
		factor->failed = true;
	factor->parts = rows;
	return (Node *) makeVar(factor->relid, factor->column, exprType(first), -1, exprCollation(first), 0);
}

/* Where its own fields are the same in all rows: the arguments of each; NIL = not such a node. */
static List *
arguments_of(Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			return ((FuncExpr *) node)->args;
		case T_OpExpr:
			return ((OpExpr *) node)->args;
		case T_RelabelType:
			return list_make1(((RelabelType *) node)->arg);
		case T_CoerceViaIO:
			return list_make1(((CoerceViaIO *) node)->arg);
		default:
			return NIL;
	}
}

static void
set_arguments(Node *node, List *arguments)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			((FuncExpr *) node)->args = arguments;
			break;
		case T_OpExpr:
			((OpExpr *) node)->args = arguments;
			break;
		case T_RelabelType:
			((RelabelType *) node)->arg = arguments ? linitial(arguments) : NULL;
			break;
		case T_CoerceViaIO:
			((CoerceViaIO *) node)->arg = arguments ? linitial(arguments) : NULL;
			break;
		default:
			break;
	}
}

/* The node without its arguments. */
static Node *
shell(Node *node)
{
	Node	   *copy = copyObject(node);

	set_arguments(copy, NIL);
	return copy;
}

static Node *
generalise(Factor *factor, List *rows)
{
	Node	   *first = linitial(rows);
	int			n = list_length(arguments_of(first));
	Node	   *result;
	List	   *arguments = NIL;
	ListCell   *cell;

	if (factor->failed || are_equal(rows))
		return copyObject(first);
	foreach(cell, rows)
	{
		Node	   *row = lfirst(cell);

		if (nodeTag(row) != nodeTag(first) || n == 0 || list_length(arguments_of(row)) != n ||
			!equal(shell(row), shell(first)))
			return differing(factor, rows);
	}
	if (!ai_contains_call((Node *) rows))
		return differing(factor, rows);
	result = shell(first);
	for (int i = 0; i < n; i++)
	{
		List	   *each = NIL;

		foreach(cell, rows)
			each = lappend(each, list_nth(arguments_of(lfirst(cell)), i));
		arguments = lappend(arguments, generalise(factor, each));
	}
	set_arguments(result, arguments);
	return result;
}

/* ---- a column ---- */

/* What a column's rows have in common, over what differs, which `parts` then has; NULL = nothing is to be done. */
static Node *
common_expression(const ValuesScan *scan, int column, List **parts)
{
	Factor		factor = {.relid = scan->scan.scanrelid,.column = column};
	List	   *rows = NIL;
	Node	   *expression;
	ListCell   *cell;

	foreach(cell, scan->values_lists)
		rows = lappend(rows, list_nth(lfirst(cell), column - 1));
	if (!ai_contains_call((Node *) rows) || ai_is_volatile((Node *) rows))
		return NULL;
	expression = generalise(&factor, rows);
	if (factor.failed || factor.parts == NIL || !ai_lift_takes_all(expression))
		return NULL;
	*parts = factor.parts;
	return expression;
}

/* ---- the scan ---- */

Plan *
ai_factor_values(AiRewrite *rewrite, ValuesScan *scan)
{
	Plan	   *plan = &scan->scan.plan;
	int			relid = scan->scan.scanrelid;
	int			n = list_length(linitial(scan->values_lists));
	List	   *moved = NIL;

	if (ai_count_reads((Node *) list_make2(plan->targetlist, plan->qual), relid, 0) > 0)
		return plan;
	for (int i = 0; i < n; i++)
	{
		List	   *parts = NIL;
		Node	   *value = common_expression(scan, i + 1, &parts);
		ListCell   *cell;
		ListCell   *part;

		if (value != NULL)
			moved = lappend(moved, ai_moved(relid, i + 1, value));
		forboth(cell, scan->values_lists, part, parts)
			list_nth_cell(lfirst(cell), i)->ptr_value = copyObject(lfirst(part));
	}
	return moved != NIL ? ai_evaluate(rewrite, plan, moved) : plan;
}
