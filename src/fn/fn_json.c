/*
 * fn_json.c
 *	  ai_json(): a prompt and a JSON Schema in, a valid document out.
 */
#include "postgres.h"

#include "call/structured.h"
#include "fn/fn.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(ai_json);

enum
{
	ARG_PROMPT,
	ARG_SCHEMA,
	ARG_MODEL,
	ARG_SYSTEM,
	ARG_IMAGES,
	ARG_OPTIONS,
};

static Datum
json(FunctionCallInfo fcinfo, AiCallSet *set)
{
	AiCall	   *call = ai_call_new(set);
	char	   *document;
	char	   *printed;
	text	   *converted;

	ai_fn_prompt(fcinfo, call, ARG_PROMPT, ARG_SYSTEM, ARG_IMAGES);
	call->call_options = ai_fn_json_arg(fcinfo, ARG_OPTIONS);
	call->trees[0] = ai_fn_json_arg(fcinfo, ARG_SCHEMA);
	ai_structured_check(call->trees[0]);
	call->request.schema = call->trees[0];

	ai_fn_wait(call, ai_fn_text_arg(fcinfo, ARG_MODEL));
	if (!ai_fn_succeeded(call))
		PG_RETURN_NULL();
	printed = cJSON_PrintUnformatted(call->json);
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
ai_json(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(ARG_PROMPT) || PG_ARGISNULL(ARG_SCHEMA))
		PG_RETURN_NULL();
	return ai_fn_run(fcinfo, json);
}
