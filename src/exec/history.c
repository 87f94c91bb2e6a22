/*
 * history.c
 *	  Rows that were emitted (history.h).
 *
 * A kept row is the scan tuple, whose registers have the answers, and the row's
 * position (position.h) behind it; it is projected anew when it is read.
 *
 * Memory: a tuplestore, which the executor's resource owner closes after an
 * error.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/history.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

struct AiHistory
{
	Tuplestorestate *rows;
	int			n_attributes;	/* of the scan tuple */
	TupleTableSlot *kept;		/* a row, as it is stored */
	Datum	   *values;			/* of one to store */
	bool	   *nulls;
	bool		complete;
};

AiHistory *
ai_history_create(const TupleTableSlot *slot)
{
	AiHistory  *history = palloc0(sizeof(AiHistory));
	TupleDesc	scan = slot->tts_tupleDescriptor;
	TupleDesc	stored = CreateTemplateTupleDesc(scan->natts + 2);

	for (int i = 1; i <= scan->natts; i++)
		TupleDescCopyEntry(stored, (AttrNumber) i, scan, (AttrNumber) i);
	TupleDescInitEntry(stored, (AttrNumber) (scan->natts + 1), "ctid", TIDOID, -1, 0);
	TupleDescInitEntry(stored, (AttrNumber) (scan->natts + 2), "tableoid", OIDOID, -1, 0);
	history->rows = tuplestore_begin_heap(true, false, work_mem);
	history->n_attributes = scan->natts;
	history->kept = MakeSingleTupleTableSlot(stored, &TTSOpsMinimalTuple);
	history->values = palloc(sizeof(Datum) * stored->natts);
	history->nulls = palloc(sizeof(bool) * stored->natts);
	return history;
}

static void
show(AiHistory *history, TupleTableSlot *slot)
{
	int			n = history->n_attributes;
	AiPosition	position;

	slot_getallattrs(history->kept);
	ExecClearTuple(slot);
	memcpy(slot->tts_values, history->kept->tts_values, sizeof(Datum) * n);
	memcpy(slot->tts_isnull, history->kept->tts_isnull, sizeof(bool) * n);
	ExecStoreVirtualTuple(slot);
	position.tid = *(ItemPointer) DatumGetPointer(history->kept->tts_values[n]);
	position.table = DatumGetObjectId(history->kept->tts_values[n + 1]);
	ai_position_set(slot, &position);
}

AiHistoryRead
ai_history_read(AiHistory *history, bool forward, TupleTableSlot *slot)
{
	bool		at_end = tuplestore_ateof(history->rows);

	/*
	 * The row before the one that was made last: that is the last of the kept
	 * ones itself, which is passed.  Behind the end it is the one to be read.
	 */
	if (!forward && at_end && !history->complete && !tuplestore_advance(history->rows, false))
		return AI_HISTORY_END;
	if (!(forward && at_end) && tuplestore_gettupleslot(history->rows, forward, false, history->kept))
	{
		show(history, slot);
		return AI_HISTORY_ROW;
	}
	return forward && !history->complete ? AI_HISTORY_NEXT : AI_HISTORY_END;
}

void
ai_history_add(AiHistory *history, const TupleTableSlot *slot)
{
	int			n = history->n_attributes;

	memcpy(history->values, slot->tts_values, sizeof(Datum) * n);
	memcpy(history->nulls, slot->tts_isnull, sizeof(bool) * n);
	history->values[n] = PointerGetDatum(&slot->tts_tid);
	history->values[n + 1] = ObjectIdGetDatum(slot->tts_tableOid);
	history->nulls[n] = history->nulls[n + 1] = false;
	tuplestore_putvalues(history->rows, history->kept->tts_tupleDescriptor, history->values, history->nulls);
}

void
ai_history_complete(AiHistory *history)
{
	history->complete = true;
}

void
ai_history_rewind(AiHistory *history)
{
	tuplestore_rescan(history->rows);
}

void
ai_history_clear(AiHistory *history)
{
	ExecClearTuple(history->kept);
	tuplestore_clear(history->rows);
	history->complete = false;
}

void
ai_history_end(AiHistory *history)
{
	ExecDropSingleTupleTableSlot(history->kept);
	tuplestore_end(history->rows);
}
