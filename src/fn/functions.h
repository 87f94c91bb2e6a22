/*
 * functions.h
 *	  The scalar model calls, each in the file of its SQL function.
 */
#ifndef AI_FUNCTIONS_H
#define AI_FUNCTIONS_H

#include "ask/function.h"

extern const AiFunction ai_function_complete;
extern const AiFunction ai_function_try_complete;
extern const AiFunction ai_function_chat;
extern const AiFunction ai_function_json;
extern const AiFunction ai_function_embed;
extern const AiFunction ai_function_moderate;
extern const AiFunction ai_function_transcribe;

/* The list of them, ended by NULL. */
extern const AiFunction *const ai_functions[];

/* The function as SQL calls it: one call, waited for. */
extern Datum ai_function_run(FunctionCallInfo fcinfo, const AiFunction *function);

#endif							/* AI_FUNCTIONS_H */
