/*
 * exchange.h
 *	  A round trip that is no model call: the fetch of a token, later the upload
 *	  of a batch or a poll for its end.
 *
 * An exchange owns its transfer and belongs to no call: whoever waits for what
 * it brings may end before it does.  It is told once, outside of libcurl, then
 * it is gone; until then it may be abandoned, in reset callbacks too.
 *
 * Memory: malloc.  Nothing throws.
 */
#ifndef AI_EXCHANGE_H
#define AI_EXCHANGE_H

#include "http/http.h"

typedef struct AiExchange AiExchange;

/* The reply of any status, or NULL with a failure; both are gone afterwards. */
typedef void (*AiExchangeEnded) (void *owner, const AiHttpReply *reply,
								 const AiFailure *failure);

/* Takes over what `http` holds, whatever happens.  NULL with a failure. */
extern AiExchange *ai_exchange_start(AiHttpRequest *http, AiReach reach,
									 const AiHttpLimits *limits, AiExchangeEnded ended,
									 void *owner, AiFailure *failure);

extern void ai_exchange_abandon(AiExchange *exchange);

#endif							/* AI_EXCHANGE_H */
