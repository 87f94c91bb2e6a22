/*
 * walk.c
 *	  The children and the columns of plan nodes (walk.h).
 */
#include "postgres.h"

#include "exec/ahead.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "pg/compat.h"
#include "plan/expression.h"
#include "plan/walk.h"

/* ---- kinds of nodes ---- */

static const uint8 kinds_of[] = {
	[T_SeqScan] = AI_IS_HOST | AI_IS_SCAN | AI_IS_TABLE,
	[T_SampleScan] = AI_IS_HOST | AI_IS_SCAN | AI_IS_TABLE,
	[T_IndexScan] = AI_IS_HOST | AI_IS_SCAN | AI_IS_TABLE,
	[T_BitmapHeapScan] = AI_IS_HOST | AI_IS_SCAN | AI_IS_TABLE,
	[T_TidScan] = AI_IS_HOST | AI_IS_SCAN | AI_IS_TABLE,
	[T_TidRangeScan] = AI_IS_HOST | AI_IS_SCAN | AI_IS_TABLE,
	[T_IndexOnlyScan] = AI_IS_HOST | AI_IS_SCAN,
	[T_FunctionScan] = AI_IS_HOST | AI_IS_SCAN,
	[T_ValuesScan] = AI_IS_HOST | AI_IS_SCAN,
	[T_CteScan] = AI_IS_HOST | AI_IS_SCAN,
	[T_SubqueryScan] = AI_IS_HOST,
	[T_TableFuncScan] = AI_IS_HOST,
	[T_NamedTuplestoreScan] = AI_IS_HOST,
	[T_WorkTableScan] = AI_IS_HOST,
	[T_ForeignScan] = AI_IS_HOST,
	[T_NestLoop] = AI_IS_HOST | AI_IS_JOIN,
	[T_MergeJoin] = AI_IS_HOST | AI_IS_JOIN,
	[T_HashJoin] = AI_IS_HOST | AI_IS_JOIN,
	[T_Result] = AI_IS_HOST,
	[T_Agg] = AI_IS_HOST,
	[T_WindowAgg] = AI_IS_HOST,
	[T_Group] = AI_IS_HOST,
	[T_Gather] = AI_IS_HOST,
	[T_GatherMerge] = AI_IS_HOST,
	[T_Hash] = AI_HANDS_ON,
	[T_Sort] = AI_HANDS_ON,
	[T_IncrementalSort] = AI_HANDS_ON,
	[T_Material] = AI_HANDS_ON,
	[T_LockRows] = AI_HANDS_ON,
};

bool
ai_plan_is(const Plan *plan, int kinds)
{
	return plan != NULL && nodeTag(plan) < lengthof(kinds_of) && (kinds_of[nodeTag(plan)] & kinds) != 0;
}

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

/* ---- expressions ---- */

typedef struct Replacing
{
	AiReplacement replacement;
	void	   *context;
} Replacing;

static Node *
replacing_mutator(Node *node, Replacing *replacing)
{
	Node	   *instead = node == NULL ? NULL : replacing->replacement(node, replacing->context);

	return instead != NULL ? instead : expression_tree_mutator(node, replacing_mutator, replacing);
}

Node *
ai_replace(Node *expression, AiReplacement replacement, void *context)
{
	Replacing	replacing = {.replacement = replacement,.context = context};

	return replacing_mutator(expression, &replacing);
}

Expr *
ai_null_of(const void *expression)
{
	return (Expr *) makeNullConst(exprType(expression), exprTypmod(expression), exprCollation(expression));
}

Var *
ai_column(int varno, int number, const void *expression)
{
	return makeVar(varno, number, exprType(expression), exprTypmod(expression), exprCollation(expression), 0);
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
output(Node *node, void *relid)
{
	Var		   *var;

	if (!IsA(node, Var) || ((Var *) node)->varno != *(int *) relid)
		return NULL;
	var = copyObject((Var *) node);
	var->varno = OUTER_VAR;
	return (Node *) var;
}

Node *
ai_read_above(Node *expression, int relid)
{
	return ai_replace(expression, output, &relid);
}

/* ---- columns ---- */

List *
ai_pass_columns(const Plan *child)
{
	List	   *targetlist = NIL;
	ListCell   *cell;

	foreach(cell, child->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, cell));

		entry->expr = (Expr *) ai_column(OUTER_VAR, entry->resno, entry->expr);
		targetlist = lappend(targetlist, entry);
	}
	return targetlist;
}

/* What hands rows on has the columns of its child, in their order. */
static int
column_handed_on(Plan *plan, int column)
{
	List	   *columns = plan->lefttree->targetlist;

	for (int i = list_length(plan->targetlist); i < list_length(columns); i++)
	{
		TargetEntry *entry = flatCopyTargetEntry(list_nth_node(TargetEntry, columns, i));

		entry->expr = (Expr *) ai_column(OUTER_VAR, i + 1, entry->expr);
		plan->targetlist = lappend(plan->targetlist, entry);
	}
	return column;
}

int
ai_column_of(Plan *plan, Var *var)
{
	ListCell   *cell;

	if (ai_plan_is(plan, AI_HANDS_ON))
		return column_handed_on(plan, var->varattno);
	foreach(cell, plan->targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (IsA(entry->expr, Var) && ((Var *) entry->expr)->varno == var->varno &&
			((Var *) entry->expr)->varattno == var->varattno && AI_SAME_RETURNING((Var *) entry->expr, var))
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

	if (ai_plan_is(plan, AI_IS_TABLE))
		return ((Scan *) plan)->scanrelid == (Index) var->varno ? ai_column_of(plan, var) : 0;
	if (!ai_plan_is(plan, AI_IS_JOIN | AI_HANDS_ON) && !IsA(plan, Result))
		return 0;
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

/* ---- calls ---- */

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
	return ai_contains_call((Node *) plan->targetlist) || ai_contains_call((Node *) plan->qual) ||
		(ai_plan_is(plan, AI_IS_JOIN) && ai_contains_call((Node *) ((const Join *) plan)->joinqual));
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
