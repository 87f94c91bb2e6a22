/*
 * pace.h
 *	  How many rows a node may hold ahead of its reader.
 *
 * Four answers, from what the plan says of the reader (plan/above.h) and what the
 * executor knows:
 *	- it takes all rows there are: as many as fit;
 *	- each row that it asks for is needed, and it is known how many it will ask
 *	  for (LIMIT, FETCH n): so many and not one more;
 *	- the same, and a filter of the node's own stands between: as many as are
 *	  needed by the share that passed so far;
 *	- it may stop at any row.
 * The last two hold no more rows ahead than have been consumed, emitted or dropped:
 * one at first, then at most about twice as many as are needed.
 *
 * The executor's row count is seen by ExecutorRun_hook.
 */
#ifndef AI_PACE_H
#define AI_PACE_H

#include "postgres.h"

#include "exec/node.h"
#include "nodes/execnodes.h"

/* A Limit between the node and whoever reads. */
typedef struct AiPaceLimit
{
	ExprState  *count_expression;
	ExprState  *offset_expression;
	int64		count;			/* < 0 = none */
	int64		offset;
} AiPaceLimit;

typedef struct AiPace
{
	/* as planned; see AiPacePart */
	bool		filters;
	bool		early_end;
	AiPaceRun	run;
	bool		alone;
	AiPaceLimit *counted;		/* the nearest first */
	int			n_counted;
	bool		ties;
	AiPaceLimit *far;
	int			n_far;
	struct AiPace **before;		/* of nodes whose rows are counted with these */
	int			n_before;

	bool		started;
	int64		emitted;		/* since the last rescan */
	int64		dropped;		/* by the node's filters */
	uint64		serial;			/* of the run that the next is counted in */
	int64		emitted_in_run;
} AiPace;

extern void ai_pace_init(void);

/* Before the first row, and again after a rescan. */
extern void ai_pace_start(AiPace *pace, ExprContext *econtext);

/* May the node take in a row more, when it holds so many of at most `most`? */
extern bool ai_pace_allows(const AiPace *pace, const EState *estate, int held, int most);

/* Is each row that there is needed, whatever comes? */
extern bool ai_pace_takes_all(const AiPace *pace, const EState *estate);

/* How many rows a Sort below has to give at most; < 0 = all. */
extern int64 ai_pace_bound(const AiPace *pace);

extern void ai_pace_emitted(AiPace *pace, const EState *estate);

extern void ai_pace_dropped(AiPace *pace);

#endif							/* AI_PACE_H */
