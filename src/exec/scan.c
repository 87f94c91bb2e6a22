/*
 * scan.c
 *	  The plan node that keeps many model calls under way (node.h): its life as
 *	  a CustomScan, and the loop that fills and empties its ring of rows.
 *
 * Who calls.  The executor alone: begin() makes the steps out of what plan/ wrote
 * (node.h), with a site for each place that calls, and finds the statement's
 * jobs (statement.h); next() is asked for each row; rescan() drops the rows
 * that are held and begins anew; end() drops them.
 *
 * The loop, in next().  1. The row that was emitted last is recycled, with what
 * the reader looked at.  2. What has arrived moves on the rows that asked for
 * it.  3. Rows are taken from the child while there is room: for requests
 * (ai_gateway.max_in_flight), for rows (pace.h), and for memory (work_mem);
 * at least one.  Each does what it can at once (program.h) and waits for its calls.
 * 4. The oldest row is emitted when it is ready, so that rows leave in the order
 * in which they came; one that a filter dropped is recycled; else the node
 * waits for calls (job.h), and is at 2 again.
 *
 * Errors.  A call that failed, and an expression that raised, are put off until
 * their row's turn comes: it is the oldest.
 *
 * Nesting.  The child may hold a node like this one, and an argument may call
 * a model by itself: whoever waits moves all calls of the backend, and a node
 * finds what has arrived for it in a list of its own.
 *
 * Memory.  The node and its sites are the executor's (es_query_cxt), rows live in a
 * context of the node's below it; jobs and calls are the statement's.
 *
 * The end.  The statement's calls end with the executor's memory, in whatever
 * way that ends.  There is no shutdown: the executor asks for that after each
 * FETCH too, when the rows held here are still to come.
 *
 * Who may throw: all of it.  Locks: none.  State: none but the nodes themselves.
 */
#include "postgres.h"

#include "exec/explain.h"
#include "exec/program.h"
#include "exec/callee.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "pg/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static Node *create_state(CustomScan *scan);
static void begin(CustomScanState *state, EState *estate, int eflags);
static TupleTableSlot *next(CustomScanState *state);
static void end(CustomScanState *state);
static void rescan(CustomScanState *state);
static void explain(CustomScanState *state, List *ancestors, ExplainState *es);

const CustomScanMethods ai_node_methods = {
	.CustomName = "AiCalls",
	.CreateCustomScanState = create_state,
};

static const CustomExecMethods exec_methods = {
	.CustomName = "AiCalls",
	.BeginCustomScan = begin,
	.ExecCustomScan = next,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain,
};

void
ai_node_init(void)
{
	RegisterCustomScanMethods(&ai_node_methods);
	ai_pace_init();
}

static Node *
create_state(CustomScan *scan)
{
	AiNodeState *node = (AiNodeState *) newNode(sizeof(AiNodeState), T_CustomScanState);

	node->custom.methods = &exec_methods;
	return (Node *) node;
}

/* ---- beginning ---- */

/*
 * A function that only the executor can call is an expression like others, and no
 * row is worked on ahead, as it calls at once.
 */
static void
find_callee(AiNodeState *node, AiStep *step)
{
	FuncExpr   *call = castNode(FuncExpr, step->source);

	step->site = ai_callee_site(call);
	if (step->site != NULL)
		return;
	step->kind = AI_STEP_VALUE;
	node->pace.alone = true;
	node->reasons = lappend(node->reasons,
							makeString(psprintf("%s has settings or an owner's rights", get_func_name(call->funcid))));
}

static void
make_expressions(AiNodeState *node, AiStep *step, Expr *expression)
{
	FuncExpr   *call;

	step->source = expression;
	if (step->kind == AI_STEP_CALL)
		find_callee(node, step);
	ai_step_make(step, &node->custom.ss.ps);
	switch (step->kind)
	{
		case AI_STEP_VALUE:
			ai_risk_add(&step->risk, (Node *) expression);
			get_typlenbyval(exprType((Node *) expression), &step->typlen, &step->typbyval);
			break;
		case AI_STEP_FILTER:
			ai_risk_add(&step->risk, (Node *) expression);
			break;
		case AI_STEP_CALL:
			call = castNode(FuncExpr, expression);
			get_typlenbyval(call->funcresulttype, &step->typlen, &step->typbyval);
			ai_risk_add(&step->risk, (Node *) call->args);
			break;
	}
}

/* The registers that an expression reads, as a set of attribute numbers. */
static bool
registers_walker(Node *expression, Bitmapset **attributes)
{
	if (expression == NULL)
		return false;
	if (IsA(expression, Var))
	{
		*attributes = bms_add_member(*attributes, ((Var *) expression)->varattno);
		return false;
	}
	return expression_tree_walker(expression, registers_walker, attributes);
}

static void
find_needs(AiNodeState *node, int n, Expr *expression)
{
	AiStep	   *step = &node->steps[n];
	Bitmapset  *attributes = NULL;

	registers_walker((Node *) expression, &attributes);
	for (int i = 0; i < step->n_guards; i++)
		attributes = bms_add_member(attributes, step->guards[i].attribute + 1);
	step->needs = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (node->steps[i].attribute >= 0 && bms_is_member(node->steps[i].attribute + 1, attributes))
			step->needs[step->n_needs++] = i;
	}
}

static void
make_step(AiNodeState *node, int n, List *description, List *origin, Expr *expression)
{
	AiStep	   *step = &node->steps[n];
	ListCell   *cell;

	step->kind = list_nth_int(description, 0);
	step->attribute = list_nth_int(description, 1) - 1;
	step->group = list_nth_int(description, 2);
	step->n_guards = (list_length(description) - AI_STEP_GUARDS) / 2;
	step->guards = palloc(sizeof(AiGuard) * Max(step->n_guards, 1));
	for (int i = 0; i < step->n_guards; i++)
	{
		step->guards[i].attribute = list_nth_int(description, AI_STEP_GUARDS + 2 * i) - 1;
		step->guards[i].test = list_nth_int(description, AI_STEP_GUARDS + 2 * i + 1);
	}
	make_expressions(node, step, expression);
	if (step->site != NULL)
		step->site->remembers = list_nth_int(description, 3);
	step->origin = palloc(sizeof(int) * Max(list_length(origin), 1));
	foreach(cell, origin)
		step->origin[step->n_origin++] = lfirst_int(cell) - 1;
	if (step->site != NULL)
		step->site->has_origin = origin != NIL;
	find_needs(node, n, expression);
}

static AiPaceLimit *
make_limits(AiNodeState *node, List *expressions, int n)
{
	AiPaceLimit *limits = palloc0(sizeof(AiPaceLimit) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		limits[i].count_expression = ExecInitExpr(list_nth(expressions, 2 * i), &node->custom.ss.ps);
		limits[i].offset_expression = ExecInitExpr(list_nth(expressions, 2 * i + 1), &node->custom.ss.ps);
	}
	return limits;
}

static void
make_pace(AiNodeState *node, CustomScan *scan, EState *estate)
{
	AiPace	   *pace = &node->pace;
	List	   *parts = list_nth(scan->custom_private, AI_NODE_PACE);
	List	   *before = list_nth(scan->custom_private, AI_NODE_BEFORE);
	List	   *limits = list_copy_tail(scan->custom_exprs, node->n_steps);
	ListCell   *cell;

	node->n_filters = list_nth_int(parts, AI_PACE_FILTERS);
	node->order = palloc(sizeof(int) * Max(node->n_filters, 1));
	for (int i = 0; i < node->n_filters; i++)
		node->order[i] = i;
	node->reorders = list_nth_int(parts, AI_PACE_REORDERS) && node->n_filters > 1;
	pace->filters = node->n_filters > 0;
	pace->early_end = list_nth_int(parts, AI_PACE_EARLY_END);
	pace->run = list_nth_int(parts, AI_PACE_RUN);
	/* a recheck of one row (EvalPlanQual) has no other to run ahead with */
	pace->alone = pace->alone || list_nth_int(parts, AI_PACE_ALONE) || estate->es_epq_active != NULL;
	pace->n_counted = list_nth_int(parts, AI_PACE_COUNTED);
	pace->counted = make_limits(node, limits, pace->n_counted);
	pace->ties = list_nth_int(parts, AI_PACE_TIES);
	pace->n_far = list_nth_int(parts, AI_PACE_FAR);
	pace->far = make_limits(node, list_copy_tail(limits, 2 * pace->n_counted), pace->n_far);
	pace->before = palloc(sizeof(AiPace *) * Max(list_length(before), 1));
	foreach(cell, before)
	{
		AiPace	   *other = ai_statement_pace(estate, lfirst_int(cell));

		/* pruned when the plan began to run, it gives no rows */
		if (other != NULL)
			pace->before[pace->n_before++] = other;
	}
	ai_statement_add_pace(estate, scan->scan.plan.plan_node_id, pace);
}

/* A reader that goes back does so in what was kept, and not in the child. */
static void
make_child(AiNodeState *node, EState *estate, int eflags)
{
	ScanState  *scan = &node->custom.ss;

	if (eflags & EXEC_FLAG_BACKWARD)
	{
		node->history = ai_history_create(scan->ss_ScanTupleSlot);
		eflags &= ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_REWIND);
	}
	outerPlanState(scan) = ExecInitNode(outerPlan(scan->ps.plan), estate, eflags);
	if (!list_nth_int(list_nth(((CustomScan *) scan->ps.plan)->custom_private, AI_NODE_PACE), AI_PACE_JOINS))
		node->source = ai_position_source(outerPlanState(scan));
	if (node->source != NULL)
		scan->ss_currentRelation = node->source->ss_currentRelation;
}

static void
begin(CustomScanState *state, EState *estate, int eflags)
{
	AiNodeState *node = (AiNodeState *) state;
	CustomScan *scan = (CustomScan *) state->ss.ps.plan;
	List	   *steps = list_nth(scan->custom_private, AI_NODE_STEPS);
	List	   *columns = list_nth(scan->custom_private, AI_NODE_COLUMNS);
	List	   *origins = list_nth(scan->custom_private, AI_NODE_ORIGINS);
	ListCell   *cell;

	node->reasons = list_copy(list_nth(scan->custom_private, AI_NODE_REASONS));
	make_child(node, estate, eflags);
	node->n_columns = list_length(columns);
	node->columns = palloc(sizeof(int) * Max(node->n_columns, 1));
	foreach(cell, columns)
		node->columns[foreach_current_index(cell)] = lfirst_int(cell);
	node->n_attributes = list_length(scan->custom_scan_tlist);
	node->n_steps = list_length(steps);
	node->steps = palloc0(sizeof(AiStep) * Max(node->n_steps, 1));
	foreach(cell, steps)
	{
		int			n = foreach_current_index(cell);

		make_step(node, n, lfirst(cell), list_nth(origins, n), list_nth(scan->custom_exprs, n));
	}
	make_pace(node, scan, estate);
	dlist_init(&node->rows);
	dlist_init(&node->free);
	dlist_init(&node->ready);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	node->jobs = ai_statement_jobs(estate);
	node->context = AllocSetContextCreate(estate->es_query_cxt, "ai_gateway rows",
										  ALLOCSET_DEFAULT_SIZES);
}

/* ---- the loop ---- */

/*
 * How many rows the ring may hold when nothing else bounds it: enough for all
 * the requests that may be under way, and some that are done.
 */
static int
most_rows(const AiNodeState *node)
{
	return node->jobs->window->max_in_flight * Max(4, node->jobs->jobs_per_call);
}

/* What rows, requests and replies hold is bounded together. */
static bool
has_memory(const AiNodeState *node)
{
	return node->bytes + node->jobs->window->bytes < (Size) work_mem * 1024;
}

static void
fill(AiNodeState *node)
{
	EState	   *estate = node->custom.ss.ps.state;
	PlanState  *child = outerPlanState(&node->custom);

	while (!node->child_done &&
		   ai_pace_allows(&node->pace, estate, node->n_rows, most_rows(node)) &&
		   (node->n_rows == 0 || (ai_window_has_room(node->jobs->window) && has_memory(node))))
	{
		TupleTableSlot *slot = ExecProcNode(child);

		ai_window_progress();
		if (TupIsNull(slot))
			node->child_done = true;
		else
		{
			AiRow	   *row = ai_row_add(node, slot);

			/*
			 * alone it has its turn, but might ask in an order that costs
			 * more
			 */
			ai_row_work(node, row, node->n_rows == 1 && !node->reorders);
		}
	}
}

static void
wait_for_calls(AiNodeState *node)
{
	double		start = ai_now_ms();

	ai_row_rank_filters(node);
	ai_jobs_wait(node->jobs, node->child_done);
	node->waited_ms += ai_now_ms() - start;
}

static void
start(AiNodeState *node)
{
	if (node->pace.started)
		return;
	ai_pace_start(&node->pace, node->custom.ss.ps.ps_ExprContext);
	/* what a Limit tells a Sort below it ends at nodes it does not know */
	ExecSetTupleBound(ai_pace_bound(&node->pace), outerPlanState(&node->custom));
}

static void
recycle_emitted(AiNodeState *node)
{
	AiRow	   *row = node->emitted;

	node->emitted = NULL;
	if (row != NULL)
		ai_row_recycle(node, row);
}

/* The next row that passes, in the scan slot; false at the end. */
static bool
make_row(AiNodeState *node)
{
	start(node);
	for (;;)
	{
		AiRow	   *row;

		ai_row_collect(node);
		fill(node);
		if (dlist_is_empty(&node->rows))
			return false;
		row = dlist_container(AiRow, node, dlist_head_node(&node->rows));
		if (row->blocked)
			ai_row_work(node, row, true);
		switch (row->state)
		{
			case AI_ROW_READY:
				ai_row_slot(node, row);
				node->emitted = row;
				return true;
			case AI_ROW_DROPPED:
				InstrCountFiltered1(node, 1);
				ai_pace_dropped(&node->pace);
				ai_row_recycle(node, row);
				break;
			case AI_ROW_WORKING:
				if (dlist_is_empty(&node->ready) && !ai_jobs_poll(node->jobs))
					wait_for_calls(node);
				break;
		}
	}
}

/* The same, or one that was emitted before, in the direction of the reader. */
static bool
find_row(AiNodeState *node)
{
	TupleTableSlot *slot = node->custom.ss.ss_ScanTupleSlot;

	if (node->history == NULL)
		return make_row(node);
	switch (ai_history_read(node->history, ScanDirectionIsForward(node->custom.ss.ps.state->es_direction), slot))
	{
		case AI_HISTORY_ROW:
			return true;
		case AI_HISTORY_END:
			return false;
		case AI_HISTORY_NEXT:
			break;
	}
	if (!make_row(node))
	{
		ai_history_complete(node->history);
		return false;
	}
	ai_history_add(node->history, slot);
	return true;
}

static TupleTableSlot *
next(CustomScanState *state)
{
	AiNodeState *node = (AiNodeState *) state;
	ProjectionInfo *projection = state->ss.ps.ps_ProjInfo;

	ResetExprContext(state->ss.ps.ps_ExprContext);
	ai_window_progress();
	recycle_emitted(node);
	if (!find_row(node))
	{
		/* of a row in it, WHERE CURRENT OF would take the position */
		ExecClearTuple(state->ss.ss_ScanTupleSlot);
		return projection ? ExecClearTuple(state->ss.ps.ps_ResultTupleSlot) : state->ss.ss_ScanTupleSlot;
	}
	ai_pace_emitted(&node->pace, state->ss.ps.state);
	return projection ? ExecProject(projection) : state->ss.ss_ScanTupleSlot;
}

/* ---- the end ---- */

static void
drop_rows(AiNodeState *node)
{
	node->emitted = NULL;
	dlist_init(&node->ready);
	while (!dlist_is_empty(&node->rows))
		ai_row_recycle(node, dlist_container(AiRow, node, dlist_head_node(&node->rows)));
}

static void
rescan(CustomScanState *state)
{
	AiNodeState *node = (AiNodeState *) state;
	PlanState  *child = outerPlanState(state);

	ExecClearTuple(state->ss.ss_ScanTupleSlot);
	if (node->history != NULL && state->ss.ps.chgParam == NULL && child->chgParam == NULL)
	{
		/* what it was made of is as it was: it begins anew with what it has */
		recycle_emitted(node);
		ai_history_rewind(node->history);
		return;
	}
	if (node->history != NULL)
		ai_history_clear(node->history);
	drop_rows(node);
	node->run++;
	node->child_done = false;
	node->pace.started = false;
	if (child->chgParam == NULL)
		ExecReScan(child);
}

static void
end(CustomScanState *state)
{
	AiNodeState *node = (AiNodeState *) state;

	drop_rows(node);
	if (node->history != NULL)
		ai_history_end(node->history);
	if (node->jobs != NULL)
		ai_spill_end(node->jobs->spill);
	ExecEndNode(outerPlanState(state));
}

static void
explain(CustomScanState *state, List *ancestors, ExplainState *es)
{
	ai_explain((AiNodeState *) state, es);
}
