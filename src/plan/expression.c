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

typedef struct Finding
{
	AiTest		test;
	void	   *context;
} Finding;

static bool
finding_walker(Node *node, Finding *finding)
{
	return node != NULL && (finding->test(node, finding->context) ||
							expression_tree_walker(node, finding_walker, finding));
}

bool
ai_find(Node *expression, AiTest test, void *context)
{
	Finding		finding = {.test = test,.context = context};

	return finding_walker(expression, &finding);
}

bool
ai_is_call(const Node *node)
{
	return IsA(node, FuncExpr) && ai_function_by_oid(((const FuncExpr *) node)->funcid) != NULL;
}

static bool
test_call(Node *node, void *n)
{
	if (ai_is_call(node) && n != NULL)
		(*(int *) n)++;
	return n == NULL && ai_is_call(node);
}

bool
ai_contains_call(Node *node)
{
	return ai_find(node, test_call, NULL);
}

int
ai_count_calls(Node *node)
{
	int			n = 0;

	(void) ai_find(node, test_call, &n);
	return n;
}

static bool
is_volatile_function(Oid function, void *context)
{
	return ai_function_by_oid(function) == NULL && func_volatile(function) == PROVOLATILE_VOLATILE;
}

static bool
test_volatile(Node *node, void *context)
{
	return IsA(node, NextValueExpr) || check_functions_in_node(node, is_volatile_function, NULL);
}

bool
ai_is_volatile(Node *node)
{
	return ai_find(node, test_volatile, NULL);
}

static bool
test_bound(Node *node, void *context)
{
	return test_volatile(node, NULL) || IsA(node, SubPlan) || IsA(node, Aggref) || IsA(node, WindowFunc) ||
		(IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC);
}

bool
ai_is_bound(Node *node)
{
	return ai_find(node, test_bound, NULL);
}

bool
ai_may_prove(Node *condition)
{
	OpExpr	   *operator = (OpExpr *) condition;

	return IsA(condition, OpExpr) && list_length(operator->args) == 2 && !ai_contains_call(condition) &&
		!ai_is_volatile(condition) && op_mergejoinable(operator->opno, exprType(linitial(operator->args)));
}
