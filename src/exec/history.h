/*
 * history.h
 *	  The rows that a node has emitted, for a reader that may go back.
 *
 * A cursor over a plan that can be read backward is one that scrolls, whether it
 * was declared so or not, and a plan's rows cannot be made again without asking
 * again.  So where the executor announces such a reader, each row is kept as it is
 * emitted, as a Material does: in memory up to work_mem, then in a file.
 */
#ifndef AI_HISTORY_H
#define AI_HISTORY_H

#include "postgres.h"

#include "exec/position.h"
#include "executor/tuptable.h"

typedef struct AiHistory AiHistory;

typedef enum AiHistoryRead
{
	AI_HISTORY_ROW,				/* the slot has one that was kept */
	AI_HISTORY_END,				/* in that direction there is none */
	AI_HISTORY_NEXT,			/* the next one is still to be made */
} AiHistoryRead;

/* In the current context; for rows like the slot's. */
extern AiHistory *ai_history_create(const TupleTableSlot *slot);

/* The row after, or before, the one that was read or added last. */
extern AiHistoryRead ai_history_read(AiHistory *history, bool forward, TupleTableSlot *slot);

/* A row that was made. */
extern void ai_history_add(AiHistory *history, const TupleTableSlot *slot);

/* There are no more to be made. */
extern void ai_history_complete(AiHistory *history);

/* To before the first row. */
extern void ai_history_rewind(AiHistory *history);

/* All that was kept goes, as what it was made of has changed. */
extern void ai_history_clear(AiHistory *history);

extern void ai_history_end(AiHistory *history);

#endif							/* AI_HISTORY_H */
