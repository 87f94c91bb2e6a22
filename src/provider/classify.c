/*
 * classify.c
 *	  The common reader of error replies.
 *
 * Providers, proxies and local servers spell errors in a dozen shapes, so
 * this looks for a message and a code wherever they are known to stand, takes
 * the kind from the status, and refines it by what codes and texts mean
 * everywhere (an "insufficient_quota" under status 429 is no rate limit).  The
 * order is: status, code or type, text.  Sources: the error pages of the
 * vendors' API references.
 */
#include "provider/protocols.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static AiErrorKind
kind_of_status(int status)
{
	switch (status)
	{
		case 401:
			return AI_ERROR_AUTHENTICATION;
		case 402:
			return AI_ERROR_QUOTA;
		case 403:
			return AI_ERROR_PERMISSION;
		case 404:
		case 410:
			return AI_ERROR_NOT_FOUND;
		case 408:
		case 504:
		case 524:
			return AI_ERROR_TIMEOUT;
		case 413:
			return AI_ERROR_REQUEST_TOO_LARGE;
		case 429:
			return AI_ERROR_RATE_LIMIT;
		case 503:
		case 529:
			return AI_ERROR_OVERLOADED;
		case 409:				/* conflict: another try may pass */
		case 424:				/* a failed dependency behind the server */
			return AI_ERROR_SERVER;
		case 498:				/* filtered, at Cohere; capacity, at Groq */
			return AI_ERROR_CONTENT_FILTER;
	}
	if (status >= 500)
		return AI_ERROR_SERVER;
	if (status >= 300 && status < 400)
		return AI_ERROR_CONNECTION;
	return AI_ERROR_INVALID_REQUEST;
}

/* A code or type that means the same wherever it appears. */
static const struct
{
	const char *code;
	AiErrorKind kind;
}			known_codes[] = {
	{"API_KEY_INVALID", AI_ERROR_AUTHENTICATION},
	{"authentication_error", AI_ERROR_AUTHENTICATION},
	{"billing_error", AI_ERROR_QUOTA},
	{"content_filter", AI_ERROR_CONTENT_FILTER},
	{"content_policy_violation", AI_ERROR_CONTENT_FILTER},
	{"context_length_exceeded", AI_ERROR_CONTEXT_LENGTH},
	{"credit_balance_exhausted", AI_ERROR_QUOTA},
	{"exceed_context_size_error", AI_ERROR_CONTEXT_LENGTH},
	{"insufficient_quota", AI_ERROR_QUOTA},
	{"invalid_api_key", AI_ERROR_AUTHENTICATION},
	{"invalid_prompt", AI_ERROR_CONTENT_FILTER},
	{"model_not_found", AI_ERROR_NOT_FOUND},
	{"not_found_error", AI_ERROR_NOT_FOUND},
	{"organization_spend_limit_exceeded", AI_ERROR_QUOTA},
	{"organization_usage_limit_exceeded", AI_ERROR_QUOTA},
	{"overloaded_error", AI_ERROR_OVERLOADED},
	{"permission_error", AI_ERROR_PERMISSION},
	{"PermissionDenied", AI_ERROR_PERMISSION},
	{"project_spend_limit_exceeded", AI_ERROR_QUOTA},
	{"quota_exceeded", AI_ERROR_QUOTA},
	{"rate_limit_error", AI_ERROR_RATE_LIMIT},
	{"rate_limit_exceeded", AI_ERROR_RATE_LIMIT},
	{"request_too_large", AI_ERROR_REQUEST_TOO_LARGE},
	{"timeout_error", AI_ERROR_TIMEOUT},
};

/* A phrase that tells more than the status does, where only text is given. */
static const struct
{
	int			status;			/* 0 = any that is not 2xx */
	const char *phrase;
	AiErrorKind kind;
}			known_phrases[] = {
	{400, "credit balance is too low", AI_ERROR_QUOTA},
	{400, "you have reached your specified", AI_ERROR_QUOTA},
	{400, "incorrect api key", AI_ERROR_AUTHENTICATION},
	{400, "prompt is too long", AI_ERROR_CONTEXT_LENGTH},
	{0, "maximum context length", AI_ERROR_CONTEXT_LENGTH},
	{0, "context length exceeded", AI_ERROR_CONTEXT_LENGTH},
	{400, "exceeds the maximum number of tokens", AI_ERROR_CONTEXT_LENGTH},
	{400, "exceeds the available context size", AI_ERROR_CONTEXT_LENGTH},
	{400, "input length exceeds", AI_ERROR_CONTEXT_LENGTH},
	{500, "increase the physical batch size", AI_ERROR_CONTEXT_LENGTH},
	{0, "make sure your api key is valid", AI_ERROR_AUTHENTICATION},
};

static bool
holds_phrase(const char *text, const char *phrase)
{
	size_t		len = strlen(phrase);

	for (; *text; text++)
	{
		if (strncasecmp(text, phrase, len) == 0)
			return true;
	}
	return false;
}

/* Where errors keep their message; tried in this order on error, then body. */
static const char *
find_message(const cJSON *body, const cJSON *error)
{
	static const char *const names[] = {"message", "Message", "error_description", "detail", "msg", "error"};
	const cJSON *places[2] = {error, body};

	if (cJSON_IsString(error))
		return error->valuestring;
	for (int place = 0; place < 2; place++)
	{
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		{
			const cJSON *item = ai_json_get(places[place], names[i]);

			if (cJSON_IsString(item))
				return item->valuestring;
			/* FastAPI: detail: [{"loc": [...], "msg": "..."}] */
			if (cJSON_IsArray(item) && ai_json_string(item->child, "msg"))
				return ai_json_string(item->child, "msg");
		}
	}
	return NULL;
}

static void
refine(int status, const cJSON *body, AiFailure *failure)
{
	static const char *const names[] = {"code", "type", "status", "error_type", "__type", "error_code"};
	const cJSON *error;
	const cJSON *places[3];
	const char *message;
	bool		decided = false;

	if (cJSON_IsArray(body))	/* Google wraps errors in an array at times */
		body = body->child;
	error = ai_json_get(body, "error");
	places[0] = error;
	places[1] = ai_json_get(error, "details");
	places[2] = cJSON_IsString(error) || error == NULL ? body : NULL;
	for (int place = 0; place < 3; place++)
	{
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		{
			const cJSON *item = ai_json_get(places[place], names[i]);
			char		text[sizeof(failure->code)];

			if (item == NULL)
				continue;
			ai_json_scalar_text(item, text, sizeof(text));
			if (text[0] == '\0')
				continue;
			if (failure->code[0] == '\0')
				memcpy(failure->code, text, sizeof(text));
			for (size_t k = 0; !decided && k < sizeof(known_codes) / sizeof(known_codes[0]); k++)
			{
				if (strcmp(text, known_codes[k].code) == 0)
				{
					failure->kind = known_codes[k].kind;
					memcpy(failure->code, text, sizeof(text));
					decided = true;
				}
			}
		}
	}
	if (strcmp(failure->code, "enforced_spend_limit_reached") == 0)
		failure->kind = AI_ERROR_QUOTA;
	message = find_message(body, error);
	if (message != NULL)
	{
		ai_copy_clean(failure->message, sizeof(failure->message), message, strlen(message));
		for (size_t k = 0; k < sizeof(known_phrases) / sizeof(known_phrases[0]); k++)
		{
			if ((known_phrases[k].status == 0 || known_phrases[k].status == status) &&
				holds_phrase(message, known_phrases[k].phrase))
			{
				failure->kind = known_phrases[k].kind;
				break;
			}
		}
	}
	if (ai_json_string(body, "request_id"))
		ai_copy_clean(failure->request_id, sizeof(failure->request_id),
					  ai_json_string(body, "request_id"),
					  strlen(ai_json_string(body, "request_id")));
}

void
ai_classify_body(int status, const cJSON *body, AiFailure *failure)
{
	ai_failure_clear(failure);
	failure->kind = kind_of_status(status);
	failure->http_status = status;
	refine(status, body, failure);
}

/* The text of an HTML or plain page, tags taken out, for the error's detail. */
static void
text_of_page(const AiHttpReply *http, char *out, size_t size)
{
	AiBuffer	text = {.limit = 2000};
	bool		in_tag = false;

	for (size_t i = 0; i < http->body.len && text.len < 1000; i++)
	{
		char		c = http->body.data[i];

		if (c == '<')
			in_tag = true;
		else if (c == '>' && in_tag)
			in_tag = false;
		else if (!in_tag && !(isspace((unsigned char) c) &&
							  (text.len == 0 || text.data[text.len - 1] == ' ')))
			ai_buffer_append_char(&text, isspace((unsigned char) c) ? ' ' : c);
	}
	ai_copy_clean(out, size, text.data ? text.data : "", text.len);
	ai_buffer_free(&text);
}

void
ai_classify_error(const AiTarget *target, const AiHttpReply *http,
				  AiClassify classify, AiFailure *failure)
{
	const char *why;
	cJSON	   *body = NULL;

	/* an error page of megabytes is not worth a tree */
	if (http->body.len <= 1024 * 1024)
		body = ai_json_parse(http->body.data, http->body.len, &why);
	ai_classify_body(http->status, body, failure);
	if (body == NULL)
		text_of_page(http, failure->message, sizeof(failure->message));
	if (http->status >= 300 && http->status < 400)
		snprintf(failure->message, sizeof(failure->message),
				 "the server redirects elsewhere, and redirects are not followed");
	if (failure->message[0] == '\0')
		snprintf(failure->message, sizeof(failure->message),
				 "the server gave no reason");
	if (classify != NULL && body != NULL)
		classify(target, http, body, failure);
	cJSON_Delete(body);
}

void
ai_classify_retry(const AiHttpReply *http, int64_t now, AiFailure *failure)
{
	char		value[16];

	failure->retry_after_ms = ai_http_retry_after_ms(http, now);
	if (ai_http_header(http, "x-should-retry", value, sizeof(value)))
	{
		if (strcasecmp(value, "true") == 0)
			failure->should_retry = 1;
		else if (strcasecmp(value, "false") == 0)
			failure->should_retry = 0;
	}
}
