/*
 * capability.c
 *	  What a spliced node owes its surroundings (capability.h).
 *
 * Memory: the planner's.  State: none.
 */
#include "postgres.h"

#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "plan/capability.h"
#include "plan/walk.h"

/* ---- initplans, parameters, costs, async ---- */

static void
take_costs(Plan *plan, const Plan *like)
{
	plan->startup_cost = like->startup_cost;
	plan->total_cost = like->total_cost;
	plan->plan_rows = like->plan_rows;
	plan->plan_width = like->plan_width;
}

void
ai_capability_take_over(CustomScan *node, Plan *like, Plan *child)
{
	Plan	   *plan = &node->scan.plan;

	take_costs(plan, like);
	plan->extParam = bms_copy(like->extParam);
	plan->allParam = bms_copy(like->allParam);
	/* the part that is left of an Append has its, but not the parameters */
	plan->initPlan = like->initPlan;
	like->initPlan = NIL;
	plan->lefttree = child;
	plan->parallel_safe = false;
	plan->async_capable = child->async_capable = false;
	node->flags = CUSTOMPATH_SUPPORT_PROJECTION | CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
}

void
ai_capability_project(Plan *result, const Plan *parent, Plan *child)
{
	take_costs(result, child);
	result->extParam = bms_copy(parent->extParam);
	result->allParam = bms_union(parent->allParam, child->allParam);
	result->lefttree = child;
	child->async_capable = false;
}

/* ---- how many rows are read ---- */

bool
ai_capability_counts(const Limit *limit)
{
	return !contain_volatile_functions(limit->limitCount) && !contain_volatile_functions(limit->limitOffset);
}

/* ---- target lists ---- */

typedef struct Move
{
	const List *from;			/* the old target list */
	const List *to;				/* the leaves */
} Move;

static Node *
moved_column(Node *node, void *context)
{
	const Move *move = context;
	Var		   *var;
	ListCell   *cell;

	if (!IsA(node, Var))
		return NULL;
	var = copyObject((Var *) node);
	foreach(cell, move->to)
	{
		if (equal(lfirst(cell), list_nth_node(TargetEntry, move->from, var->varattno - 1)->expr))
		{
			var->varattno = foreach_current_index(cell) + 1;
			return (Node *) var;
		}
	}
	elog(ERROR, "a run condition reads a column that is no window function");
}

/* Each of a run condition's columns is a window function, so it is among the leaves. */
void
ai_capability_columns_move(Plan *host, List *leaves)
{
	Move		move = {.from = host->targetlist,.to = leaves};
	WindowAgg  *window;

	if (!IsA(host, WindowAgg))
		return;
	window = (WindowAgg *) host;
	window->runCondition = (List *) ai_replace((Node *) window->runCondition, moved_column, &move);
}

/* ---- merge joins ---- */

static bool
supports_mark(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_Material:
		case T_Sort:
			return true;
		case T_CustomScan:
			return (((const CustomScan *) plan)->flags & CUSTOMPATH_SUPPORT_MARK_RESTORE) != 0;
		case T_Result:
			return plan->lefttree != NULL && supports_mark(plan->lefttree);
		default:
			return false;
	}
}

bool
ai_capability_marks(const Plan *join, const Plan *inner)
{
	return !IsA(join, MergeJoin) || ((const MergeJoin *) join)->skip_mark_restore || supports_mark(inner);
}

Plan *
ai_capability_markable(const Plan *join, Plan *inner, int *last_id)
{
	Plan	   *material;

	if (ai_capability_marks(join, inner))
		return inner;
	material = materialize_finished_plan(inner);
	material->plan_node_id = ++*last_id;
	material->extParam = bms_copy(inner->extParam);
	material->allParam = bms_copy(inner->allParam);
	material->targetlist = ai_pass_columns(inner);
	return material;
}
