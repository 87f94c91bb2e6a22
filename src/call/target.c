/*
 * target.c
 *	  Resolving a registration (target.h): who and how from its row, where and
 *	  what may go there from endpoint.h, with which key here.
 *
 *	key		the provider's own goes where endpoint.h trusts, or to the "hosts" of
 *			its file.  A credential that the row names goes to the same, and where
 *			it may not go the call fails; the provider's own key is withheld, and
 *			the call is made without.
 */
#include "postgres.h"

#include <time.h>

#include "call/endpoint.h"
#include "call/target.h"
#include "pg/guc.h"
#include "pg/openssl.h"
#include "provider/auth.h"

AiProtocolId
ai_model_protocol(const AiModel *model)
{
	const AiProvider *provider = ai_provider_by_name(model->provider);
	AiTask		task = AI_TASK_CHAT;

	if (model->protocol != NULL)
		return ai_protocol_by_name(model->protocol);
	ai_task_by_name(model->task, &task);
	return provider ? ai_provider_protocol(provider, task) : AI_PROTOCOL_NONE;
}

static bool
has_secret(const AiSecret *secret)
{
	return secret->key != NULL || secret->fields != NULL;
}

static bool
find_key(const AiModel *model, const AiProvider *provider, const AiEndpoint *endpoint,
		 AiResolvedTarget *resolved, AiFailure *failure)
{
	if (provider->auth == AI_AUTH_NONE)
		return true;
	if (model->credential != NULL)
	{
		if (!ai_secret_read_credential(model->credential, &resolved->secret, failure))
			return false;
		resolved->target.fields = resolved->secret.fields;
		if (!ai_endpoint_takes(endpoint, &resolved->secret))
		{
			ai_fail(failure, AI_ERROR_PERMISSION,
					"credential \"%s\" may not be sent to host \"%s\"",
					model->credential, endpoint->url.host);
			ai_failure_hint(failure, "Make the file a JSON object with \"api_key\", and \"hosts\": [\"%s\"].",
							endpoint->url.host);
			return false;
		}
	}
	else
	{
		const char *reference = ai_guc_provider_key(provider->name);

		if (!ai_secret_read(reference, provider->name, &resolved->secret, failure))
		{
			/* elsewhere the key is not needed, and must not stop the call */
			if (endpoint->trusted)
				return false;
			ai_failure_clear(failure);
			resolved->key_withheld = true;
		}
		if (has_secret(&resolved->secret) && !ai_endpoint_takes(endpoint, &resolved->secret))
		{
			ai_secret_release(&resolved->secret);
			resolved->key_withheld = true;
		}
		resolved->target.fields = resolved->secret.fields;
		resolved->target.api_key = resolved->secret.key;
		if (!has_secret(&resolved->secret) && provider->key_required && endpoint->own)
		{
			ai_fail(failure, AI_ERROR_AUTHENTICATION,
					"no key is configured for provider \"%s\"", provider->name);
			ai_failure_hint(failure, "Set ai_gateway.%s_api_key = 'file:/path/of/a/file' in postgresql.conf and reload the configuration.",
							provider->name);
			return false;
		}
	}
	resolved->target.api_key = resolved->secret.key;

	/* a token is as much of a secret as the key that it is got with */
	resolved->needs_token = ai_token_needed(&resolved->target);
	if (resolved->needs_token && !ai_endpoint_takes(endpoint, &resolved->secret))
	{
		resolved->needs_token = false;
		resolved->key_withheld = true;
	}
	return true;
}

/* The registry's words as what the pure layer knows. */
static void
convert_profile(const AiModelProfile *from, AiProfile *profile)
{
	const struct
	{
		const char *word;
		bool	   *flag;
	}			flags[] = {
		{AI_REFUSES_TOOLS, &profile->refuses_tools},
		{AI_REFUSES_IMAGES, &profile->refuses_images},
		{AI_REFUSES_SCHEMA, &profile->refuses_schema},
		{AI_REFUSES_DIMENSIONS, &profile->refuses_dimensions},
		{AI_REFUSES_FORCED_TOOLS, &profile->refuses_forced_tools},
	};
	ListCell   *cell;

	memset(profile, 0, sizeof(*profile));
	profile->pattern = from->pattern;
	profile->renames = from->renames;
	profile->requires = from->requires;
	foreach(cell, from->refuses)
	{
		for (int i = 0; i < (int) lengthof(flags); i++)
		{
			if (strcmp(flags[i].word, lfirst(cell)) == 0)
				*flags[i].flag = true;
		}
		for (int key = 0; key < AI_OPTION_KEYS; key++)
		{
			if (strcmp(ai_option_names[key], lfirst(cell)) == 0)
				profile->refuses |= AI_OPTION_BIT(key);
		}
	}
}

/* The best that is for this protocol, or for all. */
static const AiProfile *
find_profile(const AiModel *model, const char *protocol, AiProfile *space)
{
	ListCell   *cell;

	foreach(cell, model->profiles)
	{
		const AiModelProfile *profile = lfirst(cell);

		if (profile->protocol != NULL && strcmp(profile->protocol, protocol) != 0)
			continue;
		convert_profile(profile, space);
		return space;
	}
	return NULL;
}

bool
ai_target_describe(const AiModel *model, AiResolvedTarget *resolved, AiFailure *failure)
{
	AiTarget   *target = &resolved->target;

	memset(resolved, 0, sizeof(*resolved));
	target->provider = ai_provider_by_name(model->provider);
	target->protocol = ai_model_protocol(model);
	target->remote_model = model->remote_model;
	target->settings = model->settings;
	target->default_setting = ai_guc_provider_setting;
	target->crypto = &ai_crypto;
	target->now = time(NULL);
	target->endpoint = "";
	if (target->provider == NULL || target->protocol == AI_PROTOCOL_NONE)
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					   "this version of the library does not know provider \"%s\" or its protocol",
					   model->provider);
	target->profile = find_profile(model, ai_protocols[target->protocol]->name, &resolved->profile);
	return true;
}

/* The model's, else the parameter's, else the provider's with its settings. */
static bool
find_endpoint(const AiModel *model, AiResolvedTarget *resolved, AiFailure *failure)
{
	char		name[200];
	const AiProvider *provider = resolved->target.provider;
	const char *configured = ai_guc_provider_endpoint(provider->name);
	const char *endpoint = model->endpoint ? model->endpoint : configured;
	AiBuffer	filled = {0};
	bool		good = true;

	if (endpoint != NULL)
		strlcpy(resolved->endpoint, endpoint, sizeof(resolved->endpoint));
	else if (provider->endpoint != NULL)
	{
		good = ai_provider_endpoint(&resolved->target, &filled, failure);
		strlcpy(resolved->endpoint, filled.data ? filled.data : "", sizeof(resolved->endpoint));
		ai_buffer_free(&filled);
	}
	else
	{
		good = ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					   "model \"%s\" has no endpoint, and provider \"%s\" has none of its own",
					   model->name, provider->name);
		if (ai_copy_literal(name, sizeof(name), model->name))
			ai_failure_hint(failure, "UPDATE ai_gateway.models SET endpoint = 'https://...' WHERE name = %s;", name);
	}
	return good;
}

bool
ai_target_resolve(const AiModel *model, AiResolvedTarget *resolved, AiFailure *failure)
{
	const AiProvider *provider;
	const AiEndpoint *endpoint;
	size_t		len;

	ai_failure_clear(failure);
	if (!ai_target_describe(model, resolved, failure))
		return false;
	provider = resolved->target.provider;
	if (provider->in_process)
		return true;

	if (!find_endpoint(model, resolved, failure))
		return false;
	endpoint = ai_endpoint_judge(model, provider, resolved->endpoint, failure);
	if (endpoint == NULL)
		return false;
	len = strlen(resolved->endpoint);
	while (len > 0 && resolved->endpoint[len - 1] == '/')
		resolved->endpoint[--len] = '\0';
	resolved->target.endpoint = resolved->endpoint;

	resolved->reach = endpoint->reach;
	resolved->http2 = endpoint->own || cJSON_IsTrue(ai_json_get(model->settings, AI_SETTING_HTTP2));
	return find_key(model, provider, endpoint, resolved, failure);
}
