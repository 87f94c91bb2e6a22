/*
 * lift.c
 *	  Taking model calls out of expressions (lift.h).
 *
 * Which parts of an expression are always evaluated, and in which order the
 * others are, is execExpr.c's to say; the tables below follow it.  SubPlans
 * and everything that is not listed as always evaluated are left alone.
 */
#include "postgres.h"

#include "ask/function.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "pg/compat.h"
#include "plan/expression.h"
#include "plan/lift.h"
#include "plan/origin.h"
#include "plan/walk.h"
#include "utils/lsyscache.h"

static Node *lift_mutator(Node *node, AiLift *lift);

/* ---- leaves ---- */

static bool
is_leaf(Node *node)
{
	return IsA(node, Var) || IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc);
}

/*
 * Its number among the leaves, or -1.  Leaves are the same if they are equal,
 * unless they are volatile: then each is one of its own.  Vars of a finished plan are told apart
 * by where they point alone: which outer joins may have set them to NULL, 16
 * and later note in each, and not alike in all.
 */
static int
leaf_number(const AiLift *lift, Node *node)
{
	ListCell   *cell;

	foreach(cell, lift->leaves)
	{
		Node	   *leaf = lfirst(cell);

		if (IsA(node, Var) && IsA(leaf, Var)
			? ((Var *) node)->varno == ((Var *) leaf)->varno && ((Var *) node)->varattno == ((Var *) leaf)->varattno &&
			AI_SAME_RETURNING((Var *) node, (Var *) leaf)
			: leaf == node || (equal(leaf, node) && !ai_is_volatile(node)))
			return foreach_current_index(cell);
	}
	return -1;
}

static bool
leaf_walker(Node *node, AiLift *lift)
{
	if (node == NULL)
		return false;
	if (is_leaf(node))
	{
		if (leaf_number(lift, node) < 0)
			lift->leaves = lappend(lift->leaves, node);
		return false;
	}
	return expression_tree_walker(node, leaf_walker, lift);
}

void
ai_lift_leaves(AiLift *lift, Node *expression)
{
	leaf_walker(expression, lift);
}

void
ai_lift_reason(AiLift *lift, const char *reason)
{
	lift->reasons = list_append_unique(lift->reasons, makeString(pstrdup(reason)));
}

/* ---- registers ---- */

/* Leaves become columns of the scan tuple. */
static Node *
index_column(Node *node, void *context)
{
	int			number;

	if (!is_leaf(node))
		return NULL;
	number = leaf_number(context, node);
	if (number < 0)
		elog(ERROR, "a column of the plan was not announced");
	return (Node *) ai_column(INDEX_VAR, number + 1, node);
}

/* Columns of the scan tuple become those of the child, registers what they stand for. */
static Node *
outer_column(Node *node, void *context)
{
	const AiLift *lift = context;
	int			n_columns = list_length(lift->leaves);
	int			number;

	if (!IsA(node, Var))
		return NULL;
	number = ((Var *) node)->varattno;
	if (number > n_columns)
		return copyObject(list_nth(lift->registers, number - n_columns - 1));
	return (Node *) ai_column(OUTER_VAR, lift->positions != NIL ? list_nth_int(lift->positions, number - 1) : number, node);
}

Node *
ai_lift_over_leaves(AiLift *lift, Node *expression)
{
	return ai_replace(ai_lift_over_scan(lift, expression), outer_column, lift);
}

/* No executor knows a mark: of what is left where it is. */
static Node *
unmarked(Node *node, void *context)
{
	return ai_is_marked(node) ? ai_replace(ai_marked_expression(node), unmarked, NULL) : NULL;
}

static Var *
add_step(AiLift *lift, AiStepKind kind, Node *expression)
{
	List	   *description;
	Var		   *result = NULL;
	int			attribute = 0;

	expression = ai_replace(expression, unmarked, NULL);
	if (kind != AI_STEP_FILTER)
	{
		lift->registers = lappend(lift->registers, ai_replace(expression, outer_column, lift));
		attribute = list_length(lift->leaves) + list_length(lift->registers);
		result = ai_column(INDEX_VAR, attribute, expression);
	}
	description = list_make4_int(kind, attribute, lift->group, lift->remembers);
	lift->steps = lappend(lift->steps, list_concat(description, list_copy(lift->guards)));
	lift->expressions = lappend(lift->expressions, expression);
	lift->origins = lappend(lift->origins, kind == AI_STEP_CALL ? lift->origin : NIL);
	return result;
}

/* A boolean or other value that is read more than once. */
static Var *
remember(AiLift *lift, Node *expression)
{
	if (IsA(expression, Var) && ((Var *) expression)->varattno > 0)
		return (Var *) expression;
	return add_step(lift, AI_STEP_VALUE, expression);
}

static void
push_guard(AiLift *lift, const Var *value, AiGuardTest test)
{
	lift->guards = lappend_int(list_copy(lift->guards), value->varattno);
	lift->guards = lappend_int(lift->guards, test);
}

/* ---- what decides ---- */

/* AND, OR, COALESCE: a part is evaluated while those before it do not decide. */
static List *
lift_while(List *parts, AiGuardTest test, AiLift *lift)
{
	List	   *outer_guards = lift->guards;
	List	   *result = NIL;
	int			last = 0;
	ListCell   *cell;

	foreach(cell, parts)
	{
		if (ai_contains_call(lfirst(cell)))
			last = foreach_current_index(cell);
	}
	foreach(cell, parts)
	{
		Node	   *part = lift_mutator(lfirst(cell), lift);

		if (foreach_current_index(cell) < last)
		{
			Var		   *value = remember(lift, part);

			push_guard(lift, value, test);
			part = (Node *) value;
		}
		result = lappend(result, part);
	}
	lift->guards = outer_guards;
	return result;
}

static Node *
lift_bool(BoolExpr *expression, AiLift *lift)
{
	BoolExpr   *result = makeNode(BoolExpr);

	*result = *expression;
	result->args = lift_while(expression->args, expression->boolop == AND_EXPR ? AI_GUARD_NOT_FALSE : AI_GUARD_NOT_TRUE, lift);
	return (Node *) result;
}

static Node *
lift_coalesce(CoalesceExpr *expression, AiLift *lift)
{
	CoalesceExpr *result = makeNode(CoalesceExpr);

	*result = *expression;
	result->args = lift_while(expression->args, AI_GUARD_NULL, lift);
	return (Node *) result;
}

/* The value that CASE x WHEN ... compares with, in place of its placeholder. */
static Node *
compared(Node *node, void *value)
{
	return IsA(node, CaseTestExpr) ? copyObject(value) : NULL;
}

static bool
has_placeholder(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (ai_is_marked(node))
		return has_placeholder(ai_marked_expression(node), context);
	if (IsA(node, CaseTestExpr) || IsA(node, CaseExpr) || IsA(node, ArrayCoerceExpr))
		return true;
	return expression_tree_walker(node, has_placeholder, context);
}

/* How many of the conditions decide about a call: in a result, or further on. */
static int
deciding_conditions(const CaseExpr *expression)
{
	int			n = 0;
	ListCell   *cell;

	if (ai_contains_call((Node *) expression->defresult))
		return list_length(expression->args);
	foreach(cell, expression->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, cell);

		if (ai_contains_call((Node *) when->result))
			n = foreach_current_index(cell) + 1;
		else if (ai_contains_call((Node *) when->expr))
			n = Max(n, foreach_current_index(cell));
	}
	return n;
}

static Node *
lift_case(CaseExpr *expression, AiLift *lift)
{
	List	   *outer_guards = lift->guards;
	CaseExpr   *result = makeNode(CaseExpr);
	int			n_deciding = deciding_conditions(expression);
	Var		   *operand = NULL;
	ListCell   *cell;

	*result = *expression;
	result->args = NIL;
	if (expression->arg != NULL)
	{
		foreach(cell, expression->args)
		{
			CaseWhen   *when = lfirst_node(CaseWhen, cell);
			ListCell   *argument;

			/* "placeholder = value" is all that the parser makes */
			if (!IsA(when->expr, OpExpr))
			{
				if (has_placeholder((Node *) when->expr, NULL))
				{
					ai_lift_reason(lift, "CASE compares in a way that is not understood");
					return (Node *) expression;
				}
				continue;
			}
			foreach(argument, ((OpExpr *) when->expr)->args)
			{
				Node	   *side = lfirst(argument);

				while (IsA(side, RelabelType))
					side = (Node *) ((RelabelType *) side)->arg;
				if (!IsA(side, CaseTestExpr) && has_placeholder(side, NULL))
				{
					ai_lift_reason(lift, "CASE compares in a way that is not understood");
					return (Node *) expression;
				}
			}
		}
		operand = remember(lift, lift_mutator((Node *) expression->arg, lift));
		result->arg = NULL;
	}
	foreach(cell, expression->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, cell);
		CaseWhen   *new_when = makeNode(CaseWhen);
		Node	   *condition = (Node *) when->expr;

		*new_when = *when;
		if (expression->arg != NULL)
			condition = ai_replace(condition, compared, operand);
		condition = lift_mutator(condition, lift);
		if (foreach_current_index(cell) < n_deciding)
		{
			Var		   *value = remember(lift, condition);
			List	   *guards = lift->guards;

			push_guard(lift, value, AI_GUARD_TRUE);
			new_when->result = (Expr *) lift_mutator((Node *) when->result, lift);
			lift->guards = guards;
			push_guard(lift, value, AI_GUARD_NOT_TRUE);
			condition = (Node *) value;
		}
		new_when->expr = (Expr *) condition;
		result->args = lappend(result->args, new_when);
	}
	result->defresult = (Expr *) lift_mutator((Node *) expression->defresult, lift);
	lift->guards = outer_guards;
	return (Node *) result;
}

/* ---- what always evaluates all of its parts ---- */

static bool
evaluates_all(Node *node)
{
	switch (nodeTag(node))
	{
		case T_List:
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ConvertRowtypeExpr:
		case T_RowExpr:
		case T_ArrayExpr:
		case T_MinMaxExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_FieldSelect:
		case T_FieldStore:
		case T_CollateExpr:
		case T_XmlExpr:
			return true;
		case T_BoolExpr:
			return ((BoolExpr *) node)->boolop == NOT_EXPR;
		default:
			return false;
	}
}

/*
 * The operand of an expression that evaluates this alone in any case: what is
 * around it may be evaluated several times, or not at all.
 */
static Expr **
operand_place(Node *node)
{
	switch (nodeTag(node))
	{
		case T_SubscriptingRef:
			return ((SubscriptingRef *) node)->refassgnexpr ? NULL : &((SubscriptingRef *) node)->refexpr;
		case T_ArrayCoerceExpr:
			return &((ArrayCoerceExpr *) node)->arg;
		case T_CoerceToDomain:
			return &((CoerceToDomain *) node)->arg;
		default:
			return NULL;
	}
}

/* Does it call there alone? */
static bool
calls_in_operand(Node *node)
{
	Expr	  **place = operand_place(node);

	return place != NULL && ai_count_calls(node) == ai_count_calls((Node *) *place);
}

static Node *
lift_operand(Node *node, AiLift *lift)
{
	Node	   *result = copyObject(node);
	Expr	  **place = operand_place(result);

	*place = (Expr *) lift_mutator((Node *) *operand_place(node), lift);
	return result;
}

/* A subquery whose calls are in what it is handed, which is evaluated whenever it is run. */
static bool
calls_in_arguments(Node *node)
{
	return IsA(node, SubPlan) && !ai_contains_call(((SubPlan *) node)->testexpr);
}

static Node *
lift_in_arguments(Node *node, AiLift *lift)
{
	SubPlan    *result = copyObject((SubPlan *) node);

	result->args = (List *) lift_mutator((Node *) result->args, lift);
	return (Node *) result;
}

static bool
left_walker(Node *node, void *context)
{
	if (node == NULL || !ai_contains_call(node))
		return false;
	if (calls_in_arguments(node))
		return left_walker((Node *) ((SubPlan *) node)->args, context);
	if (ai_is_marked(node))
		return left_walker(ai_marked_expression(node), context);
	if (calls_in_operand(node))
		return left_walker((Node *) *operand_place(node), context);
	if (!evaluates_all(node) && !IsA(node, CaseExpr) && !IsA(node, CaseWhen) && !IsA(node, CoalesceExpr) &&
		!IsA(node, BoolExpr))
		return true;
	return expression_tree_walker(node, left_walker, context);
}

bool
ai_lift_takes_all(Node *node)
{
	return !left_walker(node, NULL);
}

static const char *
why_left(Node *node)
{
	switch (nodeTag(node))
	{
		case T_SubPlan:
			return "a subquery decides whether it is called";
		case T_RowCompareExpr:
			return "a comparison of rows decides whether it is called";
		case T_SubscriptingRef:
			return "a subscript decides whether it is called";
		case T_CoerceToDomain:
			return "a domain's check decides whether it is called";
		default:
			return "the expression around it decides whether it is called";
	}
}

static Node *
lift_marked(Node *node, AiLift *lift)
{
	List	   *outside = lift->origin;
	Node	   *lifted;
	ListCell   *cell;

	lift->origin = NIL;
	foreach(cell, ai_marked_columns(node))
		lift->origin = lappend_int(lift->origin, lfirst_node(Var, cell)->varattno);
	lifted = lift_mutator(ai_marked_expression(node), lift);
	lift->origin = outside;
	return lifted;
}

static Node *
lift_mutator(Node *node, AiLift *lift)
{
	if (node == NULL || !ai_contains_call(node))
		return node;
	if (ai_is_marked(node))
		return lift_marked(node, lift);
	if (ai_is_call(node))
	{
		FuncExpr   *call = (FuncExpr *) expression_tree_mutator(node, lift_mutator, lift);

		lift->n_calls++;
		return (Node *) add_step(lift, AI_STEP_CALL, (Node *) call);
	}
	if (IsA(node, CaseExpr))
		return lift_case((CaseExpr *) node, lift);
	if (IsA(node, CoalesceExpr))
		return lift_coalesce((CoalesceExpr *) node, lift);
	if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop != NOT_EXPR)
		return lift_bool((BoolExpr *) node, lift);
	if (calls_in_operand(node))
		return lift_operand(node, lift);
	if (calls_in_arguments(node))
		return lift_in_arguments(node, lift);
	if (evaluates_all(node))
		return expression_tree_mutator(node, lift_mutator, lift);
	ai_lift_reason(lift, why_left(node));
	return ai_replace(node, unmarked, NULL);
}

/* ---- the doors ---- */

Node *
ai_lift_over_scan(AiLift *lift, Node *expression)
{
	return ai_replace(expression, index_column, lift);
}

Node *
ai_lift_calls(AiLift *lift, Node *expression)
{
	return ai_replace(lift_mutator(expression, lift), unmarked, NULL);
}

Node *
ai_lift_expression(AiLift *lift, Node *expression)
{
	return ai_lift_calls(lift, ai_lift_over_scan(lift, expression));
}

Var *
ai_lift_register(AiLift *lift, Node *expression)
{
	return remember(lift, expression);
}

Node *
ai_lift_filter(AiLift *lift, Node *conjunct)
{
	Node	   *lifted = ai_lift_calls(lift, conjunct);

	add_step(lift, AI_STEP_FILTER, lifted);
	return lifted;
}

List *
ai_lift_scan_tlist(AiLift *lift)
{
	List	   *tlist = NIL;
	ListCell   *cell;

	foreach(cell, lift->leaves)
	{
		int			n = foreach_current_index(cell);
		Var		   *var = ai_column(OUTER_VAR, lift->positions != NIL ? list_nth_int(lift->positions, n) : n + 1, lfirst(cell));

		tlist = lappend(tlist, makeTargetEntry((Expr *) var, n + 1, NULL, false));
	}
	foreach(cell, lift->registers)
		tlist = lappend(tlist, makeTargetEntry(lfirst(cell), list_length(tlist) + 1, NULL, false));
	return tlist;
}
