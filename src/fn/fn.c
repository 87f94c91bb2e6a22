/*
 * fn.c
 *	  What the SQL functions share (fn.h).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fn/fn.h"
#include "pg/errors.h"
#include "pg/guc.h"
#include "pg/text.h"
#include "util/filetype.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

Datum
ai_fn_run(FunctionCallInfo fcinfo, bool sharing, AiFnBody body, const void *argument)
{
	AiJobTable *jobs = ai_jobs_create(CurrentMemoryContext, sharing);
	Datum		result = (Datum) 0;

	PG_TRY();
	{
		result = body(fcinfo, jobs, argument);
	}
	PG_FINALLY();
	{
		ai_jobs_destroy(jobs);
	}
	PG_END_TRY();
	return result;
}

bool
ai_fn_utf8_arg(FunctionCallInfo fcinfo, int n, AiCall *call, const char **utf8,
			   AiFailure *failure)
{
	MemoryContext caller;

	*utf8 = NULL;
	if (PG_ARGISNULL(n))
		return true;
	caller = MemoryContextSwitchTo(call->context);
	*utf8 = ai_text_to_utf8(PG_GETARG_TEXT_PP(n), failure);
	MemoryContextSwitchTo(caller);
	return *utf8 != NULL;
}

bool
ai_fn_json_arg(FunctionCallInfo fcinfo, int n, cJSON **tree, AiFailure *failure)
{
	Jsonb	   *json;
	char	   *document;
	const char *why;

	*tree = NULL;
	if (PG_ARGISNULL(n))
		return true;
	json = PG_GETARG_JSONB_P(n);
	document = JsonbToCString(NULL, &json->root, VARSIZE(json));
	document = ai_cstring_to_utf8(document, strlen(document), failure);
	if (document == NULL)
		return false;
	*tree = ai_json_parse(document, strlen(document), &why);
	pfree(document);
	if (*tree == NULL)
		return ai_fn_bad_argument(failure, "jsonb argument %d cannot be used: %s", n + 1, why);
	return true;
}

/*
 * The files as they are: which kinds a model takes is the provider's to say.
 * NULL with a fault.
 */
static const AiImage *
read_files(FunctionCallInfo fcinfo, int n_arg, AiCall *call, int *n_files, AiFailure *failure)
{
	MemoryContext caller = MemoryContextSwitchTo(call->context);
	Datum	   *elements;
	bool	   *nulls;
	AiImage    *files;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P_COPY(n_arg), BYTEAOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &n);
	files = palloc0(sizeof(AiImage) * Max(n, 1));
	MemoryContextSwitchTo(caller);
	for (int i = 0; i < n; i++)
	{
		AiImage    *file = &files[i];
		bytea	   *bytes;

		if (nulls[i])
		{
			ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22004",
					 "file %d is null", i + 1);
			return NULL;
		}
		bytes = DatumGetByteaPP(elements[i]);	/* array elements are never
												 * toasted */
		file->data = (unsigned char *) VARDATA_ANY(bytes);
		file->len = VARSIZE_ANY_EXHDR(bytes);
		file->media_type = ai_file_type(file->data, file->len);
		if (file->media_type == NULL)
		{
			ai_fn_bad_argument(failure, "file %d is of no known type", i + 1);
			ai_failure_detail(failure, AI_FILE_TYPES_KNOWN " are recognised by their first bytes.");
			return NULL;
		}
	}
	*n_files = n;
	return files;
}

bool
ai_fn_prompt(FunctionCallInfo fcinfo, AiCall *call, int prompt, int system, int files,
			 AiFailure *failure)
{
	AiMessage  *messages = MemoryContextAllocZero(call->context, 2 * sizeof(AiMessage));
	int			n = 0;

	if (!PG_ARGISNULL(system))
	{
		messages[n].role = AI_ROLE_SYSTEM;
		if (!ai_fn_utf8_arg(fcinfo, system, call, &messages[n++].text, failure))
			return false;
	}
	messages[n].role = AI_ROLE_USER;
	if (!ai_fn_utf8_arg(fcinfo, prompt, call, &messages[n].text, failure))
		return false;
	if (!PG_ARGISNULL(files))
	{
		messages[n].images = read_files(fcinfo, files, call, &messages[n].n_images, failure);
		if (messages[n].images == NULL)
			return false;
	}
	n++;
	call->request.task = AI_TASK_CHAT;
	call->request.messages = messages;
	call->request.n_messages = n;
	return true;
}

void
ai_fn_wait(AiCall *call)
{
	if (call->state == AI_CALL_NEW)
		ai_window_submit(call, NULL);
	while (call->state != AI_CALL_DONE)
		ai_window_next(call->window);
}

void
ai_fn_on_error(const AiCall *call, const AiFailure *failure)
{
	const char *model = call->model ? call->model->name : "";

	if (failure->fault != AI_FAULT_CALL)
		ai_report(ERROR, model, failure, call->attempts);
	switch ((AiOnError) ai_guc_on_error)
	{
		case AI_ON_ERROR_ERROR:
			ai_report(ERROR, model, failure, call->attempts);
			break;
		case AI_ON_ERROR_WARN:
			ai_report(WARNING, model, failure, call->attempts);
			break;
		case AI_ON_ERROR_NULL:
			break;
	}
}

bool
ai_fn_succeeded(const AiAnswer *answer)
{
	if (answer->failure == NULL)
		return true;
	ai_fn_on_error(answer->call, answer->failure);
	return false;
}

text *
ai_fn_text_result(const AiCall *call, const char *utf8)
{
	AiFailure	failure;
	text	   *result = ai_text_from_utf8(utf8, &failure);

	if (result == NULL)
		ai_fn_on_error(call, &failure);
	return result;
}

Datum
ai_fn_jsonb_result(FunctionCallInfo fcinfo, const AiCall *call, char *json)
{
	char	   *document = json ? pstrdup(json) : NULL;
	text	   *converted;

	free(json);
	if (document == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("memory ran out for a reply")));
	converted = ai_fn_text_result(call, document);
	if (converted == NULL)
		PG_RETURN_NULL();
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(converted)));
}
