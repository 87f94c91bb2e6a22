/*
 * outcome.h
 *	  ai_result: the outcome of one model call, good or bad, as a row.
 */
#ifndef AI_OUTCOME_H
#define AI_OUTCOME_H

#include "ask/function.h"

/* The text of an answer that came; NULL with a failure if it cannot be had. */
typedef text *(*AiOutcomeText) (const AiAnswer *answer, AiFailure *failure);

/* The result of an ai_try_* function.  Raises for a bad argument alone. */
extern Datum ai_outcome(const AiFunction *function, FunctionCallInfo fcinfo,
						const AiAnswer *answer, AiOutcomeText read);

#endif							/* AI_OUTCOME_H */
