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

#include "call/token.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

/* A token is renewed this long before it ends. */
#define REFRESH_SECONDS		300
#define DEFAULT_SECONDS		600

static List *slots = NIL;

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
	ListCell   *cell;
	MemoryContext caller;

	add_hash(target, request->cache_key, sizeof(request->cache_key));
	foreach(cell, slots)
	{
		slot = lfirst(cell);
		if (strcmp(slot->cache_key, request->cache_key) == 0)
			return slot;
	}
	caller = MemoryContextSwitchTo(TopMemoryContext);
	slot = palloc0(sizeof(AiTokenSlot));
	strlcpy(slot->cache_key, request->cache_key, sizeof(slot->cache_key));
	slots = lappend(slots, slot);
	MemoryContextSwitchTo(caller);
	return slot;
}

const char *
ai_token_valid(const AiTokenSlot *slot)
{
	return slot->token != NULL && time(NULL) < slot->refresh_at ? slot->token : NULL;
}

void
ai_token_store(AiTokenSlot *slot, char *token, int64 expires_in)
{
	int64		lasts = expires_in > 0 ? expires_in : DEFAULT_SECONDS;

	ai_free_secret(slot->token);
	slot->token = token;
	/* one that lasts no longer than the margin is still good for a while */
	slot->refresh_at = time(NULL) + (lasts > 2 * REFRESH_SECONDS ? lasts - REFRESH_SECONDS : lasts / 2);
}

void
ai_token_drop(AiTokenSlot *slot)
{
	ai_free_secret(slot->token);
	slot->token = NULL;
}
