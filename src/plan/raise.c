/*
 * raise.c
 *	  Moving filters and columns above what drops rows (raise.h).
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
 * answer.  The inner side of a nested loop that starts anew for each row of the
 * outer one makes its calls one run after the other.  What such a column is, the
 * node that reads it computes (ai_evaluate); below it becomes NULL.  It stays where
 * the node needs it to find its rows; where the filter calls for the same, for
 * the answer might not be remembered for long enough; and where nothing of the
 * subquery is read: rows that are only counted are there for their calls.
 *
 * A row security policy is not moved, since whatever is tested before it sees
 * the rows that it hides; the caller leaves such statements alone.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/lift.h"
#include "plan/flatten.h"
#include "plan/origin.h"
#include "plan/raise.h"
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

static Node *
rising_column(Node *node, void *plan)
{
	return IsA(node, Var) ? (Node *) ai_column(OUTER_VAR, ai_column_of(plan, (Var *) node), node) : NULL;
}

/* Over the columns of the plan in place of what the plan reads. */
static Node *
rise(Plan *plan, Node *expression)
{
	return ai_replace(expression, rising_column, plan);
}

static Node *
inner_column(Node *node, void *context)
{
	return IsA(node, Var) ? (Node *) ai_column(INNER_VAR, ((Var *) node)->varattno, node) : NULL;
}

/* What is over the columns of a join's side, as the join reads them. */
static Node *
at_join(const Plan *join, bool inner, Node *expression)
{
	if (inner)
		expression = ai_replace(expression, inner_column, NULL);
	return inner && IsA(join, NestLoop) ? ai_above_loop((const NestLoop *) join, expression) : expression;
}

/* A Result over what another node reads, as of parts that do the same (append.h). */
static bool
is_projection(const Plan *plan)
{
	return IsA(plan, Result) && plan->lefttree != NULL;
}

/* A node whose filter and columns may rise. */
static bool
is_source(const Plan *plan)
{
	return ai_plan_is(plan, AI_IS_SCAN | AI_IS_JOIN) || (plan != NULL && is_projection(plan));
}

/* The node below those that hand rows on as they are. */
static Plan *
source_of(Plan *plan)
{
	while (ai_plan_is(plan, AI_HANDS_ON))
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
	for (; ai_plan_is(side, AI_HANDS_ON); side = side->lefttree)
	{
		if (IsA(side, Sort) || IsA(side, IncrementalSort))
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
		return (List *) rise(plan, (Node *) take(plan->lefttree, single));
	filters = ai_split_filter(&plan->qual, false);
	if (!single && ai_has_origin(plan))
		filters = mark(plan, filters);
	return (List *) rise(plan, (Node *) filters);
}

/* ---- filters above joins ---- */

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

	if (!is_source(source) || (ai_plan_is(source, AI_IS_JOIN) && ((const Join *) source)->jointype != JOIN_INNER))
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

void
ai_raise_filters(Plan *join)
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
		List	   *filters = take(join->righttree, stays_single(join, inner, true));

		put_filters(join, (List *) at_join(join, true, (Node *) filters));
	}
	if (outer != NULL && !inner_works(join))
		put_filters(join, take(join->lefttree, stays_single(join, outer, false)));
}

/* ---- columns ---- */

static bool
reads(Node *expressions, int varno, int attno)
{
	return ai_count_reads(expressions, varno, attno) > 0;
}

/* Does the join need a column to find its rows? */
static bool
joins_by(Plan *join, int varno, int attno)
{
	ListCell   *cell;

	switch (nodeTag(join))
	{
		case T_NestLoop:
			foreach(cell, ((NestLoop *) join)->nestParams)
			{
				if (reads((Node *) lfirst_node(NestLoopParam, cell)->paramval, varno, attno))
					return true;
			}
			return false;
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
		(ai_plan_is(reader, AI_IS_JOIN) && (joins_by(reader, varno, AI_ANY_COLUMN) ||
											reads((Node *) ((Join *) reader)->joinqual, varno, AI_ANY_COLUMN)));
}

static bool
sorts_by(const Plan *plan, AttrNumber column)
{
	const Sort *sort = (const Sort *) plan;

	if (!IsA(plan, Sort) && !IsA(plan, IncrementalSort))
		return false;
	for (int i = 0; i < sort->numCols; i++)
	{
		if (sort->sortColIdx[i] == column)
			return true;
	}
	return false;
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

		if (reads((Node *) entry->expr, OUTER_VAR, column))
			return sorts_by(plan, entry->resno) ? -1 : entry->resno;
	}
	return 0;
}

/* An expression over a source's columns, over those of a plan that hands them on. */
static Node *
rise_to(Plan *plan, Plan *source, Node *expression)
{
	if (plan != source)
		expression = rise_to(plan->lefttree, source, expression);
	return rise(plan, expression);
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

/* A reader of a source's rows, and its child on the way there. */
typedef struct Reader
{
	Plan	   *plan;
	Plan	   *side;
	bool		inner;
	Plan	   *source;
	bool		single;			/* each row is in at most one of the reader's */
} Reader;

/*
 * What a column of the source computes, its reader is to compute; one that nobody
 * reads is not computed at all.
 */
static void
raise_column(const Reader *reader, TargetEntry *entry, List **moved)
{
	AiMoved    *column = palloc0(sizeof(AiMoved));
	bool		joins = ai_plan_is(reader->plan, AI_IS_JOIN);
	Node	   *value = (Node *) entry->expr;

	if (joins && reader->inner && IsA(reader->plan, NestLoop))
		value = ai_above_loop((NestLoop *) reader->plan, value);
	if (!ai_contains_call(value) || ai_is_bound(value) || !ai_lift_takes_all(value) ||
		filtered_by_walker((Node *) entry->expr, reader->source))
		return;
	/* a mark tells the rows of one run of the inner side apart */
	if (joins && reader->inner && IsA(reader->plan, NestLoop) && ai_contains_mark(value))
		return;
	column->varno = reader->inner ? INNER_VAR : OUTER_VAR;
	column->column = column_at(reader->side, reader->source, entry->resno);
	if (column->column < 0)
		return;
	if (column->column > 0 && joins &&
		(joins_by(reader->plan, column->varno, column->column) ||
		 (reads((Node *) ((Join *) reader->plan)->joinqual, column->varno, column->column) &&
		  (!reader->single || ((Join *) reader->plan)->jointype != JOIN_INNER))))
		return;
	/* right below a projection it is of one chain with that (stage.h) anyway */
	if (!joins && reader->side == reader->source &&
		ai_count_reads((Node *) list_make2(reader->plan->targetlist, reader->plan->qual), OUTER_VAR, column->column) > 1)
		return;
	if (column->column > 0)
	{
		value = reader->single ? (Node *) entry->expr : ai_mark_origin(reader->source, (Node *) entry->expr);
		column->value = at_join(reader->plan, reader->inner, rise_to(reader->side, reader->source, value));
		*moved = lappend(*moved, column);
	}
	entry->expr = ai_null_of(entry->expr);
}

/* May what the source computes for its rows wait for the reader's? */
static bool
columns_move(const Plan *reader, const Plan *source, bool inner)
{
	JoinType	type;

	if (!is_source(source) || !ai_contains_call((Node *) source->targetlist) ||
		expression_returns_set((Node *) source->targetlist))
		return false;
	if (!ai_plan_is(reader, AI_IS_JOIN))
		return true;
	type = ((const Join *) reader)->jointype;
	if (type != JOIN_INNER && (inner || (type != JOIN_SEMI && type != JOIN_ANTI)))
		return false;
	return stays_single(reader, source, inner) ||
		(reader->plan_rows <= source->plan_rows && ai_has_origin(source));
}

static void
raise_columns(Plan *plan, Plan *side, bool inner, List **moved)
{
	Reader		reader = {.plan = plan,.side = side,.inner = inner,.source = source_of(side)};
	ListCell   *cell;

	if (!columns_move(plan, reader.source, inner) || !reads_any(plan, inner ? INNER_VAR : OUTER_VAR))
		return;
	reader.single = !ai_plan_is(plan, AI_IS_JOIN) || stays_single(plan, reader.source, inner);
	/* columns that are added on the way are none of these */
	foreach(cell, list_copy(reader.source->targetlist))
		raise_column(&reader, lfirst_node(TargetEntry, cell), moved);
}

/*
 * A subquery's rows, read without the name it has in the range table: as a stage
 * over what computes them, or a projection over what hands them on.
 */
Plan *
ai_read_subquery(AiRewrite *rewrite, SubqueryScan *scan)
{
	Result	   *result = makeNode(Result);
	Plan	   *plan = &scan->scan.plan;
	Plan	   *source = scan->subplan;
	int			relid = scan->scan.scanrelid;

	/* what locks rows reads them again by that name */
	if (rewrite->stmt->commandType != CMD_SELECT || rewrite->stmt->rowMarks != NIL ||
		reads((Node *) plan->targetlist, relid, 0) || reads((Node *) plan->qual, relid, 0))
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

Plan *
ai_raise_columns(AiRewrite *rewrite, Plan *plan)
{
	List	   *moved = NIL;

	if (ai_plan_is(plan, AI_IS_JOIN))
	{
		if (!inner_works(plan))
			raise_columns(plan, plan->lefttree, false, &moved);
		raise_columns(plan, plan->righttree, true, &moved);
	}
	/* a chain of stages moves nothing (stage.h) */
	else if (is_projection(plan) && !ai_is_stage(plan->lefttree))
		raise_columns(plan, plan->lefttree, false, &moved);
	return moved != NIL ? ai_evaluate(rewrite, plan, moved) : plan;
}

Plan *
ai_raise_above_sort(AiRewrite *rewrite, Plan *sort)
{
	if (!columns_move(sort, source_of(sort), false))
		return sort;
	return ai_raise_columns(rewrite, ai_build_projection(&rewrite->last_id, sort, sort));
}
