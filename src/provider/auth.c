/*
 * auth.c
 *	  Keys, signatures and tokens (auth.h).
 *
 * Azure	a key goes into the header api-key.  Without a key, but with a
 *			client_secret in the key's file, a token comes from Entra ID (OAuth
 *			2.0 client credentials, RFC 6749 section 4.4); with the setting
 *			managed_identity from the metadata service of the machine.  Sources:
 *			https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 *			and .../managed-identities-azure-resources/how-to-use-vm-token.
 * Google	a service account's key file signs an assertion (RFC 7523) for a
 *			token: https://developers.google.com/identity/protocols/oauth2/service-account.
 * AWS		access keys sign each request; a Bedrock API key is a bearer.
 */
#include "provider/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/sign.h"

#define ENTRA_LOGIN		"https://login.microsoftonline.com"
#define ENTRA_SCOPE		"https://ai.azure.com/.default"
#define IMDS_ENDPOINT	"http://169.254.169.254/metadata/identity/oauth2/token"
#define GOOGLE_TOKEN	"https://oauth2.googleapis.com/token"
#define GOOGLE_SCOPE	"https://www.googleapis.com/auth/cloud-platform"

static void
put_secret_header(AiHttpRequest *http, const char *before, const char *secret)
{
	ai_buffer_append_string(&http->headers, before);
	ai_buffer_append_string(&http->headers, secret);
	ai_buffer_append_char(&http->headers, '\n');
}

/* A field of the key's file, else a setting. */
static const char *
field_or_setting(const AiTarget *target, const char *name)
{
	const char *value = ai_json_string(target->fields, name);

	return value ? value : ai_setting(target, name);
}

/* ---- AWS ---- */

/* host, path and query of the URL, as they are sent; all malloc. */
static bool
split_url(const char *url, char **host, char **path, char **query)
{
	const char *start = strstr(url, "://");
	const char *slash;
	const char *mark;

	*host = *path = *query = NULL;
	if (start == NULL)
		return false;
	start += 3;
	slash = start + strcspn(start, "/?");
	mark = slash + strcspn(slash, "?");
	*host = strndup(start, (size_t) (slash - start));
	*path = strndup(slash, (size_t) (mark - slash));
	*query = ai_strdup(*mark ? mark + 1 : "");
	return *host != NULL && *path != NULL && *query != NULL;
}

/* The region is a setting, or a part of the host. */
static void
find_region(const AiTarget *target, const char *host, char *region, size_t size)
{
	const char *setting = field_or_setting(target, "region");
	const char *dot = strchr(host, '.');

	region[0] = '\0';
	if (setting != NULL)
		snprintf(region, size, "%s", setting);
	else if (dot != NULL && strstr(dot, ".amazonaws.com") != NULL)
		snprintf(region, size, "%.*s", (int) strcspn(dot + 1, "."), dot + 1);
	else if (dot != NULL && strstr(dot, ".api.aws") != NULL)
		snprintf(region, size, "%.*s", (int) strcspn(dot + 1, "."), dot + 1);
}

static bool
put_aws_signature(const AiTarget *target, AiHttpRequest *http, AiFailure *failure)
{
	char	   *host;
	char	   *path;
	char	   *query;
	char		region[64];
	bool		good = split_url(http->url.data ? http->url.data : "", &host, &path, &query);
	AiAwsSignature signature = {0};

	if (good)
	{
		AiSignedHeader headers[] = {
			{"content-type", "application/json"},
			{"host", host},
		};
		AiSignable	what = {
			.method = "POST",
			.path = path,
			.query = query,
			.headers = headers,
			.n_headers = 2,
			.body = http->body.data,
			.body_len = http->body.len,
		};
		AiAwsCredentials credentials = {
			.access_key_id = ai_json_string(target->fields, "access_key_id"),
			.secret_access_key = ai_json_string(target->fields, "secret_access_key"),
			.session_token = ai_json_string(target->fields, "session_token"),
			.region = region,
			.service = strstr(host, "bedrock-mantle") ? "bedrock-mantle" : "bedrock",
		};

		find_region(target, host, region, sizeof(region));
		if (region[0] == '\0')
		{
			ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					"setting \"region\" is needed to sign a request, and is not set");
			ai_failure_hint(failure, "Set ai_gateway.bedrock_region, or \"region\" in the settings of the model.");
			good = false;
		}
		else if (credentials.secret_access_key == NULL)
			good = ai_fail(failure, AI_ERROR_AUTHENTICATION,
						   "the key's file has \"access_key_id\" and no \"secret_access_key\"");
		else if (target->crypto == NULL ||
				 !ai_aws_sign(target->crypto, &credentials, &what, target->now, &signature))
			good = ai_fail(failure, AI_ERROR_AUTHENTICATION, "the request could not be signed");
		if (good)
		{
			ai_put_header(http, "X-Amz-Date", signature.date);
			if (credentials.session_token != NULL)
				put_secret_header(http, "X-Amz-Security-Token: ", credentials.session_token);
			put_secret_header(http, "Authorization: ", signature.authorization.data);
		}
		ai_aws_signature_free(&signature);
	}
	free(host);
	free(path);
	free(query);
	return good;
}

bool
ai_put_auth(const AiTarget *target, AiHttpRequest *http, AiFailure *failure)
{
	if (target->provider->auth == AI_AUTH_AWS && ai_json_string(target->fields, "access_key_id") != NULL)
		return put_aws_signature(target, http, failure);
	if (target->api_key == NULL)
		return true;
	if (target->token)
	{
		put_secret_header(http, "Authorization: Bearer ", target->api_key);
		return true;
	}
	switch (target->provider->auth)
	{
		case AI_AUTH_NONE:
			break;
		case AI_AUTH_BEARER:
		case AI_AUTH_AWS:
		case AI_AUTH_GOOGLE:
			put_secret_header(http, "Authorization: Bearer ", target->api_key);
			break;
		case AI_AUTH_X_API_KEY:
			put_secret_header(http, "x-api-key: ", target->api_key);
			break;
		case AI_AUTH_X_GOOG_API_KEY:
			/* its OpenAI-compatible routes take it as a bearer */
			put_secret_header(http, target->protocol == AI_PROTOCOL_OPENAI_CHAT
							  ? "Authorization: Bearer " : "x-goog-api-key: ", target->api_key);
			break;
		case AI_AUTH_AZURE:
			put_secret_header(http, target->protocol == AI_PROTOCOL_CONTENT_SAFETY
							  ? "Ocp-Apim-Subscription-Key: " : "api-key: ", target->api_key);
			break;
	}
	return true;
}

/* ---- tokens ---- */

bool
ai_token_needed(const AiTarget *target)
{
	switch (target->provider->auth)
	{
		case AI_AUTH_AZURE:
			return target->api_key == NULL &&
				(ai_json_string(target->fields, "client_secret") != NULL || ai_setting_true(target, "managed_identity"));
		case AI_AUTH_GOOGLE:
			return target->api_key == NULL && ai_json_string(target->fields, "private_key") != NULL;
		case AI_AUTH_NONE:
		case AI_AUTH_BEARER:
		case AI_AUTH_X_API_KEY:
		case AI_AUTH_X_GOOG_API_KEY:
		case AI_AUTH_AWS:
			break;
	}
	return false;
}

static const char *
azure_scope(const AiTarget *target)
{
	const char *scope = ai_setting(target, "scope");

	return scope ? scope : ENTRA_SCOPE;
}

bool
ai_token_identify(const AiTarget *target, AiTokenRequest *request, AiFailure *failure)
{
	const char *tenant = field_or_setting(target, "tenant_id");
	const char *client = field_or_setting(target, "client_id");

	memset(request, 0, sizeof(*request));
	if (target->provider->auth == AI_AUTH_GOOGLE)
	{
		const char *email = ai_json_string(target->fields, "client_email");

		if (email == NULL)
			return ai_fail(failure, AI_ERROR_AUTHENTICATION, "the key's file has no \"client_email\"");
		snprintf(request->cache_key, sizeof(request->cache_key), "google %s", email);
		return true;
	}
	if (ai_json_string(target->fields, "client_secret") == NULL)
	{
		request->local = true;
		snprintf(request->cache_key, sizeof(request->cache_key), "imds %s %s",
				 client ? client : "", azure_scope(target));
		return true;
	}
	if (tenant == NULL || client == NULL)
	{
		ai_fail(failure, AI_ERROR_INVALID_REQUEST,
				"setting \"%s\" is needed to get a token of Entra ID, and is not set",
				tenant == NULL ? "tenant_id" : "client_id");
		ai_failure_hint(failure, "Set ai_gateway.azure_%s, or put it into the settings of the model or the file of the key.",
						tenant == NULL ? "tenant_id" : "client_id");
		return false;
	}
	snprintf(request->cache_key, sizeof(request->cache_key), "entra %s %s %s",
			 tenant, client, azure_scope(target));
	return true;
}

static void
put_form(AiBuffer *body, const char *name, const char *value)
{
	ai_buffer_printf(body, "%s%s=", body->len > 0 ? "&" : "", name);
	ai_buffer_append_url_segment(body, value);
}

static void
build_entra(const AiTarget *target, AiHttpRequest *http)
{
	const char *login = ai_setting(target, "login_endpoint");

	ai_buffer_append_string(&http->url, login ? login : ENTRA_LOGIN);
	ai_buffer_append_char(&http->url, '/');
	ai_buffer_append_url_segment(&http->url, field_or_setting(target, "tenant_id"));
	ai_buffer_append_string(&http->url, "/oauth2/v2.0/token");
	put_form(&http->body, "grant_type", "client_credentials");
	put_form(&http->body, "client_id", field_or_setting(target, "client_id"));
	put_form(&http->body, "client_secret", ai_json_string(target->fields, "client_secret"));
	put_form(&http->body, "scope", azure_scope(target));
}

static void
build_imds(const AiTarget *target, AiHttpRequest *http)
{
	const char *endpoint = ai_setting(target, "identity_endpoint");
	const char *client = field_or_setting(target, "client_id");
	const char *scope = azure_scope(target);
	size_t		len = strlen(scope);
	char	   *resource;

	/* a resource is a scope without its last part */
	if (len > 9 && strcmp(scope + len - 9, "/.default") == 0)
		len -= 9;
	resource = strndup(scope, len);
	ai_buffer_append_string(&http->url, endpoint ? endpoint : IMDS_ENDPOINT);
	ai_buffer_append_string(&http->url, "?api-version=2018-02-01&resource=");
	ai_buffer_append_url_segment(&http->url, resource ? resource : "");
	if (client != NULL)
	{
		ai_buffer_append_string(&http->url, "&client_id=");
		ai_buffer_append_url_segment(&http->url, client);
	}
	ai_put_header(http, "Metadata", "true");
	free(resource);
}

static void
append_base64url(AiBuffer *out, const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i += 3)
	{
		uint32_t	group = (uint32_t) bytes[i] << 16;
		size_t		n = len - i < 3 ? len - i : 3;

		if (n > 1)
			group |= (uint32_t) bytes[i + 1] << 8;
		if (n > 2)
			group |= bytes[i + 2];
		for (size_t k = 0; k <= n; k++)
			ai_buffer_append_char(out, digits[(group >> (18 - 6 * k)) & 63]);
	}
}

static bool
build_google(const AiTarget *target, AiHttpRequest *http, AiFailure *failure)
{
	static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
	const char *place = ai_setting(target, "token_endpoint");
	AiBuffer	claims = {0};
	AiBuffer	assertion = {0};
	AiBuffer	signature = {0};
	AiJsonWriter writer;
	bool		good;

	/* never the token_uri of the file: it would say where the assertion goes */
	ai_write_start(&writer, &claims);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "iss", ai_json_string(target->fields, "client_email"));
	ai_write_string_member(&writer, "scope", GOOGLE_SCOPE);
	ai_write_string_member(&writer, "aud", GOOGLE_TOKEN);
	ai_write_key(&writer, "iat");
	ai_write_int(&writer, target->now);
	ai_write_key(&writer, "exp");
	ai_write_int(&writer, target->now + 3600);
	ai_write_object_end(&writer);
	ai_write_end(&writer);

	append_base64url(&assertion, header, strlen(header));
	ai_buffer_append_char(&assertion, '.');
	append_base64url(&assertion, claims.data ? claims.data : "", claims.len);
	good = target->crypto != NULL && assertion.data != NULL &&
		target->crypto->rs256(ai_json_string(target->fields, "private_key"),
							  assertion.data, assertion.len, &signature);
	if (!good)
		ai_fail(failure, AI_ERROR_AUTHENTICATION, "the \"private_key\" of the key's file cannot sign");
	else
	{
		ai_buffer_append_char(&assertion, '.');
		append_base64url(&assertion, signature.data, signature.len);
		ai_buffer_append_string(&http->url, place ? place : GOOGLE_TOKEN);
		put_form(&http->body, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
		put_form(&http->body, "assertion", assertion.data ? assertion.data : "");
	}
	ai_buffer_free(&claims);
	ai_buffer_wipe(&assertion);
	ai_buffer_free(&signature);
	return good;
}

bool
ai_token_build(const AiTarget *target, AiTokenRequest *request, AiFailure *failure)
{
	AiHttpRequest *http = &request->http;

	ai_put_header(http, "Accept", "application/json");
	if (request->local)
		build_imds(target, http);
	else
	{
		ai_put_header(http, "Content-Type", "application/x-www-form-urlencoded");
		if (target->provider->auth != AI_AUTH_GOOGLE)
			build_entra(target, http);
		else if (!build_google(target, http, failure))
			return false;
	}
	if (http->url.failed || http->headers.failed || http->body.failed)
		return ai_fail(failure, AI_ERROR_REQUEST_TOO_LARGE, "memory ran out while the request was written");
	return true;
}

/* A number that may be written as a string. */
static int64_t
number_or_string(const cJSON *object, const char *name)
{
	const char *text = ai_json_string(object, name);

	return text ? strtoll(text, NULL, 10) : ai_json_int64(object, name);
}

bool
ai_token_parse(const AiHttpReply *http, char **token, int64_t *expires_in, AiFailure *failure)
{
	const char *why;
	cJSON	   *body = ai_json_parse(http->body.data, http->body.len, &why);
	const char *value = ai_json_string(body, "access_token");

	*token = NULL;
	if (http->status >= 200 && http->status < 300 && value != NULL && value[0] != '\0' &&
		strpbrk(value, " \t\r\n") == NULL)
	{
		*token = ai_strdup(value);
		*expires_in = number_or_string(body, "expires_in");
	}
	else
	{
		const char *description = ai_json_string(body, "error_description");
		const char *code = ai_json_string(body, "error");
		char		text[300];
		bool		transient = http->status == 429 || http->status == 408 || http->status >= 500;

		/* the first line says it; the rest is tracing */
		ai_copy_clean(text, sizeof(text), description ? description : code ? code : "no reason was given",
					  description ? strcspn(description, "\r\n") : code ? strlen(code) : 19);
		ai_fail(failure, transient ? AI_ERROR_SERVER : AI_ERROR_AUTHENTICATION,
				"no token was given: %s", text);
		if (code != NULL)
			ai_copy_clean(failure->code, sizeof(failure->code), code, strlen(code));
		failure->http_status = http->status;
	}
	if (value != NULL)
		ai_wipe((char *) value, strlen(value));
	cJSON_Delete(body);
	return *token != NULL;
}
