/*
 * token.h
 *	  Tokens that stand between a key and a call: got from an authority through
 *	  the same engine, kept in the backend until shortly before they expire.
 *
 * One fetch a token, however many calls want it: the first call that finds
 * none fetches it, the others wait (AI_CALL_AUTHORIZING) and start when it is
 * there, or fail as it failed.
 *
 * Memory: tokens are malloc, wiped when they are dropped.  Nothing here throws
 * but ai_token_slot(), for want of memory.
 */
#ifndef AI_CALL_TOKEN_H
#define AI_CALL_TOKEN_H

#include "postgres.h"

#include "provider/auth.h"

typedef struct AiTokenSlot
{
	char		cache_key[256];
	char	   *token;			/* NULL = none yet */
	int64		refresh_at;		/* seconds since 1970 */
	void	   *fetcher;		/* the call that fetches it, or NULL */
} AiTokenSlot;

/* The slot of that token, made if need be; it stays for the backend's life. */
extern AiTokenSlot *ai_token_slot(const AiTarget *target, AiTokenRequest *request);

/* The token, or NULL where there is none that lasts. */
extern const char *ai_token_valid(const AiTokenSlot *slot);

/* Takes over the token. */
extern void ai_token_store(AiTokenSlot *slot, char *token, int64 expires_in);

/* A server refused it: the next call fetches another. */
extern void ai_token_drop(AiTokenSlot *slot);

#endif							/* AI_CALL_TOKEN_H */
