/*
 * disclosure.h
 *	  What a failure may not repeat: keys, tokens, and the texts of the request.
 */
#ifndef AI_DISCLOSURE_H
#define AI_DISCLOSURE_H

#include "registry/secret.h"

struct AiCall;

/* Takes them out of its message; `secret` may be NULL. */
extern void ai_redact_failure(const struct AiCall *call, const AiSecret *secret, AiFailure *failure);

/*
 * A provider refused: takes out what it repeats, with the key that is looked up
 * again for that, and says so where a key was withheld.
 */
extern void ai_explain_refusal(const struct AiCall *call, AiFailure *failure);

#endif							/* AI_DISCLOSURE_H */
