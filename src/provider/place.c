/*
 * place.c
 *	  Where a request goes: endpoints, bases and paths as data.
 *
 * An endpoint that names a path is taken as it is, since a DBA who writes one
 * means it; an endpoint that is a host alone gets the base that its provider
 * has for the protocol.  {name} in an endpoint or a base is a setting of the
 * model or its provider.
 */
#include "provider/place.h"

#include <stdio.h>
#include <string.h>

#include "provider/parts.h"

/* What may become part of a host or a path without changing its meaning. */
static bool
is_plain(const char *value)
{
	return value[0] != '\0' && value[0] != '.' && value[0] != '-' &&
		strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") == strlen(value);
}

bool
ai_fill_template(const AiTarget *target, const char *template, AiBuffer *out,
				 AiFailure *failure)
{
	while (*template)
	{
		const char *end = *template == '{' ? strchr(template, '}') : NULL;
		char		name[64];
		const char *value;

		if (end == NULL)
		{
			ai_buffer_append_char(out, *template++);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int) (end - template - 1), template + 1);
		template = end + 1;
		value = ai_setting(target, name);
		if (value == NULL || !is_plain(value))
		{
			ai_fail(failure, AI_ERROR_INVALID_REQUEST, value == NULL
					? "setting \"%s\" is needed for provider \"%s\", and is not set"
					: "setting \"%s\" of provider \"%s\" cannot be part of a URL",
					name, target->provider->name);
			ai_failure_hint(failure, "UPDATE ai_gateway.models SET settings = settings || '{\"%s\": \"...\"}', or set ai_gateway.%s_%s.",
							name, target->provider->name, name);
			return false;
		}
		ai_buffer_append_string(out, value);
	}
	return true;
}

bool
ai_provider_endpoint(const AiTarget *target, AiBuffer *out, AiFailure *failure)
{
	const char *location;

	/* Google's global location has a host without a prefix */
	if (strstr(target->provider->endpoint, "{location}-") != NULL &&
		(location = ai_setting(target, "location")) != NULL && strcmp(location, "global") == 0)
	{
		ai_buffer_append_string(out, "https://aiplatform.googleapis.com");
		return true;
	}
	return ai_fill_template(target, target->provider->endpoint, out, failure);
}

static bool
has_path(const char *endpoint)
{
	const char *host = strstr(endpoint, "://");

	return host != NULL && strchr(host + 3, '/') != NULL;
}

bool
ai_put_url(AiHttpRequest *http, const AiTarget *target, const char *path, AiFailure *failure)
{
	ai_buffer_append_string(&http->url, target->endpoint);
	if (!has_path(target->endpoint))
	{
		for (int i = 0; i < AI_MAX_BASES; i++)
		{
			const AiBase *base = &target->provider->bases[i];

			if (base->protocol == target->protocol && base->path != NULL)
			{
				if (!ai_fill_template(target, base->path, &http->url, failure))
					return false;
				break;
			}
		}
	}
	ai_buffer_append_string(&http->url, path);
	return true;
}

bool
ai_put_model_url(AiHttpRequest *http, const AiTarget *target, const char *before,
				 const char *model, const char *after, AiFailure *failure)
{
	AiBuffer	path = {0};
	bool		good;

	ai_buffer_append_string(&path, before);
	ai_buffer_append_url_segment(&path, model);
	ai_buffer_append_string(&path, after);
	good = path.data != NULL && ai_put_url(http, target, path.data, failure);
	ai_buffer_free(&path);
	return good;
}

bool
ai_endpoint_ends_with(const AiTarget *target, const char *end)
{
	size_t		len = strlen(target->endpoint);
	size_t		end_len = strlen(end);

	return len >= end_len && strcmp(target->endpoint + len - end_len, end) == 0;
}
