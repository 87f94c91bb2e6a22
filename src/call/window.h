/*
 * window.h
 *	  The calls of one driver: a queue, how many may be under way, counts.
 *
 * So scalar functions, the plan node and whatever comes later have one queue, one
 * refill and one count.  The story of a call in it:
 *	1. The driver makes it (ai_call_new), fills its request, has it resolved
 *	   (call.h) and submits it.
 *	2. It is queued until fewer calls of the window are under way than may be, and
 *	   its model has room; then the engine starts it (engine.c).  The queue is
 *	   looked at when a call joins it and in every wait, of whatever window.
 *	   Where nothing of the window is under way the first one is started whatever
 *	   room there is: the engine lets it wait, and something is to come.
 *	3. The engine tells of its end (ai_window_call_done): it is counted.
 *	4. The driver is handed it, by ai_window_poll() or ai_window_next(), in the order
 *	   of the ends, reads it and frees it.
 *
 * Where a call is: idle (NEW, or DONE and handed out), queued, pending (started)
 * or done (DONE and not yet handed out).
 *
 * Room.  At most ai_gateway.max_in_flight calls of a window are started at a
 * time, as it was when the window was made.  A driver that asks (has_room) queues
 * as many again, so that one which waits elsewhere (a call in an argument:
 * drivers nest) leaves something to refill from: every wait refills all windows.
 *
 * One ahead.  The first call of a place in the query goes ahead of those that
 * share a long prefix with it where that is billed for less the second time
 * (prefix.h).
 *
 * Memory.  A window lives in a context and ends with it, however that ends; its
 * calls are then abandoned and freed.  `bytes` is what its queued and started
 * requests and its replies hold, as far as it grows with their size: what a call
 * adds is taken down on the call, and taken out again as it stands there.  A call
 * that was not submitted yet is not in it.
 *
 * Who may throw: ai_window_next(), where the wait serves interrupts and tells
 * progress; making a window or a call, for want of memory; poll and next, what
 * judging an answer may (engine.c).  Locks: none.
 */
#ifndef AI_WINDOW_H
#define AI_WINDOW_H

#include "postgres.h"

#include "call/call.h"
#include "util/money.h"

/* What is told of one place in the query that calls. */
typedef struct AiCallCounts
{
	int64		calls;			/* as the query asks for them */
	int64		distinct;		/* of them: questions of their own */
	int64		shared;			/* of them: joined one that was there */
	int64		requests;		/* attempts, retries included */
	int64		retries;
	int64		failed;			/* questions whose call failed */
	int64		input_tokens;
	int64		output_tokens;
	int64		cost;			/* picodollars */
	int			in_flight;		/* calls */
	int			peak;
	int64		arrived;		/* calls that came back, and what they took */
	double		latency_ms;
} AiCallCounts;

struct AiPlace
{
	AiCallCounts counts;
	AiCall	   *lead;			/* under way; those that begin like it wait */
	bool		led;			/* one went ahead */
};

struct AiWindow
{
	MemoryContext context;
	int			max_in_flight;
	int			in_flight;
	int			n_queued;
	Size		bytes;
	dlist_head	idle;
	dlist_head	queue;
	dlist_head	pending;
	dlist_head	done;
	double		told_at;		/* the last NOTICE of progress */
	dlist_node	node;			/* among the backend's windows */
	MemoryContextCallback callback;
};

/* It ends with a context of its own below `parent`. */
extern AiWindow *ai_window_create(MemoryContext parent);

/* A resolved call joins the queue. */
extern void ai_window_submit(AiCall *call, AiPlace *place);

/* May its driver submit more? */
extern bool ai_window_has_room(const AiWindow *window);

/* Is nothing queued or under way? */
extern bool ai_window_is_idle(const AiWindow *window);

/* A call that is DONE and was not handed out yet, or NULL; without waiting. */
extern AiCall *ai_window_poll(AiWindow *window);

/* The same, waited for; NULL if nothing is queued or under way. */
extern AiCall *ai_window_next(AiWindow *window);

/*
 * A turn for all calls of the backend where something is under way over the
 * network, at most every ten milliseconds, for a driver that is busy elsewhere: rows
 * that come slowly, or are read slowly.
 */
extern void ai_window_progress(void);

/* ---- for the engine ---- */

extern void ai_window_call_done(AiCall *call);

#endif							/* AI_WINDOW_H */
