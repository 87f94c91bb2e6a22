/*
 * pullup.c
 *	  Moving filters and columns above joins (pullup.h).
 *
 * The planner tests a filter as far down as it can, which is right for all
 * that is cheap.  A filter that calls a model costs more than the whole join
 * above it: it is tested on the rows that the join lets through.
 *
 * What moves: conjuncts of the filter of a scan, a projection or a join, from the first with a
 * call on, whose functions are not volatile but for the calls, and that read
 * nothing but the columns of that node.  Their columns are added to the target
 * lists on the way.
 *
 * Where to: above an inner join, or from the outer side above a semijoin or an
 * antijoin.
 *	- from the inner side of a nested loop that is not materialised, always: it
 *	  is tested there for each pair as well;
 *	- otherwise only where the join is not expected to give more rows than the
 *	  node had, and where identical calls are one, so that a row that finds
 *	  several partners is still one call.
 * It stays where the other side calls and the join may spare it that (keep_empty).
 *
 * Columns.  A subquery whose SELECT list calls is planned by itself, for the
 * functions are volatile, and so is a view: it calls for all of its rows, though
 * a join or a LIMIT above may drop most of them, and though nobody may read the
 * answer.  A column that only the target list and the filter of such a node read
 * is computed there.  Below it becomes NULL.  It stays where the filter calls
 * for the same, for the answer might not be remembered for long enough, and where
 * nothing of the subquery is read: rows that are only counted are there for
 * their calls.
 *
 * A row security policy is not moved, since whatever is tested before it sees
 * the rows that it hides; the caller leaves such statements alone.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/lateral.h"
#include "plan/lift.h"
#include "plan/origin.h"
#include "plan/pullup.h"
#include "plan/stage.h"
#include "plan/walk.h"

/* ---- what may move ---- */

/* Is each call in it asked once for each row of a table, whatever joins make of it? */
static bool
unmarked_walker(Node *node, void *context)
{
	if (node == NULL || !ai_contains_call(node) || ai_is_marked(node))
		return false;
	return IsA(node, FuncExpr) || expression_tree_walker(node, unmarked_walker, context);
}

/*
 * From the first conjunct with a call on: do they all move?  Above a join that may
 * give several rows for one, they must be told apart by its origin, and lifted.
 */
static bool
suffix_moves(const Plan *source, List *qual, bool single)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, qual)
	{
		found = found || ai_contains_call(lfirst(cell));
		if (!found)
			continue;
		if (ai_is_bound(lfirst(cell)))
			return false;
		if (!single && (!ai_lift_takes_all(lfirst(cell)) ||
						(unmarked_walker(lfirst(cell), NULL) && !ai_has_origin(source))))
			return false;
	}
	return found;
}

/*
 * Is each row of that side in at most one row that the join gives, so that what is
 * asked about it above the join is asked about it once?  By the planner's proof
 * alone: that there is but one partner, or that the other side only decides.  An
 * inner side of a loop that starts anew for each outer row is evaluated for each
 * pair anyway.
 */
static bool
stays_single(const Plan *join, const Plan *source, bool inner)
{
	const Join *node = (const Join *) join;

	if (inner)
		return IsA(join, NestLoop) && join->righttree == source;
	return node->inner_unique || node->jointype == JOIN_SEMI || node->jointype == JOIN_ANTI;
}

/* ---- taking a filter along ---- */

/* Over the columns of the plan in place of what the plan reads. */
static Node *
rise_mutator(Node *node, Plan *plan)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		int			column = ai_column_of(plan, var);

		return (Node *) makeVar(OUTER_VAR, column, var->vartype, var->vartypmod, var->varcollid, 0);
	}
	return expression_tree_mutator(node, rise_mutator, plan);
}

static List *
rise(Plan *plan, List *filters)
{
	return (List *) rise_mutator((Node *) filters, plan);
}

static bool
is_scan(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_FunctionScan:
		case T_ValuesScan:
		case T_CteScan:
			return true;
		default:
			return false;
	}
}

static bool
is_join(const Plan *plan)
{
	return IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin);
}

/* A Result over what another node reads, as of parts that do the same (append.h). */
static bool
is_projection(const Plan *plan)
{
	return IsA(plan, Result) && plan->lefttree != NULL;
}

/* The node below those that hand rows on as they are. */
static Plan *
source_of(Plan *plan)
{
	while (plan != NULL && (IsA(plan, Hash) || IsA(plan, Sort) || IsA(plan, Material)))
		plan = plan->lefttree;
	return plan;
}

/*
 * Would a filter pass a Sort?  Rows that it drops below are not sorted, and with
 * them those that are alike come in another order.
 */
static bool
passes_sort(const Plan *side)
{
	for (; IsA(side, Hash) || IsA(side, Sort) || IsA(side, Material); side = side->lefttree)
	{
		if (IsA(side, Sort))
			return true;
	}
	return false;
}

/* Conjuncts that call, marked with the row that they are about. */
static List *
mark(Plan *source, List *filters)
{
	List	   *marked = NIL;
	ListCell   *cell;

	foreach(cell, filters)
	{
		bool		calls = unmarked_walker(lfirst(cell), NULL);

		marked = lappend(marked, calls ? ai_mark_origin(source, lfirst(cell)) : lfirst(cell));
	}
	return marked;
}

/* Cuts the filter off its node; it comes back over the columns of `plan`. */
static List *
take(Plan *plan, bool single)
{
	List	   *filters;

	if (plan != source_of(plan))
		return rise(plan, take(plan->lefttree, single));
	filters = ai_split_filter(&plan->qual, false);
	if (!single && ai_has_origin(plan))
		filters = mark(plan, filters);
	return rise(plan, filters);
}

static Node *
inner_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = copyObject((Var *) node);

		var->varno = INNER_VAR;
		return (Node *) var;
	}
	return expression_tree_mutator(node, inner_mutator, context);
}

/* ---- joins ---- */

static bool
subplan_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, SubPlan) || expression_tree_walker(node, subplan_walker, context);
}

static bool
side_moves(const Plan *join, const Plan *source, bool inner)
{
	JoinType	type = ((const Join *) join)->jointype;

	if (source == NULL || !(is_scan(source) || is_projection(source) || (is_join(source) && ((const Join *) source)->jointype == JOIN_INNER)))
		return false;
	/* what it computes, it computes for the rows that pass */
	if (ai_contains_call((Node *) source->targetlist) || ai_is_bound((Node *) source->targetlist))
		return false;
	if (type != JOIN_INNER && (inner || (type != JOIN_SEMI && type != JOIN_ANTI)))
		return false;
	if (passes_sort(inner ? join->righttree : join->lefttree))
		return false;
	/* a mark tells the rows of one run of the inner side apart */
	if (inner && IsA(join, NestLoop) && ai_contains_mark((Node *) source->qual))
		return false;
	/* more rows are more work, though no more calls */
	if (!stays_single(join, source, inner) && join->plan_rows > source->plan_rows)
		return false;
	return suffix_moves(source, IsA(join, NestLoop) && inner ?
						(List *) ai_above_loop((const NestLoop *) join, (Node *) source->qual) : source->qual,
						stays_single(join, source, inner));
}

static void
find_work(Plan **plan, void *context)
{
	bool	   *work = context;

	*work = *work || ai_node_calls(*plan) || (*plan)->initPlan != NIL ||
		subplan_walker((Node *) (*plan)->targetlist, NULL) || subplan_walker((Node *) (*plan)->qual, NULL);
	ai_plan_children(*plan, find_work, work);
}

/*
 * Does the inner side of a loop call, or run subqueries?  For rows that a
 * filter of the outer side drops it does not, and must not begin to.
 */
static bool
inner_works(const Plan *join)
{
	bool		work = false;
	Plan	   *inner = join->righttree;

	if (IsA(join, NestLoop))
		find_work(&inner, &work);
	return work;
}

/* Does a side call, but for the filter of `rises`? */
static bool
side_calls(Plan *side, Plan *rises)
{
	List	   *filters = NIL;
	bool		calls;

	if (rises != NULL)
		filters = ai_split_filter(&rises->qual, false);
	calls = ai_plan_calls(side);
	if (rises != NULL)
		rises->qual = list_concat(rises->qual, filters);
	return calls;
}

/*
 * A filter that was tested on a side's rows is tested before what the join does
 * with those that are left: its cheap conditions alone are tested first.
 */
static void
put_filters(Plan *join, List *filters)
{
	List	  **conditions = &((Join *) join)->joinqual;
	List	   *cheap = NIL;
	List	   *rest = NIL;
	ListCell   *cell;

	foreach(cell, *conditions)
	{
		if (rest != NIL || ai_contains_call(lfirst(cell)) || subplan_walker(lfirst(cell), NULL))
			rest = lappend(rest, lfirst(cell));
		else
			cheap = lappend(cheap, lfirst(cell));
	}
	if (rest == NIL || ((Join *) join)->jointype != JOIN_INNER)
		join->qual = list_concat(filters, join->qual);
	else
		*conditions = list_concat(list_concat(cheap, filters), rest);
}

/*
 * A hash join or a merge join that finds one side empty, or at its end, reads no
 * more of the other.  So a side's filter stays if the other side calls, but for a
 * filter that rises as well.
 */
static void
keep_empty(Plan *join, Plan **outer, Plan **inner)
{
	if (IsA(join, NestLoop) || (*outer == NULL && *inner == NULL))
		return;
	if (side_calls(join->lefttree, *outer))
		*inner = NULL;
	if (side_calls(join->righttree, *inner))
		*outer = NULL;
	if (*inner != NULL && side_calls(join->lefttree, *outer))
		*inner = NULL;
}

static void
pull_into(Plan *join)
{
	Plan	   *outer = source_of(join->lefttree);
	Plan	   *inner = source_of(join->righttree);

	if (!side_moves(join, inner, true))
		inner = NULL;
	if (!side_moves(join, outer, false))
		outer = NULL;
	keep_empty(join, &outer, &inner);

	/* the inner side's first, which puts them behind those of the outer */
	if (inner != NULL)
	{
		Node	   *filters = inner_mutator((Node *) take(join->righttree, stays_single(join, inner, true)), NULL);

		if (IsA(join, NestLoop))
			filters = ai_above_loop((NestLoop *) join, filters);
		put_filters(join, (List *) filters);
	}
	if (outer != NULL && !inner_works(join))
		put_filters(join, take(join->lefttree, stays_single(join, outer, false)));
}

void
ai_pull_up_filters(Plan *plan)
{
	ListCell   *cell;

	if (plan == NULL)
		return;
	ai_pull_up_filters(plan->lefttree);
	ai_pull_up_filters(plan->righttree);
	if (IsA(plan, SubqueryScan))
		ai_pull_up_filters(((SubqueryScan *) plan)->subplan);
	if (IsA(plan, Append))
	{
		foreach(cell, ((Append *) plan)->appendplans)
			ai_pull_up_filters(lfirst(cell));
	}
	if (is_join(plan))
		pull_into(plan);
}

/* ---- columns ---- */

typedef struct Reading
{
	int			varno;
	int			attno;
	Node	   *instead;		/* what a mutator puts there */
} Reading;

static Node *
reading_mutator(Node *node, Reading *reading)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varno == reading->varno && ((Var *) node)->varattno == reading->attno)
		return copyObject(reading->instead);
	return expression_tree_mutator(node, reading_mutator, reading);
}

static bool
reads(Node *expressions, int varno, int attno)
{
	return ai_count_reads(expressions, varno, attno) > 0;
}

/* Does the join need a column to find its rows? */
static bool
joins_by(Plan *join, int varno, int attno)
{
	if (reads((Node *) ((Join *) join)->joinqual, varno, attno))
		return true;
	switch (nodeTag(join))
	{
		case T_NestLoop:
			{
				ListCell   *cell;

				foreach(cell, ((NestLoop *) join)->nestParams)
				{
					if (reads((Node *) lfirst_node(NestLoopParam, cell)->paramval, varno, attno))
						return true;
				}
				return false;
			}
		case T_MergeJoin:
			return reads((Node *) ((MergeJoin *) join)->mergeclauses, varno, attno);
		case T_HashJoin:
			return reads((Node *) ((HashJoin *) join)->hashclauses, varno, attno) ||
				reads((Node *) ((HashJoin *) join)->hashkeys, varno, attno);
		default:
			return true;
	}
}

static bool
reads_any(Plan *reader, int varno)
{
	return reads((Node *) reader->targetlist, varno, AI_ANY_COLUMN) || reads((Node *) reader->qual, varno, AI_ANY_COLUMN) ||
		(is_join(reader) && joins_by(reader, varno, AI_ANY_COLUMN));
}

/*
 * Which column of `plan`, that hands rows of `source` on, is number `column` of
 * that; 0 = none, -1 = one on the way needs it.
 */
static int
column_at(Plan *plan, const Plan *source, int column)
{
	ListCell   *cell;

	if (plan == source)
		return column;
	column = column_at(plan->lefttree, source, column);
	if (column <= 0)
		return column;
	if (IsA(plan, Hash) && reads((Node *) ((Hash *) plan)->hashkeys, OUTER_VAR, column))
		return -1;
	foreach(cell, plan->targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (!reads((Node *) entry->expr, OUTER_VAR, column))
			continue;
		if (IsA(plan, Sort))
		{
			for (int i = 0; i < ((Sort *) plan)->numCols; i++)
			{
				if (((Sort *) plan)->sortColIdx[i] == entry->resno)
					return -1;
			}
		}
		return entry->resno;
	}
	return 0;
}

/* An expression over a source's columns, over those of a plan that hands them on. */
static Node *
rise_to(Plan *plan, Plan *source, Node *expression)
{
	if (plan != source)
		expression = rise_to(plan->lefttree, source, expression);
	return rise_mutator(expression, plan);
}

static bool
equal_walker(Node *node, Node *call)
{
	if (node == NULL)
		return false;
	return equal(node, call) || expression_tree_walker(node, equal_walker, call);
}

/* Does the source's filter make one of the expression's calls anyway? */
static bool
filtered_by_walker(Node *node, Plan *source)
{
	if (node == NULL || !ai_contains_call(node))
		return false;
	if (IsA(node, FuncExpr) && equal_walker((Node *) source->qual, node))
		return true;
	return expression_tree_walker(node, filtered_by_walker, source);
}

/*
 * What a column of the source computes, a reader of its rows computes, in its
 * target list and its filter.  `side` is the reader's child on the way there.
 */
static void
pull_column(Plan *reader, Plan *side, bool inner, Plan *source, TargetEntry *entry)
{
	Reading		reading = {.varno = inner ? INNER_VAR : OUTER_VAR};
	Node	   *expression = (Node *) entry->expr;
	Node	   *null = (Node *) makeNullConst(exprType(expression), exprTypmod(expression), exprCollation(expression));
	List	   *targetlist;
	List	   *qual;
	int			n = 0;

	if (!ai_contains_call(expression) || ai_is_bound(expression) || !ai_lift_takes_all(expression) ||
		filtered_by_walker(expression, source))
		return;
	reading.attno = column_at(side, source, entry->resno);
	if (reading.attno < 0 || (is_join(reader) && reading.attno > 0 && joins_by(reader, reading.varno, reading.attno)))
		return;
	if (reading.attno > 0)
		n = ai_count_reads((Node *) reader->targetlist, reading.varno, reading.attno) +
			ai_count_reads((Node *) reader->qual, reading.varno, reading.attno);
	if (n > 0)
	{
		if (n > 1)
			return;
		if (is_join(reader) && !stays_single(reader, source, inner))
			expression = ai_mark_origin(source, expression);
		reading.instead = rise_to(side, source, expression);
		if (inner)
			reading.instead = inner_mutator(reading.instead, NULL);
		targetlist = (List *) reading_mutator((Node *) reader->targetlist, &reading);
		qual = (List *) reading_mutator((Node *) reader->qual, &reading);
		if (!ai_lift_takes_new(reader->targetlist, targetlist) || !ai_lift_takes_new(reader->qual, qual))
			return;
		reader->targetlist = targetlist;
		reader->qual = qual;
	}
	entry->expr = (Expr *) null;
}

/* May what the source computes for its rows wait for the reader's? */
static bool
columns_move(const Plan *reader, const Plan *source, bool inner)
{
	JoinType	type;

	if (source == NULL || !(is_scan(source) || is_join(source) || is_projection(source)) ||
		!ai_contains_call((Node *) source->targetlist) || expression_returns_set((Node *) source->targetlist))
		return false;
	if (!is_join(reader))
		return true;
	type = ((const Join *) reader)->jointype;
	if (type != JOIN_INNER && (inner || (type != JOIN_SEMI && type != JOIN_ANTI)))
		return false;
	return stays_single(reader, source, inner) ||
		(reader->plan_rows <= source->plan_rows && ai_has_origin(source));
}

static void
pull_columns(Plan *reader, Plan *side, bool inner)
{
	Plan	   *source = source_of(side);
	ListCell   *cell;

	if (!columns_move(reader, source, inner) || !reads_any(reader, inner ? INNER_VAR : OUTER_VAR))
		return;
	/* columns that are added on the way are none of these */
	foreach(cell, list_copy(source->targetlist))
		pull_column(reader, side, inner, source, lfirst_node(TargetEntry, cell));
}

/*
 * A subquery's rows, read without the name it has in the range table: as a stage
 * over what computes them, or a projection over what hands them on.
 */
static Plan *
as_result(SubqueryScan *scan)
{
	Result	   *result = makeNode(Result);
	Plan	   *plan = &scan->scan.plan;
	Plan	   *source = scan->subplan;
	int			relid = scan->scan.scanrelid;

	if (reads((Node *) plan->targetlist, relid, 0) || reads((Node *) plan->qual, relid, 0))
		return plan;
	if (!ai_takes_stage(source) &&
		(plan->qual != NIL || !columns_move(&result->plan, source_of(source), false)))
		return plan;
	result->plan = *plan;
	NodeSetTag(result, T_Result);
	result->plan.targetlist = (List *) ai_read_above((Node *) plan->targetlist, relid);
	result->plan.qual = (List *) ai_read_above((Node *) plan->qual, relid);
	result->plan.lefttree = source;
	return &result->plan;
}

static void
pull_up_columns(Plan **plan, void *context)
{
	AiRewrite  *rewrite = context;

	ai_plan_children(*plan, pull_up_columns, context);
	/* what locks rows reads them again by that name */
	if (IsA(*plan, SubqueryScan) && rewrite->stmt->commandType == CMD_SELECT && rewrite->stmt->rowMarks == NIL)
		*plan = as_result((SubqueryScan *) *plan);
	if (IsA(*plan, Limit) && IsA((*plan)->lefttree, Sort) && columns_move(*plan, source_of((*plan)->lefttree), false))
	{
		Plan	   *sort = (*plan)->lefttree;

		(*plan)->lefttree = ai_build_projection(&rewrite->last_id, sort, sort);
		pull_columns((*plan)->lefttree, sort, false);
	}
	else if (is_join(*plan))
	{
		if (!inner_works(*plan))
			pull_columns(*plan, (*plan)->lefttree, false);
		pull_columns(*plan, (*plan)->righttree, true);
	}
	/* a chain of stages moves nothing (stage.h) */
	else if (is_projection(*plan) && !ai_is_stage((*plan)->lefttree))
		pull_columns(*plan, (*plan)->lefttree, false);
}

void
ai_pull_up_columns(AiRewrite *rewrite, Plan **plan)
{
	pull_up_columns(plan, rewrite);
}
