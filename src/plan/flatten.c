/*
 * flatten.c
 *	  Loops whose inner side is one row (flatten.h).
 *
 * For each row of the outer side the inner one starts anew, so that its calls
 * are made one after the other.  An inner side that gives exactly one row whatever
 * happens (a function that returns no set, a SELECT without FROM) computes columns
 * of the outer row: so do stages over the outer side, one for each plan node of
 * the inner one, and the loop goes.  Of a left join it must have no condition.
 *
 * "UPDATE ... SET (a, b) = (SELECT ...)" is such a loop: the subquery is handed
 * columns of the row, and sets parameters that the target list reads.
 *
 * Memory: the planner's.  State: none.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/expression.h"
#include "plan/flatten.h"
#include "plan/stage.h"
#include "plan/walk.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* ---- over the outer side ---- */

static Node *
handed_in(Node *node, void *parameters)
{
	ListCell   *cell;

	if (!IsA(node, Param) || ((Param *) node)->paramkind != PARAM_EXEC)
		return NULL;
	foreach(cell, (List *) parameters)
	{
		NestLoopParam *parameter = lfirst(cell);

		if (parameter->paramno == ((Param *) node)->paramid)
			return (Node *) copyObject(parameter->paramval);
	}
	return node;
}

Node *
ai_above_loop(const NestLoop *loop, Node *expression)
{
	return ai_replace(expression, handed_in, loop->nestParams);
}

/* ---- an inner side of one row ---- */

/*
 * Does the plan give one row, always?  `filters` then tells whether it may drop it.
 * All of it moves, so that none of its expressions may be bound to where they are,
 * and all calls must be lifted.
 */
static bool
moves(const NestLoop *loop, List *expressions)
{
	ListCell   *cell;

	foreach(cell, expressions)
	{
		Node	   *expression = lfirst(cell);

		if (IsA(expression, TargetEntry))
			expression = (Node *) ((TargetEntry *) expression)->expr;
		if (ai_is_bound(ai_above_loop(loop, expression)) || !ai_lift_takes_all(expression))
			return false;
	}
	return true;
}

static bool
test_whole_row(Node *node, void *context)
{
	return IsA(node, Var) && ((Var *) node)->varattno <= 0;
}

/* The row of a function that returns a composite type is made of its fields (row_of). */
static bool
reads_other_rows(const Plan *plan)
{
	const RangeTblFunction *function = IsA(plan, FunctionScan) ? linitial(((const FunctionScan *) plan)->functions) : NULL;

	if (function != NULL && get_typtype(exprType(function->funcexpr)) == TYPTYPE_COMPOSITE)
		return false;
	return ai_find((Node *) list_make2(plan->targetlist, plan->qual), test_whole_row, NULL);
}

static bool
is_one_row(const NestLoop *loop, Plan *plan, bool *filters)
{
	*filters = *filters || plan->qual != NIL;
	if (plan->initPlan != NIL || expression_returns_set((Node *) plan->targetlist) ||
		!moves(loop, plan->targetlist) || !moves(loop, plan->qual) || reads_other_rows(plan))
		return false;
	switch (nodeTag(plan))
	{
		case T_Result:
			if (plan->lefttree != NULL)
				return ai_is_stage(plan) && is_one_row(loop, plan->lefttree, filters);
			return plan->qual == NIL && ((Result *) plan)->resconstantqual == NULL;
		case T_SubqueryScan:
			return is_one_row(loop, ((SubqueryScan *) plan)->subplan, filters);
		case T_Memoize:
			return is_one_row(loop, plan->lefttree, filters);
		case T_FunctionScan:
			{
				FunctionScan *scan = (FunctionScan *) plan;
				RangeTblFunction *function = linitial(scan->functions);

				return list_length(scan->functions) == 1 && !scan->funcordinality &&
					!expression_returns_set(function->funcexpr) && function->funccoltypes == NIL &&
					exprType(function->funcexpr) != RECORDOID && moves(loop, list_make1(function->funcexpr));
			}
		default:
			return false;
	}
}

/* Stages over the outer side: its columns, and behind them those of the inner one. */
typedef struct Stack
{
	AiRewrite  *rewrite;
	const NestLoop *loop;
	int			n_outer;
	bool		memoized;		/* below a Memoize */
	int			relid;			/* whose Vars are the columns behind */
	Var		   *function;		/* or the fields of this one */
} Stack;

/* The row that a scan of the function makes: of NULLs, where it gives none. */
static Node *
row_of(const Var *function)
{
	TupleDesc	descriptor = lookup_rowtype_tupdesc(function->vartype, function->vartypmod);
	RowExpr    *row = makeNode(RowExpr);

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		FieldSelect *field = makeNode(FieldSelect);

		field->arg = (Expr *) copyObject(function);
		field->fieldnum = i + 1;
		field->resulttype = attribute->atttypid;
		field->resulttypmod = attribute->atttypmod;
		field->resultcollid = attribute->attcollation;
		row->args = lappend(row->args, attribute->attisdropped ? (Node *) makeNullConst(INT4OID, -1, InvalidOid)
							: (Node *) field);
	}
	ReleaseTupleDesc(descriptor);
	row->row_typeid = function->vartype;
	row->row_format = COERCE_IMPLICIT_CAST;
	row->location = -1;
	return (Node *) row;
}

static Node *
field_of(const Var *function, const Var *column)
{
	FieldSelect *field;

	if (get_typtype(function->vartype) != TYPTYPE_COMPOSITE)
		return (Node *) copyObject(function);
	if (column->varattno == 0)
		return row_of(function);
	field = makeNode(FieldSelect);
	field->arg = (Expr *) copyObject(function);
	field->fieldnum = column->varattno;
	field->resulttype = column->vartype;
	field->resulttypmod = column->vartypmod;
	field->resultcollid = column->varcollid;
	return (Node *) field;
}

static Node *
stacked_column(Node *node, void *context)
{
	const Stack *stack = context;

	if (IsA(node, Param))
		return handed_in(node, stack->loop->nestParams);
	if (!IsA(node, Var) || ((Var *) node)->varno != stack->relid)
		return NULL;
	if (stack->function != NULL)
		return field_of(stack->function, (Var *) node);
	return (Node *) ai_column(OUTER_VAR, ((Var *) node)->varattno + stack->n_outer, node);
}

/* A stage over the last one: the outer columns, and these expressions of an inner plan. */
static Plan *
push(Stack *stack, Plan *base, int relid, Var *function, List *targetlist, List *qual)
{
	Plan	   *stage;
	ListCell   *cell;

	/* where rows are only counted nothing is handed on */
	if (targetlist == NIL && qual == NIL)
		return base;
	stack->relid = relid;
	stack->function = function;
	stage = ai_build_projection(&stack->rewrite->last_id, base, base);
	if (stack->memoized)
		stack->rewrite->memoized = lappend(stack->rewrite->memoized, stage);
	stage->targetlist = list_truncate(stage->targetlist, stack->n_outer);
	foreach(cell, targetlist)
		(void) ai_add_column(stage, ai_replace((Node *) lfirst_node(TargetEntry, cell)->expr, stacked_column, stack));
	stage->qual = (List *) ai_replace((Node *) qual, stacked_column, stack);
	return stage;
}

static Plan *
push_inner(Stack *stack, Plan *base, Plan *inner)
{
	switch (nodeTag(inner))
	{
		case T_Result:
			if (inner->lefttree == NULL)
				return push(stack, base, 0, NULL, inner->targetlist, NIL);
			base = push_inner(stack, base, inner->lefttree);
			return push(stack, base, OUTER_VAR, NULL, inner->targetlist, inner->qual);
		case T_SubqueryScan:
			base = push_inner(stack, base, ((SubqueryScan *) inner)->subplan);
			return push(stack, base, ((SubqueryScan *) inner)->scan.scanrelid, NULL, inner->targetlist, inner->qual);
		case T_FunctionScan:
			{
				Node	   *function = ((RangeTblFunction *) linitial(((FunctionScan *) inner)->functions))->funcexpr;
				TargetEntry *entry = makeTargetEntry((Expr *) function, 1, NULL, false);
				Var		   *column = ai_column(OUTER_VAR, stack->n_outer + 1, function);

				base = push(stack, base, 0, NULL, list_make1(entry), NIL);
				return push(stack, base, ((FunctionScan *) inner)->scan.scanrelid, column, inner->targetlist, inner->qual);
			}
		default:				/* a Memoize hands on what it reads */
			stack->memoized = true;
			return push_inner(stack, base, inner->lefttree);
	}
}

static Node *
inner_column(Node *node, void *context)
{
	if (!IsA(node, Var) || ((Var *) node)->varno != INNER_VAR)
		return NULL;
	return (Node *) ai_column(OUTER_VAR, ((Var *) node)->varattno + ((const Stack *) context)->n_outer, node);
}

/* What the loop does, over the stages. */
static Plan *
as_stages(AiRewrite *rewrite, NestLoop *loop)
{
	Plan	   *plan = &loop->join.plan;
	Plan	   *outer = plan->lefttree;
	Stack		stack = {.rewrite = rewrite,.loop = loop,.n_outer = list_length(outer->targetlist)};
	Result	   *result = makeNode(Result);

	result->plan = *plan;
	NodeSetTag(result, T_Result);
	result->plan.lefttree = push_inner(&stack, outer, plan->righttree);
	result->plan.righttree = NULL;
	result->plan.targetlist = (List *) ai_replace((Node *) plan->targetlist, inner_column, &stack);
	result->plan.qual = (List *) ai_replace((Node *) list_concat(loop->join.joinqual, plan->qual), inner_column, &stack);
	rewrite->joins = lappend(rewrite->joins, result);
	return ai_merge_stages(rewrite, &result->plan);
}

Plan *
ai_flatten_loop(AiRewrite *rewrite, NestLoop *loop)
{
	Plan	   *inner = loop->join.plan.righttree;
	JoinType	type = loop->join.jointype;
	bool		filters = false;

	/* what depends on nothing may be evaluated but once now */
	if (loop->nestParams == NIL || !ai_plan_calls(inner) || !is_one_row(loop, inner, &filters))
		return &loop->join.plan;
	if (type == JOIN_INNER || (type == JOIN_LEFT && !filters && loop->join.joinqual == NIL))
		return as_stages(rewrite, loop);
	return &loop->join.plan;
}

/* ---- UPDATE ... SET (a, b) = (SELECT ...) ---- */

/* Parameters that a subquery sets, as columns behind the outer ones. */
typedef struct SetColumns
{
	List	   *parameters;		/* integers, in the order of the columns */
	int			n_outer;
} SetColumns;

static Node *
set_column(Node *node, void *context)
{
	const SetColumns *columns = context;
	ListCell   *cell;

	if (!IsA(node, Param) || ((Param *) node)->paramkind != PARAM_EXEC)
		return NULL;
	foreach(cell, columns->parameters)
	{
		if (lfirst_int(cell) == ((Param *) node)->paramid)
			return (Node *) ai_column(OUTER_VAR, columns->n_outer + foreach_current_index(cell) + 1, node);
	}
	return node;
}

/* The subquery as the inner side of a loop over the rows that hand it columns; false if it is none. */
static bool
as_loop(const AiRewrite *rewrite, const SubPlan *reference, NestLoop *loop)
{
	Plan	   *plan = list_nth(rewrite->stmt->subplans, reference->plan_id - 1);
	bool		filters = false;
	ListCell   *number;
	ListCell   *argument;

	forboth(number, reference->parParam, argument, reference->args)
	{
		NestLoopParam *parameter = makeNode(NestLoopParam);

		if (!IsA(lfirst(argument), Var) || lfirst_node(Var, argument)->varattno <= 0)
			return false;
		parameter->paramno = lfirst_int(number);
		parameter->paramval = lfirst(argument);
		loop->nestParams = lappend(loop->nestParams, parameter);
	}
	return plan != NULL && ai_plan_calls(plan) && is_one_row(loop, plan, &filters) && !filters &&
		list_length(plan->targetlist) == list_length(reference->setParam);
}

/* The subquery of a column, if it is one that sets others, and may be stages. */
static SubPlan *
setting_subquery(const AiRewrite *rewrite, const TargetEntry *entry, NestLoop *loop)
{
	SubPlan    *reference = (SubPlan *) entry->expr;

	return IsA(reference, SubPlan) && reference->subLinkType == MULTIEXPR_SUBLINK &&
		as_loop(rewrite, reference, loop) ? reference : NULL;
}

/* What the subquery of the stage's column sets, stages below it compute. */
static void
set_by_stages(AiRewrite *rewrite, Plan *stage, TargetEntry *entry)
{
	NestLoop   *loop = makeNode(NestLoop);
	SubPlan    *reference = setting_subquery(rewrite, entry, loop);
	int			n_outer = list_length(stage->lefttree->targetlist);
	Stack		stack = {.rewrite = rewrite,.loop = loop,.n_outer = n_outer};
	SetColumns	columns = {.n_outer = n_outer};

	if (reference == NULL)
		return;
	columns.parameters = reference->setParam;
	entry->expr = ai_null_of(reference);
	/* a copy: another part of the table may refer to the subplan */
	stage->lefttree = push_inner(&stack, stage->lefttree, copyObject(list_nth(rewrite->stmt->subplans, reference->plan_id - 1)));
	stage->targetlist = (List *) ai_replace((Node *) stage->targetlist, set_column, &columns);
}

Plan *
ai_set_by_stages(AiRewrite *rewrite, Plan *plan)
{
	Plan	   *stage = NULL;
	NestLoop	loop = {0};

	for (int i = 0; i < list_length(plan->targetlist) && ai_plan_is(plan, AI_IS_HOST); i++)
	{
		if (stage == NULL && setting_subquery(rewrite, list_nth(plan->targetlist, i), &loop) != NULL &&
			!expression_returns_set((Node *) plan->targetlist))
			stage = ai_split(rewrite, plan, NIL);
		if (stage != NULL)
			set_by_stages(rewrite, stage, list_nth(stage->targetlist, i));
	}
	return stage ? ai_merge_stages(rewrite, stage) : plan;
}
