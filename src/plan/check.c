/*
 * check.c
 *	  Invariants of rewritten plans (check.h).
 *
 * Memory: none is kept.  State: none.
 */
#include "postgres.h"

#include "exec/node.h"
#include "nodes/nodeFuncs.h"
#include "plan/capability.h"
#include "plan/check.h"
#include "plan/walk.h"

#define FAIL(plan, ...) \
	elog(ERROR, "ai_gateway: plan node %d (%d): %s", (plan)->plan_node_id, (int) nodeTag(plan), psprintf(__VA_ARGS__))

typedef struct Check
{
	const Plan *plan;
	Index		relid;			/* of a subquery's scan; 0 = none */
	List	   *outer;			/* target lists that Vars point into */
	List	   *inner;
	List	   *index;
	List	   *subquery;
	int			limit;			/* INDEX_VARs below it; 0 = all */
} Check;

static void
check_column(const Check *check, const Var *var, List *targetlist, const char *what)
{
	TargetEntry *entry;

	if (var->varattno < 1 || var->varattno > list_length(targetlist))
		FAIL(check->plan, "%s column %d of %d", what, var->varattno, list_length(targetlist));
	entry = list_nth_node(TargetEntry, targetlist, var->varattno - 1);
	if (exprType((Node *) entry->expr) != var->vartype)
		FAIL(check->plan, "%s column %d has type %u and is read as %u", what, var->varattno,
			 exprType((Node *) entry->expr), var->vartype);
}

static bool
check_walker(Node *node, Check *check)
{
	const Var  *var = (const Var *) node;

	if (node == NULL)
		return false;
	if (!IsA(node, Var))
		return expression_tree_walker(node, check_walker, check);
	if (var->varno == OUTER_VAR)
		check_column(check, var, check->outer, "outer");
	else if (var->varno == INNER_VAR)
		check_column(check, var, check->inner, "inner");
	else if (var->varno == INDEX_VAR)
	{
		check_column(check, var, check->index, "scan");
		if (check->limit > 0 && var->varattno >= check->limit)
			FAIL(check->plan, "column %d is read before it is made", var->varattno);
	}
	else if (check->relid > 0 && var->varno == (int) check->relid && var->varattno > 0)
		check_column(check, var, check->subquery, "subquery");
	return false;
}

static void
check_expression(Check *check, void *expression)
{
	check_walker(expression, check);
}

static void
check_numbers(const Plan *plan, const AttrNumber *numbers, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (numbers[i] < 1 || numbers[i] > list_length(plan->lefttree->targetlist))
			FAIL(plan, "column %d to sort or group by is not there", numbers[i]);
	}
}

/* What hands rows on has the columns of its child, in their order. */
static void
check_handed_on(const Plan *plan)
{
	ListCell   *cell;

	foreach(cell, plan->targetlist)
	{
		const Var  *var = (Var *) lfirst_node(TargetEntry, cell)->expr;

		/* a constant stays one in the list of a Sort */
		if (IsA(var, Var) && var->varattno != foreach_current_index(cell) + 1)
			FAIL(plan, "its column %d is column %d below", foreach_current_index(cell) + 1, var->varattno);
	}
	if (list_length(plan->targetlist) > list_length(plan->lefttree->targetlist))
		FAIL(plan, "it has more columns than its child");
}

static void
check_parts(const Plan *plan, List *parts)
{
	ListCell   *part;

	foreach(part, parts)
	{
		Check		check = {.plan = plan,.outer = ((Plan *) lfirst(part))->targetlist};

		check_expression(&check, plan->targetlist);
	}
}

static void
check_join(Check *check, Plan *plan)
{
	ListCell   *cell;

	check_expression(check, ((Join *) plan)->joinqual);
	if (IsA(plan, HashJoin))
	{
		check_expression(check, ((HashJoin *) plan)->hashclauses);
		check_expression(check, ((HashJoin *) plan)->hashkeys);
	}
	if (IsA(plan, MergeJoin))
	{
		check_expression(check, ((MergeJoin *) plan)->mergeclauses);
		if (!ai_capability_marks(plan, plan->righttree))
			FAIL(plan, "the inner side of a merge join cannot mark");
	}
	if (IsA(plan, NestLoop))
	{
		foreach(cell, ((NestLoop *) plan)->nestParams)
			check_expression(check, lfirst_node(NestLoopParam, cell)->paramval);
	}
}

static void
check_node(Check *check, CustomScan *scan)
{
	List	   *steps = list_nth(scan->custom_private, AI_NODE_STEPS);
	ListCell   *cell;

	foreach(cell, list_nth(scan->custom_private, AI_NODE_COLUMNS))
	{
		if (lfirst_int(cell) < 1 || lfirst_int(cell) > list_length(scan->scan.plan.lefttree->targetlist))
			FAIL(check->plan, "column %d of the child is not there", lfirst_int(cell));
	}
	/* registers are filled in their order; what no step fills yet is not read */
	check->limit = list_length(list_nth(scan->custom_private, AI_NODE_COLUMNS)) + 1;
	foreach(cell, steps)
	{
		int			attribute = lsecond_int(lfirst(cell));

		check_expression(check, list_nth(scan->custom_exprs, foreach_current_index(cell)));
		for (int i = AI_STEP_GUARDS; i < list_length(lfirst(cell)); i += 2)
		{
			if (list_nth_int(lfirst(cell), i) >= check->limit)
				FAIL(check->plan, "a guard reads column %d before it is made", list_nth_int(lfirst(cell), i));
		}
		if (attribute > 0 && attribute != check->limit)
			FAIL(check->plan, "step %d fills column %d", foreach_current_index(cell), attribute);
		check->limit += attribute > 0;
	}
	check->limit = 0;
}

static void
check_kind(Check *check, Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Result:
			if (plan->qual != NIL)
				FAIL(plan, "a Result has a filter");
			break;
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			check_join(check, plan);
			break;
		case T_Append:
			check_parts(plan, ((Append *) plan)->appendplans);
			break;
		case T_MergeAppend:
			check_parts(plan, ((MergeAppend *) plan)->mergeplans);
			break;
		case T_Sort:
			check_numbers(plan, ((Sort *) plan)->sortColIdx, ((Sort *) plan)->numCols);
			break;
		case T_IncrementalSort:
			check_numbers(plan, ((IncrementalSort *) plan)->sort.sortColIdx, ((IncrementalSort *) plan)->sort.numCols);
			break;
		case T_Group:
			check_numbers(plan, ((Group *) plan)->grpColIdx, ((Group *) plan)->numCols);
			break;
		case T_Agg:
			check_numbers(plan, ((Agg *) plan)->grpColIdx, ((Agg *) plan)->numCols);
			break;
		case T_WindowAgg:
			check_numbers(plan, ((WindowAgg *) plan)->partColIdx, ((WindowAgg *) plan)->partNumCols);
			check_numbers(plan, ((WindowAgg *) plan)->ordColIdx, ((WindowAgg *) plan)->ordNumCols);
			break;
		case T_Unique:
			check_numbers(plan, ((Unique *) plan)->uniqColIdx, ((Unique *) plan)->numCols);
			break;
		case T_Memoize:
			check_expression(check, ((Memoize *) plan)->param_exprs);
			break;
		case T_Hash:
			check_expression(check, ((Hash *) plan)->hashkeys);
			break;
		case T_CustomScan:
			if (((CustomScan *) plan)->methods == &ai_node_methods)
				check_node(check, (CustomScan *) plan);
			break;
		default:
			break;
	}
}

static List *
columns_of(const Plan *plan)
{
	return plan ? plan->targetlist : NIL;
}

static void
check_plan(Plan **place, void *parent)
{
	Plan	   *plan = *place;
	Check		check = {
		.plan = plan,
		.outer = columns_of(plan->lefttree),
		.inner = columns_of(plan->righttree),
	};

	if (plan->async_capable && (parent == NULL || !IsA(parent, Append) || !IsA(plan, ForeignScan)))
		FAIL(plan, "it answers asynchronously to none that asks so");
	if (IsA(plan, SubqueryScan))
	{
		check.relid = ((SubqueryScan *) plan)->scan.scanrelid;
		check.subquery = ((SubqueryScan *) plan)->subplan->targetlist;
	}
	if (IsA(plan, CustomScan))
		check.index = ((CustomScan *) plan)->custom_scan_tlist;
	if (IsA(plan, ForeignScan))
		check.index = ((ForeignScan *) plan)->fdw_scan_tlist;
	if (IsA(plan, IndexOnlyScan))
		check.index = ((IndexOnlyScan *) plan)->indextlist;
	check_kind(&check, plan);
	if (ai_plan_is(plan, AI_HANDS_ON))
		check_handed_on(plan);
	/* these read what each part has, or rows of other nodes */
	if (!IsA(plan, Append) && !IsA(plan, MergeAppend) && !IsA(plan, ModifyTable) && !IsA(plan, RecursiveUnion))
	{
		check_expression(&check, plan->targetlist);
		check_expression(&check, plan->qual);
	}
	ai_plan_children(plan, check_plan, plan);
}

void
ai_check_plans(PlannedStmt *stmt)
{
	ListCell   *cell;

	foreach(cell, stmt->subplans)
	{
		if (lfirst(cell) != NULL)
			check_plan((Plan **) &lfirst(cell), NULL);
	}
	check_plan(&stmt->planTree, NULL);
}
