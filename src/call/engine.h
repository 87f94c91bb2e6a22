/*
 * engine.h
 *	  The state machine of calls: what call/ shares of it.
 */
#ifndef AI_CALL_ENGINE_H
#define AI_CALL_ENGINE_H

#include "call/call.h"

struct AiTokenSlot;

/* NEW -> on as far as it goes without waiting. */
extern void ai_engine_start(AiCall *call);

/*
 * One turn for all started calls of the backend: hands on what arrived, acts on
 * those whose time has come, offers places that became free.
 */
extern void ai_engine_turn(void);

/* In how many milliseconds the next turn is due; < 0 = never. */
extern double ai_engine_next_in(void);

/*
 * Gives up what is under way and frees what is not palloc'd.  Does not throw,
 * and leaves the window's lists alone: it runs in reset callbacks.
 */
extern void ai_engine_abandon(AiCall *call);

/* When something is to be done about a call; inside libcurl too. */
extern void ai_engine_due(AiCall *call, double due_at);

/* Outside of libcurl: the transfer of a call's attempt has finished. */
extern void ai_engine_attempt_finished(AiCall *call);

/* A fetch has ended, with a failure or (NULL) a token: its waiters go on. */
extern void ai_engine_token_ended(struct AiTokenSlot *slot, const AiFailure *failure);

#endif							/* AI_CALL_ENGINE_H */
