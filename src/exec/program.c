/*
 * program.c
 *	  The steps of a row (program.h).
 *
 * Steps are in an order in which each depends on earlier ones only, so one
 * pass over a group does all that can be done.  Expressions see the row as the
 * node's scan slot; what they give is copied into the row's context.
 */
#include "postgres.h"

#include "exec/callee.h"
#include "exec/program.h"
#include "access/tupmacs.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#define MAX_RANKED		16

static AiRow *
new_row(AiNodeState *node)
{
	AiRow	   *row;

	if (!dlist_is_empty(&node->free))
		return dlist_container(AiRow, node, dlist_pop_head_node(&node->free));
	row = MemoryContextAllocZero(node->context, sizeof(AiRow));
	row->context = AllocSetContextCreate(node->context, "ai_gateway row", ALLOCSET_SMALL_SIZES);
	row->values = MemoryContextAlloc(node->context, sizeof(Datum) * node->n_attributes);
	row->nulls = MemoryContextAlloc(node->context, sizeof(bool) * node->n_attributes);
	row->steps = MemoryContextAlloc(node->context, sizeof(AiStepState) * node->n_steps);
	row->waiters = MemoryContextAllocZero(node->context, sizeof(AiWaiter) * node->n_steps);
	for (int i = 0; i < node->n_steps; i++)
	{
		row->waiters[i].ready = &node->ready;
		row->waiters[i].owner = row;
	}
	return row;
}

/* Brings the node's sum up to date with what the row's context holds now. */
static void
count_memory(AiNodeState *node, AiRow *row)
{
	Size		holds = MemoryContextMemAllocated(row->context, false);

	node->bytes += holds - row->counted;
	row->counted = holds;
}

AiRow *
ai_row_add(AiNodeState *node, TupleTableSlot *slot)
{
	AiRow	   *row = new_row(node);
	MemoryContext caller = MemoryContextSwitchTo(row->context);

	slot_getallattrs(slot);
	for (int i = 0; i < node->n_columns; i++)
	{
		int			from = node->columns[i] - 1;
		Form_pg_attribute attribute = TupleDescAttr(slot->tts_tupleDescriptor, from);

		row->nulls[i] = slot->tts_isnull[from];
		row->values[i] = row->nulls[i] ? (Datum) 0
			: datumCopy(slot->tts_values[from], attribute->attbyval, attribute->attlen);
	}
	MemoryContextSwitchTo(caller);
	for (int i = node->n_columns; i < node->n_attributes; i++)
	{
		row->values[i] = (Datum) 0;
		row->nulls[i] = true;
	}
	memset(row->steps, 0, sizeof(AiStepState) * node->n_steps);
	row->position = ai_position_of(node->source);
	row->state = AI_ROW_WORKING;
	row->blocked = false;
	row->stage = 0;
	dlist_push_tail(&node->rows, &row->node);
	node->n_rows++;
	count_memory(node, row);
	return row;
}

/* The row as expressions see it. */
static ExprContext *
show(AiNodeState *node, AiRow *row)
{
	TupleTableSlot *slot = node->custom.ss.ss_ScanTupleSlot;
	ExprContext *econtext = node->custom.ss.ps.ps_ExprContext;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * node->n_attributes);
	memcpy(slot->tts_isnull, row->nulls, sizeof(bool) * node->n_attributes);
	ExecStoreVirtualTuple(slot);
	ai_position_set(slot, &row->position);
	econtext->ecxt_scantuple = slot;
	return econtext;
}

static void
put(AiRow *row, const AiStep *step, Datum value, bool isnull)
{
	MemoryContext caller = MemoryContextSwitchTo(row->context);

	row->nulls[step->attribute] = isnull;
	row->values[step->attribute] = isnull ? (Datum) 0 : datumCopy(value, step->typbyval, step->typlen);
	MemoryContextSwitchTo(caller);
}

/* The call of a step has arrived: its value into the register.  May raise. */
static void
take_value(AiNodeState *node, AiRow *row, int n)
{
	AiStep	   *step = &node->steps[n];
	AiJob	   *job = row->waiters[n].job;
	ExprContext *econtext = node->custom.ss.ps.ps_ExprContext;
	MemoryContext caller = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	bool		isnull;
	Datum		value = ai_job_value(node->jobs, job, step->site, &isnull);

	put(row, step, value, isnull);
	MemoryContextSwitchTo(caller);
	row->steps[n] = AI_STEP_DONE;
	ai_job_leave(node->jobs, &row->waiters[n]);
}

static bool
has_passed(const AiNodeState *node, const AiRow *row, int group)
{
	for (int n = 0; n < node->n_steps; n++)
	{
		if (node->steps[n].group == group && node->steps[n].kind == AI_STEP_FILTER)
			return row->steps[n] == AI_STEP_DONE;
	}
	return false;
}

static bool
guard_holds(const AiRow *row, const AiGuard *guard)
{
	bool		isnull = row->nulls[guard->attribute];
	Datum		value = row->values[guard->attribute];

	switch (guard->test)
	{
		case AI_GUARD_TRUE:
			return !isnull && DatumGetBool(value);
		case AI_GUARD_NOT_TRUE:
			return isnull || !DatumGetBool(value);
		case AI_GUARD_NOT_FALSE:
			return isnull || DatumGetBool(value);
		case AI_GUARD_NULL:
			return isnull;
	}
	return false;
}

static bool
guards_hold(const AiRow *row, const AiStep *step)
{
	for (int i = 0; i < step->n_guards; i++)
	{
		if (!guard_holds(row, &step->guards[i]))
			return false;
	}
	return true;
}

/* ---- evaluating ---- */

/* What a step's expression, or those of its arguments, gave. */
typedef struct Evaluation
{
	AiStep	   *step;
	ExprContext *econtext;
	Datum		value;			/* VALUE */
	bool		isnull;
	bool		passed;			/* FILTER */
} Evaluation;

/* A call's arguments go into its site; what they are made of is per-tuple memory. */
static void
evaluate(void *argument)
{
	Evaluation *evaluation = argument;
	AiStep	   *step = evaluation->step;
	FunctionCallInfo fcinfo;

	switch (step->kind)
	{
		case AI_STEP_VALUE:
			evaluation->value = ExecEvalExpr(step->expression, evaluation->econtext, &evaluation->isnull);
			break;
		case AI_STEP_FILTER:
			evaluation->passed = ExecQual(step->expression, evaluation->econtext);
			break;
		case AI_STEP_CALL:
			fcinfo = step->site->fcinfo;
			for (int i = 0; i < fcinfo->nargs; i++)
				fcinfo->args[i].value = ExecEvalExpr(step->arguments[i], evaluation->econtext,
													 &fcinfo->args[i].isnull);
			break;
	}
}

void
ai_step_make(AiStep *step, PlanState *parent)
{
	List	   *arguments;
	ListCell   *cell;

	switch (step->kind)
	{
		case AI_STEP_VALUE:
			step->expression = ExecInitExpr(step->source, parent);
			break;
		case AI_STEP_FILTER:
			step->expression = ExecInitQual(list_make1(step->source), parent);
			break;
		case AI_STEP_CALL:
			arguments = castNode(FuncExpr, step->source)->args;
			step->arguments = palloc(sizeof(ExprState *) * list_length(arguments));
			foreach(cell, arguments)
				step->arguments[foreach_current_index(cell)] = ExecInitExpr(lfirst(cell), parent);
			break;
	}
}

/* What raised is of no use any more.  Not compiled: it may be for one row only. */
static void
remake(AiNodeState *node, AiStep *step)
{
	EState	   *estate = node->custom.ss.ps.state;
	int			jit_flags = estate->es_jit_flags;
	MemoryContext caller;

	if (step->remade == NULL)
		step->remade = AllocSetContextCreate(estate->es_query_cxt, "ai_gateway expression",
											 ALLOCSET_SMALL_SIZES);
	MemoryContextReset(step->remade);
	caller = MemoryContextSwitchTo(step->remade);
	estate->es_jit_flags = 0;
	ai_step_make(step, &node->custom.ss.ps);
	estate->es_jit_flags = jit_flags;
	MemoryContextSwitchTo(caller);
}

/* False if it must wait for the row's turn. */
static bool
evaluate_step(AiNodeState *node, AiRow *row, bool its_turn, Evaluation *evaluation)
{
	MemoryContext caller;
	AiAheadOutcome outcome = AI_AHEAD_DONE;

	evaluation->econtext = show(node, row);
	caller = MemoryContextSwitchTo(evaluation->econtext->ecxt_per_tuple_memory);
	if (its_turn)
		evaluate(evaluation);
	else
		outcome = ai_evaluate_ahead(&evaluation->step->risk, evaluation->econtext,
									ai_pace_takes_all(&node->pace, node->custom.ss.ps.state),
									evaluate, evaluation);
	MemoryContextSwitchTo(caller);
	if (outcome == AI_AHEAD_RAISED)
		remake(node, evaluation->step);
	row->blocked = outcome != AI_AHEAD_DONE;
	return !row->blocked;
}

/* Which row of a table a call is about, where that may come several times. */
static void
set_origin(const AiNodeState *node, const AiRow *row, const AiStep *step)
{
	TupleDesc	descriptor = node->custom.ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	uint8	   *to = step->site->origin;

	step->site->run = node->run;
	for (int i = 0; i < step->n_origin; i++)
	{
		int			attribute = step->origin[i];
		Form_pg_attribute type = TupleDescAttr(descriptor, attribute);

		if (type->attbyval)
		{
			Datum		aligned;

			store_att_byval(&aligned, row->values[attribute], type->attlen);
			memcpy(to, &aligned, type->attlen);
		}
		else
			memcpy(to, DatumGetPointer(row->values[attribute]), type->attlen);
		to += type->attlen;
	}
}

/* Asks for a step's call, whose arguments are in its site. */
static void
ask(AiNodeState *node, AiRow *row, int n)
{
	MemoryContext caller = MemoryContextSwitchTo(node->custom.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);

	set_origin(node, row, &node->steps[n]);
	if (!ai_callee_ask(node->jobs, node->steps[n].site, &row->waiters[n]))
		row->steps[n] = AI_STEP_DONE;
	else
		row->steps[n] = row->waiters[n].waits ? AI_STEP_WAITING : AI_STEP_ARRIVED;
	MemoryContextSwitchTo(caller);
}

typedef struct Taking
{
	AiNodeState *node;
	AiRow	   *row;
	int			n;
} Taking;

static void
take(void *argument)
{
	Taking	   *taking = argument;

	take_value(taking->node, taking->row, taking->n);
}

/*
 * Takes a value if that raises no error: the call's, or one of making a value of
 * its answer, which a database's encoding or a type may not hold.
 */
static bool
take_ahead(AiNodeState *node, AiRow *row, int n)
{
	static const AiRisk risk = {AI_RISK_PURE};
	Taking		taking = {node, row, n};

	return !ai_job_raises(row->waiters[n].job) &&
		ai_evaluate_ahead(&risk, node->custom.ss.ps.ps_ExprContext, false, take, &taking) == AI_AHEAD_DONE;
}

/*
 * Are the steps that this one reads done?  False also where one of them would
 * raise now and it is not the row's turn; then the row is blocked.
 */
static bool
needs_are_met(AiNodeState *node, AiRow *row, const AiStep *step, bool its_turn)
{
	for (int i = 0; i < step->n_needs; i++)
	{
		int			need = step->needs[i];

		if (row->steps[need] == AI_STEP_ARRIVED)
		{
			if (its_turn)
				take_value(node, row, need);
			else if (!take_ahead(node, row, need))
			{
				row->blocked = true;
				return false;
			}
		}
		if (row->steps[need] != AI_STEP_DONE)
			return false;
	}
	return true;
}

/* One step; false if the row goes on elsewhere: it is decided, or blocked. */
static bool
do_step(AiNodeState *node, AiRow *row, int n, bool its_turn)
{
	AiStep	   *step = &node->steps[n];
	Evaluation	evaluation = {.step = step};

	if (!guards_hold(row, step))
	{
		row->steps[n] = AI_STEP_DONE;
		return true;
	}
	if (!evaluate_step(node, row, its_turn, &evaluation))
		return false;
	switch (step->kind)
	{
		case AI_STEP_VALUE:
			put(row, step, evaluation.value, evaluation.isnull);
			row->steps[n] = AI_STEP_DONE;
			return true;
		case AI_STEP_CALL:
			ask(node, row, n);
			return true;
		case AI_STEP_FILTER:
			break;
	}
	row->steps[n] = AI_STEP_DONE;
	step->tested++;
	step->passed += evaluation.passed;
	row->stage += evaluation.passed;
	if (!evaluation.passed)
		row->state = AI_ROW_DROPPED;
	return false;
}

/*
 * The group that the row works on: one that it has begun, since the order may
 * have changed since, else the first in order that it has not passed.  In its
 * turn, where errors are raised, the first in the order of the query: a conjunct
 * before it may be a guard, and drop the row.
 */
static int
group_of(const AiNodeState *node, const AiRow *row, bool its_turn)
{
	int			next = -1;

	if (!node->reorders)
		return node->order[row->stage];
	for (int group = 0; group < node->n_filters && its_turn; group++)
	{
		if (!has_passed(node, row, group))
			return group;
	}
	for (int n = 0; n < node->n_steps; n++)
	{
		int			group = node->steps[n].group;

		if (group < node->n_filters && row->steps[n] != AI_STEP_PENDING && !has_passed(node, row, group))
			return group;
	}
	for (int i = 0; i < node->n_filters && next < 0; i++)
	{
		if (!has_passed(node, row, node->order[i]))
			next = node->order[i];
	}
	return next;
}

/*
 * Steps of the row's group, and those that were begun for an earlier filter, which
 * then passed without them: others read them too.
 */
static bool
is_in_reach(const AiNodeState *node, const AiStep *step, int group)
{
	return node->reorders ? step->group == group : step->group <= group;
}

/*
 * One pass over the row's group; true if the row went on to another group.
 */
static bool
work_on_group(AiNodeState *node, AiRow *row, bool its_turn)
{
	bool		last = row->stage == node->n_filters;
	int			group = last ? node->n_filters : group_of(node, row, its_turn);
	bool		open = false;

	for (int n = 0; n < node->n_steps; n++)
	{
		AiStep	   *step = &node->steps[n];

		if (!is_in_reach(node, step, group))
			continue;
		if (row->steps[n] == AI_STEP_PENDING && needs_are_met(node, row, step, its_turn) &&
			!do_step(node, row, n, its_turn))
			return row->state == AI_ROW_WORKING && !row->blocked;
		if (row->blocked)
			return false;
		if (row->steps[n] == AI_STEP_PENDING || row->steps[n] == AI_STEP_WAITING)
			open = true;
	}
	if (last && !open)
		row->state = AI_ROW_READY;
	return false;
}

void
ai_row_work(AiNodeState *node, AiRow *row, bool its_turn)
{
	row->blocked = false;
	while (row->state == AI_ROW_WORKING && work_on_group(node, row, its_turn))
		continue;
	ResetExprContext(node->custom.ss.ps.ps_ExprContext);
	count_memory(node, row);
}

/* Rows that each filter must have been tested on before its rank counts. */
#define RANKED_AFTER	32

/* The cost of testing a row, in milliseconds of its calls. */
static double
filter_cost(const AiNodeState *node, int group)
{
	double		cost = 0;

	for (int n = 0; n < node->n_steps; n++)
	{
		const AiStep *step = &node->steps[n];

		if (step->group == group && step->kind == AI_STEP_CALL && step->site->place->counts.arrived > 0)
			cost += step->site->place->counts.latency_ms / step->site->place->counts.arrived;
	}
	return cost;
}

static const AiStep *
filter_of(const AiNodeState *node, int group)
{
	for (int n = 0; n < node->n_steps; n++)
	{
		if (node->steps[n].group == group && node->steps[n].kind == AI_STEP_FILTER)
			return &node->steps[n];
	}
	return NULL;
}

void
ai_row_rank_filters(AiNodeState *node)
{
	double		ranks[MAX_RANKED];

	if (!node->reorders || node->n_filters > MAX_RANKED)
		return;
	for (int group = 0; group < node->n_filters; group++)
	{
		const AiStep *filter = filter_of(node, group);
		double		dropped;

		if (filter == NULL || filter->tested < RANKED_AFTER)
			return;
		dropped = 1 - (double) filter->passed / filter->tested;
		ranks[group] = filter_cost(node, group) / Max(dropped, 0.001);
	}
	/* rows that are under way have passed some in the old order: see group_of */
	for (int i = 1; i < node->n_filters; i++)
	{
		int			group = node->order[i];
		int			at = i;

		while (at > 0 && ranks[node->order[at - 1]] > ranks[group])
		{
			node->order[at] = node->order[at - 1];
			at--;
		}
		node->order[at] = group;
	}
}

void
ai_row_collect(AiNodeState *node)
{
	while (!dlist_is_empty(&node->ready))
	{
		AiWaiter   *waiter = dlist_container(AiWaiter, ready_node, dlist_pop_head_node(&node->ready));
		AiRow	   *row = waiter->owner;

		row->steps[waiter - row->waiters] = AI_STEP_ARRIVED;
		if (row->state == AI_ROW_WORKING && !row->blocked)
			ai_row_work(node, row, false);
	}
}

TupleTableSlot *
ai_row_slot(AiNodeState *node, AiRow *row)
{
	for (int n = 0; n < node->n_steps; n++)
	{
		if (row->steps[n] == AI_STEP_ARRIVED)
			take_value(node, row, n);
	}
	count_memory(node, row);
	show(node, row);
	return node->custom.ss.ss_ScanTupleSlot;
}

void
ai_row_recycle(AiNodeState *node, AiRow *row)
{
	for (int n = 0; n < node->n_steps; n++)
	{
		AiWaiter   *waiter = &row->waiters[n];

		if (waiter->job != NULL)
			ai_job_leave(node->jobs, waiter);
	}
	node->bytes -= row->counted;
	row->counted = 0;
	MemoryContextReset(row->context);
	dlist_delete(&row->node);
	node->n_rows--;
	dlist_push_tail(&node->free, &row->node);
}
