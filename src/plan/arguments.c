/*
 * arguments.c
 *	  Calls in the arguments of aggregates and window functions (arguments.h).
 *
 * These are evaluated by the Agg or the WindowAgg itself.  They are lifted below
 * it: the node between it and its child adds columns, each guarded by the
 * function's FILTER, and the function reads them.
 *
 * What stays: grouping sets, which read a row several times; partial
 * aggregates; and window functions whose frame may leave a row out, whose
 * argument is then never evaluated.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/arguments.h"
#include "plan/expression.h"
#include "plan/lift.h"

typedef struct Arguments
{
	AiLift	   *lift;
	List	   *targetlist;		/* of the node below: the child's columns
								 * first */
	List	   *conditions;		/* lifted already: expressions, */
	List	   *registers;		/* and what they became */
	List	   *sources;		/* of the columns added: condition and
								 * expression */
	List	   *columns;		/* and their numbers */
	bool		windows;		/* window functions may be lifted */
	bool		found;
} Arguments;

static bool
wants_lifting(Node *node, bool windows)
{
	if (IsA(node, Aggref))
	{
		Aggref	   *aggref = (Aggref *) node;

		return aggref->aggsplit == AGGSPLIT_SIMPLE &&
			(ai_contains_call((Node *) aggref->args) || ai_contains_call((Node *) aggref->aggfilter));
	}
	if (IsA(node, WindowFunc) && windows)
	{
		WindowFunc *function = (WindowFunc *) node;

		return function->winagg &&
			(ai_contains_call((Node *) function->args) || ai_contains_call((Node *) function->aggfilter));
	}
	return false;
}

/* Announces what the arguments to lift are made of; notes whether there are any. */
static bool
arguments_walker(Node *node, Arguments *arguments)
{
	if (node == NULL)
		return false;
	if (wants_lifting(node, arguments->windows))
	{
		arguments->found = true;
		ai_lift_leaves(arguments->lift, IsA(node, Aggref) ? (Node *) ((Aggref *) node)->args
					   : (Node *) ((WindowFunc *) node)->args);
		ai_lift_leaves(arguments->lift, IsA(node, Aggref) ? (Node *) ((Aggref *) node)->aggfilter
					   : (Node *) ((WindowFunc *) node)->aggfilter);
		return false;
	}
	if (IsA(node, Aggref) || IsA(node, WindowFunc))
		return false;
	return expression_tree_walker(node, arguments_walker, arguments);
}

/*
 * A column of the node below, once for equal expressions under equal conditions,
 * if they are sure to have equal values.
 */
static Node *
argument_column(Arguments *arguments, Node *condition, Node *expression)
{
	List	   *source = list_make2(condition, expression);
	Node	   *lifted;
	ListCell   *cell;
	ListCell   *number;

	forboth(cell, arguments->sources, number, arguments->columns)
	{
		if (equal(lfirst(cell), source) && !ai_contains_call((Node *) source) && !ai_is_volatile((Node *) source))
			return (Node *) makeVar(OUTER_VAR, lfirst_int(number), exprType(expression),
									exprTypmod(expression), exprCollation(expression), 0);
	}
	if (condition == NULL)
		lifted = ai_lift_expression(arguments->lift, expression);
	else
	{
		lifted = NULL;
		forboth(cell, arguments->conditions, number, arguments->registers)
		{
			if (equal(lfirst(cell), condition))
				lifted = lfirst(number);
		}
		if (lifted == NULL)
		{
			lifted = ai_lift_condition(arguments->lift, condition);
			arguments->conditions = lappend(arguments->conditions, condition);
			arguments->registers = lappend(arguments->registers, lifted);
		}
		lifted = expression == condition ? copyObject(lifted)
			: ai_lift_guarded(arguments->lift, lifted, expression);
	}
	arguments->targetlist = lappend(arguments->targetlist,
									makeTargetEntry((Expr *) lifted, list_length(arguments->targetlist) + 1, NULL, false));
	arguments->sources = lappend(arguments->sources, source);
	arguments->columns = lappend_int(arguments->columns, list_length(arguments->targetlist));
	return (Node *) makeVar(OUTER_VAR, list_length(arguments->targetlist), exprType(expression),
							exprTypmod(expression), exprCollation(expression), 0);
}

static Node *
arguments_mutator(Node *node, Arguments *arguments)
{
	ListCell   *cell;

	if (node == NULL)
		return NULL;
	if (IsA(node, Aggref) && wants_lifting(node, false))
	{
		Aggref	   *aggref = copyObject((Aggref *) node);
		Node	   *filter = (Node *) aggref->aggfilter;

		foreach(cell, aggref->args)
		{
			TargetEntry *entry = lfirst_node(TargetEntry, cell);

			entry->expr = (Expr *) argument_column(arguments, filter, (Node *) entry->expr);
		}
		if (filter != NULL)
			aggref->aggfilter = (Expr *) argument_column(arguments, filter, filter);
		return (Node *) aggref;
	}
	if (IsA(node, WindowFunc) && wants_lifting(node, arguments->windows))
	{
		WindowFunc *function = copyObject((WindowFunc *) node);
		Node	   *filter = (Node *) function->aggfilter;

		foreach(cell, function->args)
			lfirst(cell) = argument_column(arguments, filter, lfirst(cell));
		if (filter != NULL)
			function->aggfilter = (Expr *) argument_column(arguments, filter, filter);
		return (Node *) function;
	}
	if (IsA(node, Aggref) || IsA(node, WindowFunc))
		return node;
	return expression_tree_mutator(node, arguments_mutator, arguments);
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
ai_lift_arguments(AiRewrite *rewrite, Plan *host, const AiAbove *above)
{
	AiLift		lift = {0};
	Arguments	arguments = {.lift = &lift};
	Plan	   *child = host->lefttree;
	List	   *columns = NIL;
	ListCell   *cell;

	if (IsA(host, Agg) && (((Agg *) host)->groupingSets != NIL || ((Agg *) host)->chain != NIL))
		return;
	if (!IsA(host, Agg) && !IsA(host, WindowAgg))
		return;
	arguments.windows = IsA(host, WindowAgg) && frame_has_each_row((WindowAgg *) host);
	foreach(cell, child->targetlist)
	{
		Node	   *expression = (Node *) lfirst_node(TargetEntry, cell)->expr;

		columns = lappend(columns, makeVar(OUTER_VAR, foreach_current_index(cell) + 1, exprType(expression),
										   exprTypmod(expression), exprCollation(expression), 0));
	}
	ai_lift_leaves(&lift, (Node *) columns);
	arguments_walker((Node *) host->targetlist, &arguments);
	arguments_walker((Node *) host->qual, &arguments);
	if (!arguments.found)
		return;
	foreach(cell, lift.leaves)
		lift.positions = lappend_int(lift.positions, lfirst_node(Var, cell)->varattno);
	foreach(cell, columns)
	{
		TargetEntry *entry = flatCopyTargetEntry(list_nth_node(TargetEntry, child->targetlist,
															   foreach_current_index(cell)));

		entry->expr = (Expr *) ai_lift_expression(&lift, lfirst(cell));
		arguments.targetlist = lappend(arguments.targetlist, entry);
	}
	host->targetlist = (List *) arguments_mutator((Node *) host->targetlist, &arguments);
	host->qual = (List *) arguments_mutator((Node *) host->qual, &arguments);
	host->lefttree = ai_build_node(rewrite, &lift, child, child, arguments.targetlist, NIL, 0, above);
}
