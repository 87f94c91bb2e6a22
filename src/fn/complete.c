/*
 * complete.c
 *	  ai_complete() and ai_try_complete(): a prompt in, a text out.
 */
#include "postgres.h"

#include "fn/fn.h"
#include "fn/functions.h"
#include "fn/outcome.h"
#include "pg/text.h"
#include "utils/builtins.h"

enum
{
	ARG_PROMPT,
	ARG_MODEL,
	ARG_SYSTEM,
	ARG_FILES,
	ARG_OPTIONS,
	N_ARGUMENTS,
};

static bool
prepare(const AiFunction *function, FunctionCallInfo fcinfo, AiCall *call,
		AiFailure *failure)
{
	return ai_fn_prompt(fcinfo, call, ARG_PROMPT, ARG_SYSTEM, ARG_FILES, failure) &&
		ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure);
}

static Datum
complete_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;
	text	   *result;

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	result = ai_fn_text_result(call, call->reply.text ? call->reply.text : "");
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

AI_DEFINE_FUNCTION(ai_complete_0_1,
				   .name = "ai_complete",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_CHAT,
				   .required = 1U << ARG_PROMPT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .prepare = prepare,
				   .result = complete_result);

static text *
read_text(const AiAnswer *answer, AiFailure *failure)
{
	const char *reply = answer->call->reply.text;

	return ai_text_from_utf8(reply ? reply : "", failure);
}

static Datum
try_complete_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	return ai_outcome(function, fcinfo, answer, read_text);
}

AI_DEFINE_FUNCTION(ai_try_complete_0_1,
				   .name = "ai_try_complete",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_CHAT,
				   .required = 1U << ARG_PROMPT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .reports_failure = true,
				   .prepare = prepare,
				   .result = try_complete_result);
