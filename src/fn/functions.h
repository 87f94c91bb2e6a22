/*
 * functions.h
 *	  The scalar model calls of SQL: the one list of them.
 *
 * A C symbol is made for one SQL signature and bears the version in which that
 * came: SQL of an older version, which stays installed until ALTER EXTENSION
 * ... UPDATE, names the symbol of its own signature, and never reads another
 * argument than it has.  A signature that changes gets a new line, and a new
 * descriptor beside the old one.
 */
#ifndef AI_FUNCTIONS_H
#define AI_FUNCTIONS_H

#include "ask/function.h"

/* From a line come the SQL function's C entry and its row in ai_functions[]. */
#define AI_FUNCTIONS(X) \
	X(ai_complete_0_1) \
	X(ai_try_complete_0_1) \
	X(ai_chat_0_1) \
	X(ai_json_0_1) \
	X(ai_embed_0_1) \
	X(ai_embed_array_0_1) \
	X(ai_rerank_array_0_1) \
	X(ai_moderate_0_1) \
	X(ai_transcribe_0_1)

/* The descriptor of a line, in the file of its function. */
#define AI_FUNCTION(symbol_) symbol_##_function
#define AI_DEFINE_FUNCTION(symbol_, ...) \
	const AiFunction AI_FUNCTION(symbol_) = {.symbol = #symbol_, __VA_ARGS__}
#define AI_DECLARE_FUNCTION(symbol_) extern const AiFunction AI_FUNCTION(symbol_);

AI_FUNCTIONS(AI_DECLARE_FUNCTION)

/* Asks one question, and waits. */
extern Datum ai_function_run(FunctionCallInfo fcinfo, const AiFunction *function);

/* The list of them, ended by NULL. */
extern const AiFunction *const ai_functions[];

#endif							/* AI_FUNCTIONS_H */
