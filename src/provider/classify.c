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
#include "provider/protocol/protocols.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/wait.h"

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
		case 498:				/* capacity, at Groq */
		case 503:
		case 529:
			return AI_ERROR_OVERLOADED;
		case 409:				/* conflict: another try may pass */
		case 424:				/* a failed dependency behind the server */
		case 499:				/* cancelled on their side */
			return AI_ERROR_SERVER;
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
	{"AccessDeniedException", AI_ERROR_PERMISSION},
	{"Arrearage", AI_ERROR_QUOTA},
	{"DeploymentNotFound", AI_ERROR_NOT_FOUND},
	{"ExpiredTokenException", AI_ERROR_AUTHENTICATION},
	{"FAILED_PRECONDITION", AI_ERROR_PERMISSION},
	{"IncompleteSignature", AI_ERROR_AUTHENTICATION},
	{"InvalidSignatureException", AI_ERROR_AUTHENTICATION},
	{"ModelNotReadyException", AI_ERROR_OVERLOADED},
	{"ModelTimeoutException", AI_ERROR_TIMEOUT},
	{"PermissionDenied", AI_ERROR_PERMISSION},
	{"RateLimitReached", AI_ERROR_RATE_LIMIT},
	{"ServiceQuotaExceededException", AI_ERROR_QUOTA},
	{"ThrottlingException", AI_ERROR_RATE_LIMIT},
	{"UnrecognizedClientException", AI_ERROR_AUTHENTICATION},
	{"authentication_error", AI_ERROR_AUTHENTICATION},
	{"billing_error", AI_ERROR_QUOTA},
	{"content_filter", AI_ERROR_CONTENT_FILTER},
	{"content_policy_violation", AI_ERROR_CONTENT_FILTER},
	{"context_length_exceeded", AI_ERROR_CONTEXT_LENGTH},
	{"credit_balance_exhausted", AI_ERROR_QUOTA},
	{"enforced_spend_limit_reached", AI_ERROR_QUOTA},
	{"exceed_context_size_error", AI_ERROR_CONTEXT_LENGTH},
	{"exceeded_current_quota_error", AI_ERROR_QUOTA},
	{"failed_precondition", AI_ERROR_PERMISSION},
	{"insufficient_quota", AI_ERROR_QUOTA},
	{"invalid_api_key", AI_ERROR_AUTHENTICATION},
	{"invalid_prompt", AI_ERROR_CONTENT_FILTER},
	{"model_not_found", AI_ERROR_NOT_FOUND},
	{"not_found_error", AI_ERROR_NOT_FOUND},
	{"organization_spend_limit_exceeded", AI_ERROR_QUOTA},
	{"organization_usage_limit_exceeded", AI_ERROR_QUOTA},
	{"overloaded", AI_ERROR_OVERLOADED},
	{"overloaded_error", AI_ERROR_OVERLOADED},
	{"payment_required", AI_ERROR_QUOTA},
	{"permission_error", AI_ERROR_PERMISSION},
	{"project_spend_limit_exceeded", AI_ERROR_QUOTA},
	{"quota_exceeded", AI_ERROR_QUOTA},
	{"rate_limit_error", AI_ERROR_RATE_LIMIT},
	{"rate_limit_exceeded", AI_ERROR_RATE_LIMIT},
	{"request_too_large", AI_ERROR_REQUEST_TOO_LARGE},
	{"slow_down", AI_ERROR_RATE_LIMIT},
	{"timeout_error", AI_ERROR_TIMEOUT},
	{"too_many_prompt_tokens", AI_ERROR_CONTEXT_LENGTH},
	{"too_many_requests", AI_ERROR_RATE_LIMIT},
};

/* A phrase that tells more than the status does, where only text is given. */
static const struct
{
	int			status;			/* 0 = any that is not 2xx */
	const char *phrase;
	AiErrorKind kind;
}			known_phrases[] = {
	{403, "quota is exceeded", AI_ERROR_QUOTA}, /* Azure's API Management */
	{429, "check your plan and billing", AI_ERROR_QUOTA},
	{429, "insufficient balance", AI_ERROR_QUOTA},
	{429, "request too large", AI_ERROR_REQUEST_TOO_LARGE},
	{400, "input too long", AI_ERROR_CONTEXT_LENGTH},
	{422, "`max_new_tokens` must be", AI_ERROR_CONTEXT_LENGTH},
	{400, "`max_new_tokens` must be", AI_ERROR_CONTEXT_LENGTH},
	{400, "credit balance is too low", AI_ERROR_QUOTA},
	{400, "you have reached your specified", AI_ERROR_QUOTA},
	{400, "incorrect api key", AI_ERROR_AUTHENTICATION},
	{400, "user location is not supported", AI_ERROR_PERMISSION},
	{400, "model identifier is invalid", AI_ERROR_NOT_FOUND},
	{400, "invalid model", AI_ERROR_NOT_FOUND},
	{0, "use case details have not been submitted", AI_ERROR_PERMISSION},
	{400, "prompt is too long", AI_ERROR_CONTEXT_LENGTH},
	{400, "prompt too long", AI_ERROR_CONTEXT_LENGTH},
	{400, "too many tokens", AI_ERROR_CONTEXT_LENGTH},
	{400, "input is too long", AI_ERROR_CONTEXT_LENGTH},
	{400, "too many input tokens", AI_ERROR_CONTEXT_LENGTH},
	{400, "input tokens exceeded", AI_ERROR_CONTEXT_LENGTH},
	{400, "input length exceeds", AI_ERROR_CONTEXT_LENGTH},
	{400, "exceeds the maximum number of tokens", AI_ERROR_CONTEXT_LENGTH},
	{400, "exceeds the available context size", AI_ERROR_CONTEXT_LENGTH},
	{400, "exceeds the context length", AI_ERROR_CONTEXT_LENGTH},
	{400, "exceeds maximum context length", AI_ERROR_CONTEXT_LENGTH},
	{0, "maximum context length", AI_ERROR_CONTEXT_LENGTH},
	{0, "context length exceeded", AI_ERROR_CONTEXT_LENGTH},
	{422, "must have less than", AI_ERROR_CONTEXT_LENGTH},
	{413, "must have less than", AI_ERROR_CONTEXT_LENGTH},
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

/*
 * The first message at or below a place: a text, the first of an array, or what
 * stands under one of these names, tried in this order.  FastAPI has detail:
 * [{"loc": [...], "msg": "..."}], Cloudflare errors: [{"message": "..."}], RFC 9457 a
 * title.
 */
static const char *
find_message(const cJSON *place, int depth)
{
	static const char *const names[] = {"message", "Message", "error_description", "detail", "msg", "error", "errors", "title"};
	const char *found = NULL;

	if (cJSON_IsString(place))
		return place->valuestring;
	if (cJSON_IsArray(place) && depth > 0)
		return find_message(place->child, depth - 1);
	for (size_t i = 0; found == NULL && depth > 0 && i < sizeof(names) / sizeof(names[0]); i++)
		found = find_message(ai_json_get(place, names[i]), depth - 1);
	return found;
}

/* A code without what Amazon puts around it; "" for none. */
static void
bare_code(const cJSON *item, char *text, size_t size)
{
	char		whole[200];
	const char *start;

	ai_json_scalar_text(item, whole, sizeof(whole));
	start = strchr(whole, '#') ? strchr(whole, '#') + 1 : whole;
	snprintf(text, size, "%.*s", (int) strcspn(start, ":"), start);
}

static bool
take_kind(const char *code, AiErrorKind *kind)
{
	for (size_t i = 0; i < sizeof(known_codes) / sizeof(known_codes[0]); i++)
	{
		if (strcmp(code, known_codes[i].code) == 0)
		{
			*kind = known_codes[i].kind;
			return true;
		}
	}
	return false;
}

/* Looks at every member that may hold a code; true if one tells the kind. */
static bool
take_kind_of(const cJSON *place, AiErrorKind *kind)
{
	static const char *const names[] = {"code", "type", "status", "error_type", "__type", "error_code", "reason"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		char		code[100];

		bare_code(ai_json_get(place, names[i]), code, sizeof(code));
		if (code[0] != '\0' && take_kind(code, kind))
			return true;
	}
	return false;
}

/* The code that is shown: Google's status, else the code, else the type. */
static void
take_code(const cJSON *place, AiFailure *failure)
{
	static const char *const names[] = {"code", "type", "error_type", "__type"};
	const char *status = ai_json_string(place, "status");

	if (status != NULL)
		snprintf(failure->code, sizeof(failure->code), "%s", status);
	for (size_t i = 0; failure->code[0] == '\0' && i < sizeof(names) / sizeof(names[0]); i++)
		bare_code(ai_json_get(place, names[i]), failure->code, sizeof(failure->code));
}

/* The details (an object, or Google's array) say more than the error does. */
static void
take_codes(const cJSON *body, const cJSON *error, AiFailure *failure)
{
	const cJSON *details = ai_json_get(error, "details");
	const cJSON *item;
	bool		own = error == NULL || cJSON_IsString(error);

	take_code(own ? body : error, failure);
	if (cJSON_IsArray(details))
	{
		cJSON_ArrayForEach(item, details)
		{
			if (take_kind_of(item, &failure->kind))
				return;
		}
	}
	if (!take_kind_of(details, &failure->kind) && !take_kind_of(error, &failure->kind) && own)
		take_kind_of(body, &failure->kind);
}

/* Google's RetryInfo and QuotaFailure. */
static void
take_google_details(const cJSON *error, AiFailure *failure)
{
	const cJSON *details = ai_json_get(error, "details");
	const cJSON *item;
	bool		daily = false;

	if (!cJSON_IsArray(details))
		return;
	cJSON_ArrayForEach(item, details)
	{
		const char *delay = ai_json_string(item, "retryDelay");
		const cJSON *violation;

		if (delay != NULL && strtod(delay, NULL) > 0)
			failure->retry_after_ms = strtod(delay, NULL) * 1000;
		cJSON_ArrayForEach(violation, ai_json_get(item, "violations"))
		{
			const char *quota = ai_json_string(violation, "quotaId");

			daily = daily || (quota != NULL && strstr(quota, "PerDay") != NULL);
		}
	}
	/* the delay of a few seconds is useless against a quota by the day */
	if (daily && failure->kind == AI_ERROR_RATE_LIMIT)
	{
		failure->kind = AI_ERROR_QUOTA;
		failure->retry_after_ms = -1;
	}
}

/* OpenRouter says in the metadata why it refused. */
static void
take_metadata(int status, const cJSON *error, AiFailure *failure)
{
	const cJSON *metadata = ai_json_get(error, "metadata");

	if (status == 403 && ai_json_get(metadata, "reasons") != NULL)
		failure->kind = AI_ERROR_CONTENT_FILTER;
	else if (status == 403 && ai_json_get(metadata, "limit_source") != NULL)
		failure->kind = AI_ERROR_QUOTA;
}

/* A number means something only with its status. */
static void
take_number(int status, AiFailure *failure)
{
	static const struct
	{
		int			status;
		const char *code;
		AiErrorKind kind;
	}			numbers[] = {
		{400, "1500", AI_ERROR_NOT_FOUND},	/* Mistral */
		{429, "1113", AI_ERROR_QUOTA},	/* Zhipu: an empty account */
		{403, "30001", AI_ERROR_QUOTA}, /* SiliconFlow: the same */
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		if (numbers[i].status == status && strcmp(numbers[i].code, failure->code) == 0)
			failure->kind = numbers[i].kind;
	}
}

/* What is written for people where no header says it; Hugging Face's estimate of a load. */
static void
take_wait(const cJSON *body, const char *message, AiFailure *failure)
{
	const cJSON *estimate = ai_json_get(body, "estimated_time");

	if (failure->retry_after_ms <= 0)
		failure->retry_after_ms = ai_wait_in_text(message);
	if (failure->retry_after_ms <= 0 && cJSON_IsNumber(estimate))
		failure->retry_after_ms = ai_wait_usable(estimate->valuedouble * 1000);
}

static bool
holds_any(const char *text, const char *const *words)
{
	while (*words != NULL && !holds_phrase(text, *words))
		words++;
	return *words != NULL;
}

/*
 * Each server has its own sentence for a prompt that does not fit, of the same few
 * words: the context, what of it, and that it was passed.
 */
static bool
says_context(const char *message)
{
	static const char *const context[] = {"context length", "context window", "context size", "context limit",
	"contextwindow", "context_length", "context_window", NULL};
	static const char *const passed[] = {"exceed", "longer", "too long", "too large", "larger", "greater", "more than",
	"over ", "overflow", "only", "maximum", "does not fit", "too many", NULL};

	return holds_any(message, context) && holds_any(message, passed);
}

static void
take_phrase(int status, const char *message, AiFailure *failure)
{
	/* Google says so of what a minute has, too */
	bool		by_quota = strcmp(failure->code, "RESOURCE_EXHAUSTED") != 0;

	for (size_t i = 0; i < sizeof(known_phrases) / sizeof(known_phrases[0]); i++)
	{
		if ((known_phrases[i].status == 0 || known_phrases[i].status == status) &&
			(status != 429 || known_phrases[i].kind != AI_ERROR_QUOTA || by_quota) &&
			holds_phrase(message, known_phrases[i].phrase))
		{
			failure->kind = known_phrases[i].kind;
			return;
		}
	}
	if ((failure->kind == AI_ERROR_INVALID_REQUEST || failure->kind == AI_ERROR_REQUEST_TOO_LARGE ||
		 failure->kind == AI_ERROR_SERVER) && says_context(message))
		failure->kind = AI_ERROR_CONTEXT_LENGTH;
}

static void
refine(int status, const cJSON *body, AiFailure *failure)
{
	const cJSON *error;
	const char *message;
	const char *parameter;

	if (cJSON_IsArray(body))	/* Google wraps errors in an array at times */
		body = body->child;
	error = ai_json_get(body, "error");
	if (error == NULL)			/* a failed response of OpenAI's */
		error = ai_json_get(ai_json_get(body, "response"), "error");
	take_codes(body, error, failure);
	/* Google's RESOURCE_EXHAUSTED is under 402 that the credits are */
	if (status == 402)
		failure->kind = AI_ERROR_QUOTA;
	take_number(status, failure);
	take_google_details(error, failure);
	take_metadata(status, error, failure);
	parameter = ai_json_string(error ? error : body, "param");
	if (parameter != NULL)
		ai_copy_clean(failure->parameter, sizeof(failure->parameter), parameter, strlen(parameter));
	message = find_message(error, 3);
	if (message == NULL)
		message = find_message(body, 4);
	if (message != NULL)
	{
		ai_copy_clean(failure->message, sizeof(failure->message), message, strlen(message));
		take_wait(body, message, failure);
		take_phrase(status, message, failure);
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
	if (failure->message[0] == '\0')
		snprintf(failure->message, sizeof(failure->message), "the server gave no reason");
}

/* A status of HTTP as a number or as text; 0 for none. */
static int
status_in(const cJSON *place, const char *name)
{
	char		code[20];
	char	   *end;
	long		status;

	bare_code(ai_json_get(place, name), code, sizeof(code));
	status = strtol(code, &end, 10);
	return *end == '\0' && status >= 400 && status < 600 ? (int) status : 0;
}

void
ai_classify_told(const cJSON *body, AiFailure *failure)
{
	const cJSON *error = ai_json_get(body, "error");
	int			status = status_in(error, "status_code");

	if (status == 0)
		status = status_in(error, "code");
	if (status == 0)
		status = status_in(body, "status_code");
	ai_classify_body(status != 0 ? status : 500, body, failure);
}

/* MiniMax: {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}. */
static bool
found_base_resp(const cJSON *body, AiFailure *failure)
{
	static const struct
	{
		int			code;
		int			status;
	}			codes[] = {{1002, 429}, {1004, 401}, {1008, 402}, {1026, 400}, {1027, 400},
	{1039, 429}, {2013, 400}, {2049, 401}};
	const cJSON *answer = ai_json_get(body, "base_resp");
	int64_t		code = ai_json_int64(answer, "status_code");
	const char *message = ai_json_string(answer, "status_msg");
	int			status = 500;

	if (code <= 0)
		return false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		if (codes[i].code == code)
			status = codes[i].status;
	}
	ai_classify_body(status, answer, failure);
	snprintf(failure->code, sizeof(failure->code), "%lld", (long long) code);
	if (message != NULL)
		ai_copy_clean(failure->message, sizeof(failure->message), message, strlen(message));
	if (code == 1026 || code == 1027)
		failure->kind = AI_ERROR_CONTENT_FILTER;
	return true;
}

bool
ai_error_says(const cJSON *error)
{
	return (cJSON_IsString(error) && error->valuestring[0] != '\0') ||
		((cJSON_IsObject(error) || cJSON_IsArray(error)) && error->child != NULL);
}

bool
ai_classify_found(const cJSON *body, AiFailure *failure)
{
	if (!ai_error_says(ai_json_get(body, "error")))
		return found_base_resp(body, failure);
	ai_classify_told(body, failure);
	return true;
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
	if (text.len > 0)
		ai_copy_clean(out, size, text.data, text.len);
	ai_buffer_free(&text);
}

void
ai_classify_error(const AiTarget *target, const AiHttpReply *http, AiFailure *failure)
{
	const char *why;
	cJSON	   *body = NULL;
	char		value[100];

	if (http->body.len <= AI_MAX_ERROR_BODY)
		body = ai_json_parse(http->body.data, http->body.len, &why);
	ai_classify_body(http->status, body, failure);
	if (body == NULL)
		text_of_page(http, failure->message, sizeof(failure->message));
	cJSON_Delete(body);
	if (http->status >= 300 && http->status < 400)
		snprintf(failure->message, sizeof(failure->message),
				 "the server redirects elsewhere, and redirects are not followed");

	if (ai_http_header(http, "x-amzn-errortype", value, sizeof(value)))
	{
		cJSON	   *type = cJSON_CreateString(value);
		char		code[sizeof(failure->code)];
		AiErrorKind told = failure->kind;

		bare_code(type, code, sizeof(code));
		cJSON_Delete(type);
		snprintf(failure->code, sizeof(failure->code), "%s", code);
		take_kind(code, &failure->kind);
		/* the text told more than the status did, and so than the type */
		if (told != kind_of_status(http->status))
			failure->kind = told;
	}
	if (http->status == 498 && target->protocol == AI_PROTOCOL_COHERE)
		failure->kind = AI_ERROR_CONTENT_FILTER;
	/* OpenRouter: a balance that is refilled by itself */
	if (http->status == 402 && ai_http_header(http, "retry-after", value, sizeof(value)))
		failure->kind = AI_ERROR_RATE_LIMIT;
}

void
ai_classify_retry(const AiHttpReply *http, int64_t now, AiFailure *failure)
{
	double		hint = ai_http_retry_after_ms(http, now);
	char		value[16];

	if (hint > 0)				/* else the body may have one */
		failure->retry_after_ms = hint;
	if (ai_http_header(http, "x-should-retry", value, sizeof(value)))
	{
		if (strcasecmp(value, "true") == 0)
			failure->should_retry = 1;
		else if (strcasecmp(value, "false") == 0)
			failure->should_retry = 0;
	}
}

/* ---- options that a model refuses ---- */

/* How the protocols spell an option, beside its own name. */
static const struct
{
	AiOptionKey key;
	const char *names[6];
}			spellings[] = {
	{AI_OPTION_TEMPERATURE, {"temperature"}},
	{AI_OPTION_MAX_TOKENS, {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens"}},
	{AI_OPTION_TOP_P, {"top_p", "topP"}},
	{AI_OPTION_STOP, {"stop_sequences", "stopSequences", "stop"}},
	{AI_OPTION_SEED, {"random_seed", "seed"}},
	{AI_OPTION_REASONING_EFFORT, {"reasoning_effort", "reasoning.effort", "effort", "thinking"}},
	{AI_OPTION_TOOL_CHOICE, {"tool_choice", "toolChoice"}},
};

static bool
is_word(char c)
{
	return isalnum((unsigned char) c) || c == '_';
}

static bool
names_option(const char *text, const char *name)
{
	size_t		len = strlen(name);

	for (const char *p = text; (p = strstr(p, name)) != NULL; p++)
	{
		if ((p == text || !is_word(p[-1])) && !is_word(p[len]))
			return true;
	}
	return false;
}

/* What the server says to use instead: a name of an option, or nothing; its length. */
static size_t
instead_of(const char *message, const char **name)
{
	const char *start = strstr(message, "Use '");
	size_t		len = 0;

	*name = start != NULL ? start + 5 : NULL;
	while (start != NULL && is_word((*name)[len]))
		len++;
	return start != NULL && (*name)[len] == '\'' ? len : 0;
}

void
ai_classify_option(const AiTarget *target, const AiRequest *request, AiFailure *failure)
{
	const char *text = failure->parameter[0] ? failure->parameter : failure->message;
	const char *protocol = ai_protocols[target->protocol]->name;
	const char *instead;
	size_t		len = instead_of(failure->message, &instead);
	char		pattern[200];

	if (failure->kind != AI_ERROR_INVALID_REQUEST || failure->hint[0] != '\0' ||
		!ai_copy_literal(pattern, sizeof(pattern), target->remote_model))
		return;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
	{
		const char *option = ai_option_names[spellings[i].key];

		if (!ai_option_set(&request->options, spellings[i].key))
			continue;
		for (int k = 0; k < 6 && spellings[i].names[k] != NULL; k++)
		{
			if (!names_option(text, spellings[i].names[k]))
				continue;
			if (len > 0)
				ai_failure_hint(failure, "INSERT INTO ai_gateway.model_profiles (pattern, protocol, renames) VALUES (%s, '%s', '{\"%s\": \"%.*s\"}');",
								pattern, protocol, option, (int) len, instead);
			else
				ai_failure_hint(failure, "INSERT INTO ai_gateway.model_profiles (pattern, protocol, refuses) VALUES (%s, '%s', '{%s}');",
								pattern, protocol, option);
			return;
		}
	}
}
