/*
 * answer.h
 *	  What came of one question: the reply that holds it, and which part of the
 *	  reply it is, or why there is none.
 *
 * An answer borrows its call, which its driver keeps until the value is made.
 */
#ifndef AI_ANSWER_H
#define AI_ANSWER_H

#include "postgres.h"

#include "call/call.h"

typedef struct AiAnswer
{
	AiCall	   *call;			/* DONE; its model may be NULL where it failed */
	int			input;			/* which of the call's inputs */
	const AiFailure *failure;	/* NULL = answered */
} AiAnswer;

static inline AiAnswer
ai_answer_of(AiCall *call, int input)
{
	Assert(call->state == AI_CALL_DONE);
	return (AiAnswer)
	{
		.call = call,
			.input = input,
			.failure = call->failed ? &call->failure : NULL,
	};
}

#endif							/* AI_ANSWER_H */
