/*
 * fn_media.c
 *	  ai_moderate() and ai_transcribe(): what is in a text, and in a recording.
 */
#include "postgres.h"

#include "fn/fn.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(ai_moderate);
PG_FUNCTION_INFO_V1(ai_transcribe);

enum
{
	ARG_INPUT,
	ARG_MODEL,
	ARG_OPTIONS,				/* ai_transcribe alone */
};

static Datum
moderate(FunctionCallInfo fcinfo, AiCallSet *set)
{
	AiCall	   *call = ai_call_new(set);
	const char **inputs = MemoryContextAlloc(call->context, sizeof(char *));
	char	   *printed;
	char	   *document;
	text	   *converted;

	inputs[0] = ai_fn_utf8_arg(fcinfo, ARG_INPUT, call);
	call->request.task = AI_TASK_MODERATE;
	call->request.inputs = inputs;
	call->request.n_inputs = 1;
	ai_fn_wait(call, ai_fn_text_arg(fcinfo, ARG_MODEL));
	if (!ai_fn_succeeded(call))
		PG_RETURN_NULL();
	printed = cJSON_PrintUnformatted(call->reply.moderation);
	document = printed ? MemoryContextStrdup(call->context, printed) : NULL;
	cJSON_free(printed);
	if (document == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("memory ran out for a reply")));
	converted = ai_fn_text_result(call, document);
	if (converted == NULL)
		PG_RETURN_NULL();
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(converted)));
}

Datum
ai_moderate(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(ARG_INPUT))
		PG_RETURN_NULL();
	return ai_fn_run(fcinfo, moderate);
}

static Datum
transcribe(FunctionCallInfo fcinfo, AiCallSet *set)
{
	AiCall	   *call = ai_call_new(set);
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	bytea	   *audio = PG_GETARG_BYTEA_PP(ARG_INPUT);
	text	   *result;

	MemoryContextSwitchTo(caller);
	call->request.task = AI_TASK_TRANSCRIBE;
	call->request.audio = (unsigned char *) VARDATA_ANY(audio);
	call->request.audio_len = VARSIZE_ANY_EXHDR(audio);
	call->call_options = ai_fn_json_arg(fcinfo, ARG_OPTIONS);
	ai_fn_wait(call, ai_fn_text_arg(fcinfo, ARG_MODEL));
	if (!ai_fn_succeeded(call))
		PG_RETURN_NULL();
	result = ai_fn_text_result(call, call->reply.text);
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

Datum
ai_transcribe(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(ARG_INPUT))
		PG_RETURN_NULL();
	return ai_fn_run(fcinfo, transcribe);
}
