/*
 * admission.c
 *	  Places for attempts (admission.h).
 *
 * State: whether a place was given back that waiting calls were not yet offered.
 */
#include "postgres.h"

#include "call/admission.h"
#include "call/call.h"

static bool freed = false;

bool
ai_admission_open(const AiCall *call)
{
	return ai_lane_has_room(call->lane, call->model->max_in_flight) && ai_http_has_room();
}

bool
ai_admission_enter(const AiCall *call, AiTicket *ticket)
{
	Assert(ticket->lane == NULL);
	if (!ai_admission_open(call))
		return false;
	ai_lane_enter(call->lane);
	ticket->lane = call->lane;
	ticket->entered_at = ai_now_ms();
	return true;
}

void
ai_admission_settle(AiTicket *ticket, AiLaneOutcome outcome)
{
	if (ticket->lane == NULL)
		return;
	ai_lane_leave(ticket->lane, outcome, ticket->entered_at, ai_now_ms());
	ticket->lane = NULL;
	freed = true;
}

bool
ai_admission_freed(void)
{
	bool		was_freed = freed;

	freed = false;
	return was_freed;
}
