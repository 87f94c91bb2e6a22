/*
 * admission.h
 *	  Whether an attempt may start now, and what it has reserved.
 *
 * An attempt needs a place in the lane of its model (lane.h) and, where it goes
 * over the network, a descriptor that can be had (http.h).  What it got is
 * written on its ticket, plain data, and is settled once, when the attempt
 * ends, however it ends.
 *
 * Nothing throws; settling is safe in reset callbacks.
 */
#ifndef AI_ADMISSION_H
#define AI_ADMISSION_H

#include "postgres.h"

#include "call/lane.h"

struct AiCall;

typedef struct AiTicket
{
	AiLane	   *lane;			/* NULL = nothing is reserved */
	double		entered_at;
} AiTicket;

/* Would an attempt of a resolved call be admitted now? */
extern bool ai_admission_open(const struct AiCall *call);

/* Reserves a place for it; false if there is none. */
extern bool ai_admission_enter(const struct AiCall *call, AiTicket *ticket);

/* Gives back what is reserved, once; a settled ticket is empty. */
extern void ai_admission_settle(AiTicket *ticket, AiLaneOutcome outcome);

/* Has anything been given back since this was asked last? */
extern bool ai_admission_freed(void);

#endif							/* AI_ADMISSION_H */
