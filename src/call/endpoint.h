/*
 * endpoint.h
 *	  Where a model is called: may it be, and what may go there.
 *
 * A judgement is a pointer to what the backend knows, good until the next one is
 * asked for.  Nothing here throws.
 */
#ifndef AI_CALL_ENDPOINT_H
#define AI_CALL_ENDPOINT_H

#include "postgres.h"

#include "http/http.h"
#include "provider/provider.h"
#include "registry/model.h"
#include "registry/secret.h"
#include "util/url.h"

typedef struct AiEndpoint
{
	AiUrl		url;
	AiReach		reach;			/* which addresses its name may lead to */
	bool		own;			/* https to a host of the provider's */
	bool		trusted;		/* the provider's key may go, whatever its
								 * file says */
} AiEndpoint;

/* NULL, with a failure, if it is no URL or no call may go there. */
extern const AiEndpoint *ai_endpoint_judge(const AiModel *model, const AiProvider *provider,
										   const char *address, AiFailure *failure);

/* May this secret go there? */
extern bool ai_endpoint_takes(const AiEndpoint *endpoint, const AiSecret *secret);

#endif							/* AI_CALL_ENDPOINT_H */
