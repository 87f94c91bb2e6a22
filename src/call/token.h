/*
 * token.h
 *	  Tokens that stand between a key and a call: got from an authority by an
 *	  exchange, kept in the backend until shortly before they expire.
 *
 * One fetch a token, however many calls want it.  A slot goes EMPTY ->
 * FETCHING -> there, or EMPTY again with a failure; the calls that wait
 * (AI_WAIT_TOKEN) are told by the engine when a fetch ends, and each counts a
 * fetch that failed as an attempt of its own.  A fetch that nobody waits for any
 * more is abandoned.
 *
 * Each token has a serial: a server's refusal drops the token that it refused
 * and not one that came since.
 *
 * Memory: slots and tokens are malloc; tokens are wiped when they are dropped,
 * slots stay for the backend's life.  Nothing here throws; ai_token_leave() is
 * safe in reset callbacks.
 */
#ifndef AI_CALL_TOKEN_H
#define AI_CALL_TOKEN_H

#include "postgres.h"

#include "call/exchange.h"
#include "provider/auth.h"

typedef struct AiTokenSlot
{
	char		cache_key[256];
	char	   *token;			/* NULL = none yet */
	uint64		serial;			/* of the token */
	int64		refresh_at;		/* seconds since 1970 */
	AiExchange *exchange;		/* under way, or NULL */
	int			n_waiting;		/* calls that wait for it */
	struct AiTokenSlot *next;
} AiTokenSlot;

/* The slot of that token, made if need be; NULL when memory ran out. */
extern AiTokenSlot *ai_token_slot(const AiTarget *target, AiTokenRequest *request);

/* The token, or NULL where there is none that lasts. */
extern const char *ai_token_valid(const AiTokenSlot *slot);

/*
 * Starts a fetch unless one is under way; false with a failure.  Its end is told
 * to ai_engine_token_ended().
 */
extern bool ai_token_fetch(AiTokenSlot *slot, const AiTarget *target, AiTokenRequest *request,
						   const AiHttpLimits *limits, AiFailure *failure);

/* A call begins to wait, and does not any more. */
extern void ai_token_join(AiTokenSlot *slot);
extern void ai_token_leave(AiTokenSlot *slot);

/* A server refused the token of that serial: it is dropped, if it is still there. */
extern void ai_token_refused(AiTokenSlot *slot, uint64 serial);

#endif							/* AI_CALL_TOKEN_H */
