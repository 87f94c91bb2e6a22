/*
 * target.c
 *	  Resolving a registration (target.h).  An endpoint and its key are one
 *	  capability, and this file is where that is decided:
 *
 *	where	the model's endpoint, else the provider's parameter, else the
 *			provider's default.
 *	may it	https to the provider's own hosts or to the parameter's endpoint;
 *			loopback; anything in ai_gateway.allowed_hosts, by plain http too.
 *	key		the provider's own goes to the provider's own hosts and to the
 *			endpoint of its parameter (same scheme, host, port, and path below
 *			it), or to the "hosts" of its file.  A credential that the row
 *			names goes to the same, and where it may not go the call fails; the
 *			provider's own key is withheld, and the call is made without.
 */
#include "postgres.h"

#include "call/target.h"
#include "guc.h"
#include "util/url.h"

AiProtocolId
ai_model_protocol(const AiModel *model)
{
	const AiProvider *provider = ai_provider_by_name(model->provider);

	if (model->protocol != NULL)
		return ai_protocol_by_name(model->protocol);
	return provider ? provider->protocol : AI_PROTOCOL_NONE;
}

/* May a call go there at all, and which addresses may the name lead to? */
static bool
check_place(const AiModel *model, const AiProvider *provider, const AiUrl *url,
			bool configured, AiReach *reach, AiFailure *failure)
{
	bool		loopback = ai_host_is_loopback(url->host);
	bool		listed = ai_host_listed(ai_guc_allowed_hosts, url->host, url->port);
	bool		own = provider->hosts && ai_host_listed(provider->hosts, url->host, url->port);

	if (listed)
		*reach = AI_REACH_ANY;
	else if (loopback)
		*reach = AI_REACH_LOOPBACK;
	else
		*reach = AI_REACH_PUBLIC;
	if (listed || loopback)
		return true;
	if (!url->https)
	{
		ai_fail(failure, AI_ERROR_PERMISSION,
				"model \"%s\" would be called by plain http at host \"%s\", which is not listed in ai_gateway.allowed_hosts",
				model->name, url->host);
		ai_failure_hint(failure, "Use https, or add '%s' to ai_gateway.allowed_hosts and reload the configuration.",
						url->host);
		return false;
	}
	if (own || configured)
		return true;
	ai_fail(failure, AI_ERROR_PERMISSION,
			"host \"%s\" of model \"%s\" is neither one of provider \"%s\" nor listed in ai_gateway.allowed_hosts, so it gets no key and no call",
			url->host, model->name, provider->name);
	ai_failure_hint(failure, "Add '%s' to ai_gateway.allowed_hosts and reload the configuration.",
					url->host);
	return false;
}

/* May a secret go to this URL? */
static bool
key_may_go(const AiProvider *provider, const AiSecret *secret, const AiUrl *url)
{
	const char *configured = ai_guc_provider_endpoint(provider->name);
	AiUrl		prefix;
	const char *why;
	bool		safe = url->https || ai_host_is_loopback(url->host) ||
		ai_host_listed(ai_guc_allowed_hosts, url->host, url->port);

	if (!safe)
		return false;
	if (url->https && provider->hosts &&
		ai_host_listed(provider->hosts, url->host, url->port))
		return true;
	if (configured != NULL && ai_url_parse(configured, &prefix, &why) &&
		ai_url_within(url, &prefix))
		return true;
	return secret->hosts != NULL && ai_host_listed(secret->hosts, url->host, url->port);
}

static bool
find_key(const AiModel *model, const AiProvider *provider, const AiUrl *url,
		 AiResolvedTarget *resolved, AiFailure *failure)
{
	char		parameter[NAMEDATALEN + 32];

	if (provider->auth == AI_AUTH_NONE)
		return true;
	snprintf(parameter, sizeof(parameter), "ai_gateway.%s_api_key", provider->name);
	if (model->credential != NULL)
	{
		if (!ai_secret_read_credential(model->credential, &resolved->secret, failure))
			return false;
		if (!key_may_go(provider, &resolved->secret, url))
		{
			ai_fail(failure, AI_ERROR_PERMISSION,
					"credential \"%s\" may not be sent to host \"%s\"",
					model->credential, url->host);
			ai_failure_hint(failure, "Make the file a JSON object with \"api_key\", and \"hosts\": [\"%s\"].",
							url->host);
			return false;
		}
	}
	else
	{
		const char *reference = ai_guc_provider_key(provider->name);
		bool		own = url->https && provider->hosts &&
			ai_host_listed(provider->hosts, url->host, url->port);

		if (!ai_secret_read(reference, parameter, &resolved->secret, failure))
		{
			/* elsewhere the key is not needed, and must not stop the call */
			AiSecret	none = {0};

			if (own || key_may_go(provider, &none, url))
				return false;
			ai_failure_clear(failure);
			resolved->key_withheld = true;
		}
		if (resolved->secret.key != NULL && !key_may_go(provider, &resolved->secret, url))
		{
			ai_secret_wipe(&resolved->secret);
			resolved->key_withheld = true;
		}
		if (resolved->secret.key == NULL && provider->key_required && own)
		{
			ai_fail(failure, AI_ERROR_AUTHENTICATION,
					"no key is configured for provider \"%s\"", provider->name);
			ai_failure_hint(failure, "Set %s = 'file:/path/of/a/file' in postgresql.conf and reload the configuration.",
							parameter);
			return false;
		}
	}
	resolved->target.api_key = resolved->secret.key;
	return true;
}

bool
ai_target_describe(const AiModel *model, AiTarget *target, AiFailure *failure)
{
	memset(target, 0, sizeof(*target));
	target->provider = ai_provider_by_name(model->provider);
	target->protocol = ai_model_protocol(model);
	target->remote_model = model->remote_model;
	target->settings = model->settings;
	if (target->provider == NULL || target->protocol == AI_PROTOCOL_NONE)
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					   "this version of the library does not know provider \"%s\" or its protocol",
					   model->provider);
	return true;
}

bool
ai_target_resolve(const AiModel *model, AiResolvedTarget *resolved, AiFailure *failure)
{
	const AiProvider *provider;
	const char *configured;
	const char *endpoint;
	const char *why;
	AiUrl		url;
	size_t		len;

	memset(resolved, 0, sizeof(*resolved));
	ai_failure_clear(failure);
	if (!ai_target_describe(model, &resolved->target, failure))
		return false;
	provider = resolved->target.provider;
	if (provider->in_process)
		return true;

	configured = ai_guc_provider_endpoint(provider->name);
	endpoint = model->endpoint ? model->endpoint : configured ? configured : provider->endpoint;
	if (endpoint == NULL)
	{
		ai_fail(failure, AI_ERROR_INVALID_REQUEST,
				"model \"%s\" has no endpoint, and provider \"%s\" has none of its own",
				model->name, provider->name);
		ai_failure_hint(failure, "UPDATE ai_gateway.models SET endpoint = 'https://...' WHERE name = '%s';",
						model->name);
		return false;
	}
	if (!ai_url_parse(endpoint, &url, &why))
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST, "the endpoint of model \"%s\" %s",
					   model->name, why);
	strlcpy(resolved->endpoint, endpoint, sizeof(resolved->endpoint));
	len = strlen(resolved->endpoint);
	while (len > 0 && resolved->endpoint[len - 1] == '/')
		resolved->endpoint[--len] = '\0';
	resolved->target.endpoint = resolved->endpoint;

	/* what stands in the parameter, or in the code, is the DBA's or our word */
	if (!check_place(model, provider, &url, model->endpoint == NULL, &resolved->reach, failure))
		return false;
	return find_key(model, provider, &url, resolved, failure);
}
