/*
 * query.c
 *	  Queries before they are planned (query.h).
 *
 * Sound because an embedding is the same for the same text, and a subquery that
 * reads nothing of the rows is an initplan, evaluated when it is first needed and
 * not before: what plain PostgreSQL would not have called is not called.  What
 * would break it: an argument that is another at each row (a column, a volatile
 * function, a call), or that stands for something the parser has bound to its place
 * (an aggregate, a subquery); these stay as they are.
 *
 * The planner may scribble on a query: whoever keeps one passes a copy.
 *
 * Memory: the planner's.  State: none.
 */
#include "postgres.h"

#include "ask/function.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/expression.h"
#include "plan/query.h"

static bool
test_bound(Node *node, void *context)
{
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Aggref:
		case T_WindowFunc:
		case T_GroupingFunc:
		case T_SubLink:
		case T_SetToDefault:
		case T_CurrentOfExpr:
		case T_CaseTestExpr:
		case T_CoerceToDomainValue:
			return true;
		default:
			return false;
	}
}

static bool
is_constant_embedding(const FuncExpr *call)
{
	const AiFunction *function = ai_function_by_oid(call->funcid);

	return function != NULL && function->task == AI_TASK_EMBED &&
		!ai_contains_call((Node *) call->args) && !ai_is_volatile((Node *) call->args) &&
		!ai_find((Node *) call->args, test_bound, NULL);
}

static Node *
as_subquery(FuncExpr *call)
{
	Query	   *query = makeNode(Query);
	SubLink    *link = makeNode(SubLink);

	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	query->jointree = makeFromExpr(NIL, NULL);
	query->targetList = list_make1(makeTargetEntry((Expr *) call, 1, pstrdup("embedding"), false));
	query->stmt_location = -1;
	link->subLinkType = EXPR_SUBLINK;
	link->subselect = (Node *) query;
	link->location = call->location;
	return (Node *) link;
}

static void prepare(Query *query);

/* `query` is the one that the node is an expression of. */
static Node *
query_mutator(Node *node, Query *query)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
	{
		prepare((Query *) node);
		return node;
	}
	if (IsA(node, FuncExpr) && is_constant_embedding((FuncExpr *) node))
	{
		query->hasSubLinks = true;
		return as_subquery((FuncExpr *) node);
	}
	return expression_tree_mutator(node, query_mutator, query);
}

static void
prepare(Query *query)
{
	/* without rows there is nothing that it could be once for */
	if (query->rtable != NIL || query->jointree == NULL || query->jointree->quals != NULL)
		query_tree_mutator(query, query_mutator, query, QTW_DONT_COPY_QUERY);
}

static bool
find_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_walker, NULL, 0);
	if (IsA(node, FuncExpr) && is_constant_embedding((FuncExpr *) node))
		return true;
	return expression_tree_walker(node, find_walker, NULL);
}

void
ai_prepare_query(Query *query)
{
	/* nearly all statements have none, and are not to pay for it */
	if (query->commandType != CMD_UTILITY && find_walker((Node *) query, NULL))
		prepare(query);
}
