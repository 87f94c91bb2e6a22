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

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/lateral.h"
#include "plan/lift.h"
#include "plan/walk.h"
#include "utils/lsyscache.h"

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

typedef struct Source
{
	int			relid;			/* what its Vars point to */
	List	   *values;			/* what its columns are */
	Node	   *function;		/* or a function whose fields they are */
	bool		failed;
} Source;

static Node *
source_mutator(Node *node, Source *source)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varno != source->relid || var->varattno <= 0)
			source->failed = true;
		else if (source->function == NULL)
			return copyObject(list_nth(source->values, var->varattno - 1));
		else if (get_typtype(exprType(source->function)) != TYPTYPE_COMPOSITE)
			return copyObject(source->function);
		else
		{
			FieldSelect *field = makeNode(FieldSelect);

			field->arg = copyObject((Expr *) source->function);
			field->fieldnum = var->varattno;
			field->resulttype = var->vartype;
			field->resulttypmod = var->vartypmod;
			field->resultcollid = var->varcollid;
			return (Node *) field;
		}
		return node;
	}
	return expression_tree_mutator(node, source_mutator, source);
}

static List *
expressions_of(List *targetlist)
{
	List	   *expressions = NIL;
	ListCell   *cell;

	foreach(cell, targetlist)
		expressions = lappend(expressions, lfirst_node(TargetEntry, cell)->expr);
	return expressions;
}

/* Does the plan give one row, always?  Then these are its columns and its filters. */
static bool
is_one_row(Plan *plan, List **values, List **filters)
{
	Source		source = {0};

	if (plan->initPlan != NIL || expression_returns_set((Node *) plan->targetlist))
		return false;
	if (IsA(plan, Result))
	{
		*values = expressions_of(plan->targetlist);
		*filters = NIL;
		return plan->lefttree == NULL && plan->qual == NIL && ((Result *) plan)->resconstantqual == NULL;
	}
	if (IsA(plan, SubqueryScan))
	{
		SubqueryScan *scan = (SubqueryScan *) plan;

		source.relid = scan->scan.scanrelid;
		if (!is_one_row(scan->subplan, &source.values, filters))
			return false;
	}
	else if (IsA(plan, Memoize))
	{
		/* it remembers what a statement makes once anyway */
		source.relid = OUTER_VAR;
		if (!is_one_row(plan->lefttree, &source.values, filters) ||
			!ai_calls_are_shared((Node *) source.values) || !ai_calls_are_shared((Node *) *filters))
			return false;
	}
	else if (IsA(plan, FunctionScan))
	{
		FunctionScan *scan = (FunctionScan *) plan;
		RangeTblFunction *function;

		if (list_length(scan->functions) != 1 || scan->funcordinality)
			return false;
		function = linitial(scan->functions);
		source.relid = scan->scan.scanrelid;
		source.function = function->funcexpr;
		if (expression_returns_set(function->funcexpr) || function->funccoltypes != NIL ||
			exprType(function->funcexpr) == RECORDOID)
			return false;
		*filters = NIL;
	}
	else
		return false;
	/* where rows are only counted there is no target list, and yet they call */
	if (plan->targetlist != NIL)
		*values = (List *) source_mutator((Node *) expressions_of(plan->targetlist), &source);
	else
		*values = source.function == NULL ? source.values : list_make1(source.function);
	*filters = list_concat(*filters, (List *) source_mutator((Node *) plan->qual, &source));
	return !source.failed;
}

/* ---- any other inner side ---- */

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

static bool
whole_row_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varattno <= 0;
	return expression_tree_walker(node, whole_row_walker, context);
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

typedef struct Reads
{
	int			column;
	int			n;
} Reads;

static bool
reads_walker(Node *node, Reads *reads)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		if (((Var *) node)->varno == INNER_VAR && ((Var *) node)->varattno == reads->column)
			reads->n++;
		return false;
	}
	return expression_tree_walker(node, reads_walker, reads);
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

	if (ai_is_bound(ai_above_loop(loop, (Node *) all)))
		return false;
	if (ai_calls_are_shared((Node *) all))
		return true;
	foreach(cell, values)
	{
		Reads		reads = {.column = foreach_current_index(cell) + 1};

		reads_walker((Node *) expressions_of_loop(loop), &reads);
		n += reads.n * ai_count_calls(lfirst(cell));
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

/* The outer side alone, where no cheap condition is to be tested first. */
static Plan *
without_loop(NestLoop *loop)
{
	Plan	   *plan = &loop->join.plan;
	List	   *filters = list_concat(loop->join.joinqual, plan->qual);
	Result	   *result;

	if (filters != NIL && !ai_contains_call(linitial(filters)))
	{
		plan->righttree->targetlist = NIL;
		return plan;
	}
	result = makeNode(Result);
	result->plan = *plan;
	result->plan.type = T_Result;
	result->plan.qual = filters;
	result->plan.righttree = NULL;
	return &result->plan;
}

static bool
column_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, Var) || expression_tree_walker(node, column_walker, context);
}

/* `plan` with the values for columns, below one with the columns it has now. */
static Plan *
with_values(Plan *plan, List *values, int *last_id)
{
	List	   *targetlist = plan->targetlist;
	Plan	   *reader;
	ListCell   *cell;

	plan->targetlist = NIL;
	foreach(cell, values)
		ai_add_column(plan, lfirst(cell));
	reader = ai_build_projection(last_id, plan, plan);
	reader->targetlist = targetlist;
	return reader;
}

static Plan *
flatten(NestLoop *loop, int *last_id)
{
	Plan	   *inner = loop->join.plan.righttree;
	JoinType	type = loop->join.jointype;
	List	   *values;
	List	   *filters;

	if (type != JOIN_INNER && type != JOIN_LEFT)
		return &loop->join.plan;
	if (is_one_row(inner, &values, &filters))
	{
		bool		only_counted = filters == NIL && !column_walker((Node *) expressions_of_loop(loop), NULL);
		Plan	   *flat;

		/* what depends on nothing may be evaluated but once now */
		if (loop->nestParams == NIL || !ai_plan_calls(inner) || !may_move(loop, values, filters) ||
			(type == JOIN_LEFT && (filters != NIL || loop->join.joinqual != NIL)) ||
			!evaluate_above(loop, values, filters))
			return &loop->join.plan;
		/* one row, whatever it was made of */
		loop->join.plan.righttree = (Plan *) makeNode(Result);
		loop->join.plan.righttree->plan_node_id = inner->plan_node_id;
		loop->join.plan.righttree->plan_rows = 1;
		loop->join.plan.righttree->extParam = inner->extParam;
		loop->join.plan.righttree->allParam = inner->allParam;
		loop->join.jointype = JOIN_INNER;
		flat = without_loop(loop);
		return only_counted ? with_values(flat, (List *) ai_above_loop(loop, (Node *) values), last_id) : flat;
	}
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
		*child = flatten((NestLoop *) *child, context);
}

Plan *
ai_flatten_laterals(Plan *plan, int *last_id)
{
	flatten_child(&plan, last_id);
	return plan;
}
