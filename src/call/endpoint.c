/*
 * endpoint.c
 *	  An endpoint and its key are one capability; this file decides about both
 *	  (endpoint.h).
 *
 *	may it	https to the provider's own hosts or to the parameter's endpoint;
 *			loopback; anything in ai_gateway.allowed_hosts, by plain http too.
 *	trusted	the provider's own hosts, and the endpoint of its parameter (same
 *			scheme, host, port, and path below it).
 *
 * Plain http to any other place is no endpoint at all, so no secret goes there.
 *
 * A judgement depends on the address, the provider, whether the row of the model
 * or the configuration says it, and the configuration, which counts its changes
 * in ai_guc_network_generation.  So it is made once for each, and kept while that
 * stands; a refusal is not kept.
 *
 * State: the judgements that were asked for last.
 */
#include "postgres.h"

#include "call/endpoint.h"
#include "pg/guc.h"

#define MOST_KNOWN		16

typedef struct KnownEndpoint
{
	const AiProvider *provider; /* NULL = free */
	bool		configured;
	int			generation;
	char		address[1024];
	AiEndpoint	endpoint;
} KnownEndpoint;

static KnownEndpoint known[MOST_KNOWN];
static int	next_kept = 0;

static bool
is_listed(const char *list, const AiUrl *url)
{
	return list != NULL && ai_host_listed(list, url->host, url->port);
}

/* Is it the endpoint of the provider's parameter, or below it? */
static bool
is_parameters(const AiProvider *provider, const AiUrl *url)
{
	const char *parameter = ai_guc_provider_endpoint(provider->name);
	AiUrl		prefix;
	const char *why;

	return parameter != NULL && ai_url_parse(parameter, &prefix, &why) && ai_url_within(url, &prefix);
}

static bool
judge(const AiModel *model, const AiProvider *provider, const char *address, bool configured,
	  AiEndpoint *endpoint, AiFailure *failure)
{
	AiUrl	   *url = &endpoint->url;
	const char *why;
	bool		loopback;
	bool		listed;
	bool		safe;

	if (!ai_url_parse(address, url, &why))
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST, "the endpoint of model \"%s\" %s",
					   model->name, why);
	loopback = ai_host_is_loopback(url->host);
	listed = is_listed(ai_guc_allowed_hosts, url);
	endpoint->own = url->https && is_listed(provider->hosts, url);
	safe = url->https || loopback || listed;
	endpoint->trusted = endpoint->own || is_parameters(provider, url);
	endpoint->reach = listed ? AI_REACH_ANY : loopback ? AI_REACH_LOOPBACK : AI_REACH_PUBLIC;
	if (!safe)
	{
		ai_fail(failure, AI_ERROR_PERMISSION,
				"model \"%s\" would be called by plain http at host \"%s\", which is not listed in ai_gateway.allowed_hosts",
				model->name, url->host);
		ai_failure_hint(failure, "Use https, or add '%s' to ai_gateway.allowed_hosts and reload the configuration.",
						url->host);
		return false;
	}
	if (listed || loopback || endpoint->own || configured)
		return true;
	ai_fail(failure, AI_ERROR_PERMISSION,
			"host \"%s\" of model \"%s\" is neither one of provider \"%s\" nor listed in ai_gateway.allowed_hosts, so it gets no key and no call",
			url->host, model->name, provider->name);
	ai_failure_hint(failure, "Add '%s' to ai_gateway.allowed_hosts and reload the configuration.",
					url->host);
	return false;
}

const AiEndpoint *
ai_endpoint_judge(const AiModel *model, const AiProvider *provider, const char *address,
				  AiFailure *failure)
{
	/* what stands in the parameter, or in the code, is the DBA's or our word */
	bool		configured = model->endpoint == NULL;
	KnownEndpoint *kept;

	for (int i = 0; i < MOST_KNOWN; i++)
	{
		kept = &known[i];
		if (kept->provider == provider && kept->configured == configured &&
			kept->generation == ai_guc_network_generation && strcmp(kept->address, address) == 0)
			return &kept->endpoint;
	}
	kept = &known[next_kept];
	memset(kept, 0, sizeof(*kept));
	if (strlen(address) >= sizeof(kept->address) ||
		!judge(model, provider, address, configured, &kept->endpoint, failure))
		return NULL;
	strcpy(kept->address, address);
	kept->configured = configured;
	kept->generation = ai_guc_network_generation;
	kept->provider = provider;
	next_kept = (next_kept + 1) % MOST_KNOWN;
	return &kept->endpoint;
}

bool
ai_endpoint_takes(const AiEndpoint *endpoint, const AiSecret *secret)
{
	return endpoint->trusted || is_listed(secret->hosts, &endpoint->url);
}
