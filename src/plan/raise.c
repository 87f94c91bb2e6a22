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
 * What locks rows gives them as they are then, so that above it nobody is asked
 * about a row that is skipped, nor twice about one that another session changed.
 * There the node may not work ahead of a reader that stops (stage.c): it would lock
 * rows that nobody reads.  WHERE CURRENT OF takes the row that was locked last, so
 * for a cursor all of it stays below.
 *
 * A row security policy is not moved, since whatever is tested before it sees
 * the rows that it hides; the caller leaves such statements alone.
 */
#include "postgres.h"

#include "exec/ahead.h"
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

/* ---- sides ---- */

/* A side of a join, or what a projection reads. */
typedef struct Side
{
	Plan	   *reader;
	Plan	   *top;			/* its child */
	Plan	   *source;			/* what computes the rows; NULL = nothing
								 * rises */
	bool		inner;
	bool		restarts;		/* anew for each row of the outer side */
	bool		single;			/* each row is in at most one of the reader's */
} Side;

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
 * A row is `single` by the planner's proof alone: that there is but one partner, or
 * that the other side only decides.  An inner side of a loop that starts anew for
 * each outer row is evaluated for each pair anyway.  Of other sides, whose rows are
 * told apart by their origin, more rows are more work, though no more calls.
 */
static Side
side_of(Plan *reader, bool inner)
{
	Side		side = {.reader = reader,.inner = inner,.top = inner ? reader->righttree : reader->lefttree};
	const Join *join = ai_plan_is(reader, AI_IS_JOIN) ? (const Join *) reader : NULL;
	bool		decides = join != NULL && !inner && (join->jointype == JOIN_SEMI || join->jointype == JOIN_ANTI);
	Plan	   *source = source_of(side.top);

	side.restarts = inner && IsA(reader, NestLoop) && side.top == source;
	side.single = join == NULL || side.restarts || (!inner && (join->inner_unique || decides));
	if (is_source(source) && (join == NULL || join->jointype == JOIN_INNER || decides) &&
		(side.single || reader->plan_rows <= source->plan_rows))
		side.source = source;
	return side;
}

static Node *
rising_column(Node *node, void *plan)
{
	return IsA(node, Var) ? (Node *) ai_column(OUTER_VAR, ai_column_of(plan, (Var *) node), node) : NULL;
}

/* An expression over what the source reads, over the columns of a plan that hands its rows on. */
static Node *
rise(Plan *plan, Plan *source, Node *expression)
{
	if (plan != source)
		expression = rise(plan->lefttree, source, expression);
	return ai_replace(expression, rising_column, plan);
}

static Node *
inner_column(Node *node, void *context)
{
	return IsA(node, Var) ? (Node *) ai_column(INNER_VAR, ((Var *) node)->varattno, node) : NULL;
}

/* What a loop hands its inner side, as columns of its outer one. */
static Node *
above_loop(const Side *side, Node *expression)
{
	return side->inner && IsA(side->reader, NestLoop) ? ai_above_loop((NestLoop *) side->reader, expression) : expression;
}

/* An expression over what the source reads, as the reader reads it. */
static Node *
at_reader(const Side *side, Node *expression)
{
	expression = rise(side->top, side->source, expression);
	if (side->inner)
		expression = ai_replace(expression, inner_column, NULL);
	return above_loop(side, expression);
}

/* A mark tells the rows of one run of the inner side apart. */
static bool
has_mark_of_run(const Side *side, Node *expression)
{
	return side->inner && IsA(side->reader, NestLoop) && ai_contains_mark(expression);
}

/* ---- what the inner side of a loop does ---- */

static bool
test_subplan(Node *node, void *context)
{
	return IsA(node, SubPlan);
}

static void
find_work(Plan **plan, void *context)
{
	bool	   *work = context;

	*work = *work || ai_node_calls(*plan) || (*plan)->initPlan != NIL ||
		ai_find((Node *) list_make2((*plan)->targetlist, (*plan)->qual), test_subplan, NULL);
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

/* ---- what may be done for rows that a filter drops ---- */

/*
 * What is asked of expressions and plans that are run for more rows, or at all: that
 * they call nothing, write nothing, and run no plan, such as an initplan at first
 * sight; and at most that risk of an error.
 */
typedef struct Harmless
{
	const AiRewrite *rewrite;
	AiRiskLevel risk;
	bool		broken;			/* something is not so */
} Harmless;

static bool
is_harmless(const Harmless *harmless, const void *expressions)
{
	AiRisk		risk = {0};

	ai_risk_add(&risk, (Node *) expressions);
	return risk.level <= harmless->risk && !risk.is_volatile && !ai_contains_call((Node *) expressions) &&
		!bms_overlap(risk.parameters, harmless->rewrite->initplans);
}

static bool
functions_are_harmless(const Harmless *harmless, List *functions)
{
	ListCell   *cell;

	foreach(cell, functions)
	{
		if (!is_harmless(harmless, lfirst_node(RangeTblFunction, cell)->funcexpr))
			return false;
	}
	return true;
}

/* What finds a join's rows. */
static List *
clauses_of(const Plan *join)
{
	switch (nodeTag(join))
	{
		case T_HashJoin:
			return list_make2(((HashJoin *) join)->hashclauses, ((HashJoin *) join)->hashkeys);
		case T_MergeJoin:
			return ((MergeJoin *) join)->mergeclauses;
		default:
			return NIL;
	}
}

static void find_harm(Plan **plan, void *context);

/* What a node does beside its target list and filter; what is not known is not harmless. */
static bool
kind_is_harmless(Harmless *harmless, const Plan *plan)
{
	Plan	   *cte;

	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_Sort:
		case T_IncrementalSort:
		case T_Material:
		case T_Memoize:
		case T_Unique:
		case T_Agg:
		case T_Group:
		case T_SubqueryScan:
		case T_Append:
		case T_MergeAppend:
			return true;
		case T_Limit:
			return is_harmless(harmless, ((Limit *) plan)->limitCount) && is_harmless(harmless, ((Limit *) plan)->limitOffset);
		case T_Result:
			return is_harmless(harmless, ((Result *) plan)->resconstantqual);
		case T_Hash:
			return is_harmless(harmless, ((Hash *) plan)->hashkeys);
		case T_IndexScan:
			return is_harmless(harmless, ((IndexScan *) plan)->indexqual);
		case T_IndexOnlyScan:
			return is_harmless(harmless, ((IndexOnlyScan *) plan)->indexqual);
		case T_BitmapHeapScan:
			return is_harmless(harmless, ((BitmapHeapScan *) plan)->bitmapqualorig);
		case T_BitmapIndexScan:
			return is_harmless(harmless, ((BitmapIndexScan *) plan)->indexqual);
		case T_ValuesScan:
			return is_harmless(harmless, ((ValuesScan *) plan)->values_lists);
		case T_FunctionScan:
			return functions_are_harmless(harmless, ((FunctionScan *) plan)->functions);
		case T_CteScan:
			cte = list_nth(harmless->rewrite->stmt->subplans, ((CteScan *) plan)->ctePlanId - 1);
			find_harm(&cte, harmless);
			return true;
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return is_harmless(harmless, clauses_of(plan)) && is_harmless(harmless, ((Join *) plan)->joinqual);
		default:
			return false;
	}
}

static void
find_harm(Plan **plan, void *context)
{
	Harmless   *harmless = context;

	if ((*plan)->initPlan != NIL || !is_harmless(harmless, (*plan)->targetlist) ||
		!is_harmless(harmless, (*plan)->qual) || !kind_is_harmless(harmless, *plan))
		harmless->broken = true;
	ai_plan_children(*plan, find_harm, harmless);
}

static bool
plan_is_harmless(const AiRewrite *rewrite, Plan *plan, AiRiskLevel risk)
{
	Harmless	harmless = {.rewrite = rewrite,.risk = risk};

	find_harm(&plan, &harmless);
	return !harmless.broken;
}

/*
 * Conditions behind a filter that rises are tested above with it (stage.c): by none
 * of these has the planner proved that there is but one partner.
 */
static bool
conditions_stay(const Harmless *harmless, List *conditions)
{
	bool		moved = false;
	ListCell   *cell;

	foreach(cell, conditions)
	{
		if (!is_harmless(harmless, lfirst(cell)))
			moved = true;
		if (moved && ai_may_prove(lfirst(cell)))
			return false;
	}
	return true;
}

/*
 * May a join do what it does for the rows of a side that the side's filter would
 * have dropped?  What it does to find its rows, and a loop its whole inner side;
 * of an inner join a condition that is not harmless is tested behind the filter.
 */
static bool
join_is_harmless(const AiRewrite *rewrite, const Side *side)
{
	const Harmless harmless = {.rewrite = rewrite,.risk = AI_RISK_NONE};
	const Join *join = (const Join *) side->reader;

	if (!is_harmless(&harmless, side->source->targetlist) || !is_harmless(&harmless, clauses_of(side->reader)))
		return false;
	if (join->jointype != JOIN_INNER && !is_harmless(&harmless, join->joinqual))
		return false;
	if (join->inner_unique && !conditions_stay(&harmless, join->joinqual))
		return false;
	return side->inner || !IsA(join, NestLoop) || plan_is_harmless(rewrite, join->plan.righttree, AI_RISK_NONE);
}

/* ---- filters above joins ---- */

/* Is each call in it asked once for each row of a table, whatever joins make of it? */
static bool
unmarked_walker(Node *node, void *context)
{
	if (node == NULL || !ai_contains_call(node) || ai_is_marked(node))
		return false;
	return IsA(node, FuncExpr) || expression_tree_walker(node, unmarked_walker, context);
}

/* May it be by this conjunct that the planner has proved a row of the other side to have one partner? */
static bool
proves_one_partner(const Side *side, Node *conjunct)
{
	return side->inner && ((const Join *) side->reader)->inner_unique && ai_may_prove(conjunct);
}

/*
 * From the first conjunct with a call on: do they all move?  Above a join that may
 * give several rows for one, they must be told apart by its origin, and lifted.
 */
static bool
suffix_moves(const Side *side, List *qual)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, qual)
	{
		found = found || ai_contains_call(lfirst(cell));
		if (!found)
			continue;
		if (ai_is_bound(lfirst(cell)) || proves_one_partner(side, lfirst(cell)))
			return false;
		if (!side->single && (!ai_lift_takes_all(lfirst(cell)) ||
							  (unmarked_walker(lfirst(cell), NULL) && !ai_has_origin(side->source))))
			return false;
	}
	return found;
}

/*
 * Would a filter pass a Sort?  Rows that it drops below are not sorted, and with
 * them those that are alike come in another order.  What locks rows locks those
 * that pass.
 */
static bool
passes_sort(const Plan *plan)
{
	for (; ai_plan_is(plan, AI_HANDS_ON); plan = plan->lefttree)
	{
		if (IsA(plan, Sort) || IsA(plan, IncrementalSort) || IsA(plan, LockRows))
			return true;
	}
	return false;
}

static bool
filter_moves(const AiRewrite *rewrite, const Side *side)
{
	Plan	   *source = side->source;

	if (source == NULL || (ai_plan_is(source, AI_IS_JOIN) && ((Join *) source)->jointype != JOIN_INNER))
		return false;
	/* what it computes, it computes for the rows that pass */
	if (ai_contains_call((Node *) source->targetlist) || ai_is_bound((Node *) source->targetlist))
		return false;
	return join_is_harmless(rewrite, side) && !passes_sort(side->top) && !has_mark_of_run(side, (Node *) source->qual) &&
		suffix_moves(side, (List *) above_loop(side, (Node *) source->qual));
}

/* Cuts the filter off its node; it comes back as the reader reads it. */
static List *
take_filter(const Side *side)
{
	List	   *filters = ai_split_filter(&side->source->qual, false);
	ListCell   *cell;

	foreach(cell, filters)
	{
		if (!side->single && ai_has_origin(side->source) && unmarked_walker(lfirst(cell), NULL))
			lfirst(cell) = ai_mark_origin(side->source, lfirst(cell));
	}
	return (List *) at_reader(side, (Node *) filters);
}

/*
 * May a side be read though the other has no row, but for a filter of it that
 * rises?  PostgreSQL's own functions may raise there, as they may some rows early.
 */
static bool
may_read(const AiRewrite *rewrite, const Side *side, bool rises)
{
	List	   *filters = rises ? ai_split_filter(&side->source->qual, false) : NIL;
	bool		harmless = plan_is_harmless(rewrite, side->top, AI_RISK_PURE);

	if (rises)
		side->source->qual = list_concat(side->source->qual, filters);
	return harmless;
}

/*
 * A filter that was tested on a side's rows is tested before what the join does
 * with those that are left: its harmless conditions alone are tested first.
 */
static void
put_filters(const AiRewrite *rewrite, Plan *join, List *filters)
{
	const Harmless harmless = {.rewrite = rewrite,.risk = AI_RISK_NONE};
	List	  **conditions = &((Join *) join)->joinqual;
	List	   *cheap = NIL;
	List	   *rest = NIL;
	ListCell   *cell;

	foreach(cell, *conditions)
	{
		if (rest != NIL || !is_harmless(&harmless, lfirst(cell)))
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
 * more of the other.  So a side's filter stays if the other side does more than to
 * give rows, but for a filter that rises as well.
 */
static void
keep_empty(const AiRewrite *rewrite, const Side *outer, const Side *inner, bool *outer_moves, bool *inner_moves)
{
	if (IsA(outer->reader, NestLoop))
		return;
	*inner_moves = *inner_moves && may_read(rewrite, outer, *outer_moves);
	*outer_moves = *outer_moves && may_read(rewrite, inner, *inner_moves);
	*inner_moves = *inner_moves && may_read(rewrite, outer, *outer_moves);
}

void
ai_raise_filters(const AiRewrite *rewrite, Plan *join)
{
	Side		outer = side_of(join, false);
	Side		inner = side_of(join, true);
	bool		outer_moves = filter_moves(rewrite, &outer);
	bool		inner_moves = filter_moves(rewrite, &inner);

	keep_empty(rewrite, &outer, &inner, &outer_moves, &inner_moves);
	/* the inner side's first, which puts them behind those of the outer */
	if (inner_moves)
		put_filters(rewrite, join, take_filter(&inner));
	if (outer_moves)
		put_filters(rewrite, join, take_filter(&outer));
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

static bool
test_equal(Node *node, void *call)
{
	return equal(node, call);
}

/* Does the source's filter make one of the expression's calls anyway? */
static bool
test_filtered(Node *node, void *source)
{
	return ai_is_call(node) && ai_find((Node *) ((Plan *) source)->qual, test_equal, node);
}

/*
 * May a join condition be tested above the join, without more pairs than it has
 * looked at?  Not where the planner has proved by it that there is but one
 * partner, behind which the join stops.
 */
static bool
condition_may_rise(const Side *side)
{
	return side->restarts && ((Join *) side->reader)->jointype == JOIN_INNER && !((Join *) side->reader)->inner_unique;
}

/* May the reader do without a column to find its rows? */
static bool
may_compute(const Side *side, int column)
{
	Plan	   *reader = side->reader;
	int			varno = side->inner ? INNER_VAR : OUTER_VAR;

	if (ai_plan_is(reader, AI_IS_JOIN))
		return !joins_by(reader, varno, column) &&
			(!reads((Node *) ((Join *) reader)->joinqual, varno, column) || condition_may_rise(side));
	/* right below a projection it is of one chain with that (stage.h) anyway */
	return side->top != side->source ||
		ai_count_reads((Node *) list_make2(reader->targetlist, reader->qual), varno, column) <= 1;
}

/*
 * What a column of the source computes, its reader is to compute; one that nobody
 * reads is not computed at all.
 */
static void
raise_column(const Side *side, TargetEntry *entry, List **moved)
{
	Node	   *value = above_loop(side, (Node *) entry->expr);
	int			column;

	if (!ai_contains_call(value) || ai_is_bound(value) || !ai_lift_takes_all(value) ||
		has_mark_of_run(side, value) || ai_find((Node *) entry->expr, test_filtered, side->source))
		return;
	column = column_at(side->top, side->source, entry->resno);
	if (column < 0 || (column > 0 && !may_compute(side, column)))
		return;
	if (column > 0)
	{
		value = side->single ? (Node *) entry->expr : ai_mark_origin(side->source, (Node *) entry->expr);
		*moved = lappend(*moved, ai_moved(side->inner ? INNER_VAR : OUTER_VAR, column, at_reader(side, value)));
	}
	entry->expr = ai_null_of(entry->expr);
}

static bool
has_columns(const Plan *source)
{
	return is_source(source) && ai_contains_call((Node *) source->targetlist) &&
		!expression_returns_set((Node *) source->targetlist);
}

static void
raise_columns(Plan *reader, bool inner, List **moved)
{
	Side		side = side_of(reader, inner);
	ListCell   *cell;

	if (!has_columns(side.source) || !reads_any(reader, inner ? INNER_VAR : OUTER_VAR) ||
		(!side.single && !ai_has_origin(side.source)))
		return;
	/* columns that are added on the way are none of these */
	foreach(cell, list_copy(side.source->targetlist))
		raise_column(&side, lfirst_node(TargetEntry, cell), moved);
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
	if (!ai_takes_stage(source) && (plan->qual != NIL || !has_columns(source_of(source))))
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
			raise_columns(plan, false, &moved);
		raise_columns(plan, true, &moved);
	}
	/* a chain of stages moves nothing (stage.h) */
	else if (is_projection(plan) && !ai_is_stage(plan->lefttree))
		raise_columns(plan, false, &moved);
	return moved != NIL ? ai_evaluate(rewrite, plan, moved) : plan;
}

Plan *
ai_raise_above(AiRewrite *rewrite, Plan *plan)
{
	if (!ai_plan_is(plan, AI_HANDS_ON) || !has_columns(source_of(plan)) || (IsA(plan, LockRows) && rewrite->for_cursor))
		return plan;
	return ai_raise_columns(rewrite, ai_build_projection(&rewrite->last_id, plan, plan));
}
