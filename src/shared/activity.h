/*
 * activity.h
 *	  How far the statements of all backends are, for ai_gateway.stat_activity.
 *
 * The story.  The first window of a backend (call/window.c) begins a statement, and
 * the last one that goes ends it.  Jobs and windows count in ai_activity as they
 * go (ask/job.c, call/window.c), and each time that a driver is about to wait the
 * counts are published: copied to the backend's slot.  The view reads all slots
 * (fn/stat_activity.c).
 *
 * Locks.  Each backend has a slot in shared memory that it alone writes, between
 * two steps of a counter as PgBackendStatus does: a reader copies a slot until the
 * counter was even and the same before and after.  No lock is taken but
 * AddinShmemInitLock when the slots are made.  Without shared_preload_libraries
 * there is no shared memory and nothing is shown.
 *
 * Who may throw: reading, where it serves interrupts; ending is safe in reset
 * callbacks.
 */
#ifndef AI_ACTIVITY_H
#define AI_ACTIVITY_H

#include "postgres.h"

#include "datatype/timestamp.h"

typedef struct AiActivity
{
	int			pid;			/* 0 = no statement with model calls runs */
	Oid			role;
	TimestampTz started;
	int64		calls;			/* as the statement asked for them */
	int64		distinct;
	int64		answered;		/* of the distinct ones */
	int64		failed;
	int64		requests;
	int64		in_flight;
	int64		input_tokens;
	int64		output_tokens;
} AiActivity;

/* Once, when the library is loaded by the postmaster. */
extern void ai_activity_init(void);

/* This backend's own, to count in; shown to others by ai_activity_publish(). */
extern AiActivity ai_activity;

extern void ai_activity_begin(void);
extern void ai_activity_publish(void);
extern void ai_activity_end(void);

/*
 * Copies slot n of all; false if there is none, or nothing runs there.  *more
 * is false behind the last slot.
 */
extern bool ai_activity_read(int n, AiActivity *activity, bool *more);

#endif							/* AI_ACTIVITY_H */
