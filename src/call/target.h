/*
 * target.h
 *	  From a registration to a target: which provider and protocol, where,
 *	  with which key, and whether the key may go there.
 */
#ifndef AI_CALL_TARGET_H
#define AI_CALL_TARGET_H

#include "postgres.h"

#include "http/http.h"
#include "provider/provider.h"
#include "registry/model.h"
#include "registry/secret.h"

typedef struct AiResolvedTarget
{
	AiTarget	target;
	AiProfile	profile;		/* what target.profile points to */
	AiSecret	secret;
	AiReach		reach;
	char		endpoint[1024];
	bool		http2;			/* to the provider's own hosts, and where the
								 * model's settings say so */
	bool		needs_token;	/* one must be got before the call (token.h) */
	bool		key_withheld;	/* a key is configured, but may not go there */
} AiResolvedTarget;

/*
 * Who and how, without a place and a key: enough to read a reply with.
 */
extern bool ai_target_describe(const AiModel *model, AiResolvedTarget *resolved,
							   AiFailure *failure);

/*
 * Resolves a registration for one attempt.  Does not throw; false with a
 * failure where the configuration does not allow the call.  The caller gives
 * resolved->secret back as soon as the request is built.
 */
extern bool ai_target_resolve(const AiModel *model, AiResolvedTarget *resolved,
							  AiFailure *failure);

/* The protocol of a registration; NONE if its names are unknown. */
extern AiProtocolId ai_model_protocol(const AiModel *model);

/* Settings that models of every provider may have. */
#define AI_SETTING_FIRST_BYTE	"first_byte_timeout_ms"
#define AI_SETTING_HTTP2		"http2"

#endif							/* AI_CALL_TARGET_H */
