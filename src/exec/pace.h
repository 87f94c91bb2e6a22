/*
 * pace.h
 *	  How many rows a node may hold ahead of its reader.
 *
 * Four answers, from what the plan and the executor know:
 *	- the reader takes all rows there are: as many as fit;
 *	- each row that the reader asks for is needed, and it is known how many it
 *	  will ask for (LIMIT, FETCH n): so many and not one more;
 *	- the same, and a filter of the node's own stands between: as many as are
 *	  needed by the share that passed so far;
 *	- the reader may stop at any row: one at first.
 * The last two at most double each time that the node had to wait.
 *
 * The executor's row count is seen by ExecutorRun_hook.
 */
#ifndef AI_PACE_H
#define AI_PACE_H

#include "postgres.h"

#include "nodes/execnodes.h"

typedef struct AiPace
{
	/* as planned; see AiPacePart */
	bool		filters;
	bool		early_end;
	bool		exact;
	bool		run;
	bool		alone;
	ExprState  *count;			/* of a Limit; NULL = none */
	ExprState  *offset;

	bool		started;
	int64		limit;			/* rows that a Limit lets through; < 0 = all */
	int64		emitted;		/* since the last rescan */
	uint64		serial;			/* of the run that the next is counted in */
	int64		emitted_in_run;
	int64		dropped;		/* by the node's filters */
	int			rows;			/* of the last two answers */
} AiPace;

extern void ai_pace_init(void);

/* Before the first row, and again after a rescan. */
extern void ai_pace_start(AiPace *pace, ExprContext *econtext);

/* May the node take in a row more, when it holds so many of at most `most`? */
extern bool ai_pace_allows(const AiPace *pace, const EState *estate, int held, int most);

/* Is each row that there is needed, whatever comes? */
extern bool ai_pace_takes_all(const AiPace *pace, const EState *estate);

extern void ai_pace_emitted(AiPace *pace, const EState *estate);

extern void ai_pace_dropped(AiPace *pace);

/* The node has to wait, holding so many rows. */
extern void ai_pace_waits(AiPace *pace, int held);

#endif							/* AI_PACE_H */
