/*
 * media.c
 *	  ai_moderate() and ai_transcribe(): what is in a text, and in a recording.
 */
#include "postgres.h"

#include "fn/fn.h"
#include "fn/functions.h"
#include "pg/text.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

enum
{
	ARG_INPUT,
	ARG_MODEL,
	ARG_OPTIONS,
	N_ARGUMENTS,
};

static bool
prepare_moderate(const AiFunction *function, FunctionCallInfo fcinfo, AiCall *call,
				 AiFailure *failure)
{
	const char **inputs = MemoryContextAlloc(call->context, sizeof(char *));

	if (!ai_fn_utf8_arg(fcinfo, ARG_INPUT, call, &inputs[0], failure))
		return false;
	call->request.task = AI_TASK_MODERATE;
	call->request.inputs = inputs;
	call->request.n_inputs = 1;
	return ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure);
}

static Datum
moderate_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	return ai_fn_jsonb_result(fcinfo, call, ai_json_text(call->reply.moderation));
}

AI_DEFINE_FUNCTION(ai_moderate_0_1,
				   .name = "ai_moderate",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_MODERATE,
				   .required = 1U << ARG_INPUT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .prepare = prepare_moderate,
				   .result = moderate_result);

static bool
prepare_transcribe(const AiFunction *function, FunctionCallInfo fcinfo, AiCall *call,
				   AiFailure *failure)
{
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	bytea	   *audio = PG_GETARG_BYTEA_P_COPY(ARG_INPUT);

	MemoryContextSwitchTo(caller);
	call->request.task = AI_TASK_TRANSCRIBE;
	call->request.audio = (unsigned char *) VARDATA_ANY(audio);
	call->request.audio_len = VARSIZE_ANY_EXHDR(audio);
	return ai_fn_json_arg(fcinfo, ARG_OPTIONS, &call->call_options, failure);
}

static Datum
transcribe_result(const AiFunction *function, FunctionCallInfo fcinfo, const AiAnswer *answer)
{
	AiCall	   *call = answer->call;
	text	   *result;

	if (!ai_fn_succeeded(answer))
		PG_RETURN_NULL();
	result = ai_fn_text_result(call, call->reply.text);
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

AI_DEFINE_FUNCTION(ai_transcribe_0_1,
				   .name = "ai_transcribe",
				   .n_arguments = N_ARGUMENTS,
				   .task = AI_TASK_TRANSCRIBE,
				   .required = 1U << ARG_INPUT,
				   .model = ARG_MODEL,
				   .options = ARG_OPTIONS,
				   .prepare = prepare_transcribe,
				   .result = transcribe_result);
