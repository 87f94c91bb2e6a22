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
 * rows.  It moves below too where that is one call of the statement anyway.
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
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		Node	   *expression = (Node *) entry->expr;

		if (!ai_contains_call(expression))
			continue;
		if (projection == NULL)
			projection = ai_build_projection(arguments->last_id, plan, plan->lefttree);
		if (expression_returns_set(expression))
		{
			foreach(argument, arguments_of(expression))
			{
				if (is_worth_it(lfirst(argument)))
					lfirst(argument) = ai_add_column(projection, lfirst(argument));
			}
		}
		else if (is_worth_it(expression) && ai_calls_are_shared(expression) && !ai_is_volatile(expression))
			entry->expr = (Expr *) ai_add_column(projection, expression);
	}
	if (projection != NULL)
		plan->lefttree = projection;
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

		/* one that returns no set is evaluated above, or has a reason */
		if (!expression_returns_set(function->funcexpr))
			continue;
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
		lift_in_project_set(context, *plan);
	else if (IsA(*plan, NestLoop) && IsA((*plan)->righttree, FunctionScan))
		lift_in_loop(context, (NestLoop *) *plan, (FunctionScan *) (*plan)->righttree);
}

void
ai_lift_set_arguments(PlannedStmt *stmt, Plan *plan, int *last_id)
{
	SetArguments arguments = {.stmt = stmt,.last_id = last_id};

	lift_arguments(&plan, &arguments);
}
