/*
 * expression.c
 *	  Looking at expressions with model calls (expression.h).
 */
#include "postgres.h"

#include "ask/function.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "plan/expression.h"
#include "utils/lsyscache.h"

static bool
call_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && ai_function_by_oid(((FuncExpr *) node)->funcid) != NULL)
		return true;
	return expression_tree_walker(node, call_walker, context);
}

bool
ai_contains_call(Node *node)
{
	return call_walker(node, NULL);
}

static bool
count_walker(Node *node, int *n)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && ai_function_by_oid(((FuncExpr *) node)->funcid) != NULL)
		(*n)++;
	return expression_tree_walker(node, count_walker, n);
}

int
ai_count_calls(Node *node)
{
	int			n = 0;

	count_walker(node, &n);
	return n;
}

static bool
is_volatile_function(Oid function, void *context)
{
	return ai_function_by_oid(function) == NULL && func_volatile(function) == PROVOLATILE_VOLATILE;
}

static bool
volatile_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, NextValueExpr) || check_functions_in_node(node, is_volatile_function, NULL))
		return true;
	return expression_tree_walker(node, volatile_walker, context);
}

bool
ai_is_volatile(Node *node)
{
	return volatile_walker(node, NULL);
}

static bool
place_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) || IsA(node, Aggref) || IsA(node, WindowFunc) ||
		(IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC))
		return true;
	return expression_tree_walker(node, place_walker, context);
}

bool
ai_is_bound(Node *node)
{
	return volatile_walker(node, NULL) || place_walker(node, NULL);
}
