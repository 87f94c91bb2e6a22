/*
 * structured.h
 *	  Answers that must be JSON of a schema: read, validated, and asked for once
 *	  more with the fault named.
 *
 * Who may throw: both, for want of memory, and what pg/regexp.h may.
 */
#ifndef AI_CALL_STRUCTURED_H
#define AI_CALL_STRUCTURED_H

#include "call/call.h"

typedef enum AiReview
{
	AI_REVIEW_GOOD,				/* call->json holds the document */
	AI_REVIEW_ASK_AGAIN,		/* call->request asks again, with the fault */
	AI_REVIEW_BAD,				/* its attempt's failure says why */
} AiReview;

/* Judges the reply of a call whose request has a schema. */
extern AiReview ai_structured_review(AiCall *call);

/*
 * Checks a schema before it is used: false with a fault for a keyword that is
 * not supported (22023), or a regular expression that is none (2201B).
 */
extern bool ai_structured_check(const cJSON *schema, AiFailure *failure);

#endif							/* AI_CALL_STRUCTURED_H */
