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

static int64
number(ExprState *expression, ExprContext *econtext, int64 otherwise)
{
	bool		isnull;
	Datum		value = ExecEvalExprSwitchContext(expression, econtext, &isnull);

	return isnull ? otherwise : Max(DatumGetInt64(value), 0);
}

void
ai_pace_start(AiPace *pace, ExprContext *econtext)
{
	pace->started = true;
	pace->emitted = 0;
	pace->dropped = 0;
	pace->rows = 1;
	pace->limit = -1;
	if (pace->count != NULL)
		pace->limit = number(pace->count, econtext, -1);
	if (pace->limit >= 0 && pace->offset != NULL)
	{
		int64		offset = number(pace->offset, econtext, 0);

		pace->limit = pace->limit > PG_INT64_MAX - offset ? -1 : pace->limit + offset;
	}
}

/* Rows that the reader may still ask for; < 0 = not known to have an end. */
static int64
rows_left(const AiPace *pace, const EState *estate)
{
	int64		left = pace->limit < 0 ? -1 : Max(pace->limit - pace->emitted, 0);

	if (pace->run && estate == current_run.estate && current_run.count > 0)
	{
		int64		done = pace->serial == current_run.serial ? pace->emitted_in_run : 0;
		int64		in_run = current_run.count > PG_INT64_MAX ? PG_INT64_MAX
			: Max((int64) current_run.count - done, 0);

		left = left < 0 ? in_run : Min(left, in_run);
	}
	return left;
}

bool
ai_pace_allows(const AiPace *pace, const EState *estate, int held, int most)
{
	int64		left;

	if (held == 0)
		return true;			/* it is asked for a row now */
	if (pace->alone || held >= most)
		return false;
	left = rows_left(pace, estate);
	if (pace->exact && left >= 0)
	{
		double		passing = (pace->emitted + 1.0) / (pace->emitted + pace->dropped + 1.0);

		return held < left || (pace->filters && held < left / passing && held < pace->rows);
	}
	if (pace->early_end || left >= 0)
		return held < pace->rows;
	return true;
}

bool
ai_pace_takes_all(const AiPace *pace, const EState *estate)
{
	return !pace->early_end && !pace->alone && rows_left(pace, estate) < 0;
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

void
ai_pace_waits(AiPace *pace, int held)
{
	if (held >= pace->rows && pace->rows < PG_INT32_MAX / 2)
		pace->rows *= 2;
}
