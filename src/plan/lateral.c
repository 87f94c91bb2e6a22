/*
 * lateral.c
 *	  Calls on the inner side of nested loops (lateral.h).
 *
 * For each row of the outer side the inner one starts anew, so that its calls
 * are made one after the other.  An inner join may evaluate the inner side's
 * expressions itself, on the rows that it lets through: these are not more.
 *
 * Two kinds of inner sides:
 *	- one that gives exactly one row whatever happens: a function that returns
 *	  no set, a SELECT without FROM.  All its expressions and filters move up,
 *	  for left joins without a condition too, and where no cheap condition is
 *	  left, the loop itself goes;
 *	- another scan or join: its expressions that call move up, and it emits the
 *	  columns that they are made of.
 *
 * A value that nobody reads is not evaluated, but where nothing of the loop is
 * read: rows that are only counted are there for their calls.
 *
 * A column that the query reads several times is evaluated as often; then its
 * calls must be ones that the statement makes once (ai_calls_are_shared).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/lateral.h"
#include "plan/lift.h"
#include "plan/origin.h"
#include "plan/stage.h"
#include "plan/walk.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* ---- over the outer side ---- */

static Node *
parameter_mutator(Node *node, List *parameters)
{
	ListCell   *cell;

	if (node == NULL)
		return NULL;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
	{
		foreach(cell, parameters)
		{
			NestLoopParam *parameter = lfirst(cell);

			if (parameter->paramno == ((Param *) node)->paramid)
				return (Node *) copyObject(parameter->paramval);
		}
	}
	return expression_tree_mutator(node, parameter_mutator, parameters);
}

Node *
ai_above_loop(const NestLoop *loop, Node *expression)
{
	return parameter_mutator(expression, loop->nestParams);
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

	if (ai_is_bound(ai_above_loop(loop, (Node *) expressions)))
		return false;
	foreach(cell, expressions)
	{
		Node	   *expression = lfirst(cell);

		if (IsA(expression, TargetEntry))
			expression = (Node *) ((TargetEntry *) expression)->expr;
		if (!ai_lift_takes_all(expression))
			return false;
	}
	return true;
}

static bool
whole_row_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varattno <= 0;
	return expression_tree_walker(node, whole_row_walker, context);
}

/* The row of a function that returns a composite type is made of its fields (row_of). */
static bool
reads_other_rows(const Plan *plan)
{
	const RangeTblFunction *function = IsA(plan, FunctionScan) ? linitial(((const FunctionScan *) plan)->functions) : NULL;

	if (function != NULL && get_typtype(exprType(function->funcexpr)) == TYPTYPE_COMPOSITE)
		return false;
	return whole_row_walker((Node *) plan->targetlist, NULL) || whole_row_walker((Node *) plan->qual, NULL);
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
			return plan->lefttree == NULL && plan->qual == NIL && ((Result *) plan)->resconstantqual == NULL;
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
stack_mutator(Node *node, Stack *stack)
{
	Var		   *var;

	if (node == NULL)
		return NULL;
	if (IsA(node, Param))
		return ai_above_loop(stack->loop, node);
	if (!IsA(node, Var) || ((Var *) node)->varno != stack->relid)
		return expression_tree_mutator(node, stack_mutator, stack);
	var = copyObject((Var *) node);
	if (stack->function != NULL)
	{
		FieldSelect *field;

		if (get_typtype(stack->function->vartype) != TYPTYPE_COMPOSITE)
			return (Node *) copyObject(stack->function);
		if (var->varattno == 0)
			return row_of(stack->function);
		field = makeNode(FieldSelect);
		field->arg = (Expr *) copyObject(stack->function);
		field->fieldnum = var->varattno;
		field->resulttype = var->vartype;
		field->resulttypmod = var->vartypmod;
		field->resultcollid = var->varcollid;
		return (Node *) field;
	}
	var->varno = OUTER_VAR;
	var->varattno += stack->n_outer;
	return (Node *) var;
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
		(void) ai_add_column(stage, stack_mutator((Node *) lfirst_node(TargetEntry, cell)->expr, stack));
	stage->qual = (List *) stack_mutator((Node *) qual, stack);
	return stage;
}

static Plan *
push_inner(Stack *stack, Plan *base, Plan *inner)
{
	switch (nodeTag(inner))
	{
		case T_Result:
			return push(stack, base, 0, NULL, inner->targetlist, NIL);
		case T_SubqueryScan:
			base = push_inner(stack, base, ((SubqueryScan *) inner)->subplan);
			return push(stack, base, ((SubqueryScan *) inner)->scan.scanrelid, NULL, inner->targetlist, inner->qual);
		case T_FunctionScan:
			{
				Node	   *function = ((RangeTblFunction *) linitial(((FunctionScan *) inner)->functions))->funcexpr;
				TargetEntry *entry = makeTargetEntry((Expr *) function, 1, NULL, false);
				Var		   *column = makeVar(OUTER_VAR, stack->n_outer + 1, exprType(function), exprTypmod(function),
											 exprCollation(function), 0);

				base = push(stack, base, 0, NULL, list_make1(entry), NIL);
				return push(stack, base, ((FunctionScan *) inner)->scan.scanrelid, column, inner->targetlist, inner->qual);
			}
		default:				/* a Memoize hands on what it reads */
			stack->memoized = true;
			return push_inner(stack, base, inner->lefttree);
	}
}

static Node *
inner_mutator(Node *node, Stack *stack)
{
	Var		   *var;

	if (node == NULL || !IsA(node, Var) || ((Var *) node)->varno != INNER_VAR)
		return node == NULL ? NULL : expression_tree_mutator(node, inner_mutator, stack);
	var = copyObject((Var *) node);
	var->varno = OUTER_VAR;
	var->varattno += stack->n_outer;
	return (Node *) var;
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
	result->plan.targetlist = (List *) inner_mutator((Node *) plan->targetlist, &stack);
	result->plan.qual = (List *) inner_mutator((Node *) list_concat(loop->join.joinqual, plan->qual), &stack);
	rewrite->joins = lappend(rewrite->joins, result);
	return ai_merge_stages(rewrite, &result->plan);
}

/* ---- UPDATE ... SET (a, b) = (SELECT ...) ---- */

/* Parameters that a subquery sets, as columns behind the outer ones. */
typedef struct SetColumns
{
	Plan	   *base;			/* whose columns its Vars become */
	List	   *parameters;		/* integers, in the order of the columns */
	int			n_outer;
	int			n;				/* found */
} SetColumns;

static Node *
set_mutator(Node *node, SetColumns *columns)
{
	Var		   *var;
	ListCell   *cell;

	if (node == NULL)
		return NULL;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
	{
		foreach(cell, columns->parameters)
		{
			if (lfirst_int(cell) != ((Param *) node)->paramid)
				continue;
			columns->n++;
			return (Node *) makeVar(OUTER_VAR, columns->n_outer + foreach_current_index(cell) + 1,
									((Param *) node)->paramtype, ((Param *) node)->paramtypmod,
									((Param *) node)->paramcollid, 0);
		}
		return node;
	}
	if (!IsA(node, Var) || columns->base == NULL)
		return expression_tree_mutator(node, set_mutator, columns);
	var = copyObject((Var *) node);
	var->varattno = ai_column_of(columns->base, (Var *) node);
	var->varno = OUTER_VAR;
	return (Node *) var;
}

static bool
reads_parameters(Node *expression, List *parameters)
{
	SetColumns	columns = {.parameters = parameters};

	(void) set_mutator(expression, &columns);
	return columns.n > 0;
}

static Expr *
null_for(Expr *expression)
{
	return (Expr *) makeNullConst(exprType((Node *) expression), exprTypmod((Node *) expression),
								  exprCollation((Node *) expression));
}

/* What a subquery is handed, as if by a loop over the plan's rows; false if it is no column. */
static bool
hand_in(const SubPlan *reference, NestLoop *loop)
{
	ListCell   *number;
	ListCell   *argument;

	forboth(number, reference->parParam, argument, reference->args)
	{
		NestLoopParam *parameter = makeNode(NestLoopParam);

		if (!IsA(lfirst(argument), Var) || ((Var *) lfirst(argument))->varattno <= 0)
			return false;
		parameter->paramno = lfirst_int(number);
		parameter->paramval = copyObject(lfirst_node(Var, argument));
		loop->nestParams = lappend(loop->nestParams, parameter);
	}
	return true;
}

/* The same, as columns of the plan, to which they are added. */
static void
hand_in_columns(Plan *plan, NestLoop *loop)
{
	ListCell   *cell;

	foreach(cell, loop->nestParams)
	{
		Var		   *var = lfirst_node(NestLoopParam, cell)->paramval;

		var->varattno = ai_column_of(plan, copyObject(var));
		var->varno = OUTER_VAR;
	}
}

/* Does a column read what this subquery sets, and what another one does? */
static bool
reads_several(List *targetlist, const SubPlan *reference)
{
	List	   *others = NIL;
	ListCell   *cell;

	foreach(cell, targetlist)
	{
		SubPlan    *other = (SubPlan *) lfirst_node(TargetEntry, cell)->expr;

		if (IsA(other, SubPlan) && other != reference && other->subLinkType == MULTIEXPR_SUBLINK)
			others = list_concat(others, other->setParam);
	}
	foreach(cell, targetlist)
	{
		Node	   *expression = (Node *) lfirst_node(TargetEntry, cell)->expr;

		if (reads_parameters(expression, reference->setParam) && reads_parameters(expression, others))
			return true;
	}
	return false;
}

/*
 * A subquery of one row that sets several columns, as stages over what computes
 * the others: these read the parameters that it would have set.
 */
static Plan *
set_by_stages(AiRewrite *rewrite, Plan *plan, TargetEntry *entry)
{
	SubPlan    *reference = castNode(SubPlan, entry->expr);
	ListCell   *place = list_nth_cell(rewrite->stmt->subplans, reference->plan_id - 1);
	NestLoop   *loop = makeNode(NestLoop);
	Stack		stack = {.rewrite = rewrite,.loop = loop};
	SetColumns	columns = {.base = plan,.parameters = reference->setParam};
	List	   *targetlist = list_copy(plan->targetlist);
	List	   *values = NIL;
	bool		filters = false;
	Plan	   *stage;
	ListCell   *cell;

	if (lfirst(place) == NULL || !ai_plan_calls(lfirst(place)) || !hand_in(reference, loop) ||
		reads_several(targetlist, reference) || !is_one_row(loop, lfirst(place), &filters) || filters ||
		list_length(((Plan *) lfirst(place))->targetlist) != list_length(reference->setParam))
		return plan;
	hand_in_columns(plan, loop);

	/*
	 * all columns that are read are there before those behind them have
	 * numbers
	 */
	foreach(cell, targetlist)
	{
		if (reads_parameters((Node *) lfirst_node(TargetEntry, cell)->expr, reference->setParam))
			(void) set_mutator((Node *) lfirst_node(TargetEntry, cell)->expr, &columns);
	}
	stack.n_outer = columns.n_outer = list_length(plan->targetlist);
	foreach(cell, targetlist)
	{
		TargetEntry *old = lfirst_node(TargetEntry, cell);
		TargetEntry *new = flatCopyTargetEntry(old);

		if (old == entry)
			new->expr = null_for(old->expr);
		else if (reads_parameters((Node *) old->expr, reference->setParam))
			new->expr = (Expr *) set_mutator((Node *) old->expr, &columns);
		else
			new->expr = (Expr *) makeVar(OUTER_VAR, old->resno, exprType((Node *) old->expr),
										 exprTypmod((Node *) old->expr), exprCollation((Node *) old->expr), 0);
		values = lappend(values, new);
	}
	foreach(cell, targetlist)
	{
		TargetEntry *old = lfirst_node(TargetEntry, cell);

		if (old == entry || reads_parameters((Node *) old->expr, reference->setParam))
			old->expr = null_for(old->expr);
	}
	/* a copy: another part of the table may refer to the subplan */
	stage = push_inner(&stack, plan, copyObject(lfirst(place)));
	stage = ai_build_projection(&rewrite->last_id, stage, stage);
	stage->targetlist = values;
	return ai_merge_stages(rewrite, stage);
}

static void
set_columns(Plan **plan, void *context)
{
	ListCell   *cell;

	ai_plan_children(*plan, set_columns, context);
	if (!ai_is_host(*plan) || (*plan)->initPlan != NIL || expression_returns_set((Node *) (*plan)->targetlist))
		return;
	foreach(cell, list_copy((*plan)->targetlist))
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (!IsA(entry->expr, SubPlan) || ((SubPlan *) entry->expr)->subLinkType != MULTIEXPR_SUBLINK)
			continue;
		/* what another one of them has made a stage of is enough */
		*plan = set_by_stages(context, *plan, entry);
		return;
	}
}

void
ai_set_columns(AiRewrite *rewrite, Plan **plan)
{
	set_columns(plan, rewrite);
}

/* ---- any other inner side ---- */

static List *
expressions_of(List *targetlist)
{
	List	   *expressions = NIL;
	ListCell   *cell;

	foreach(cell, targetlist)
		expressions = lappend(expressions, lfirst_node(TargetEntry, cell)->expr);
	return expressions;
}

static bool
gives_its_columns(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_ValuesScan:
		case T_CteScan:
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return !expression_returns_set((Node *) plan->targetlist);
		default:
			return false;
	}
}

static Node *
column_mutator(Node *node, Plan *plan)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		return (Node *) makeVar(INNER_VAR, ai_column_of(plan, var), var->vartype, var->vartypmod,
								var->varcollid, 0);
	}
	return expression_tree_mutator(node, column_mutator, plan);
}

/*
 * What the loop is to evaluate in place of each column that the inner side has
 * now: the expressions that call, over its columns, or the column itself.
 */
static List *
values_above(Plan *inner)
{
	List	   *values = NIL;
	int			n = list_length(inner->targetlist);

	for (int i = 0; i < n; i++)
	{
		Node	   *expression = (Node *) list_nth_node(TargetEntry, inner->targetlist, i)->expr;

		values = lappend(values, ai_contains_call(expression) ? column_mutator(expression, inner)
						 : (Node *) makeVar(INNER_VAR, i + 1, exprType(expression), exprTypmod(expression),
											exprCollation(expression), 0));
	}
	return values;
}

/* ---- the loop ---- */

/* What the loop evaluates, over the columns of its sides. */
static List *
expressions_of_loop(const NestLoop *loop)
{
	return list_make3(loop->join.plan.targetlist, loop->join.joinqual, loop->join.plan.qual);
}

/*
 * May the expressions that call be evaluated where the loop reads them?  Where
 * each call wants an answer of its own, that takes one call that is read once.
 */
static bool
may_move(const NestLoop *loop, List *values, List *filters)
{
	List	   *all = list_make2(values, filters);
	ListCell   *cell;
	int			n = 0;

	/* a mark tells the rows of one run of the inner side apart */
	if (ai_is_bound(ai_above_loop(loop, (Node *) all)) || ai_contains_mark((Node *) all))
		return false;
	if (ai_calls_are_shared((Node *) all))
		return true;
	foreach(cell, values)
	{
		n += ai_count_calls(lfirst(cell)) *
			ai_count_reads((Node *) expressions_of_loop(loop), INNER_VAR, foreach_current_index(cell) + 1);
	}
	return n <= 1 && !ai_contains_call((Node *) filters);
}

static Node *
value_mutator(Node *node, List *values)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varno == INNER_VAR)
		return copyObject(list_nth(values, ((Var *) node)->varattno - 1));
	return expression_tree_mutator(node, value_mutator, values);
}

/*
 * The loop's expressions over what the columns of its inner side stand for;
 * false if they stay as they are.
 */
static bool
evaluate_above(NestLoop *loop, List *values, List *filters)
{
	Plan	   *plan = &loop->join.plan;
	List	   *above = (List *) ai_above_loop(loop, (Node *) values);
	List	   *targetlist = (List *) value_mutator((Node *) plan->targetlist, above);
	List	   *joinqual = (List *) value_mutator((Node *) loop->join.joinqual, above);
	List	   *qual = (List *) value_mutator((Node *) plan->qual, above);
	ListCell   *cell;

	filters = (List *) ai_above_loop(loop, (Node *) filters);
	foreach(cell, filters)
	{
		if (!ai_lift_takes_all(lfirst(cell)))
			return false;
	}
	if (!ai_lift_takes_new(plan->targetlist, targetlist) ||
		!ai_lift_takes_new(loop->join.joinqual, joinqual) || !ai_lift_takes_new(plan->qual, qual))
		return false;
	plan->targetlist = targetlist;
	plan->qual = qual;
	loop->join.joinqual = list_concat(filters, joinqual);
	return true;
}

/* The inner side's expressions that call are evaluated by the loop. */
static void
move_values(NestLoop *loop, Plan *inner)
{
	int			n = list_length(inner->targetlist);
	List	   *values = values_above(inner);

	if (!evaluate_above(loop, values, NIL))
		return;					/* it emits more columns than are read */
	for (int i = 0; i < n; i++)
	{
		TargetEntry *entry = list_nth_node(TargetEntry, inner->targetlist, i);
		Node	   *expression = (Node *) entry->expr;

		if (ai_contains_call(expression))
			entry->expr = (Expr *) makeNullConst(exprType(expression), exprTypmod(expression),
												 exprCollation(expression));
	}
}

static Plan *
flatten(AiRewrite *rewrite, NestLoop *loop)
{
	Plan	   *inner = loop->join.plan.righttree;
	JoinType	type = loop->join.jointype;
	bool		filters = false;

	if (type != JOIN_INNER && type != JOIN_LEFT)
		return &loop->join.plan;
	/* what depends on nothing may be evaluated but once now */
	if (loop->nestParams != NIL && ai_plan_calls(inner) && is_one_row(loop, inner, &filters) &&
		(type == JOIN_INNER || (!filters && loop->join.joinqual == NIL)))
		return as_stages(rewrite, loop);
	if (type == JOIN_INNER && gives_its_columns(inner) &&
		ai_contains_call((Node *) inner->targetlist) &&
		may_move(loop, expressions_of(inner->targetlist), NIL) &&
		!whole_row_walker((Node *) inner->targetlist, NULL))
		move_values(loop, inner);
	return &loop->join.plan;
}

static void
flatten_child(Plan **child, void *context)
{
	ai_plan_children(*child, flatten_child, context);
	if (IsA(*child, NestLoop))
		*child = flatten(context, (NestLoop *) *child);
}

void
ai_flatten_laterals(AiRewrite *rewrite, Plan **plan)
{
	flatten_child(plan, rewrite);
}
