/*
 * admin.c
 *	  The DBA's functions: the triggers of the registry, and validate_model().
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "call/target.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fn/fn.h"
#include "fn/registration.h"
#include "fn/signature.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/errors.h"
#include "pg/text.h"
#include "registry/tuple.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

AI_SQL_FUNCTION(ai_models_check_0_1);
AI_SQL_FUNCTION(ai_profiles_check_0_1);
AI_SQL_FUNCTION(ai_registry_changed_0_1);
AI_SQL_FUNCTION(ai_validate_model_0_1);
AI_SQL_FUNCTION(ai_version_0_1);

static TriggerData *
called_as_trigger(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by the trigger manager")));
	return (TriggerData *) fcinfo->context;
}

/* BEFORE INSERT OR UPDATE FOR EACH ROW of ai_gateway.models. */
Datum
ai_models_check_0_1(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as_trigger(fcinfo);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	AiTuple		row = {tuple, RelationGetDescr(trigger->tg_relation)};
	AiModel    *model = ai_model_of_tuple(row.tuple, row.descriptor);

	/* NULLs in NOT NULL columns are the constraints' to refuse */
	PG_TRY();
	{
		if (model->name && model->task && model->provider)
			ai_registration_check(model, &row);
	}
	PG_FINALLY();
	{
		ai_model_release(model);
	}
	PG_END_TRY();
	return PointerGetDatum(tuple);
}

/*
 * BEFORE INSERT OR UPDATE FOR EACH ROW of ai_gateway.model_profiles.  A row of
 * the DBA's own takes the place of the builtin one with the same key, so that
 * a dump can be restored over those that CREATE EXTENSION brought; a builtin
 * row that is changed is the DBA's from then on.
 */
Datum
ai_profiles_check_0_1(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as_trigger(fcinfo);
	Relation	relation = trigger->tg_relation;
	TupleDesc	descriptor = RelationGetDescr(relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	AiTuple		row = {tuple, descriptor};
	AttrNumber	builtin = get_attnum(RelationGetRelid(relation), "builtin");

	ai_profile_check(&row);
	if (update && ai_tuple_bool(&row, "builtin", false))
	{
		Datum		value = BoolGetDatum(false);
		bool		isnull = false;
		int			column = builtin;

		tuple = heap_modify_tuple_by_cols(tuple, descriptor, 1, &column, &value, &isnull);
	}
	else if (!update && !ai_tuple_bool(&row, "builtin", false))
		ai_profile_displace(relation, ai_tuple_text(&row, "pattern"), ai_tuple_text(&row, "protocol"));
	return PointerGetDatum(tuple);
}

/* AFTER ... FOR EACH STATEMENT of the tables that are cached. */
Datum
ai_registry_changed_0_1(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as_trigger(fcinfo);

	ai_model_invalidate(RelationGetRelid(trigger->tg_relation));
	return PointerGetDatum(NULL);
}

static void
emit_step(ReturnSetInfo *rsinfo, const char *step, bool good, const char *detail,
		  const char *hint)
{
	Datum		values[4];
	bool		nulls[4] = {false, false, detail == NULL, hint == NULL || hint[0] == '\0'};

	values[0] = CStringGetTextDatum(step);
	values[1] = BoolGetDatum(good);
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(ai_message_from_utf8(detail));
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(ai_message_from_utf8(hint));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Where the call would go and with which key; false if it cannot. */
static bool
validate_target(ReturnSetInfo *rsinfo, const AiModel *model)
{
	AiResolvedTarget resolved;
	AiFailure	failure;
	bool		good = ai_target_resolve(model, &resolved, &failure);
	const char *key = resolved.needs_token ? "a token is sent" :
		resolved.target.api_key != NULL || resolved.target.fields != NULL ? "a key is sent" :
		resolved.key_withheld ? "the provider's key is withheld from this endpoint" :
		"no key is sent";

	ai_secret_release(&resolved.secret);
	if (!good)
		emit_step(rsinfo, "target", false, failure.message, failure.hint);
	else if (resolved.target.provider->in_process)
		emit_step(rsinfo, "target", true, "answers in process", NULL);
	else
		emit_step(rsinfo, "target", true, psprintf("%s at %s; %s",
												   ai_protocols[resolved.target.protocol]->name,
												   resolved.endpoint, key), NULL);
	return good;
}

/* A tenth of a second of silence: WAV, 8 kHz, 8 bits, one channel. */
static const unsigned char *
silence(MemoryContext context, size_t *len)
{
	static const unsigned char header[44] = {
		'R', 'I', 'F', 'F', 0x44, 0x03, 0, 0, 'W', 'A', 'V', 'E', 'f', 'm', 't', ' ',
		16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0,
		'd', 'a', 't', 'a', 0x20, 0x03, 0, 0
	};
	unsigned char *wave = MemoryContextAlloc(context, sizeof(header) + 800);

	memcpy(wave, header, sizeof(header));
	memset(wave + sizeof(header), 0x80, 800);
	*len = sizeof(header) + 800;
	return wave;
}

/* One real call; what it answers is not looked at, only that it does. */
static void
validate_call(ReturnSetInfo *rsinfo, AiWindow *window, const AiModel *model)
{
	AiCall	   *call = ai_call_new(window);
	static const char *const inputs[] = {"ping"};
	static const AiMessage message = {.role = AI_ROLE_USER,.text = "Reply with the word: ping"};
	AiTask		task = AI_TASK_CHAT;
	bool		embed;

	ai_task_by_name(model->task, &task);
	embed = task == AI_TASK_EMBED;
	call->request.task = task;
	switch (task)
	{
		case AI_TASK_CHAT:
			call->request.messages = &message;
			call->request.n_messages = 1;
			break;
		case AI_TASK_EMBED:
		case AI_TASK_MODERATE:
		case AI_TASK_RERANK:
			call->request.inputs = inputs;
			call->request.n_inputs = 1;
			call->request.query = task == AI_TASK_RERANK ? "ping" : NULL;
			break;
		case AI_TASK_TRANSCRIBE:
			call->request.audio = silence(call->context, &call->request.audio_len);
			break;
	}
	ai_call_resolve(call, model->name);
	ai_fn_wait(call);
	if (call->failed)
		emit_step(rsinfo, "call", false,
				  psprintf("%s: %s", ai_error_kinds[call->failure.kind].name,
						   call->failure.message), call->failure.hint);
	else
	{
		emit_step(rsinfo, "call", true,
				  psprintf("%s answered in %.0f ms",
						   call->reply.model ? call->reply.model : model->remote_model,
						   call->latency_ms), NULL);
		if (embed)
			emit_step(rsinfo, "dimensions", true, psprintf("%d", call->reply.dimensions), NULL);
	}
}

static Datum
validate(FunctionCallInfo fcinfo, AiJobTable *jobs, const void *ignored)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	AiFailure	failure;
	AiModel    *model = ai_model_acquire(name, &failure);
	bool		good;

	if (model == NULL)
		ai_report(ERROR, name, &failure, 0);
	PG_TRY();
	{
		emit_step(rsinfo, "registration", model->enabled,
				  psprintf("task %s, provider %s, model %s%s", model->task, model->provider,
						   model->remote_model, model->enabled ? "" : "; disabled"),
				  model->enabled ? NULL :
				  psprintf("UPDATE ai_gateway.models SET enabled = true WHERE name = %s;",
						   quote_literal_cstr(model->name)));
		good = ai_model_granted(model);
		emit_step(rsinfo, "grant", good,
				  psprintf("role %s %s use it", quote_identifier(GetUserNameFromId(GetUserId(), false)),
						   good ? "may" : "may not"),
				  good ? NULL :
				  psprintf("INSERT INTO ai_gateway.model_grants (model, role) VALUES (%s, %s);",
						   quote_literal_cstr(model->name),
						   quote_literal_cstr(quote_identifier(GetUserNameFromId(GetUserId(), false)))));
		if (validate_target(rsinfo, model) && good && model->enabled)
			validate_call(rsinfo, jobs->window, model);
	}
	PG_FINALLY();
	{
		ai_model_release(model);
	}
	PG_END_TRY();
	return (Datum) 0;
}

Datum
ai_validate_model_0_1(PG_FUNCTION_ARGS)
{
	static const Oid columns[] = {TEXTOID, BOOLOID, TEXTOID, TEXTOID};
	static const AiRowType row = {"ai_gateway.validate_model", lengthof(columns), columns};

	ai_signature_set(fcinfo, 1, &row);
	if (!PG_ARGISNULL(0))
		ai_fn_run(fcinfo, false, validate, NULL);
	return (Datum) 0;
}

/* The library's version, which may be newer than the extension's SQL. */
Datum
ai_version_0_1(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("ai_gateway %s, %s, cJSON %s",
											  AI_GATEWAY_VERSION, ai_http_library(),
											  cJSON_Version())));
}
