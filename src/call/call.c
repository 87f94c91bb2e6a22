/*
 * call.c
 *	  How a call is resolved: which model, who asks, with which settings.
 *
 * What is the caller's own doing is checked here and becomes data, which raises
 * when the call's row has its turn: the model's name, its grant, its task, the
 * options.
 */
#include "postgres.h"

#include "call/call.h"
#include "call/lane.h"
#include "call/target.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/text.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/*
 * The most that is read of a reply that becomes a tree.  Embeddings are read as
 * they stand.
 */
#define MAX_TREE_KB		(16 * 1024)

static const struct
{
	const char *parameter;
	char	  **value;
}			default_models[AI_TASKS] = {
	[AI_TASK_CHAT] = {"default_model", &ai_guc_default_model},
	[AI_TASK_EMBED] = {"default_embedding_model", &ai_guc_default_embedding_model},
	[AI_TASK_RERANK] = {"default_rerank_model", &ai_guc_default_rerank_model},
	[AI_TASK_MODERATE] = {"default_moderation_model", &ai_guc_default_moderation_model},
	[AI_TASK_TRANSCRIBE] = {"default_transcription_model", &ai_guc_default_transcription_model},
};

const char *
ai_call_default_model(AiTask task)
{
	const char *name = *default_models[task].value;

	return name ? name : "";
}

static bool
fail_no_model(AiTask task, AiFailure *failure)
{
	ai_fault(failure, AI_FAULT_REFUSED, AI_ERROR_NOT_FOUND, "22023",
			 "no model was named, and \"ai_gateway.%s\" is not set", default_models[task].parameter);
	ai_failure_hint(failure, "Name one: model => '...', or SET ai_gateway.%s = '...'.",
					default_models[task].parameter);
	return false;
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

void
ai_call_limits(const AiCall *call, int *max_inputs, int *max_bytes)
{
	AiResolvedTarget resolved;
	AiFailure	failure;

	*max_inputs = 1;
	*max_bytes = 0;
	if (ai_target_describe(call->model, &resolved, &failure))
		ai_provider_limits(&resolved.target, max_inputs, max_bytes);
}

/* The model's own limit, else that of the session. */
static int
first_byte_ms(const AiModel *model)
{
	const cJSON *own = ai_json_get(model->settings, AI_SETTING_FIRST_BYTE);

	return cJSON_IsNumber(own) ? (int) own->valuedouble : ai_guc_first_byte_timeout;
}

static void
take_settings(AiCall *call)
{
	const AiOptions *options = &call->request.options;

	call->who = (AiWho)
	{
		.role = GetUserId(),
			.session_role = GetSessionUserId(),
			.database = MyDatabaseId,
	};
	call->settings = (AiCallSettings)
	{
		.timeout_ms = Min(ai_option_set(options, AI_OPTION_TIMEOUT_MS) ? options->timeout_ms : ai_guc_timeout,
						  ai_guc_max_timeout),
			.connect_timeout_ms = ai_guc_connect_timeout,
			.first_byte_ms = first_byte_ms(call->model),
			.max_retries = ai_option_set(options, AI_OPTION_MAX_RETRIES) ? options->max_retries : ai_guc_max_retries,
			.max_response_kb = call->request.task == AI_TASK_EMBED ? ai_guc_max_response_size :
			Min(ai_guc_max_response_size, MAX_TREE_KB),
			.drop_unsupported = ai_guc_drop_unsupported,
	};
}

static bool
resolve(AiCall *call, const char *name)
{
	AiFailure  *failure = &call->failure;

	if (name == NULL)
	{
		name = ai_call_default_model(call->request.task);
		if (name[0] == '\0')
			return fail_no_model(call->request.task, failure);
	}
	call->asked = MemoryContextStrdup(call->context, name);
	call->model = ai_model_acquire(name, failure);
	if (call->model == NULL)
		return false;
	if (!check_model(call->model, call->request.task, failure) || !merge_options(call, failure))
		return false;
	call->lane = ai_lane_of(call->model->name);
	take_settings(call);
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

AiCall *
ai_call_like(const AiCall *call)
{
	AiCall	   *other = ai_call_new(call->window);
	AiFailure	ignored;

	other->call_options = cJSON_Duplicate(call->call_options, true);
	other->asked = MemoryContextStrdup(other->context, call->asked);
	other->model = ai_model_hold(call->model);
	other->lane = call->lane;
	other->who = call->who;
	other->settings = call->settings;
	other->request.task = call->request.task;
	other->request.dimensions = call->request.dimensions;
	/* they were good before, and are as they were */
	merge_options(other, &ignored);
	return other;
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
