/*
 * Where a call goes by its provider's settings alone, and what a token is asked
 * for and answered with.
 */
#include <stdlib.h>

#include "provider/auth.h"
#include "provider/place.h"
#include "provider/provider.h"
#include "tap.h"

static const char *why;

/* What an administrator configured for the provider as a whole. */
static const char *
configured(const char *provider, const char *name)
{
	return strcmp(provider, "vertex") == 0 && strcmp(name, "project") == 0 ? "whole" : NULL;
}

static AiTarget
target_of(const char *provider, const char *settings, const char *fields)
{
	AiTarget	target = {.provider = ai_provider_by_name(provider),.remote_model = "m",.default_setting = configured};

	target.protocol = target.provider->protocol;
	target.settings = settings ? ai_json_parse(settings, strlen(settings), &why) : NULL;
	target.fields = fields ? ai_json_parse(fields, strlen(fields), &why) : NULL;
	return target;
}

static void
free_target(AiTarget *target)
{
	cJSON_Delete((cJSON *) target->settings);
	cJSON_Delete((cJSON *) target->fields);
}

/* ---- endpoints ---- */

static void
goes_to(const char *provider, const char *settings, const char *expected)
{
	AiTarget	target = target_of(provider, settings, NULL);
	AiFailure	failure;
	AiBuffer	out = {0};
	char		name[200];

	ai_failure_clear(&failure);
	snprintf(name, sizeof(name), "%s %s", provider, settings ? settings : "");
	if (ai_provider_endpoint(&target, &out, &failure))
		is_string(out.data, expected, name);
	else
		is_string(failure.message, expected, name);
	ai_buffer_free(&out);
	free_target(&target);
}

static void
test_endpoints(void)
{
	AiTarget	target = target_of("bedrock", NULL, NULL);
	AiFailure	failure;
	AiBuffer	out = {0};

	goes_to("openai", NULL, "https://api.openai.com/v1");
	goes_to("vertex", "{\"location\":\"europe-west4\"}", "https://europe-west4-aiplatform.googleapis.com");
	goes_to("vertex", "{\"location\":\"global\"}", "https://aiplatform.googleapis.com");
	goes_to("bedrock", "{\"region\":\"eu-west-1\"}", "https://bedrock-runtime.eu-west-1.amazonaws.com");
	goes_to("bedrock", NULL, "setting \"region\" is needed for provider \"bedrock\", and is not set");
	goes_to("bedrock", "{\"region\":\"\"}", "setting \"region\" of provider \"bedrock\" cannot be part of a URL");
	goes_to("bedrock", "{\"region\":\"x.evil.example/\"}", "setting \"region\" of provider \"bedrock\" cannot be part of a URL");
	goes_to("bedrock", "{\"region\":\"evil.example#\"}", "setting \"region\" of provider \"bedrock\" cannot be part of a URL");
	goes_to("bedrock", "{\"region\":\"..\"}", "setting \"region\" of provider \"bedrock\" cannot be part of a URL");
	goes_to("bedrock", "{\"region\":\"a@b\"}", "setting \"region\" of provider \"bedrock\" cannot be part of a URL");
	ok(!ai_provider_endpoint(&target, &out, &failure), "a failure");
	is_string(failure.hint, "UPDATE ai_gateway.models SET settings = settings || '{\"region\": \"...\"}', or set ai_gateway.bedrock_region.",
			  "has what to do about it");
	ai_buffer_free(&out);

	target = target_of("vertex", "{\"location\":\"l\"}", NULL);
	ok(ai_fill_template(&target, "/{project}/{location}/{", &out, &failure), "a template");
	is_string(out.data, "/whole/l/{", "is filled by the model's settings, then by the provider's");
	ai_buffer_free(&out);
	free_target(&target);
}

/* ---- tokens ---- */

static void
token_of(const char *provider, const char *settings, const char *fields, const char *expected)
{
	AiTarget	target = target_of(provider, settings, fields);
	AiTokenRequest request;
	AiFailure	failure;

	ai_failure_clear(&failure);
	is_string(ai_token_identify(&target, &request, &failure) ? request.cache_key : failure.message, expected, expected);
	free_target(&target);
}

static void
answered(int status, const char *body, const char *token, double seconds, const char *expected)
{
	AiHttpReply http = {.status = status};
	AiFailure	failure;
	char	   *got = NULL;
	int64_t		expires = -1;
	AiBuffer	text = {0};

	ai_failure_clear(&failure);
	ai_buffer_append_string(&http.body, body);
	if (ai_token_parse(&http, &got, &expires, &failure))
	{
		is_string(got, token, body);
		is_number((double) expires, seconds, "and how long it holds");
	}
	else
	{
		ai_buffer_printf(&text, "%s: %s", ai_error_kinds[failure.kind].name, failure.message);
		is_string(text.data, expected, body);
	}
	free(got);
	ai_buffer_free(&text);
	ai_http_reply_free(&http);
}

static void
test_tokens(void)
{
	token_of("vertex", NULL, "{\"private_key\":\"k\"}", "the key's file has no \"client_email\"");
	token_of("vertex", NULL, "{\"client_email\":\"a@b\"}", "google a@b");
	token_of("azure", "{\"client_id\":\"c\"}", "{\"client_secret\":\"s\"}", "setting \"tenant_id\" is needed to get a token of Entra ID, and is not set");
	token_of("azure", "{\"tenant_id\":\"t\"}", "{\"client_secret\":\"s\"}", "setting \"client_id\" is needed to get a token of Entra ID, and is not set");
	token_of("azure", "{\"tenant_id\":\"other\"}", "{\"client_secret\":\"s\",\"tenant_id\":\"t\",\"client_id\":\"c\"}", "entra t c https://ai.azure.com/.default");
	token_of("azure", "{\"client_id\":\"c\",\"scope\":\"x\"}", NULL, "imds c x");

	answered(200, "{\"access_token\":\"tok\",\"expires_in\":3599}", "tok", 3599, NULL);
	answered(200, "{\"access_token\":\"tok\",\"expires_in\":\"3599\"}", "tok", 3599, NULL);
	answered(200, "{\"access_token\":\"tok\"}", "tok", -1, NULL);
	answered(200, "{\"token\":\"tok\"}", NULL, 0, "authentication: no token was given: no reason was given");
	answered(400, "{\"error\":\"invalid_client\",\"error_description\":\"bad secret\\r\\nTrace ID: 1\"}", NULL, 0, "authentication: no token was given: bad secret");
	answered(400, "{\"error\":\"invalid_grant\"}", NULL, 0, "authentication: no token was given: invalid_grant");
	answered(200, "{\"access_token\":\"to\\nk\"}", NULL, 0, "authentication: no token was given: no reason was given");
	answered(503, "<html>", NULL, 0, "server_error: no token was given: no reason was given");
}

int
main(void)
{
	test_endpoints();
	test_tokens();
	return done_testing();
}
