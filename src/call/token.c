/*
 * token.c
 *	  The cache of tokens (token.h).
 *
 * A token is found by who it is for and by a hash of the secret that it was
 * got with, so that a credential that was replaced, or another's, never gets
 * the token of this one.
 *
 * State: the slots, per backend.
 */
#include "postgres.h"

#include <time.h>

#include "call/engine.h"
#include "call/token.h"

/* A token is renewed this long before it ends. */
#define REFRESH_SECONDS		300
#define DEFAULT_SECONDS		600

static AiTokenSlot *slots = NULL;

static void
add_hash(const AiTarget *target, char *cache_key, size_t size)
{
	const char *secret = ai_json_string(target->fields, "client_secret");
	unsigned char digest[32];
	size_t		len = strlen(cache_key);

	if (secret == NULL)
		secret = ai_json_string(target->fields, "private_key");
	if (secret == NULL || !target->crypto->sha256(secret, strlen(secret), digest))
		return;
	for (int i = 0; i < 16 && len + 3 < size; i++)
		len += snprintf(cache_key + len, size - len, i == 0 ? " %02x" : "%02x", digest[i]);
}

AiTokenSlot *
ai_token_slot(const AiTarget *target, AiTokenRequest *request)
{
	AiTokenSlot *slot;

	add_hash(target, request->cache_key, sizeof(request->cache_key));
	for (slot = slots; slot != NULL; slot = slot->next)
	{
		if (strcmp(slot->cache_key, request->cache_key) == 0)
			return slot;
	}
	slot = calloc(1, sizeof(AiTokenSlot));
	if (slot == NULL)
		return NULL;
	strlcpy(slot->cache_key, request->cache_key, sizeof(slot->cache_key));
	slot->next = slots;
	slots = slot;
	return slot;
}

const char *
ai_token_valid(const AiTokenSlot *slot)
{
	return slot->token != NULL && time(NULL) < slot->refresh_at ? slot->token : NULL;
}

static void
drop(AiTokenSlot *slot)
{
	ai_free_secret(slot->token);
	slot->token = NULL;
}

/* Takes over the token. */
static void
store(AiTokenSlot *slot, char *token, int64 expires_in)
{
	int64		lasts = expires_in > 0 ? expires_in : DEFAULT_SECONDS;

	drop(slot);
	slot->token = token;
	slot->serial++;
	/* one that lasts no longer than the margin is still good for a while */
	slot->refresh_at = time(NULL) + (lasts > 2 * REFRESH_SECONDS ? lasts - REFRESH_SECONDS : lasts / 2);
}

static void
fetched(void *owner, const AiHttpReply *reply, const AiFailure *failure)
{
	AiTokenSlot *slot = owner;
	AiFailure	fault = *failure;
	char	   *token = NULL;
	int64_t		expires_in = 0;
	bool		good = reply != NULL && ai_token_parse(reply, &token, &expires_in, &fault);

	slot->exchange = NULL;
	if (good)
		store(slot, token, expires_in);
	ai_engine_token_ended(slot, good ? NULL : &fault);
}

bool
ai_token_fetch(AiTokenSlot *slot, const AiTarget *target, AiTokenRequest *request,
			   const AiHttpLimits *limits, AiFailure *failure)
{
	if (slot->exchange != NULL)
		return true;
	if (!ai_token_build(target, request, failure))
	{
		ai_http_request_free(&request->http);
		return false;
	}
	slot->exchange = ai_exchange_start(&request->http,
									   request->local ? AI_REACH_METADATA : AI_REACH_PUBLIC,
									   limits, fetched, slot, failure);
	return slot->exchange != NULL;
}

void
ai_token_join(AiTokenSlot *slot)
{
	slot->n_waiting++;
}

void
ai_token_leave(AiTokenSlot *slot)
{
	Assert(slot->n_waiting > 0);
	if (--slot->n_waiting > 0 || slot->exchange == NULL)
		return;
	ai_exchange_abandon(slot->exchange);
	slot->exchange = NULL;
}

void
ai_token_refused(AiTokenSlot *slot, uint64 serial)
{
	if (slot->serial == serial)
		drop(slot);
}
