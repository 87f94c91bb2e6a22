/*
 * disclosure.h
 *	  What an outcome may not repeat: keys, tokens, and the texts of the request.
 */
#ifndef AI_DISCLOSURE_H
#define AI_DISCLOSURE_H

struct AiCall;

/*
 * The attempt has failed: takes them out of all that the failure says, and says so
 * where a key was withheld.  It is the one place where a failure leaves an attempt.
 */
extern void ai_redact_failure(struct AiCall *call);

/* It was answered: the id of the reply is one, or nothing. */
extern void ai_redact_reply(struct AiCall *call);

#endif							/* AI_DISCLOSURE_H */
