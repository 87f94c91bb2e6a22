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

#include "call/function.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "plan/lift.h"
#include "plan/pullup.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/* ---- what may move ---- */

static bool
is_volatile_function(Oid function, void *context)
{
	return ai_function_by_oid(function) == NULL && func_volatile(function) == PROVOLATILE_VOLATILE;
}

/* Volatile but for the calls themselves, or bound to its place. */
static bool
stays_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) || IsA(node, NextValueExpr) || IsA(node, Aggref) || IsA(node, WindowFunc) ||
		(IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC))
		return true;
	if (check_functions_in_node(node, is_volatile_function, NULL))
		return true;
	return expression_tree_walker(node, stays_walker, context);
}

/* A call whose options may say that each row wants an answer of its own. */
static bool
unshared_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;
		const AiFunction *function = ai_function_by_oid(call->funcid);

		if (function != NULL && function->options >= 0)
		{
			Node	   *options = list_nth(call->args, function->options);

			if (!IsA(options, Const))
				return true;
			if (!((Const *) options)->constisnull)
			{
				Jsonb	   *json = DatumGetJsonbP(((Const *) options)->constvalue);
				char	   *document = JsonbToCString(NULL, &json->root, VARSIZE(json));

				if (strstr(document, "\"cache\"") || strstr(document, "\"temperature\""))
					return true;
			}
		}
	}
	return expression_tree_walker(node, unshared_walker, context);
}

/* From the first conjunct with a call on: do they all move? */
static bool
suffix_moves(List *qual, bool shared)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, qual)
	{
		found = found || ai_contains_call(lfirst(cell));
		if (found && (stays_walker(lfirst(cell), NULL) || (shared && (!ai_lift_takes_all(lfirst(cell)) || unshared_walker(lfirst(cell), NULL)))))
			return false;
	}
	return found;
}

/* ---- taking a filter along ---- */

/* The number of the column, which is added if it is missing. */
static int
column_of(Plan *plan, Var *var)
{
	ListCell   *cell;

	foreach(cell, plan->targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (IsA(entry->expr, Var) && ((Var *) entry->expr)->varno == var->varno &&
			((Var *) entry->expr)->varattno == var->varattno)
			return entry->resno;
	}
	plan->targetlist = lappend(plan->targetlist,
							   makeTargetEntry((Expr *) copyObject(var), list_length(plan->targetlist) + 1, NULL, false));
	return list_length(plan->targetlist);
}

/* Over the columns of the plan in place of what the plan reads. */
static Node *
rise_mutator(Node *node, Plan *plan)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		int			column = column_of(plan, var);

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
side_moves(const Plan *join, const Plan *source, bool inner)
{
	JoinType	type = ((const Join *) join)->jointype;

	if (source == NULL || !(is_scan(source) || (is_join(source) && ((const Join *) source)->jointype == JOIN_INNER)))
		return false;
	if (type != JOIN_INNER && (inner || (type != JOIN_SEMI && type != JOIN_ANTI)))
		return false;
	if (IsA(join, NestLoop) && join->righttree == source)
		return suffix_moves(source->qual, false);
	return join->plan_rows <= source->plan_rows && suffix_moves(source->qual, true);
}

static void
pull_into(Plan *join)
{
	if (side_moves(join, source_of(join->lefttree), false))
		join->qual = list_concat(join->qual, take(join->lefttree));
	if (side_moves(join, source_of(join->righttree), true))
		join->qual = list_concat(join->qual,
								 (List *) inner_mutator((Node *) take(join->righttree), NULL));
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
