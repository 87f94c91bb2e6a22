/*
 * call.c
 *	  Sets of calls, and a call's way from NEW to ADMITTED.
 *
 * What is the caller's own doing is checked here and becomes data, which raises
 * when the call's row has its turn: the model's name, its grant, its task, the
 * options.
 */
#include "postgres.h"

#include "call/call.h"
#include "call/engine.h"
#include "call/lane.h"
#include "call/target.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/text.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static void
set_ends(void *arg)
{
	AiCallSet  *set = arg;
	dlist_head *lists[] = {&set->idle, &set->pending, &set->done};

	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		dlist_iter	iter;

		dlist_foreach(iter, lists[i])
			ai_call_abandon(dlist_container(AiCall, set_node, iter.cur));
		dlist_init(lists[i]);
	}
}

AiCallSet *
ai_call_set_create(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "ai_gateway calls",
												  ALLOCSET_SMALL_SIZES);
	AiCallSet  *set = MemoryContextAllocZero(context, sizeof(AiCallSet));

	set->context = context;
	dlist_init(&set->idle);
	dlist_init(&set->pending);
	dlist_init(&set->done);
	set->callback.func = set_ends;
	set->callback.arg = set;
	MemoryContextRegisterResetCallback(context, &set->callback);
	return set;
}

void
ai_call_set_destroy(AiCallSet *set)
{
	MemoryContextDelete(set->context);
}

/*
 * The struct lives in the set's context and not in the call's own: contexts
 * below one that ends are gone before its callback runs.
 */
AiCall *
ai_call_new(AiCallSet *set)
{
	MemoryContext context = AllocSetContextCreate(set->context, "ai_gateway call",
												  ALLOCSET_SMALL_SIZES);
	AiCall	   *call = MemoryContextAllocZero(set->context, sizeof(AiCall));

	call->context = context;
	call->set = set;
	ai_reply_init(&call->reply);
	ai_failure_clear(&call->failure);
	dlist_push_tail(&set->idle, &call->set_node);
	return call;
}

void
ai_call_free(AiCall *call)
{
	dlist_delete(&call->set_node);
	ai_call_abandon(call);
	MemoryContextDelete(call->context);
	pfree(call);
}

static bool
fail_unknown_model(const char *name, AiFailure *failure)
{
	char	   *names = ai_name_to_utf8(ai_model_names());

	ai_fault(failure, AI_FAULT_REFUSED, AI_ERROR_NOT_FOUND, "42704",
			 "model \"%s\" is not registered", ai_name_to_utf8(name));
	if (names[0] != '\0')
		ai_failure_detail(failure, "You may use %s.", names);
	ai_failure_hint(failure, "INSERT INTO ai_gateway.models (name, task, provider, remote_model) VALUES (%s, ...);",
					ai_name_to_utf8(quote_literal_cstr(name)));
	return false;
}

/* The name of the task's default model, or NULL with a failure. */
static const char *
default_model(AiTask task, AiFailure *failure)
{
	const struct
	{
		const char *parameter;
		const char *value;
	}			defaults[AI_TASKS] = {
		[AI_TASK_CHAT] = {"default_model", ai_guc_default_model},
		[AI_TASK_EMBED] = {"default_embedding_model", ai_guc_default_embedding_model},
		[AI_TASK_RERANK] = {"default_rerank_model", ai_guc_default_rerank_model},
		[AI_TASK_MODERATE] = {"default_moderation_model", ai_guc_default_moderation_model},
		[AI_TASK_TRANSCRIBE] = {"default_transcription_model", ai_guc_default_transcription_model},
	};
	const char *name = defaults[task].value;

	if (name != NULL && name[0] != '\0')
		return name;
	ai_fault(failure, AI_FAULT_REFUSED, AI_ERROR_NOT_FOUND, "22023",
			 "no model was named, and \"ai_gateway.%s\" is not set", defaults[task].parameter);
	ai_failure_hint(failure, "Name one: model => '...', or SET ai_gateway.%s = '...'.",
					defaults[task].parameter);
	return NULL;
}

static bool
check_model(const AiModel *model, AiTask task, AiFailure *failure)
{
	const char *name = ai_name_to_utf8(model->name);
	const char *literal = ai_name_to_utf8(quote_literal_cstr(model->name));

	if (!ai_model_granted(model))
	{
		ai_fault(failure, AI_FAULT_REFUSED, AI_ERROR_PERMISSION, "42501",
				 "permission denied for model \"%s\"", name);
		ai_failure_hint(failure, "INSERT INTO ai_gateway.model_grants (model, role) VALUES (%s, %s);", literal,
						ai_name_to_utf8(quote_literal_cstr(quote_identifier(GetUserNameFromId(GetUserId(), false)))));
		return false;
	}
	if (!model->enabled)
	{
		ai_fault(failure, AI_FAULT_REFUSED, AI_ERROR_PERMISSION, "55000",
				 "model \"%s\" is disabled", name);
		ai_failure_hint(failure, "UPDATE ai_gateway.models SET enabled = true WHERE name = %s;", literal);
		return false;
	}
	if (strcmp(model->task, ai_task_names[task]) == 0)
		return true;
	ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22023",
			 "model \"%s\" is registered for task \"%s\", not \"%s\"",
			 name, model->task, ai_task_names[task]);
	ai_failure_hint(failure, "Name another model, or register one for this task.");
	return false;
}

/* An option of the call that does not go with the model. */
static bool
check_options(const AiCall *call, AiFailure *failure)
{
	const AiModel *model = call->model;

	if (ai_json_get(call->call_options, "extra") != NULL && !model->allow_extra)
	{
		ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_PERMISSION, "42501",
				 "model \"%s\" does not allow option \"extra\"", ai_name_to_utf8(model->name));
		ai_failure_hint(failure, "UPDATE ai_gateway.models SET allow_extra = true WHERE name = %s;",
						ai_name_to_utf8(quote_literal_cstr(model->name)));
		return false;
	}
	if (ai_json_get(call->call_options, "mock") != NULL && strcmp(model->provider, "mock") != 0)
		return ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22023",
						"option \"mock\" is for models of provider \"mock\" only");
	return true;
}

/* The model's, and the call's over them. */
static bool
merge_options(AiCall *call, AiFailure *failure)
{
	AiOptions  *options = &call->request.options;
	AiFailure	fault;

	memset(options, 0, sizeof(*options));
	if (call->model->options != NULL && !ai_options_parse(call->model->options, options, &fault))
	{
		ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22023",
				 "options of model \"%s\" are not valid", ai_name_to_utf8(call->model->name));
		ai_failure_detail(failure, "%s.", fault.message);
		return false;
	}
	if (call->call_options == NULL)
		return true;
	if (!ai_options_parse(call->call_options, options, &fault))
		return ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22023",
						"%s", fault.message);
	return check_options(call, failure);
}

static void
limits_of(AiModel *model, int *max_inputs, int *max_bytes)
{
	AiResolvedTarget resolved;
	AiFailure	failure;

	*max_inputs = 1;
	*max_bytes = 0;
	if (ai_target_describe(model, &resolved, &failure))
		ai_provider_limits(&resolved.target, max_inputs, max_bytes);
}

void
ai_call_limits(const AiCall *call, int *max_inputs, int *max_bytes)
{
	limits_of(call->model, max_inputs, max_bytes);
}

bool
ai_call_embed_limits(const char *name, int *max_inputs, int *max_bytes, AiFailure *failure)
{
	AiModel    *model;

	if (name == NULL)
		name = default_model(AI_TASK_EMBED, failure);
	if (name == NULL)
		return false;
	model = ai_model_acquire(name);
	if (model == NULL)
		return fail_unknown_model(name, failure);
	limits_of(model, max_inputs, max_bytes);
	ai_model_release(model);
	return true;
}

/* The model's own limit, else that of the session. */
static int
first_byte_ms(const AiModel *model)
{
	const cJSON *own = ai_json_get(model->settings, AI_SETTING_FIRST_BYTE);

	return cJSON_IsNumber(own) ? (int) own->valuedouble : ai_guc_first_byte_timeout;
}

static bool
resolve(AiCall *call, const char *name)
{
	AiFailure  *failure = &call->failure;

	if (name == NULL)
		name = default_model(call->request.task, failure);
	if (name == NULL)
		return false;
	call->asked = MemoryContextStrdup(call->context, name);
	call->model = ai_model_acquire(name);
	if (call->model == NULL)
		return fail_unknown_model(name, failure);
	if (!check_model(call->model, call->request.task, failure) || !merge_options(call, failure))
		return false;
	call->lane = ai_lane_of(call->model->name);
	return true;
}

bool
ai_call_resolve(AiCall *call, const char *name)
{
	Assert(call->state == AI_CALL_NEW);
	if (!resolve(call, name))
		ai_call_refuse(call);
	return call->state == AI_CALL_NEW;
}

void
ai_call_refuse(AiCall *call)
{
	call->state = AI_CALL_DONE;
	call->failed = true;
}

bool
ai_call_repeatable(const AiCall *call)
{
	const AiOptions *options = &call->request.options;

	if (ai_option_set(options, AI_OPTION_CACHE) && !options->cache)
		return false;
	return !ai_option_set(options, AI_OPTION_TEMPERATURE) || options->temperature <= 0 ||
		ai_option_set(options, AI_OPTION_SEED);
}

void
ai_call_start(AiCall *call)
{
	const AiOptions *options = &call->request.options;
	int			timeout = Min(ai_guc_timeout, ai_guc_max_timeout);

	Assert(call->state == AI_CALL_NEW && call->model != NULL);
	if (ai_option_set(options, AI_OPTION_TIMEOUT_MS))
		timeout = Min(options->timeout_ms, ai_guc_max_timeout);
	call->max_retries = ai_option_set(options, AI_OPTION_MAX_RETRIES)
		? options->max_retries : ai_guc_max_retries;
	call->first_byte_ms = first_byte_ms(call->model);
	call->submitted_at = ai_now_ms();
	call->timeout_ms = timeout;
	ai_call_admit(call);
}

void
ai_call_submit(AiCall *call, const char *name)
{
	if (ai_call_resolve(call, name))
		ai_call_start(call);
}
