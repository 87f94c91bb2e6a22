/*
 * rewrite.c
 *	  Splices the node of exec/ into finished plans.
 *
 * The story of a statement.  planner_hook changes what it may before (query.h) and
 * has it planned as ever (plan_statement); all below works on the finished plan,
 * subplans first.
 *	1. Is there a model call at all (survey_plan)?  Else nothing more is done.
 *	2. What other nodes evaluate themselves is moved to where it can be lifted, by rules
 *	   that look at one node (move_calls): VALUES (values.h), correlated subqueries
 *	   (correlated.h), loops (flatten.h), parts of partitioned tables (append.h), arguments
 *	   of sets, aggregates and windows, RETURNING (lower.h), columns and filters
 *	   (raise.h).
 *	3. How each subplan is read is found out (find_kinds).
 *	4. Every plan node whose target list or filter holds model calls (the host) is
 *	   given a node above it, which takes these expressions over (splice_nodes,
 *	   stage.h, lift.h, build.h); the host stays and emits the columns that they are
 *	   made of.  Beside that: actions of MERGE (modify.h).
 *	   What a host's surroundings know of it follows it (capability.h).
 *	5. What the planner decided by the plan's cost is decided anew: JIT.
 *
 * A network call dwarfs whatever else a plan does, so there is nothing to
 * choose by cost, and one rule covers scans, joins, aggregates, subqueries and
 * what INSERT, UPDATE, DELETE and MERGE read.
 *
 * Filters.  From the first conjunct with a call on, the conjuncts of a filter
 * move up, in their order; the cheap ones before it stay below, so that only
 * rows that survive them cost a call.  Nothing passes a conjunct that stood
 * before it, which a security barrier may depend on.
 *
 * What is above a node tells how far ahead it may work (above.h, pace.h).
 *
 * Memory: all of it in the planner's context.  Who may throw: what looks at
 * pg_proc and types may.  Locks: none.  State: none but the hook before ours.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "jit/jit.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/planner.h"
#include "pg/guc.h"
#include "plan/append.h"
#include "plan/build.h"
#include "plan/capability.h"
#include "plan/check.h"
#include "plan/correlated.h"
#include "plan/expression.h"
#include "plan/lift.h"
#include "plan/flatten.h"
#include "plan/lower.h"
#include "plan/modify.h"
#include "plan/query.h"
#include "plan/raise.h"
#include "plan/rewrite.h"
#include "plan/stage.h"
#include "plan/values.h"
#include "plan/walk.h"

static planner_hook_type previous_hook = NULL;

static Plan *rewrite_plan(AiRewrite *rewrite, Plan *plan, AiAbove above);

/* ---- looking at a plan ---- */

typedef struct Survey
{
	bool		calls;
	int			last_id;
	Bitmapset  *initplans;
} Survey;

static void
survey_nodes(Plan **plan, void *context)
{
	Survey	   *survey = context;
	ListCell   *cell;
	ListCell   *parameter;

	foreach(cell, (*plan)->initPlan)
	{
		foreach(parameter, lfirst_node(SubPlan, cell)->setParam)
			survey->initplans = bms_add_member(survey->initplans, lfirst_int(parameter));
	}
	survey->calls = survey->calls || ai_node_calls(*plan);
	survey->last_id = Max(survey->last_id, (*plan)->plan_node_id);
	ai_plan_children(*plan, survey_nodes, survey);
}

/* The main plan's number is 0, as that of no subplan is. */
#define MAIN_PLAN	0

typedef void (*PlanVisit) (Plan **plan, int id, void *context);

/*
 * The subplans and then the main plan: a plan refers to subplans that are
 * before it in the list.  Subplans that a visit to the main plan adds are not
 * visited.  Where the planner has found that it does not need one, there is a
 * NULL.
 */
static void
each_plan(PlannedStmt *stmt, PlanVisit visit, void *context)
{
	ListCell   *cell;

	foreach(cell, stmt->subplans)
	{
		if (lfirst(cell) != NULL)
			visit((Plan **) &lfirst(cell), foreach_current_index(cell) + 1, context);
	}
	visit(&stmt->planTree, MAIN_PLAN, context);
}

static void
survey_plan(Plan **plan, int id, void *context)
{
	survey_nodes(plan, context);
}

/* ---- the walk ---- */

typedef struct ChildVisit
{
	AiRewrite  *rewrite;
	AiAbove		above;
} ChildVisit;

static void
rewrite_child(Plan **child, void *context)
{
	ChildVisit *visit = context;

	*child = rewrite_plan(visit->rewrite, *child, visit->above);
}

/* Each part's rows come behind those of the parts before it. */
static void
rewrite_parts(AiRewrite *rewrite, Append *append, AiAbove above)
{
	ListCell   *cell;
	List	   *done = NIL;

	foreach(cell, append->appendplans)
	{
		lfirst(cell) = rewrite_plan(rewrite, lfirst(cell), ai_above_next_part(above, done));
		done = lappend(done, lfirst(cell));
	}
}

/* One call a row and one row: there is nothing to do beside it. */
static bool
is_single_row(const Plan *plan)
{
	return (IsA(plan, Result) && plan->lefttree == NULL) ||
		(IsA(plan, FunctionScan) && !ai_node_hosts_calls(plan) && bms_is_empty(plan->extParam));
}

static void
rewrite_children(AiRewrite *rewrite, Plan *plan, AiAbove above)
{
	ChildVisit	visit = {.rewrite = rewrite};

	if (plan->righttree != NULL)
	{
		visit.above = ai_above_inner(plan, above);
		rewrite_child(&plan->righttree, &visit);
		plan->righttree = ai_capability_markable(plan, plan->righttree, &rewrite->last_id);
	}
	visit.above = ai_above_outer(plan, above);
	if (IsA(plan, Append))
		rewrite_parts(rewrite, (Append *) plan, visit.above);
	else
	{
		Plan	   *inner = plan->righttree;

		plan->righttree = NULL;
		ai_plan_children(plan, rewrite_child, &visit);
		plan->righttree = inner;
	}
}

static Plan *
rewrite_modify(AiRewrite *rewrite, ModifyTable *plan, AiAbove above)
{
	const char *reason = ai_lift_actions(rewrite, plan);
	Plan	  **child = &plan->plan.lefttree;
	AiAbove		reader = ai_above_outer(&plan->plan, above);

	rewrite_children(rewrite, &plan->plan, above);
	/* a row alone has no others to wait beside */
	if (reason != NULL && !is_single_row(*child))
		*child = ai_build_note(rewrite, *child, reason, &reader);
	return &plan->plan;
}

static Plan *
rewrite_plan(AiRewrite *rewrite, Plan *plan, AiAbove above)
{
	Plan	   *bottom = ai_chain_bottom(plan);
	AiAbove		reader = above;

	if (IsA(plan, ModifyTable))
		return rewrite_modify(rewrite, (ModifyTable *) plan, above);
	if (bottom == plan && is_single_row(plan) &&
		ai_count_calls((Node *) plan->targetlist) + ai_count_calls((Node *) plan->qual) < 2)
		bottom = NULL;
	if (bottom == NULL)
	{
		/* what it calls by itself needs a reason */
		rewrite_children(rewrite, plan, above);
		return plan;
	}
	for (Plan *stage = plan; stage != bottom; stage = stage->lefttree)
		reader = ai_above_outer(stage, reader);
	rewrite_children(rewrite, bottom, reader);
	return ai_collapse_chain(rewrite, plan, &above);
}

static bool
kinds_walker(Node *node, AiRewrite *rewrite)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan))
		rewrite->kinds[((SubPlan *) node)->plan_id - 1] = ((SubPlan *) node)->subLinkType;
	return expression_tree_walker(node, kinds_walker, rewrite);
}

static void
find_kinds_in_nodes(Plan **plan, void *context)
{
	ListCell   *cell;

	foreach(cell, (*plan)->initPlan)
		kinds_walker(lfirst(cell), context);
	ai_plan_children(*plan, find_kinds_in_nodes, context);
}

static void
find_kinds(Plan **plan, int id, void *context)
{
	find_kinds_in_nodes(plan, context);
}

static void
splice_nodes(Plan **plan, int id, void *context)
{
	AiRewrite  *rewrite = context;

	*plan = rewrite_plan(rewrite, *plan, id == MAIN_PLAN ? ai_above_top() : ai_above_subplan(rewrite->kinds[id - 1]));
}

/* ---- the rules before it ---- */

typedef struct Moves
{
	AiRewrite  *rewrite;
	bool		in_subplan;
} Moves;

static Plan *
move_at_loop(AiRewrite *rewrite, NestLoop *loop)
{
	Plan	   *plan = ai_flatten_loop(rewrite, loop);

	if (plan == (Plan *) loop && IsA(plan->righttree, FunctionScan))
		ai_lower_set_in_loop(rewrite, loop);
	return plan;
}

/* What a kind of node does by itself. */
static Plan *
move_by_kind(AiRewrite *rewrite, Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_ValuesScan:
			return ai_factor_values(rewrite, (ValuesScan *) plan);
		case T_SubqueryScan:
			return ai_read_subquery(rewrite, (SubqueryScan *) plan);
		case T_NestLoop:
			return move_at_loop(rewrite, (NestLoop *) plan);
		case T_Append:
		case T_MergeAppend:
			return rewrite->for_cursor ? plan : ai_unite_parts(rewrite, plan);
		case T_Result:
			return rewrite->for_cursor ? ai_divide_stage(rewrite, plan) : plan;
		case T_ProjectSet:
			return ai_lower_project_set(rewrite, plan);
		case T_Agg:
		case T_WindowAgg:
			ai_lower_arguments(rewrite, plan);
			return plan;
		case T_Limit:
			/* all rows are sorted, and few may be read */
			plan->lefttree = ai_raise_above(rewrite, plan->lefttree);
			return plan;
		case T_LockRows:
			return ai_raise_above(rewrite, plan);
		case T_ModifyTable:
			return ai_raise_returning(rewrite, (ModifyTable *) plan);
		default:
			return plan;
	}
}

/*
 * Brings calls to where they can be lifted, before nodes are spliced in: by rules
 * that look at one node, when its children are done.  First what was a reference
 * to a subquery becomes an expression that calls, or columns; then comes what
 * the kind of node does; then it computes what its children's columns call for, and
 * tests their filters: columns first, for a filter does not leave a node that
 * computes some for the rows that pass.
 */
static void
move_calls(Plan **plan, void *context)
{
	const Moves *moves = context;
	AiRewrite  *rewrite = moves->rewrite;

	ai_plan_children(*plan, move_calls, context);
	ai_lift_correlated(rewrite, *plan, moves->in_subplan);
	*plan = ai_set_by_stages(rewrite, *plan);
	*plan = move_by_kind(rewrite, *plan);
	*plan = ai_raise_columns(rewrite, *plan);
	if (rewrite->reorders && ai_plan_is(*plan, AI_IS_JOIN))
		ai_raise_filters(rewrite, *plan);
}

/* A plan is done before one that refers to it is looked at. */
static void
move_in_plan(Plan **plan, int id, void *context)
{
	Moves		moves = {.rewrite = context,.in_subplan = id != MAIN_PLAN};

	move_calls(plan, &moves);
}

/*
 * Most of the plan's cost is waiting for models, which compiling its
 * expressions does not shorten: the thresholds are for the rest of it.
 */
static void
reconsider_jit(const AiRewrite *rewrite)
{
	Cost		cost = rewrite->stmt->planTree->total_cost - rewrite->waiting;

	if (cost <= jit_above_cost)
		rewrite->stmt->jitFlags = PGJIT_NONE;
	if (cost <= jit_optimize_above_cost)
		rewrite->stmt->jitFlags &= ~PGJIT_OPT3;
	if (cost <= jit_inline_above_cost)
		rewrite->stmt->jitFlags &= ~PGJIT_INLINE;
}

/*
 * Must a filter see a row before anything else does?  A row security policy
 * must, of which the query tells and the plan does not, and that of a view with
 * security_barrier.  A function that was inlined with a policy makes the plan
 * depend on the role.
 */
static bool
hides_rows(const PlannedStmt *stmt, bool has_policies)
{
	ListCell   *cell;

	foreach(cell, stmt->rtable)
	{
		if (lfirst_node(RangeTblEntry, cell)->security_barrier)
			return true;
	}
	return has_policies || stmt->dependsOnRole;
}

static void
rewrite_statement(PlannedStmt *stmt, int cursor_options, bool has_policies)
{
	Survey		survey = {0};
	AiRewrite	rewrite = {.stmt = stmt};

	each_plan(stmt, survey_plan, &survey);
	if (!survey.calls)
		return;
	rewrite.last_id = survey.last_id;
	rewrite.initplans = survey.initplans;
	rewrite.reorders = !hides_rows(stmt, has_policies);
	rewrite.for_cursor = (cursor_options & CURSOR_OPT_FAST_PLAN) != 0;
	each_plan(stmt, move_in_plan, &rewrite);
	/* a subplan whose kind is not found may end early */
	rewrite.kinds = palloc(sizeof(SubLinkType) * Max(list_length(stmt->subplans), 1));
	for (int i = 0; i < list_length(stmt->subplans); i++)
		rewrite.kinds[i] = EXPR_SUBLINK;
	each_plan(stmt, find_kinds, &rewrite);
	each_plan(stmt, splice_nodes, &rewrite);
	reconsider_jit(&rewrite);
#ifdef AI_CHECKS_PLANS
	ai_check_plans(stmt);
#endif
}

static PlannedStmt *
plan_statement(Query *parse, const char *query_string, int cursor_options, ParamListInfo parameters)
{
	PlannedStmt *stmt;
	bool		has_policies = parse->hasRowSecurity;

	if (ai_guc_concurrent)
		ai_prepare_query(parse);
	stmt = previous_hook
		? previous_hook(parse, query_string, cursor_options, parameters)
		: standard_planner(parse, query_string, cursor_options, parameters);

	if (ai_guc_concurrent && stmt->commandType != CMD_UTILITY)
		rewrite_statement(stmt, cursor_options, has_policies);
	return stmt;
}

void
ai_rewrite_init(void)
{
	previous_hook = planner_hook;
	planner_hook = plan_statement;
}
