/*
 * setreturning.c
 *	  Calls in the arguments of functions that return sets (setreturning.h).
 *
 * "SELECT unnest(string_to_array(ai_complete(x), ','))" evaluates the argument
 * where the set is made, row by row; so does "FROM t,
 * jsonb_array_elements(ai_json(t.x, ...))", the inner side of a nested loop.
 * Both evaluate it exactly once for each row of what is below, so a projection
 * below may do that, where calls are kept under way.
 *
 * An expression beside the sets that calls is evaluated anew for each of their
 * rows: by a stage above (stage.h).
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/lateral.h"
#include "plan/lift.h"
#include "plan/setreturning.h"
#include "plan/walk.h"

typedef struct SetArguments
{
	PlannedStmt *stmt;
	int		   *last_id;
} SetArguments;

static bool
is_worth_it(Node *expression)
{
	return ai_contains_call(expression) && ai_lift_takes_all(expression) &&
		!expression_returns_set(expression);
}

static List *
arguments_of(Node *expression)
{
	if (IsA(expression, FuncExpr))
		return ((FuncExpr *) expression)->args;
	if (IsA(expression, OpExpr))
		return ((OpExpr *) expression)->args;
	return NIL;
}

/* ---- SELECT list ---- */

static void
lift_in_project_set(SetArguments *arguments, Plan *plan)
{
	Plan	   *projection = NULL;
	ListCell   *cell;
	ListCell   *argument;

	foreach(cell, plan->targetlist)
	{
		Node	   *expression = (Node *) lfirst_node(TargetEntry, cell)->expr;

		if (!ai_contains_call(expression) || !expression_returns_set(expression))
			continue;
		foreach(argument, arguments_of(expression))
		{
			if (!is_worth_it(lfirst(argument)))
				continue;
			if (projection == NULL)
				projection = ai_build_projection(arguments->last_id, plan, plan->lefttree);
			lfirst(argument) = ai_add_column(projection, lfirst(argument));
		}
	}
	if (projection != NULL)
		plan->lefttree = projection;
}

static Node *
beside_mutator(Node *node, Plan *plan)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varno == OUTER_VAR)
	{
		Var		   *var = copyObject((Var *) node);

		var->varattno = ai_column_of(plan, (Var *) node);
		return (Node *) var;
	}
	return expression_tree_mutator(node, beside_mutator, plan);
}

/* A stage above, which evaluates what stands beside the sets, for each of their rows. */
static Plan *
lift_beside_sets(SetArguments *arguments, Plan *plan)
{
	List	   *targetlist = NIL;
	Plan	   *stage;
	ListCell   *cell;
	bool		found = false;

	foreach(cell, plan->targetlist)
	{
		Node	   *expression = (Node *) lfirst_node(TargetEntry, cell)->expr;

		found = found || (!expression_returns_set(expression) && ai_contains_call(expression) &&
						  !ai_is_bound(expression));
	}
	if (!found)
		return plan;
	stage = ai_build_projection(arguments->last_id, plan, plan);
	targetlist = list_copy(plan->targetlist);
	foreach(cell, targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		Node	   *expression = (Node *) entry->expr;

		if (expression_returns_set(expression) || !ai_contains_call(expression) || ai_is_bound(expression))
			continue;
		list_nth_node(TargetEntry, stage->targetlist, foreach_current_index(cell))->expr =
			(Expr *) beside_mutator(expression, plan);
		entry->expr = (Expr *) makeNullConst(exprType(expression), exprTypmod(expression), exprCollation(expression));
	}
	return stage;
}

/* ---- FROM ---- */

/* A parameter that the loop hands to its inner side: a column of the outer one. */
static Node *
hand_down(SetArguments *arguments, NestLoop *loop, Var *column)
{
	NestLoopParam *parameter = makeNode(NestLoopParam);
	Param	   *param = makeNode(Param);
	Plan	   *inner = loop->join.plan.righttree;

	parameter->paramno = list_length(arguments->stmt->paramExecTypes);
	parameter->paramval = column;
	arguments->stmt->paramExecTypes = lappend_oid(arguments->stmt->paramExecTypes, column->vartype);
	loop->nestParams = lappend(loop->nestParams, parameter);
	inner->extParam = bms_add_member(bms_copy(inner->extParam), parameter->paramno);
	inner->allParam = bms_add_member(bms_copy(inner->allParam), parameter->paramno);
	param->paramkind = PARAM_EXEC;
	param->paramid = parameter->paramno;
	param->paramtype = column->vartype;
	param->paramtypmod = column->vartypmod;
	param->paramcollid = column->varcollid;
	param->location = -1;
	return (Node *) param;
}

static void
lift_in_loop(SetArguments *arguments, NestLoop *loop, FunctionScan *scan)
{
	Plan	   *plan = &loop->join.plan;
	Plan	   *projection = NULL;
	ListCell   *cell;
	ListCell   *argument;

	foreach(cell, scan->functions)
	{
		RangeTblFunction *function = lfirst(cell);

		foreach(argument, arguments_of(function->funcexpr))
		{
			Node	   *above = ai_above_loop(loop, lfirst(argument));

			/* what depends on nothing is evaluated but once */
			if (!is_worth_it(above) || equal(above, lfirst(argument)) || ai_is_bound(above))
				continue;
			if (projection == NULL)
				projection = ai_build_projection(arguments->last_id, plan, plan->lefttree);
			lfirst(argument) = hand_down(arguments, loop, ai_add_column(projection, above));
		}
	}
	if (projection != NULL)
		plan->lefttree = projection;
}

static void
lift_arguments(Plan **plan, void *context)
{
	ai_plan_children(*plan, lift_arguments, context);
	if (IsA(*plan, ProjectSet))
	{
		lift_in_project_set(context, *plan);
		*plan = lift_beside_sets(context, *plan);
	}
	else if (IsA(*plan, NestLoop) && IsA((*plan)->righttree, FunctionScan))
		lift_in_loop(context, (NestLoop *) *plan, (FunctionScan *) (*plan)->righttree);
}

void
ai_lift_set_arguments(PlannedStmt *stmt, Plan **plan, int *last_id)
{
	SetArguments arguments = {.stmt = stmt,.last_id = last_id};

	lift_arguments(plan, &arguments);
}
