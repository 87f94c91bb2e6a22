/*
 * prefix.h
 *	  Calls whose prompts begin alike, and what that is worth.
 *
 * A provider that bills cached input for less keeps the beginning of a prompt
 * when it has read it once.  Of many calls sent at the same time all read it for
 * the first time: one goes ahead, then the others find it there.
 */
#ifndef AI_PREFIX_H
#define AI_PREFIX_H

#include "postgres.h"

#include "call/call.h"

/*
 * Bytes below which no prefix is cached: 1,024 tokens (OpenAI, Anthropic,
 * Gemini; some models want more), of about four bytes each.
 */
#define AI_PREFIX_BYTES		4096

/* Is a long beginning, once read, cheaper than the first time? */
extern bool ai_prefix_pays(const AiCall *call);

/* Do two calls to one model begin with the same long text? */
extern bool ai_prefix_is_shared(const AiCall *a, const AiCall *b);

#endif							/* AI_PREFIX_H */
