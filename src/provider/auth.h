/*
 * auth.h
 *	  Puts the key into a finished request, or signs it; and the exchange that
 *	  gets a token where a provider wants one.  Pure.
 */
#ifndef AI_AUTH_H
#define AI_AUTH_H

#include "provider/provider.h"

/* Adds the header, or headers, that authorise the request; last of all. */
extern bool ai_put_auth(const AiTarget *target, AiHttpRequest *http, AiFailure *failure);

/*
 * A token from an authority other than the model's server: OAuth 2.0 of Entra
 * ID or Google, or the metadata service of a virtual machine.
 */
typedef struct AiTokenRequest
{
	char		cache_key[256]; /* equal for equal tokens; holds no secret */
	AiHttpRequest http;
	bool		local;			/* the metadata service of this machine: the
								 * address is link-local and never proxied */
} AiTokenRequest;

/* Does this target need a token before it can be called? */
extern bool ai_token_needed(const AiTarget *target);

/*
 * Who the token would be for, without writing the request: fills cache_key.
 * Then ai_token_build() writes it, and ai_token_parse() reads the answer:
 * *token is malloc, *expires_in in seconds.
 */
extern bool ai_token_identify(const AiTarget *target, AiTokenRequest *request, AiFailure *failure);
extern bool ai_token_build(const AiTarget *target, AiTokenRequest *request, AiFailure *failure);
extern bool ai_token_parse(const AiHttpReply *http, char **token, int64_t *expires_in,
						   AiFailure *failure);

#endif							/* AI_AUTH_H */
