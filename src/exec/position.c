/*
 * position.c
 *	  Positions of rows (position.h).
 *
 * State: none.
 */
#include "postgres.h"

#include "access/relscan.h"
#include "exec/position.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

/* As search_plan_tree() of execCurrent.c, but that an Append has no one child. */
ScanState *
ai_position_source(PlanState *child)
{
	if (child == NULL)
		return NULL;
	switch (nodeTag(child))
	{
		case T_SeqScanState:
		case T_SampleScanState:
		case T_IndexScanState:
		case T_IndexOnlyScanState:
		case T_BitmapHeapScanState:
		case T_TidScanState:
		case T_TidRangeScanState:
		case T_ForeignScanState:
		case T_CustomScanState:
			return ((ScanState *) child)->ss_currentRelation ? (ScanState *) child : NULL;
		case T_ResultState:
		case T_LimitState:
			return ai_position_source(child->lefttree);
		case T_SubqueryScanState:
			return ai_position_source(((SubqueryScanState *) child)->subplan);
		default:
			return NULL;
	}
}

AiPosition
ai_position_of(ScanState *source)
{
	AiPosition	position = {InvalidOid};

	ItemPointerSetInvalid(&position.tid);
	if (source == NULL || TupIsNull(source->ss_ScanTupleSlot))
		return position;
	position.table = RelationGetRelid(source->ss_currentRelation);
	/* an index alone tells of the row's place beside the slot */
	if (IsA(source, IndexOnlyScanState))
		position.tid = ((IndexOnlyScanState *) source)->ioss_ScanDesc->xs_heaptid;
	else
		position.tid = source->ss_ScanTupleSlot->tts_tid;
	return position;
}

void
ai_position_set(TupleTableSlot *slot, const AiPosition *position)
{
	slot->tts_tid = position->tid;
	slot->tts_tableOid = position->table;
}
