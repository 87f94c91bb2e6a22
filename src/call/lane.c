/*
 * lane.c
 *	  The lanes of lane.h.
 *
 * State: a hash table of lanes by the names of their models.
 */
#include "postgres.h"

#include "call/lane.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define LANE_NAME_SIZE	208		/* names are at most 200 bytes long */

struct AiLane
{
	char		model[LANE_NAME_SIZE];
	int			in_flight;
	double		window;			/* 0 = none */
	double		narrowed_at;
};

static HTAB *lanes = NULL;

AiLane *
ai_lane_of(const char *model)
{
	AiLane	   *lane;
	bool		found;

	if (lanes == NULL)
	{
		HASHCTL		control = {
			.keysize = LANE_NAME_SIZE,
			.entrysize = sizeof(AiLane),
			.hcxt = TopMemoryContext,
		};

		lanes = hash_create("ai_gateway lanes", 16, &control,
							HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	lane = hash_search(lanes, model, HASH_ENTER, &found);
	if (!found)
	{
		lane->in_flight = 0;
		lane->window = 0;
		lane->narrowed_at = 0;
	}
	return lane;
}

bool
ai_lane_has_room(const AiLane *lane, int max_in_flight)
{
	return (max_in_flight == 0 || lane->in_flight < max_in_flight) &&
		(lane->window == 0 || lane->in_flight < (int) lane->window);
}

void
ai_lane_enter(AiLane *lane)
{
	lane->in_flight++;
}

void
ai_lane_leave(AiLane *lane, AiLaneOutcome outcome, double entered_at, double now)
{
	switch (outcome)
	{
		case AI_LANE_ANSWERED:
			if (lane->window > 0)
				lane->window += 1 / lane->window;
			break;
		case AI_LANE_OVERLOADED:
			if (entered_at < lane->narrowed_at)
				break;
			lane->window = Max(1, (lane->window > 0 ? Min(lane->window, lane->in_flight) : lane->in_flight) / 2);
			lane->narrowed_at = now;
			break;
		case AI_LANE_ENDED:
			break;
	}
	lane->in_flight--;
}
