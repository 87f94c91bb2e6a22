/*
 * correlated.c
 *	  Calls in correlated subqueries that give one value (correlated.h).
 *
 * "SELECT (SELECT ai_complete('Sum up: ' || string_agg(c.body, ' ')) FROM
 * comments c WHERE c.ticket = t.id) FROM tickets t" runs the subquery for each
 * ticket and waits for its call before it comes to the next.  Where f gives
 * NULL for NULL without a call, "(SELECT f(e, k) ...)" is "f((SELECT e ...), k)",
 * for a subquery without a row gives NULL either way.  The subquery computes
 * what f is asked; the call is one of the outer row, which is kept under way.
 *
 * A subquery without FROM is its expression, over what the outer row hands in.
 * Of others there moves: calls, and strict functions around them, as long as one argument
 * of each is the subquery's own and the others are constants or what the outer
 * row hands in.  And where the subquery reads a set, as in "(SELECT array_agg(e)
 * FROM jsonb_array_elements(ai_json(t.x, ...)) e)", what the set is made of is
 * handed in by the outer row, which evaluates it just as often.
 *
 * The planner may have put copies of an expression, and so references to one
 * subplan, in several places.  Each reference that is changed gets a subplan of
 * its own, at the end of the statement's list; that the executor starts them in
 * order is why no reference within a subplan gets one.
 */
#include "postgres.h"

#include "ask/function.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/correlated.h"
#include "plan/expression.h"
#include "plan/walk.h"
#include "utils/lsyscache.h"

typedef struct Correlated
{
	AiRewrite  *rewrite;
	bool		in_subplan;
} Correlated;

/* ---- what moves out ---- */

/* A constant, or what the outer row hands in. */
static bool
is_handed_in(Node *node, const SubPlan *reference)
{
	if (IsA(node, RelabelType))
		return is_handed_in((Node *) ((RelabelType *) node)->arg, reference);
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXTERN ||
			list_member_int(reference->parParam, ((Param *) node)->paramid);
	return IsA(node, Const);
}

/* The arguments, where one that is NULL makes the whole NULL and nothing called; else NIL. */
static List *
strict_arguments(Node *node, int argument)
{
	List	   *arguments = NIL;

	if (IsA(node, FuncExpr))
	{
		const FuncExpr *call = (FuncExpr *) node;
		const AiFunction *function = ai_function_by_oid(call->funcid);

		if (!call->funcretset && (function ? (function->required & (1U << argument)) != 0 : func_strict(call->funcid)))
			arguments = call->args;
	}
	else if (IsA(node, OpExpr))
	{
		const OpExpr *operator = (OpExpr *) node;

		if (!operator->opretset && func_strict(operator->opfuncid))
			arguments = operator->args;
	}
	else if (IsA(node, RelabelType))
		arguments = list_make1(((RelabelType *) node)->arg);
	return arguments;
}

/*
 * The way from an expression down to what stays in the subquery: which argument
 * of each node it is.  NIL = nothing moves.
 */
static List *
way_to_core(Node *node, const SubPlan *reference)
{
	List	   *way = NIL;
	int			length = 0;

	while (ai_contains_call(node))
	{
		int			own = -1;
		int			n = 0;
		ListCell   *cell;
		List	   *arguments = strict_arguments(node, 0);

		/* which of a call's arguments must be there differs */
		if (IsA(node, FuncExpr))
			arguments = ((FuncExpr *) node)->args;
		foreach(cell, arguments)
		{
			if (!is_handed_in(lfirst(cell), reference))
			{
				own = foreach_current_index(cell);
				n++;
			}
		}
		/* any that must be there tells whether there was a row */
		for (int i = 0; n == 0 && own < 0 && i < list_length(arguments); i++)
		{
			if (strict_arguments(node, i) != NIL)
				own = i;
		}
		if (n > 1 || own < 0 || strict_arguments(node, own) == NIL)
			break;
		way = lappend_int(way, own);
		if (ai_is_call(node))
			length = list_length(way);
		node = list_nth(arguments, own);
	}
	/* from the innermost call that moves on, what is around the rest stays */
	return list_truncate(way, length);
}

static Node **
argument_place(Node *node, int number)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			return (Node **) &lfirst(list_nth_cell(((FuncExpr *) node)->args, number));
		case T_OpExpr:
			return (Node **) &lfirst(list_nth_cell(((OpExpr *) node)->args, number));
		case T_RelabelType:
			return (Node **) &((RelabelType *) node)->arg;
		default:
			elog(ERROR, "unexpected node type %d", (int) nodeTag(node));
	}
}

/* ---- where the subquery computes its value ---- */

/*
 * The column of the node that computes a subplan's value; NULL where what is
 * above does more than hand it on.
 */
static TargetEntry *
computed_column(Plan *plan)
{
	TargetEntry *entry = linitial_node(TargetEntry, plan->targetlist);

	if (ai_plan_is(plan, AI_IS_HOST))
		return entry;
	if (!IsA(plan, Limit) && !IsA(plan, Sort))
		return NULL;
	for (int i = 0; IsA(plan, Sort) && i < ((Sort *) plan)->numCols; i++)
	{
		if (((Sort *) plan)->sortColIdx[i] == entry->resno)
			return NULL;
	}
	for (int i = 0; i < list_length(plan->lefttree->targetlist); i++)
	{
		if (IsA(entry->expr, Var) && ((Var *) entry->expr)->varattno == i + 1)
		{
			TargetEntry *below = computed_column(plan->lefttree);

			return below != NULL && below->resno == i + 1 ? below : NULL;
		}
	}
	return NULL;
}

/* Gives the columns that hand a value on its type. */
static void
retype(Plan *plan, Node *value)
{
	while (IsA(plan, Limit) || IsA(plan, Sort))
	{
		Var		   *var = castNode(Var, linitial_node(TargetEntry, plan->targetlist)->expr);

		var->vartype = exprType(value);
		var->vartypmod = exprTypmod(value);
		var->varcollid = exprCollation(value);
		plan = plan->lefttree;
	}
}

/* ---- a subplan of its own ---- */

typedef struct Renumbering
{
	int		   *last_id;
	bool		refused;
} Renumbering;

static void
renumber(Plan **plan, void *context)
{
	Renumbering *renumbering = context;

	(*plan)->plan_node_id = ++*renumbering->last_id;
	/* what a parameter of the whole statement stands for */
	if ((*plan)->initPlan != NIL || IsA(*plan, CteScan) || IsA(*plan, WorkTableScan) || IsA(*plan, RecursiveUnion) ||
		IsA(*plan, Gather) || IsA(*plan, GatherMerge))
		renumbering->refused = true;
	ai_plan_children(*plan, renumber, context);
}

/* A copy of a subplan, for one reference to it alone; NULL = there can be none. */
static Plan *
own_copy(Correlated *correlated, Plan *plan)
{
	Renumbering renumbering = {.last_id = &correlated->rewrite->last_id};

	plan = copyObject(plan);
	renumber(&plan, &renumbering);
	return renumbering.refused ? NULL : plan;
}

static void
refer_to(Correlated *correlated, SubPlan *reference, Plan *plan)
{
	PlannedStmt *stmt = correlated->rewrite->stmt;

	stmt->subplans = lappend(stmt->subplans, plan);
	reference->plan_id = list_length(stmt->subplans);
	reference->plan_name = psprintf("SubPlan %d", reference->plan_id);
}

static Node *
handed_in(Node *node, void *context)
{
	SubPlan    *reference = context;
	ListCell   *number;
	ListCell   *argument;

	if (node == (Node *) reference)
		return node;
	if (!IsA(node, Param) || ((Param *) node)->paramkind != PARAM_EXEC)
		return NULL;
	forboth(number, reference->parParam, argument, reference->args)
	{
		if (lfirst_int(number) == ((Param *) node)->paramid)
			return copyObject(lfirst(argument));
	}
	return node;
}

static bool
test_subplan(Node *node, void *context)
{
	return IsA(node, SubPlan);
}

/*
 * Is the subquery an expression and nothing else?  Not if that has a subquery, which
 * may read what the row hands in.
 */
static bool
is_expression(const Plan *plan)
{
	return IsA(plan, Result) && plan->lefttree == NULL && plan->qual == NIL && plan->initPlan == NIL &&
		((const Result *) plan)->resconstantqual == NULL && !ai_find((Node *) plan->targetlist, test_subplan, NULL);
}

/* May what the row hands in be evaluated where it is read, as often as that is? */
static bool
may_copy(List *arguments)
{
	return !ai_contains_call((Node *) arguments) && !ai_is_volatile((Node *) arguments);
}

/* The calls on the subquery's value, outside it; NULL = there are none that move. */
static Node *
outside(Correlated *correlated, SubPlan *reference)
{
	Plan	   *plan = list_nth(correlated->rewrite->stmt->subplans, reference->plan_id - 1);
	TargetEntry *entry;
	Node	   *expression;
	Node	  **place;
	SubPlan    *own;
	List	   *way;
	ListCell   *cell;

	if (reference->subLinkType != EXPR_SUBLINK || reference->parParam == NIL || reference->setParam != NIL ||
		reference->testexpr != NULL || plan == NULL || !may_copy(reference->args))
		return NULL;
	entry = computed_column(plan);
	if (entry != NULL && is_expression(plan) && ai_contains_call((Node *) entry->expr))
		return ai_replace((Node *) entry->expr, handed_in, reference);
	if (correlated->in_subplan || entry == NULL || way_to_core((Node *) entry->expr, reference) == NIL)
		return NULL;
	plan = own_copy(correlated, plan);
	if (plan == NULL)
		return NULL;
	entry = computed_column(plan);
	expression = (Node *) entry->expr;
	way = way_to_core(expression, reference);
	place = &expression;
	foreach(cell, way)
		place = argument_place(*place, lfirst_int(cell));

	own = copyObject(reference);
	entry->expr = (Expr *) *place;
	*place = (Node *) own;
	retype(plan, (Node *) entry->expr);
	own->firstColType = exprType((Node *) entry->expr);
	own->firstColTypmod = exprTypmod((Node *) entry->expr);
	own->firstColCollation = exprCollation((Node *) entry->expr);
	refer_to(correlated, own, plan);
	return ai_replace(expression, handed_in, own);
}

/* ---- what the subquery's only source asks ---- */

/* Each run of the plan reads rows of what is below this node, which there is once. */
static Plan *
always_read(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SubqueryScan:
			return ((SubqueryScan *) plan)->subplan;
		case T_Result:
			return ((Result *) plan)->resconstantqual == NULL ? plan->lefttree : NULL;
		case T_Limit:
			{
				const Const *count = (Const *) ((Limit *) plan)->limitCount;

				return count == NULL || (IsA(count, Const) && !count->constisnull && DatumGetInt64(count->constvalue) > 0)
					? plan->lefttree : NULL;
			}
		case T_Agg:
		case T_WindowAgg:
		case T_Group:
		case T_Unique:
		case T_Sort:
		case T_IncrementalSort:
		case T_ProjectSet:
			return plan->lefttree;
		default:
			return NULL;
	}
}

/* A set of rows, which no row of the subquery's is (flatten.h). */
static bool
is_set(const RangeTblFunction *function)
{
	return function->funccoltypes != NIL || expression_returns_set(function->funcexpr) ||
		exprType(function->funcexpr) == RECORDOID;
}

/* An argument, over the outer row, if it calls; NULL = it stays. */
static Node *
asked_of_row(Node *argument, SubPlan *reference)
{
	Node	   *above = ai_contains_call(argument) ? ai_replace(argument, handed_in, reference) : NULL;

	return above != NULL && !equal(above, argument) && !ai_is_bound(above) && ai_lift_takes_all(above) &&
		!expression_returns_set(above) ? above : NULL;
}

/*
 * Hands the arguments of the functions of the plan's only source in, in place of
 * what they are made of; returns whether there were any.
 */
static bool
hand_arguments_in(Correlated *correlated, Plan *plan, SubPlan *reference, SubPlan *own)
{
	Bitmapset  *added = NULL;
	Plan	   *source = plan;
	ListCell   *cell;
	ListCell   *argument;

	while (source != NULL && !IsA(source, FunctionScan))
		source = always_read(source);
	if (source == NULL)
		return false;
	foreach(cell, ((FunctionScan *) source)->functions)
	{
		RangeTblFunction *function = lfirst(cell);

		if (!is_set(function) || !IsA(function->funcexpr, FuncExpr))
			continue;
		foreach(argument, ((FuncExpr *) function->funcexpr)->args)
		{
			Node	   *above = asked_of_row(lfirst(argument), reference);
			Param	   *param;

			if (above == NULL)
				continue;
			param = ai_new_parameter(correlated->rewrite, above);
			lfirst(argument) = param;
			own->parParam = lappend_int(own->parParam, param->paramid);
			own->args = lappend(own->args, above);
			added = bms_add_member(added, param->paramid);
		}
		function->funcparams = bms_union(function->funcparams, added);
	}
	for (source = plan; source != NULL && added != NULL; source = IsA(source, FunctionScan) ? NULL : always_read(source))
	{
		source->extParam = bms_union(source->extParam, added);
		source->allParam = bms_union(source->allParam, added);
	}
	return added != NULL;
}

/*
 * A reference that hands in what the subquery asks once whenever it is run: its
 * arguments are evaluated just as often, by the outer row.
 */
static Node *
hand_in(Correlated *correlated, SubPlan *reference)
{
	Plan	   *plan = list_nth(correlated->rewrite->stmt->subplans, reference->plan_id - 1);
	SubPlan    *own;

	if (correlated->in_subplan || reference->parParam == NIL || reference->useHashTable || plan == NULL ||
		!may_copy(reference->args) || !ai_plan_calls(plan))
		return NULL;
	plan = own_copy(correlated, plan);
	own = copyObject(reference);
	if (plan == NULL || !hand_arguments_in(correlated, plan, reference, own))
		return NULL;
	refer_to(correlated, own, plan);
	return (Node *) own;
}

/* ---- the walk ---- */

static Node *
moved_reference(Node *node, void *correlated)
{
	Node	   *moved;

	if (!IsA(node, SubPlan))
		return NULL;
	moved = outside(correlated, (SubPlan *) node);
	return moved != NULL ? moved : hand_in(correlated, (SubPlan *) node);
}

void
ai_lift_correlated(AiRewrite *rewrite, Plan *plan, bool in_subplan)
{
	Correlated	correlated = {.rewrite = rewrite,.in_subplan = in_subplan};

	plan->targetlist = (List *) ai_replace((Node *) plan->targetlist, moved_reference, &correlated);
	plan->qual = (List *) ai_replace((Node *) plan->qual, moved_reference, &correlated);
}
