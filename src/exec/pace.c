/*
 * pace.c
 *	  How far ahead a node may work (pace.h).
 *
 * State: the executor run in progress.
 */
#include "postgres.h"

#include "exec/pace.h"
#include "executor/executor.h"
#include "pg/compat.h"

static struct
{
	const EState *estate;
	uint64		count;			/* 0 = to the end */
	uint64		serial;
} current_run;

static uint64 last_serial = 0;
static ExecutorRun_hook_type previous_hook = NULL;

static void
AI_EXECUTOR_RUN(note_run)
{
	const EState *estate = current_run.estate;
	uint64		outer_count = current_run.count;
	uint64		serial = current_run.serial;

	current_run.estate = queryDesc->estate;
	current_run.count = count;
	current_run.serial = ++last_serial;

	PG_TRY();
	{
		if (previous_hook)
			AI_CALL_EXECUTOR_RUN(previous_hook);
		else
			AI_CALL_EXECUTOR_RUN(standard_ExecutorRun);
	}
	PG_FINALLY();
	{
		/*
		 * an error that a nested run ends with may be caught, and this one go
		 * on
		 */
		current_run.estate = estate;
		current_run.count = outer_count;
		current_run.serial = serial;
	}
	PG_END_TRY();
}

void
ai_pace_init(void)
{
	previous_hook = ExecutorRun_hook;
	ExecutorRun_hook = note_run;
}

/* ---- how many rows are still wanted ---- */

#define NO_END	PG_INT64_MAX

static int64
number(ExprState *expression, ExprContext *econtext, int64 otherwise)
{
	bool		isnull;
	Datum		value = ExecEvalExprSwitchContext(expression, econtext, &isnull);

	return isnull ? otherwise : Max(DatumGetInt64(value), 0);
}

static void
evaluate(AiPaceLimit *limits, int n, ExprContext *econtext)
{
	for (int i = 0; i < n; i++)
	{
		limits[i].count = number(limits[i].count_expression, econtext, -1);
		limits[i].offset = number(limits[i].offset_expression, econtext, 0);
	}
}

void
ai_pace_start(AiPace *pace, ExprContext *econtext)
{
	pace->started = true;
	pace->emitted = 0;
	pace->dropped = 0;
	evaluate(pace->counted, pace->n_counted, econtext);
	evaluate(pace->far, pace->n_far, econtext);
}

/* Rows that have left the node, and those that come before its own. */
static int64
emitted_of(const AiPace *pace)
{
	int64		n = pace->emitted;

	for (int i = 0; i < pace->n_before; i++)
		n += pace->before[i]->emitted;
	return n;
}

static int64
emitted_in_run(const AiPace *pace)
{
	int64		n = pace->serial == current_run.serial ? pace->emitted_in_run : 0;

	for (int i = 0; i < pace->n_before; i++)
		n += pace->before[i]->serial == current_run.serial ? pace->before[i]->emitted_in_run : 0;

	return n;
}

/* What comes out of the first `n` limits, of so many rows that went in. */
static int64
passed(const AiPace *pace, int n, int64 rows)
{
	for (int i = 0; i < n; i++)
		rows = Max(rows - pace->counted[i].offset, 0);
	return rows;
}

static bool
run_ends(const AiPace *pace, const EState *estate)
{
	return pace->run != AI_RUN_NONE && estate == current_run.estate && current_run.count > 0;
}

/*
 * Rows that may still be asked for, NO_END if that is not known: from the top,
 * what each Limit has still to give, and to pass before.
 */
static int64
rows_left(const AiPace *pace, const EState *estate)
{
	int64		emitted = emitted_of(pace);
	int64		left = NO_END;

	if (pace->run == AI_RUN_COUNTED && run_ends(pace, estate))
	{
		int64		done = passed(pace, pace->n_counted, emitted) -
			passed(pace, pace->n_counted, emitted - emitted_in_run(pace));

		left = current_run.count >= NO_END ? NO_END : Max((int64) current_run.count - done, 0);
	}
	for (int i = pace->n_counted - 1; i >= 0; i--)
	{
		const AiPaceLimit *limit = &pace->counted[i];
		int64		in = passed(pace, i, emitted);

		if (limit->count >= 0)
			left = Min(left, Max(limit->count - passed(pace, i + 1, emitted), 0));
		if (left > 0 && left < NO_END - Max(limit->offset - in, 0))
			left += Max(limit->offset - in, 0);
	}
	return left;
}

/* May the reader end before the rows do, and not for a limit that counts them? */
static bool
may_end_early(const AiPace *pace, const EState *estate)
{
	if (pace->early_end || (pace->run == AI_RUN_FAR && run_ends(pace, estate)))
		return true;
	for (int i = 0; i < pace->n_far; i++)
	{
		if (pace->far[i].count >= 0)
			return true;
	}
	return false;
}

bool
ai_pace_allows(const AiPace *pace, const EState *estate, int held, int most)
{
	int64		left;
	bool		slow;

	if (held == 0)
		return true;			/* it is asked for a row now */
	if (pace->alone || held >= most)
		return false;
	left = rows_left(pace, estate);
	/* no more ahead than were consumed */
	slow = held <= pace->emitted + pace->dropped;
	if (may_end_early(pace, estate))
		return slow && (pace->filters || held < left);
	if (left < NO_END)
	{
		double		passing = (pace->emitted + 1.0) / (pace->emitted + pace->dropped + 1.0);

		return held < left || (pace->filters && held < left / passing && slow);
	}
	return true;
}

bool
ai_pace_takes_all(const AiPace *pace, const EState *estate)
{
	return !pace->alone && !may_end_early(pace, estate) && rows_left(pace, estate) == NO_END;
}

/*
 * What the nearest Limit has told the Sort, had the node not been between them: a
 * smaller bound would sort rows alike in another order.
 */
int64
ai_pace_bound(const AiPace *pace)
{
	const AiPaceLimit *nearest = pace->counted;

	if (pace->filters || pace->ties || pace->n_before > 0 || pace->n_counted == 0 || nearest->count < 0 ||
		nearest->count > NO_END - nearest->offset)
		return -1;
	return nearest->count + nearest->offset;
}

void
ai_pace_emitted(AiPace *pace, const EState *estate)
{
	pace->emitted++;
	if (estate != current_run.estate)
		return;
	if (pace->serial != current_run.serial)
	{
		pace->serial = current_run.serial;

		pace->emitted_in_run = 0;
	}
	pace->emitted_in_run++;
}

void
ai_pace_dropped(AiPace *pace)
{
	pace->dropped++;
}
