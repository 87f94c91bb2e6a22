/*
 * rewrite.c
 *	  Splices the node of exec/ into finished plans.
 *
 * After the planner is done, every plan node whose target list or filter holds
 * model calls (the host) is given a node above it, which takes these
 * expressions over; the host stays and emits the columns that they are made
 * of.  A network call dwarfs whatever else a plan does, so there is nothing to
 * choose by cost, and one rule covers scans, joins, aggregates, subqueries and
 * what INSERT, UPDATE, DELETE and MERGE read.
 *
 * Arguments of aggregates are evaluated by the Agg node itself.  They are
 * lifted below it: a node between the aggregate and its child adds columns.
 *
 * Filters.  From the first conjunct with a call on, the conjuncts of a filter
 * move up, in their order; the cheap ones before it stay below, so that only
 * rows that survive them cost a call.  Nothing passes a conjunct that stood
 * before it, which a security barrier may depend on.
 *
 * What is above a node tells how far ahead it may work (Above, pace.h).
 *
 * State: none.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "guc.h"
#include "jit/jit.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/planner.h"
#include "plan/correlated.h"
#include "plan/expression.h"
#include "plan/lateral.h"
#include "plan/lift.h"
#include "plan/pullup.h"
#include "plan/rewrite.h"
#include "plan/setreturning.h"
#include "plan/values.h"
#include "plan/walk.h"

/* What the reader of a plan node's rows will do. */
typedef struct Above
{
	bool		early_end;		/* it may stop before the last row */
	bool		exact;			/* what it asks for, it needs */
	bool		run;			/* the executor's row count reaches it */
	Limit	   *limit;			/* whose count reaches it */
	const char *alone;			/* why rows must be read one at a time */
} Above;

typedef struct Rewrite
{
	PlannedStmt *stmt;
	int			last_id;		/* of plan nodes */
	int			n_nodes;		/* spliced */
	Cost		waiting;		/* what the planner took their calls to cost */
	bool		reorders;		/* no row security policy is among the filters */
	SubLinkType *kinds;			/* of the subplans, by their number */
} Rewrite;

static planner_hook_type previous_hook = NULL;

static Plan *rewrite_plan(Rewrite *rewrite, Plan *plan, Above above);

/* ---- looking at a plan ---- */

typedef struct Survey
{
	bool		calls;
	int			last_id;
} Survey;

static void
survey_plan(Plan **plan, void *context)
{
	Survey	   *survey = context;

	survey->calls = survey->calls || ai_node_calls(*plan);
	survey->last_id = Max(survey->last_id, (*plan)->plan_node_id);
	ai_plan_children(*plan, survey_plan, survey);
}

/* ---- building the node ---- */

static bool
is_volatile_limit(const Limit *limit)
{
	return contain_volatile_functions(limit->limitCount) ||
		contain_volatile_functions(limit->limitOffset);
}

static Node *
limit_expression(Node *expression)
{
	return expression ? copyObject(expression)
		: (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), (Datum) 0, true, FLOAT8PASSBYVAL);
}

static Plan *
make_node(Rewrite *rewrite, AiLift *lift, Plan *like, Plan *child, List *targetlist, List *qual,
		  int n_filters, const Above *above)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan	   *plan = &scan->scan.plan;
	Limit	   *limit = above->limit;
	List	   *pace;
	List	   *columns = lift->positions;

	if (limit != NULL && (limit->limitCount == NULL || is_volatile_limit(limit)))
		limit = NULL;
	if (columns == NIL)
	{
		for (int i = 1; i <= list_length(lift->leaves); i++)
			columns = lappend_int(columns, i);
	}
	if (above->alone)
		ai_lift_reason(lift, above->alone);
	pace = list_make3_int(n_filters, above->early_end || (above->limit != NULL && limit == NULL),
						  above->exact);
	pace = lappend_int(pace, above->run);
	pace = lappend_int(pace, limit != NULL);
	pace = lappend_int(pace, above->alone != NULL);
	pace = lappend_int(pace, rewrite->reorders && lift->reorders);

	plan->startup_cost = like->startup_cost;
	plan->total_cost = like->total_cost;
	plan->plan_rows = like->plan_rows;
	plan->plan_width = like->plan_width;
	plan->plan_node_id = ++rewrite->last_id;
	plan->extParam = bms_copy(like->extParam);
	plan->allParam = bms_copy(like->allParam);
	plan->targetlist = targetlist;
	plan->qual = qual;
	plan->lefttree = child;
	scan->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	scan->custom_scan_tlist = ai_lift_scan_tlist(lift);
	scan->custom_exprs = lift->expressions;
	if (limit != NULL)
		scan->custom_exprs = list_concat(list_copy(lift->expressions),
										 list_make2(limit_expression(limit->limitCount),
													limit_expression(limit->limitOffset)));
	scan->custom_private = list_make4(lift->steps, columns, pace, lift->reasons);
	scan->methods = &ai_node_methods;
	rewrite->n_nodes++;
	rewrite->waiting += like->plan_rows * lift->n_calls * AI_CALL_OPERATORS * cpu_operator_cost;
	return plan;
}

/* A target list with the same entries and other expressions. */
static List *
lift_target_list(AiLift *lift, List *targetlist)
{
	List	   *lifted = NIL;
	ListCell   *cell;

	foreach(cell, targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, cell));

		entry->expr = (Expr *) ai_lift_expression(lift, (Node *) entry->expr);
		lifted = lappend(lifted, entry);
	}
	return lifted;
}

/* ---- hosts ---- */

/* Does this kind of plan node evaluate expressions in its target list? */
static bool
is_host(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Result:
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_TableFuncScan:
		case T_ValuesScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_ForeignScan:
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Agg:
		case T_WindowAgg:
		case T_Group:
		case T_Gather:
		case T_GatherMerge:
			return true;
		default:
			return false;
	}
}

/* Splits off the conjuncts from the first with a call on. */
static List *
split_filter(List **qual)
{
	List	   *kept = NIL;
	List	   *moved = NIL;
	ListCell   *cell;

	foreach(cell, *qual)
	{
		if (moved != NIL || ai_contains_call(lfirst(cell)))
			moved = lappend(moved, lfirst(cell));
		else
			kept = lappend(kept, lfirst(cell));
	}
	*qual = kept;
	return moved;
}

/*
 * The filters of a host that move up, in the order in which they are tested.
 * An inner join may test its join condition above itself as well; an outer
 * one may not, and neither may a semijoin.
 */
static List *
take_filters(Plan *host, AiLift *lift)
{
	List	   *moved = NIL;

	if (IsA(host, NestLoop) || IsA(host, MergeJoin) || IsA(host, HashJoin))
	{
		Join	   *join = (Join *) host;

		if (ai_contains_call((Node *) join->joinqual))
		{
			if (join->jointype == JOIN_INNER)
				moved = split_filter(&join->joinqual);
			else
				ai_lift_reason(lift, "the condition of an outer join or of a semijoin");
		}
	}
	if (moved != NIL)
	{
		moved = list_concat(moved, host->qual);
		host->qual = NIL;
		return moved;
	}
	return split_filter(&host->qual);
}

/* A Result that only projects is left out: the node does as much. */
static bool
only_projects(const Plan *host)
{
	return IsA(host, Result) && host->lefttree != NULL && host->qual == NIL && host->initPlan == NIL &&
		((const Result *) host)->resconstantqual == NULL;
}

/* Why a host's calls are made where they stand, if none of them is lifted. */
static const char *
why_none(const Plan *host)
{
	switch (nodeTag(host))
	{
		case T_ValuesScan:
			return "rows of VALUES that are not alike";
		case T_FunctionScan:
			return "a function in FROM evaluates it by itself";
		default:
			return "an aggregate or a window function calls it by itself";
	}
}

static bool
has_set_returning(List *targetlist)
{
	return expression_returns_set((Node *) targetlist);
}

static Plan *
rewrite_host(Rewrite *rewrite, Plan *host, const Above *above)
{
	AiLift		lift = {0};
	List	   *filters = take_filters(host, &lift);
	List	   *targetlist = host->targetlist;
	List	   *quals = NIL;
	Plan	   *child = host;
	ListCell   *cell;

	ai_lift_leaves(&lift, (Node *) filters);
	ai_lift_leaves(&lift, (Node *) targetlist);
	if (only_projects(host))
	{
		child = host->lefttree;
		foreach(cell, lift.leaves)
			lift.positions = lappend_int(lift.positions, lfirst_node(Var, cell)->varattno);
	}
	lift.reorders = filters != NIL;
	foreach(cell, filters)
	{
		lift.reorders = lift.reorders && ai_contains_call(lfirst(cell)) && ai_lift_takes_all(lfirst(cell));
		lift.group = foreach_current_index(cell);
		quals = lappend(quals, ai_lift_filter(&lift, lfirst(cell)));
	}
	lift.group = list_length(filters);
	targetlist = lift_target_list(&lift, targetlist);
	if (lift.n_calls == 0 && lift.reasons == NIL)
		ai_lift_reason(&lift, why_none(host));
	if (child == host)
	{
		host->targetlist = NIL;
		foreach(cell, lift.leaves)
			host->targetlist = lappend(host->targetlist,
									   makeTargetEntry(lfirst(cell), foreach_current_index(cell) + 1, NULL, false));
	}
	return make_node(rewrite, &lift, host, child, targetlist, quals, list_length(filters), above);
}

/*
 * RETURNING: the node stands above the ModifyTable, which emits the columns.
 * Rows that nobody reads any more are changed all the same, and not asked about.
 */
static Plan *
rewrite_returning(Rewrite *rewrite, ModifyTable *host, const Above *above)
{
	AiLift		lift = {0};
	List	   *targetlist = host->plan.targetlist;
	List	   *columns = NIL;
	ListCell   *cell;

	if (!ai_contains_call((Node *) targetlist) || list_length(host->returningLists) != 1 ||
		!bms_is_empty(host->fdwDirectModifyPlans) || host->operation == CMD_MERGE)
		return &host->plan;
	ai_lift_leaves(&lift, (Node *) targetlist);
	foreach(cell, lift.leaves)
		columns = lappend(columns, makeTargetEntry(lfirst(cell), foreach_current_index(cell) + 1, NULL, false));
	if (columns == NIL)
		return &host->plan;
	targetlist = lift_target_list(&lift, targetlist);
	host->plan.targetlist = columns;
	host->returningLists = list_make1(copyObject(columns));
	return make_node(rewrite, &lift, &host->plan, &host->plan, targetlist, NIL, 0, above);
}

/* ---- arguments of aggregates and window functions ---- */

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

/* A column of the node below, once for equal expressions under equal conditions. */
static Node *
argument_column(Arguments *arguments, Node *condition, Node *expression)
{
	List	   *source = list_make2(condition, expression);
	Node	   *lifted;
	ListCell   *cell;
	ListCell   *number;

	forboth(cell, arguments->sources, number, arguments->columns)
	{
		if (equal(lfirst(cell), source))
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

static void
lift_arguments(Rewrite *rewrite, Plan *host, const Above *above)
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
	host->lefttree = make_node(rewrite, &lift, child, child, arguments.targetlist, NIL, 0, above);
}

/* ---- what is above ---- */

/* The reader of a node's outer child, given the node's own. */
static Above
above_outer(const Plan *plan, Above above)
{
	const Above all = {.exact = true,.alone = above.alone};

	switch (nodeTag(plan))
	{
		case T_Sort:
		case T_Hash:
		case T_ModifyTable:
			return all;
		case T_Agg:
			if (((const Agg *) plan)->aggstrategy == AGG_SORTED)
				break;
			return all;
		case T_SetOp:
			if (((const SetOp *) plan)->strategy == SETOP_SORTED)
				break;
			return all;
		case T_Limit:
			above.limit = (Limit *) plan;
			above.exact = true;
			above.run = false;
			return above;
		case T_Material:
		case T_Memoize:
		case T_Append:
		case T_Gather:
			return above;
		case T_SubqueryScan:
		case T_Result:
			above.exact = above.exact && plan->qual == NIL;
			return above;
		case T_LockRows:
			above.exact = false;
			above.alone = "FOR UPDATE or FOR SHARE may check a row again";
			return above;
		case T_HashJoin:

			/*
			 * it may look at one row before it knows that there is no other
			 * side
			 */
			above.early_end = true;
			break;
		case T_MergeJoin:
		case T_ForeignScan:
		case T_CustomScan:
			above.early_end = true;
			break;
		default:
			break;
	}
	above.exact = false;
	return above;
}

static Above
above_inner(const Plan *plan, Above above)
{
	above.exact = false;
	if (IsA(plan, MergeJoin) || IsA(plan, HashJoin))
		above.early_end = true;
	if (IsA(plan, NestLoop))
	{
		const Join *join = (const Join *) plan;

		if (join->inner_unique || join->jointype == JOIN_SEMI || join->jointype == JOIN_ANTI)
			above.early_end = true;
	}
	return above;
}

/* The reader of a subplan. */
static Above
above_subplan(SubLinkType kind)
{
	Above		above = {.exact = true};

	switch (kind)
	{
		case ARRAY_SUBLINK:
		case MULTIEXPR_SUBLINK:
			break;
		case EXISTS_SUBLINK:
		case ALL_SUBLINK:
		case ANY_SUBLINK:
		case ROWCOMPARE_SUBLINK:
		case EXPR_SUBLINK:
		case CTE_SUBLINK:
			above.early_end = true;
			above.exact = false;
			break;
	}
	return above;
}

/* ---- the walk ---- */

typedef struct ChildVisit
{
	Rewrite    *rewrite;
	Above		above;
} ChildVisit;

static void
rewrite_child(Plan **child, void *context)
{
	ChildVisit *visit = context;

	*child = rewrite_plan(visit->rewrite, *child, visit->above);
}

/* One call a row and one row: there is nothing to do beside it. */
static bool
is_single_row(const Plan *plan)
{
	return (IsA(plan, Result) && plan->lefttree == NULL) ||
		(IsA(plan, FunctionScan) && !ai_node_hosts_calls(plan) && bms_is_empty(plan->extParam));
}

static Plan *
rewrite_plan(Rewrite *rewrite, Plan *plan, Above above)
{
	ChildVisit	visit = {.rewrite = rewrite};

	if (plan->righttree != NULL)
	{
		visit.above = above_inner(plan, above);
		rewrite_child(&plan->righttree, &visit);
	}
	visit.above = above_outer(plan, above);
	{
		Plan	   *inner = plan->righttree;

		plan->righttree = NULL;
		ai_plan_children(plan, rewrite_child, &visit);
		plan->righttree = inner;
	}
	if (plan->lefttree != NULL)
		lift_arguments(rewrite, plan, &visit.above);
	if (IsA(plan, ModifyTable))
		return rewrite_returning(rewrite, (ModifyTable *) plan, &above);
	if (!is_host(plan) || !ai_node_calls(plan) || has_set_returning(plan->targetlist))
		return plan;
	if (is_single_row(plan) &&
		ai_count_calls((Node *) plan->targetlist) + ai_count_calls((Node *) plan->qual) < 2)
		return plan;
	return rewrite_host(rewrite, plan, &above);
}

static bool
kinds_walker(Node *node, Rewrite *rewrite)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan))
		rewrite->kinds[((SubPlan *) node)->plan_id - 1] = ((SubPlan *) node)->subLinkType;
	return expression_tree_walker(node, kinds_walker, rewrite);
}

static void
find_kinds(Plan **plan, void *context)
{
	ListCell   *cell;

	foreach(cell, (*plan)->initPlan)
		kinds_walker(lfirst(cell), context);
	ai_plan_children(*plan, find_kinds, context);
}

/*
 * Most of the plan's cost is waiting for models, which compiling its
 * expressions does not shorten: the thresholds are for the rest of it.
 */
static void
reconsider_jit(const Rewrite *rewrite)
{
	Cost		cost = rewrite->stmt->planTree->total_cost - rewrite->waiting;

	if (cost <= jit_above_cost)
		rewrite->stmt->jitFlags = PGJIT_NONE;
	if (cost <= jit_optimize_above_cost)
		rewrite->stmt->jitFlags &= ~PGJIT_OPT3;
	if (cost <= jit_inline_above_cost)
		rewrite->stmt->jitFlags &= ~PGJIT_INLINE;
}

static void
rewrite_statement(PlannedStmt *stmt, int cursor_options)
{
	Survey		survey = {0};
	Rewrite		rewrite = {.stmt = stmt};
	Above		top = {.exact = true,.run = true};
	ListCell   *cell;

	survey_plan(&stmt->planTree, &survey);
	foreach(cell, stmt->subplans)
	{
		if (lfirst(cell) != NULL)
			survey_plan((Plan **) &lfirst(cell), &survey);
	}
	if (!survey.calls)
		return;
	rewrite.last_id = survey.last_id;
	/* a row security policy must see a row before anything else does */
	rewrite.reorders = !stmt->dependsOnRole;
	ai_factor_values(stmt->planTree);
	stmt->planTree = ai_flatten_laterals(stmt->planTree);
	ai_lift_correlated(stmt, &rewrite.last_id);
	ai_lift_set_arguments(stmt, stmt->planTree, &rewrite.last_id);
	foreach(cell, stmt->subplans)
	{
		if (lfirst(cell) == NULL)
			continue;
		ai_factor_values(lfirst(cell));
		lfirst(cell) = ai_flatten_laterals(lfirst(cell));
		ai_lift_set_arguments(stmt, lfirst(cell), &rewrite.last_id);
	}
	if (rewrite.reorders)
	{
		ai_pull_up_filters(stmt->planTree);
		foreach(cell, stmt->subplans)
			ai_pull_up_filters(lfirst(cell));
	}
	/* a subplan whose kind is not found may end early */
	rewrite.kinds = palloc(sizeof(SubLinkType) * Max(list_length(stmt->subplans), 1));
	for (int i = 0; i < list_length(stmt->subplans); i++)
		rewrite.kinds[i] = EXPR_SUBLINK;
	find_kinds(&stmt->planTree, &rewrite);
	foreach(cell, stmt->subplans)
	{
		if (lfirst(cell) != NULL)
			find_kinds((Plan **) &lfirst(cell), &rewrite);
	}
	stmt->planTree = rewrite_plan(&rewrite, stmt->planTree, top);
	foreach(cell, stmt->subplans)
	{
		if (lfirst(cell) != NULL)
			lfirst(cell) = rewrite_plan(&rewrite, lfirst(cell),
										above_subplan(rewrite.kinds[foreach_current_index(cell)]));
	}
	reconsider_jit(&rewrite);
	/* the planner looked before the node was there */
	if (rewrite.n_nodes > 0 && (cursor_options & CURSOR_OPT_SCROLL) &&
		!ExecSupportsBackwardScan(stmt->planTree))
	{
		stmt->planTree = materialize_finished_plan(stmt->planTree);
		stmt->planTree->plan_node_id = ++rewrite.last_id;
	}
}

static PlannedStmt *
plan_statement(Query *parse, const char *query_string, int cursor_options, ParamListInfo parameters)
{
	PlannedStmt *stmt = previous_hook
		? previous_hook(parse, query_string, cursor_options, parameters)
		: standard_planner(parse, query_string, cursor_options, parameters);

	if (ai_guc_concurrent && stmt->commandType != CMD_UTILITY)
		rewrite_statement(stmt, cursor_options);
	return stmt;
}

void
ai_rewrite_init(void)
{
	previous_hook = planner_hook;
	planner_hook = plan_statement;
}
