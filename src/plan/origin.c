/*
 * origin.c
 *	  Marks of origins (origin.h).
 *
 * A row of a table is told apart by its place (ctid) for as long as a statement
 * runs, since that sees one version of it; one of several parts by its number too.
 *
 * The mark is an ArrayCoerceExpr, which has a type of its own, an argument, and a
 * second expression, where the columns stand as a row; its location tells that it
 * is none.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "ask/job.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/origin.h"
#include "plan/stage.h"
#include "plan/walk.h"

#define MARK_LOCATION	(-4711)

/* The parts of an Append or a MergeAppend; NIL of any other node. */
static List *
parts_of(const Plan *plan)
{
	if (IsA(plan, Append))
		return ((const Append *) plan)->appendplans;
	return IsA(plan, MergeAppend) ? ((const MergeAppend *) plan)->mergeplans : NIL;
}

/* Parts with a scan each, whose columns are those of the whole one by one. */
static bool
are_table_scans(const Plan *append)
{
	ListCell   *cell;

	foreach(cell, parts_of(append))
	{
		const Plan *part = lfirst(cell);

		if (!ai_plan_is(part, AI_IS_TABLE) || list_length(part->targetlist) != list_length(append->targetlist))
			return false;
	}
	return parts_of(append) != NIL;
}

/*
 * The scans whose rows a row of the plan is made of, one of each; false if there
 * are others too.
 */
static bool
find_scans(const Plan *plan, List **scans)
{
	if (ai_plan_is(plan, AI_IS_TABLE))
	{
		*scans = lappend(*scans, (void *) plan);
		return true;
	}
	if (ai_plan_is(plan, AI_HANDS_ON) || ai_is_stage(plan))
		return find_scans(plan->lefttree, scans);
	if (!ai_plan_is(plan, AI_IS_JOIN))
		return false;
	switch (((const Join *) plan)->jointype)
	{
		case JOIN_INNER:
			return find_scans(plan->lefttree, scans) && find_scans(plan->righttree, scans);
		case JOIN_SEMI:
		case JOIN_ANTI:
			return find_scans(plan->lefttree, scans);
		default:
			return false;
	}
}

bool
ai_has_origin(const Plan *source)
{
	List	   *scans = NIL;

	if (ai_is_stage(source) && are_table_scans(source->lefttree))
		return true;
	return find_scans(source, &scans) && list_length(scans) * sizeof(ItemPointerData) <= AI_ORIGIN_SIZE;
}

static Var *
system_column(const Plan *scan, AttrNumber number, Oid type)
{
	return makeVar(((const Scan *) scan)->scanrelid, number, type, -1, InvalidOid, 0);
}

/* Another column of an Append and of its parts. */
static Var *
add_part_column(Plan *append, Node *(*column) (const Plan *part, int number))
{
	Node	   *first = column(linitial(parts_of(append)), 0);
	ListCell   *cell;

	foreach(cell, parts_of(append))
		(void) ai_add_column(lfirst(cell), column(lfirst(cell), foreach_current_index(cell)));
	(void) ai_add_column(append, (Node *) makeVar(OUTER_VAR, list_length(append->targetlist) + 1, exprType(first), -1, InvalidOid, 0));
	return makeVar(OUTER_VAR, list_length(append->targetlist), exprType(first), -1, InvalidOid, 0);
}

/* Which part a row is of: two of them may scan one table. */
static Node *
part_number(const Plan *part, int number)
{
	return (Node *) makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(number), false, true);
}

static Node *
part_place(const Plan *part, int number)
{
	return (Node *) system_column(part, SelfItemPointerAttributeNumber, TIDOID);
}

/* A column of a scan below the source, as its expressions read it. */
static Var *
expose(Plan *source, const Plan *scan)
{
	Var		   *var = system_column(scan, SelfItemPointerAttributeNumber, TIDOID);
	int			column;

	if (source == scan)
		return var;
	column = ai_expose(source->lefttree, var);
	if (column > 0)
		return makeVar(OUTER_VAR, column, TIDOID, -1, InvalidOid, 0);
	column = source->righttree ? ai_expose(source->righttree, var) : 0;
	if (column == 0)
		elog(ERROR, "a column of a table is not to be had above it");
	return makeVar(INNER_VAR, column, TIDOID, -1, InvalidOid, 0);
}

/* What tells the rows of a source apart, over what its expressions read. */
static List *
find_origin(Plan *source)
{
	List	   *scans = NIL;
	List	   *columns = NIL;
	ListCell   *cell;

	if (ai_is_stage(source) && parts_of(source->lefttree) != NIL)
		return list_make2(add_part_column(source->lefttree, part_number),
						  add_part_column(source->lefttree, part_place));
	(void) find_scans(source, &scans);
	foreach(cell, scans)
		columns = lappend(columns, expose(source, lfirst(cell)));
	return columns;
}

Node *
ai_mark_origin(Plan *source, Node *expression)
{
	ArrayCoerceExpr *mark = makeNode(ArrayCoerceExpr);
	RowExpr    *row = makeNode(RowExpr);

	row->args = find_origin(source);
	row->row_typeid = RECORDOID;
	row->location = -1;
	mark->arg = (Expr *) expression;
	mark->elemexpr = (Expr *) row;
	mark->resulttype = exprType(expression);
	mark->resulttypmod = exprTypmod(expression);
	mark->resultcollid = exprCollation(expression);
	mark->coerceformat = COERCE_IMPLICIT_CAST;
	mark->location = MARK_LOCATION;
	return (Node *) mark;
}

static bool
test_mark(Node *node, void *context)
{
	return ai_is_marked(node);
}

bool
ai_contains_mark(Node *node)
{
	return ai_find(node, test_mark, NULL);
}

bool
ai_is_marked(const Node *node)
{
	return IsA(node, ArrayCoerceExpr) && ((const ArrayCoerceExpr *) node)->location == MARK_LOCATION;
}

Node *
ai_marked_expression(const Node *node)
{
	return (Node *) ((const ArrayCoerceExpr *) node)->arg;
}

List *
ai_marked_columns(const Node *node)
{
	return castNode(RowExpr, ((const ArrayCoerceExpr *) node)->elemexpr)->args;
}
