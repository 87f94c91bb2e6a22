/*
 * document.c
 *	  ai_json(): a prompt and a JSON Schema in, a valid document out.
 */
#include "postgres.h"

#include "call/structured.h"
#include "fn/fn.h"
#include "fn/functions.h"
#include "pg/text.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

enum
{
	ARG_PROMPT,
	ARG_SCHEMA,
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
	if (!ai_fn_prompt(fcinfo, call, ARG_PROMPT, ARG_SYSTEM, ARG_FILES, failure) ||
		!ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure) ||
		!ai_fn_json_arg(fcinfo, ARG_SCHEMA, &call->trees[0], failure) ||
		!ai_structured_check(call->trees[0], failure))
		return false;
	call->request.schema = call->trees[0];
	return true;
}

static Datum
json_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	return ai_fn_jsonb_result(fcinfo, call, ai_json_text(call->json));
}

AI_DEFINE_FUNCTION(ai_json_0_1,
				   .name = "ai_json",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_CHAT,
				   .required = 1U << ARG_PROMPT | 1U << ARG_SCHEMA,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .prepare = prepare,
				   .result = json_result);
