/*
 * lane.h
 *	  How many calls to one model may be under way in this backend.
 *
 * A lane is what a model's calls share: their number, the model's own limit
 * (models.max_in_flight), and a window that follows what the provider bears.
 * There is no window until the provider refuses for its load (429, 529): then
 * it is half of what was under way.  From there it follows AIMD (Chiu and Jain,
 * Computer Networks 17, 1989; as TCP, RFC 5681): half again for a refusal, once
 * for all attempts that were under way at the time; one more for each window of
 * answers.
 *
 * A call holds a place in its lane while an attempt is under way, not while it
 * backs off.
 *
 * Memory: lanes live as long as the backend, one for each model used.
 */
#ifndef AI_LANE_H
#define AI_LANE_H

#include "postgres.h"

typedef struct AiLane AiLane;

/* How an attempt ended, for the window. */
typedef enum AiLaneOutcome
{
	AI_LANE_ANSWERED,
	AI_LANE_OVERLOADED,			/* refused for the load */
	AI_LANE_ENDED,				/* otherwise: tells nothing */
} AiLaneOutcome;

/* May throw: memory. */
extern AiLane *ai_lane_of(const char *model);

extern bool ai_lane_has_room(const AiLane *lane, int max_in_flight);

extern void ai_lane_enter(AiLane *lane);

/* `entered_at` is of the monotonic clock, in milliseconds. */
extern void ai_lane_leave(AiLane *lane, AiLaneOutcome outcome, double entered_at, double now);

#endif							/* AI_LANE_H */
