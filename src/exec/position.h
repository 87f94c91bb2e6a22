/*
 * position.h
 *	  Which row of a table a node's row is made of, for WHERE CURRENT OF.
 *
 * UPDATE ... WHERE CURRENT OF looks through the plan of a cursor for the scan of
 * the table, and at the row that this has read last.  It does not look below a
 * CustomScan, and the scan below ours may be ahead of the row that was emitted.
 * So the node passes as a scan of the same table, and its slot has the identifier
 * that the row had when it was read.
 */
#ifndef AI_POSITION_H
#define AI_POSITION_H

#include "postgres.h"

#include "nodes/execnodes.h"
#include "storage/itemptr.h"

typedef struct AiPosition
{
	Oid			table;			/* InvalidOid = of no table */
	ItemPointerData tid;
} AiPosition;

/*
 * The scan whose row is the one that a child has emitted last, found as
 * execCurrentOf() finds it; NULL if there is none.
 */
extern ScanState *ai_position_source(PlanState *child);

/* The row that a scan has emitted last; the scan may be NULL. */
extern AiPosition ai_position_of(ScanState *source);

/* Gives a slot that holds a row its position. */
extern void ai_position_set(TupleTableSlot *slot, const AiPosition *position);

#endif							/* AI_POSITION_H */
