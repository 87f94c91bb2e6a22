/*
 * pullup.c
 *	  Moving filters above joins (pullup.h).
 *
 * The planner tests a filter as far down as it can, which is right for all
 * that is cheap.  A filter that calls a model costs more than the whole join
 * above it: it is tested on the rows that the join lets through.
 *
 * What moves: conjuncts of a scan's or a join's filter, from the first with a
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
 *
 * A row security policy is not moved, since whatever is tested before it sees
 * the rows that it hides; the caller leaves such statements alone.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/expression.h"
#include "plan/lateral.h"
#include "plan/lift.h"
#include "plan/pullup.h"
#include "plan/walk.h"

/* ---- what may move ---- */

/* From the first conjunct with a call on: do they all move? */
static bool
suffix_moves(List *qual, bool shared)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, qual)
	{
		found = found || ai_contains_call(lfirst(cell));
		if (found && (ai_is_bound(lfirst(cell)) ||
					  (shared && (!ai_lift_takes_all(lfirst(cell)) || !ai_calls_are_shared(lfirst(cell))))))
			return false;
	}
	return found;
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

/* The node below those that hand rows on as they are. */
static Plan *
source_of(Plan *plan)
{
	while (plan != NULL && (IsA(plan, Hash) || IsA(plan, Sort) || IsA(plan, Material)))
		plan = plan->lefttree;
	return plan;
}

/* Cuts the filter off its node; it comes back over the columns of `plan`. */
static List *
take(Plan *plan)
{
	List	   *kept = NIL;
	List	   *moved = NIL;
	ListCell   *cell;

	if (plan != source_of(plan))
	{
		moved = take(plan->lefttree);
		return rise(plan, moved);
	}
	foreach(cell, plan->qual)
	{
		if (moved != NIL || ai_contains_call(lfirst(cell)))
			moved = lappend(moved, lfirst(cell));
		else
			kept = lappend(kept, lfirst(cell));
	}
	plan->qual = kept;
	return rise(plan, moved);
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

	if (source == NULL || !(is_scan(source) || (is_join(source) && ((const Join *) source)->jointype == JOIN_INNER)))
		return false;
	/* what it computes, it computes for the rows that pass */
	if (ai_contains_call((Node *) source->targetlist) || ai_is_bound((Node *) source->targetlist))
		return false;
	if (type != JOIN_INNER && (inner || (type != JOIN_SEMI && type != JOIN_ANTI)))
		return false;
	if (IsA(join, NestLoop) && join->righttree == source)
		return suffix_moves((List *) ai_above_loop((const NestLoop *) join, (Node *) source->qual), false);
	return join->plan_rows <= source->plan_rows && suffix_moves(source->qual, true);
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

static void
pull_into(Plan *join)
{
	if (!inner_works(join) && side_moves(join, source_of(join->lefttree), false))
		join->qual = list_concat(join->qual, take(join->lefttree));
	if (side_moves(join, source_of(join->righttree), true))
	{
		Node	   *filters = inner_mutator((Node *) take(join->righttree), NULL);

		if (IsA(join, NestLoop))
			filters = ai_above_loop((NestLoop *) join, filters);
		join->qual = list_concat(join->qual, (List *) filters);
	}
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
