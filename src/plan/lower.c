/*
 * lower.c
 *	  Calls that other plan nodes evaluate by themselves (lower.h).
 *
 * Sets.  "SELECT unnest(string_to_array(ai_complete(x), ','))" evaluates the
 * argument where the set is made, row by row; so does "FROM t,
 * jsonb_array_elements(ai_json(t.x, ...))", the inner side of a nested loop.
 * Both evaluate it exactly once for each row of what is below, so a stage below
 * may do that.  What stands beside a set is evaluated anew for each of its rows:
 * by a stage above.
 *
 * Aggregates and window functions evaluate their arguments once for each row of
 * what is below, where FILTER lets them: two stages below add columns, first the
 * conditions, then the arguments under these, and the function reads them.  What
 * stays: grouping sets, which read a row several times; partial aggregates; and
 * window functions whose frame may leave a row out, whose argument is then never
 * evaluated.
 *
 * RETURNING is evaluated for each row that is changed: what calls, by a stage above.
 * Rows that nobody reads any more are changed all the same, and not asked about.
 *
 * Memory: the planner's.  State: none.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/expression.h"
#include "plan/flatten.h"
#include "plan/lower.h"
#include "plan/stage.h"
#include "plan/walk.h"

/* ---- SELECT list ---- */

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

static void
lower_set_arguments(AiRewrite *rewrite, Plan *plan)
{
	Plan	   *stage = NULL;
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
			if (stage == NULL)
				stage = ai_build_projection(&rewrite->last_id, plan, plan->lefttree);
			lfirst(argument) = ai_add_column(stage, lfirst(argument));
		}
	}
	if (stage != NULL)
		plan->lefttree = stage;
}

static Node *
column_of(Node *node, void *plan)
{
	return IsA(node, Var) ? (Node *) ai_column(OUTER_VAR, ai_column_of(plan, (Var *) node), node) : NULL;
}

/*
 * A stage above evaluates what calls in the target list, over the plan's columns, but
 * not a set; the plan evaluates the rest as before.
 */
static Plan *
call_above(AiRewrite *rewrite, Plan *plan)
{
	Plan	   *stage = NULL;
	ListCell   *cell;

	foreach(cell, list_copy(plan->targetlist))
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		Node	   *expression = (Node *) entry->expr;

		if (expression_returns_set(expression) || !ai_contains_call(expression) || ai_is_bound(expression))
			continue;
		if (stage == NULL)
			stage = ai_build_projection(&rewrite->last_id, plan, plan);
		list_nth_node(TargetEntry, stage->targetlist, foreach_current_index(cell))->expr =
			(Expr *) ai_replace(expression, column_of, plan);
		entry->expr = ai_null_of(entry->expr);
	}
	return stage != NULL ? stage : plan;
}

Plan *
ai_lower_project_set(AiRewrite *rewrite, Plan *plan)
{
	lower_set_arguments(rewrite, plan);
	return call_above(rewrite, plan);
}

/* ---- FROM ---- */

/* A parameter that the loop hands to its inner side: a column of the outer one. */
static Node *
hand_down(AiRewrite *rewrite, NestLoop *loop, Var *column)
{
	NestLoopParam *parameter = makeNode(NestLoopParam);
	Param	   *param = ai_new_parameter(rewrite, (Node *) column);
	Plan	   *inner = loop->join.plan.righttree;

	parameter->paramno = param->paramid;
	parameter->paramval = column;
	loop->nestParams = lappend(loop->nestParams, parameter);
	inner->extParam = bms_add_member(bms_copy(inner->extParam), parameter->paramno);
	inner->allParam = bms_add_member(bms_copy(inner->allParam), parameter->paramno);
	return (Node *) param;
}

void
ai_lower_set_in_loop(AiRewrite *rewrite, NestLoop *loop)
{
	Plan	   *plan = &loop->join.plan;
	Plan	   *stage = NULL;
	ListCell   *cell;
	ListCell   *argument;

	foreach(cell, castNode(FunctionScan, plan->righttree)->functions)
	{
		RangeTblFunction *function = lfirst(cell);

		foreach(argument, arguments_of(function->funcexpr))
		{
			Node	   *above = ai_above_loop(loop, lfirst(argument));

			/* what depends on nothing is evaluated but once */
			if (!is_worth_it(above) || equal(above, lfirst(argument)) || ai_is_bound(above))
				continue;
			if (stage == NULL)
				stage = ai_build_projection(&rewrite->last_id, plan, plan->lefttree);
			lfirst(argument) = hand_down(rewrite, loop, ai_add_column(stage, above));
		}
	}
	if (stage != NULL)
		plan->lefttree = stage;
}

/* ---- aggregates and window functions ---- */

typedef struct Arguments
{
	Plan	   *conditions;		/* the stages */
	Plan	   *values;
	bool		windows;		/* window functions may be lifted */
	bool		found;
	bool		filters;		/* one of them has a condition */
} Arguments;

/*
 * Are the calls of a function to be lifted?  Its arguments, expressions or target
 * list entries, and its FILTER then.
 */
static bool
wants_lifting(Node *node, bool windows, List **arguments, Expr ***filter)
{
	if (IsA(node, Aggref) && ((Aggref *) node)->aggsplit == AGGSPLIT_SIMPLE)
	{
		*arguments = ((Aggref *) node)->args;
		*filter = &((Aggref *) node)->aggfilter;
	}
	else if (IsA(node, WindowFunc) && windows && ((WindowFunc *) node)->winagg)
	{
		*arguments = ((WindowFunc *) node)->args;
		*filter = &((WindowFunc *) node)->aggfilter;
	}
	else
		return false;
	return ai_contains_call((Node *) *arguments) || ai_contains_call((Node *) **filter);
}

static bool
arguments_walker(Node *node, Arguments *arguments)
{
	List	   *list;
	Expr	  **filter;

	if (node == NULL)
		return false;
	if (!IsA(node, Aggref) && !IsA(node, WindowFunc))
		return expression_tree_walker(node, arguments_walker, arguments);
	if (wants_lifting(node, arguments->windows, &list, &filter))
	{
		arguments->found = true;
		arguments->filters = arguments->filters || *filter != NULL;
	}
	return false;
}

/* CASE WHEN condition THEN value END, as FILTER guards an argument. */
static Node *
under(Var *condition, Expr *value)
{
	CaseExpr   *guarded = makeNode(CaseExpr);
	CaseWhen   *when = makeNode(CaseWhen);

	when->expr = (Expr *) copyObject(condition);
	when->result = value;
	when->location = -1;
	guarded->casetype = exprType((Node *) value);
	guarded->casecollid = exprCollation((Node *) value);
	guarded->args = list_make1(when);
	guarded->defresult = ai_null_of(value);
	guarded->location = -1;
	return (Node *) guarded;
}

static Expr *
lowered(Arguments *arguments, Var *condition, Expr *value)
{
	/* it is there as it is */
	if (IsA(value, Var) || IsA(value, Const))
		return value;
	return (Expr *) ai_add_column(arguments->values, condition ? under(condition, value) : (Node *) value);
}

static Node *
lowered_function(Node *node, void *context)
{
	Arguments  *arguments = context;
	List	   *list;
	Expr	  **filter;
	Var		   *condition = NULL;
	ListCell   *cell;

	if (!IsA(node, Aggref) && !IsA(node, WindowFunc))
		return NULL;
	node = copyObject(node);
	if (!wants_lifting(node, arguments->windows, &list, &filter))
		return node;
	if (*filter != NULL)
	{
		condition = ai_add_column(arguments->conditions, (Node *) *filter);
		*filter = (Expr *) ai_add_column(arguments->values, (Node *) condition);
	}
	foreach(cell, list)
	{
		if (IsA(lfirst(cell), TargetEntry))
			lfirst_node(TargetEntry, cell)->expr = lowered(arguments, condition, lfirst_node(TargetEntry, cell)->expr);
		else
			lfirst(cell) = lowered(arguments, condition, lfirst(cell));
	}
	return node;
}

/* Does each row lie in the frame of some row, so that its argument is evaluated? */
static bool
frame_has_each_row(const WindowAgg *window)
{
	int			options = window->frameOptions;

	return window->runCondition == NIL &&
		(options & (FRAMEOPTION_START_UNBOUNDED_PRECEDING | FRAMEOPTION_START_CURRENT_ROW)) &&
		(options & (FRAMEOPTION_END_UNBOUNDED_FOLLOWING | FRAMEOPTION_END_CURRENT_ROW)) &&
		!(options & FRAMEOPTION_EXCLUSION);
}

void
ai_lower_arguments(AiRewrite *rewrite, Plan *plan)
{
	Arguments	arguments = {.windows = IsA(plan, WindowAgg) && frame_has_each_row((WindowAgg *) plan)};

	if (IsA(plan, Agg) && (((Agg *) plan)->groupingSets != NIL || ((Agg *) plan)->chain != NIL))
		return;
	arguments_walker((Node *) plan->targetlist, &arguments);
	arguments_walker((Node *) plan->qual, &arguments);
	if (!arguments.found)
		return;
	if (arguments.filters)
		plan->lefttree = arguments.conditions = ai_build_projection(&rewrite->last_id, plan->lefttree, plan->lefttree);
	plan->lefttree = arguments.values = ai_build_projection(&rewrite->last_id, plan->lefttree, plan->lefttree);
	plan->targetlist = (List *) ai_replace((Node *) plan->targetlist, lowered_function, &arguments);
	plan->qual = (List *) ai_replace((Node *) plan->qual, lowered_function, &arguments);
}

/* ---- RETURNING ---- */

Plan *
ai_raise_returning(AiRewrite *rewrite, ModifyTable *plan)
{
	Plan	   *stage;

	if (!ai_contains_call((Node *) plan->plan.targetlist) || list_length(plan->returningLists) != 1 ||
		!bms_is_empty(plan->fdwDirectModifyPlans) || plan->operation == CMD_MERGE)
		return &plan->plan;
	stage = call_above(rewrite, &plan->plan);
	plan->returningLists = list_make1(copyObject(plan->plan.targetlist));
	return stage;
}
