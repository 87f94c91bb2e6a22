/*
 * errors.h
 *	  From a failure, which is data, to an error that a user sees.
 *
 * fn/ alone raises failures, when the row that needs the value has its turn (exec/
 * and what drives jobs later do so through ask/function.h).  Below it they are data
 * (util/failure.h).  The shape of every message:
 *	primary	model "name" <what its kind means>
 *	detail	what the provider said, then the facts: HTTP status, code,
 *			request id, attempts
 *	hint	a command to run
 * A fault of the caller's (AiFault) says its own primary message.
 */
#ifndef AI_ERRORS_H
#define AI_ERRORS_H

#include "postgres.h"

#include "util/failure.h"

/* elevel ERROR does not return. */
extern void ai_report(int elevel, const char *model, const AiFailure *failure,
					  int attempts);

/* The failure's detail and its SQLSTATE as palloc'd text, for ai_result. */
extern char *ai_failure_text(const AiFailure *failure);
extern const char *ai_failure_sqlstate(const AiFailure *failure);

#endif							/* AI_ERRORS_H */
