/*
 * fn.h
 *	  What the SQL functions share: from SQL arguments to a call, and from its
 *	  outcome to a result or an error.
 *
 * The story of a scalar function.  SQL calls its C entry (functions.h), which checks
 * that the signature is the library's (signature.h) and gives NULL for a NULL
 * that it requires.  It makes a table of jobs for this one call (ai_fn_run), asks
 * its one question (ask/job.h) and waits.  The question is put by the function's
 * `prepare`, its value made by its `result`: in a plan node (exec/) the same two
 * are used, for many rows at a time, and the entry is not called.
 *
 * A set is the same question: its function has an entry of its own, which asks as
 * above and returns the rows one by one.  So that a plan node can ask for many, the
 * planner puts in its place a scalar function that returns an array of the rows,
 * and one that opens it (rows.h, plan/support.c).
 *
 * Memory: a request is its call's, a value is in the current context.  Who may
 * throw: all but what returns a fault, and that for want of memory.  Locks: none.
 */
#ifndef AI_FN_H
#define AI_FN_H

#include "postgres.h"

#include "ask/job.h"
#include "fmgr.h"
#include "utils/jsonb.h"

/*
 * Runs `body` with a table of jobs that is destroyed when it returns or throws.
 * A PL/pgSQL exception block keeps the caller's memory context alive beyond
 * an error, so waiting for that to end would leave sockets open.
 */
typedef Datum (*AiFnBody) (FunctionCallInfo fcinfo, AiJobTable *jobs, const void *argument);
extern Datum ai_fn_run(FunctionCallInfo fcinfo, bool sharing, AiFnBody body, const void *argument);

/* Argument n as UTF-8 in the call's own context, or NULL for NULL; false with a fault. */
extern bool ai_fn_utf8_arg(FunctionCallInfo fcinfo, int n, AiCall *call, const char **utf8,
						   AiFailure *failure);

/* A jsonb argument as a tree that the caller owns, or NULL for NULL; false with a fault. */
extern bool ai_fn_json_arg(FunctionCallInfo fcinfo, int n, cJSON **tree, AiFailure *failure);

/* A fault in an argument (22023); false. */
#define ai_fn_bad_argument(failure, ...) \
	ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22023", __VA_ARGS__)

/*
 * The messages of a call from the arguments with these numbers: a prompt, which
 * is not NULL, a system prompt and files, which may be.  False with a fault.
 */
extern bool ai_fn_prompt(FunctionCallInfo fcinfo, AiCall *call, int prompt, int system,
						 int files, AiFailure *failure);

/* Submits a call that is still NEW, and waits for its end. */
extern void ai_fn_wait(AiCall *call);

/*
 * False if there is no answer, after a fault was raised or ai_gateway.on_error
 * was obeyed: an error was raised, or a warning given, or nothing, and the result
 * is to be NULL.
 */
extern bool ai_fn_succeeded(const AiAnswer *answer);

/* Raises a fault; obeys ai_gateway.on_error for another failure. */
extern void ai_fn_on_error(const AiCall *call, const AiFailure *failure);

/*
 * The result that is JSON, as malloc text that is freed; NULL in fcinfo->isnull
 * if it cannot be had in this encoding (on_error obeyed).
 */
extern Datum ai_fn_jsonb_result(FunctionCallInfo fcinfo, const AiCall *call, char *json);

/* A text result; NULL if it cannot be had in this encoding (on_error obeyed). */
extern text *ai_fn_text_result(const AiCall *call, const char *utf8);

#endif							/* AI_FN_H */
