/*
 * retry.h
 *	  Whether and when a failed attempt is made again.  Pure.
 *
 * Exponential back-off with full jitter: a delay drawn evenly between 0 and
 * min(cap, base x 2^n), which spreads retries of many clients best (M. Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).  A hint of
 * the server is taken instead where it is usable: that long, and up to a tenth
 * more so that clients told the same do not come back together.
 */
#ifndef AI_RETRY_H
#define AI_RETRY_H

#include "util/failure.h"

#define AI_RETRY_BASE_MS	500.0
#define AI_RETRY_CAP_MS		8000.0
#define AI_RETRY_HINT_CAP_MS	60000.0

typedef struct AiRetryInput
{
	const AiFailure *failure;
	int			attempts;		/* made so far, at least 1 */
	int			max_retries;
	double		left_ms;		/* until the deadline of the call */
	double		random;			/* evenly in [0, 1) */
} AiRetryInput;

/* May the same request be sent again by itself, some time? */
extern bool ai_retry_allowed(const AiFailure *failure);

/*
 * The delay in milliseconds before the next attempt, or < 0 to give up: when
 * the kind is not worth it, the retries are used up, the server says no or
 * asks for longer than a minute, or the deadline would pass first.
 */
extern double ai_retry_delay(const AiRetryInput *input);

#endif							/* AI_RETRY_H */
