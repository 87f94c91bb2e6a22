/*
 * fn.h
 *	  What the SQL functions share: from SQL arguments to a call, and from its
 *	  outcome to a result or an error.
 */
#ifndef AI_FN_H
#define AI_FN_H

#include "postgres.h"

#include "call/call.h"
#include "fmgr.h"
#include "utils/jsonb.h"

/*
 * Runs `body` with a set of calls that is destroyed when it returns or throws.
 * A PL/pgSQL exception block keeps the caller's memory context alive beyond
 * an error, so waiting for that to end would leave sockets open.
 */
typedef Datum (*AiFnBody) (FunctionCallInfo fcinfo, AiCallSet *set, const void *argument);
extern Datum ai_fn_run(FunctionCallInfo fcinfo, AiFnBody body, const void *argument);

/* Argument n as a C string or NULL; `model` arguments among them. */
extern char *ai_fn_text_arg(FunctionCallInfo fcinfo, int n);

/* Argument n as UTF-8 in the call's own context, or NULL. */
extern char *ai_fn_utf8_arg(FunctionCallInfo fcinfo, int n, AiCall *call);

/* A jsonb argument as a tree that the caller owns, or NULL. */
extern cJSON *ai_fn_json_arg(FunctionCallInfo fcinfo, int n);

/*
 * The messages of a call from the arguments with these numbers: a prompt, which
 * is not NULL, a system prompt and images, which may be.
 */
extern void ai_fn_prompt(FunctionCallInfo fcinfo, AiCall *call, int prompt, int system,
						 int images);

/* Submits the call and waits for its end. */
extern void ai_fn_wait(AiCall *call, const char *model);

/*
 * False if the call failed, after ai_gateway.on_error was obeyed: an error was
 * raised, or a warning given, or nothing, and the result is to be NULL.
 */
extern bool ai_fn_succeeded(AiCall *call);

/* Obeys ai_gateway.on_error for a failure. */
extern void ai_fn_on_error(const char *model, const AiFailure *failure, int attempts);

/*
 * The result that is JSON, as malloc text that is freed; NULL in fcinfo->isnull
 * if it cannot be had in this encoding (on_error obeyed).
 */
extern Datum ai_fn_jsonb_result(FunctionCallInfo fcinfo, AiCall *call, char *json);

/* A text result; NULL if it cannot be had in this encoding (on_error obeyed). */
extern text *ai_fn_text_result(AiCall *call, const char *utf8);

#endif							/* AI_FN_H */
