/*
 * walk.c
 *	  The children and the columns of plan nodes (walk.h).
 */
#include "postgres.h"

#include "exec/ahead.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "plan/expression.h"
#include "plan/walk.h"

void
ai_plan_children(Plan *plan, AiPlanVisit visit, void *context)
{
	List	  **lists[1] = {NULL};
	ListCell   *cell;

	if (plan->lefttree != NULL)
		visit(&plan->lefttree, context);
	if (plan->righttree != NULL)
		visit(&plan->righttree, context);
	switch (nodeTag(plan))
	{
		case T_Append:
			lists[0] = &((Append *) plan)->appendplans;
			break;
		case T_MergeAppend:
			lists[0] = &((MergeAppend *) plan)->mergeplans;
			break;
		case T_CustomScan:
			lists[0] = &((CustomScan *) plan)->custom_plans;
			break;
		case T_SubqueryScan:
			visit(&((SubqueryScan *) plan)->subplan, context);
			break;
		default:
			break;
	}
	if (lists[0] != NULL)
	{
		foreach(cell, *lists[0])
			visit((Plan **) &lfirst(cell), context);
	}
}

typedef struct Reads
{
	int			varno;
	int			column;
	int			n;
} Reads;

static bool
reads_walker(Node *node, Reads *reads)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varno == reads->varno &&
		(reads->column == AI_ANY_COLUMN || ((Var *) node)->varattno == reads->column))
		reads->n++;
	return expression_tree_walker(node, reads_walker, reads);
}

int
ai_count_reads(Node *expression, int varno, int column)
{
	Reads		reads = {.varno = varno,.column = column};

	reads_walker(expression, &reads);
	return reads.n;
}

static Node *
output_mutator(Node *node, int *relid)
{
	Var		   *var;

	if (node == NULL || !IsA(node, Var) || ((Var *) node)->varno != *relid)
		return node == NULL ? NULL : expression_tree_mutator(node, output_mutator, relid);
	var = copyObject((Var *) node);
	var->varno = OUTER_VAR;
	return (Node *) var;
}

Node *
ai_read_above(Node *expression, int relid)
{
	return output_mutator(expression, &relid);
}

List *
ai_pass_columns(const Plan *child)
{
	List	   *targetlist = NIL;
	ListCell   *cell;

	foreach(cell, child->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, cell));
		Node	   *expression = (Node *) entry->expr;

		entry->expr = (Expr *) makeVar(OUTER_VAR, entry->resno, exprType(expression), exprTypmod(expression),
									   exprCollation(expression), 0);
		targetlist = lappend(targetlist, entry);
	}
	return targetlist;
}

int
ai_column_of(Plan *plan, Var *var)
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

int
ai_expose(Plan *plan, Var *var)
{
	int			column = 0;

	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
			if (((Scan *) plan)->scanrelid == (Index) var->varno)
				return ai_column_of(plan, var);
			return 0;
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Hash:
		case T_Sort:
		case T_IncrementalSort:
		case T_Material:
		case T_Result:
			break;
		default:
			return 0;
	}
	var = copyObject(var);
	if (plan->lefttree != NULL && (column = ai_expose(plan->lefttree, var)) > 0)
		var->varno = OUTER_VAR;
	else if (plan->righttree != NULL && (column = ai_expose(plan->righttree, var)) > 0)
		var->varno = INNER_VAR;
	else
		return 0;
	var->varattno = column;
	return ai_column_of(plan, var);
}

bool
ai_is_host(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Result:
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_TableFuncScan:
		case T_ValuesScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_ForeignScan:
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Agg:
		case T_WindowAgg:
		case T_Group:
		case T_Gather:
		case T_GatherMerge:
			return true;
		default:
			return false;
	}
}

static bool
may_raise(Node *expression)
{
	AiRisk		risk = {0};

	ai_risk_add(&risk, expression);
	return risk.level != AI_RISK_NONE;
}

List *
ai_split_filter(List **qual, bool cautious)
{
	List	   *kept = NIL;
	List	   *moved = NIL;
	ListCell   *cell;

	foreach(cell, *qual)
	{
		if (moved != NIL || ai_contains_call(lfirst(cell)) || (cautious && may_raise(lfirst(cell))))
			moved = lappend(moved, lfirst(cell));
		else
			kept = lappend(kept, lfirst(cell));
	}
	*qual = kept;
	return moved;
}

bool
ai_node_hosts_calls(const Plan *plan)
{
	if (ai_contains_call((Node *) plan->targetlist) || ai_contains_call((Node *) plan->qual))
		return true;
	switch (nodeTag(plan))
	{
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return ai_contains_call((Node *) ((const Join *) plan)->joinqual);
		default:
			return false;
	}
}

static bool
modify_calls(const ModifyTable *plan)
{
	return ai_contains_call((Node *) plan->onConflictSet) || ai_contains_call(plan->onConflictWhere) ||
		ai_contains_call((Node *) plan->mergeActionLists);
}

bool
ai_node_calls(const Plan *plan)
{
	return ai_node_hosts_calls(plan) ||
		(IsA(plan, ModifyTable) && modify_calls((const ModifyTable *) plan)) ||
		(IsA(plan, ValuesScan) && ai_contains_call((Node *) ((const ValuesScan *) plan)->values_lists)) ||
		(IsA(plan, FunctionScan) && ai_contains_call((Node *) ((const FunctionScan *) plan)->functions));
}

static void
find_calls(Plan **plan, void *context)
{
	bool	   *calls = context;

	*calls = *calls || ai_node_calls(*plan);
	ai_plan_children(*plan, find_calls, calls);
}

bool
ai_plan_calls(Plan *plan)
{
	bool		calls = false;

	find_calls(&plan, &calls);
	return calls;
}
