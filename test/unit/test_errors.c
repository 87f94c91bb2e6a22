/* What error replies say: the kind, the wait, and the reason. */
#include <string.h>

#include "provider/provider.h"
#include "tap.h"
#include "util/wait.h"

#define NOW		INT64_C(1795435200) /* 2026-11-23 12:00:00 UTC */

typedef struct Case
{
	int			status;
	const char *headers;
	const char *body;
	AiErrorKind kind;
	double		wait;			/* milliseconds; -1 = none */
	const char *message;		/* NULL = any */
} Case;

static const Case cases[] = {
	/* a wait in a sentence, in a number, and in a header */
	{429, "", "{\"error\":{\"message\":\"Limit 3, Used 3. Please try again in 20s.\",\"code\":\"rate_limit_exceeded\"}}", AI_ERROR_RATE_LIMIT, 20000, NULL},
	{429, "", "{\"message\":\"Token limit is exceeded. Try again in 25 seconds.\"}", AI_ERROR_RATE_LIMIT, 25000, NULL},
	{403, "", "{\"statusCode\":403,\"message\":\"Token quota is exceeded. Try again in 04:12:33.\"}", AI_ERROR_QUOTA, 15153000, NULL},
	{503, "", "{\"error\":\"Model a/b is currently loading\",\"estimated_time\":3.0}", AI_ERROR_OVERLOADED, 3000, "Model a/b is currently loading"},
	{429, "x-ms-retry-after-ms: 2500\n", "{\"error\":{\"message\":\"try again in 9s\"}}", AI_ERROR_RATE_LIMIT, 2500, NULL},
	{429, "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 1m3.5s\n", "{}", AI_ERROR_RATE_LIMIT, 63500, NULL},
	{429, "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 3\nx-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 120ms\n", "{}", AI_ERROR_RATE_LIMIT, 3000, NULL},
	{429, "x-ratelimit-remaining-requests: 5\nx-ratelimit-reset-requests: 3s\n", "{}", AI_ERROR_RATE_LIMIT, -1, NULL},
	{503, "retry-after: Sat, 01 Dec 2035 10:00:00 GMT\n", "{}", AI_ERROR_OVERLOADED, -1, NULL},
	/* an account that is empty, under a status that says something else */
	{429, "", "{\"error\":{\"message\":\"Your account is suspended\",\"type\":\"exceeded_current_quota_error\"}}", AI_ERROR_QUOTA, -1, NULL},
	{429, "", "{\"error\":{\"message\":\"You exceeded your current quota, please check your plan and billing details.\",\"code\":\"429\"}}", AI_ERROR_QUOTA, -1, NULL},
	{429, "", "{\"error\":{\"message\":\"You exceeded your current quota, please check your plan and billing details.\",\"status\":\"RESOURCE_EXHAUSTED\"}}", AI_ERROR_RATE_LIMIT, -1, NULL},
	{400, "", "{\"error\":{\"message\":\"Access denied\",\"code\":\"Arrearage\"}}", AI_ERROR_QUOTA, -1, NULL},
	{429, "", "{\"error\":{\"code\":\"1113\",\"message\":\"no money\"}}", AI_ERROR_QUOTA, -1, NULL},
	{403, "", "{\"code\":30001,\"message\":\"the account is empty\",\"data\":null}", AI_ERROR_QUOTA, -1, NULL},
	/* what is too large */
	{429, "", "{\"error\":{\"message\":\"Request too large for m: Limit 30000, Requested 41000.\",\"code\":\"rate_limit_exceeded\"}}", AI_ERROR_REQUEST_TOO_LARGE, -1, NULL},
	{400, "", "{\"message\":\"The input (9000 tokens) is longer than the model's context length (8192 tokens).\"}", AI_ERROR_CONTEXT_LENGTH, -1, NULL},
	{400, "", "{\"error\":\"Trying to keep the first 5000 tokens. However, the model is loaded with context length of only 4096 tokens\"}", AI_ERROR_CONTEXT_LENGTH, -1, NULL},
	{422, "", "{\"error\":\"`inputs` tokens + `max_new_tokens` must be <= 4096\",\"error_type\":\"validation\"}", AI_ERROR_CONTEXT_LENGTH, -1, NULL},
	{400, "", "{\"error\":{\"message\":\"your prompt exceeds the context window of this model\"}}", AI_ERROR_CONTEXT_LENGTH, -1, NULL},
	{400, "", "{\"error\":{\"message\":\"context_length must be an integer\"}}", AI_ERROR_INVALID_REQUEST, -1, NULL},
	{429, "", "{\"error\":{\"message\":\"too many requests for this context window\"}}", AI_ERROR_RATE_LIMIT, -1, NULL},
	/* where the reason stands */
	{400, "", "{\"errors\":[{\"code\":7003,\"message\":\"could not route\"}],\"messages\":[]}", AI_ERROR_INVALID_REQUEST, -1, "could not route"},
	{400, "", "{\"message\":{\"text\":1,\"message\":\"why\"}}", AI_ERROR_INVALID_REQUEST, -1, "why"},
	{400, "", "{\"errors\":[\"could not route\"]}", AI_ERROR_INVALID_REQUEST, -1, "could not route"},
	{422, "", "{\"detail\":{\"error\":\"too many inputs\"}}", AI_ERROR_INVALID_REQUEST, -1, "too many inputs"},
	{422, "", "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}", AI_ERROR_INVALID_REQUEST, -1, "field required"},
	{400, "", "{\"type\":\"about:blank\",\"title\":\"the model wants images\",\"status\":400}", AI_ERROR_INVALID_REQUEST, -1, "the model wants images"},
	{400, "", "{\"title\":\"bad\",\"detail\":\"the model wants images\"}", AI_ERROR_INVALID_REQUEST, -1, "the model wants images"},
	{400, "", "{\"error\":{},\"message\":\"why\"}", AI_ERROR_INVALID_REQUEST, -1, "why"},
	{400, "", "{\"error\":{\"error\":{\"error\":{\"error\":{\"error\":{\"message\":\"deep\"}}}}}}", AI_ERROR_INVALID_REQUEST, -1, "the server gave no reason"},
};

static void
says(const Case *item)
{
	const AiProvider *provider = ai_provider_by_name("openai");
	AiTarget	target = {.provider = provider,.protocol = AI_PROTOCOL_OPENAI_CHAT,.remote_model = "m"};
	AiRequest	request = {.task = AI_TASK_CHAT};
	AiHttpReply http = {.status = item->status};
	AiReply		reply;
	AiFailure	failure;

	ai_buffer_append_string(&http.headers, item->headers);
	ai_buffer_append_string(&http.body, item->body);
	ok(!ai_provider_parse(&target, &request, &http, NOW, &reply, &failure), "%s%s fails", item->headers, item->body);
	is_string(ai_error_kinds[failure.kind].name, ai_error_kinds[item->kind].name, "its kind");
	is_number(failure.retry_after_ms, item->wait, "its wait");
	if (item->message != NULL)
		is_string(failure.message, item->message, "its reason");
	ai_reply_free(&reply);
	ai_http_reply_free(&http);
}

/* May another attempt find a reply where this one has none? */
static void
is_tried_again(AiTask task, const char *body, int expected)
{
	static const char *const inputs[] = {"a"};
	AiTarget	target = {.provider = ai_provider_by_name("openai"),.protocol = AI_PROTOCOL_OPENAI_CHAT,.remote_model = "m"};
	AiRequest	request = {.task = task,.inputs = inputs,.n_inputs = 1};
	AiHttpReply http = {.status = 200};
	AiReply		reply;
	AiFailure	failure;

	ai_buffer_append_string(&http.body, body);
	ok(!ai_provider_parse(&target, &request, &http, NOW, &reply, &failure) && failure.should_retry == expected,
	   "\"%s\" is %s", body, expected == 1 ? "tried again" : "the last word");
	ai_reply_free(&reply);
	ai_http_reply_free(&http);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		says(&cases[i]);
	is_tried_again(AI_TASK_CHAT, "upstream is starting", 1);
	is_tried_again(AI_TASK_CHAT, "<html>", 1);
	is_tried_again(AI_TASK_CHAT, "{\"choices\":[{\"mess", 1);
	is_tried_again(AI_TASK_CHAT, "{\"choices\":null}", 1);
	is_tried_again(AI_TASK_EMBED, "{\"data\":[{\"embedd", 1);
	is_tried_again(AI_TASK_CHAT, "{}", -1);
	is_tried_again(AI_TASK_CHAT, "{\"choices\":[{\"message\":{}}]}", -1);
	is_tried_again(AI_TASK_EMBED, "{\"data\":[{\"index\":7,\"embedding\":[1]}]}", -1);

	is_number(ai_wait_duration("120ms"), 120, "milliseconds");
	is_number(ai_wait_duration("1m3.89s"), 63890, "minutes and parts of seconds");
	is_number(ai_wait_duration("1 minute and 5 seconds."), 65000, "in words");
	is_number(ai_wait_duration("2h"), 7200000, "hours");
	is_number(ai_wait_duration("20"), -1, "a number alone is none");
	is_number(ai_wait_duration("-5s"), -1, "nor is one below zero");
	is_number(ai_wait_duration("400 days"), -1, "nor is one that no quota lasts");
	is_number(ai_wait_duration("99999999999999999999s"), -1, "nor one of twenty digits");
	is_number(ai_wait_in_text("Please wait for 5 people, then retry after 3 minutes"), 180000, "the first that is a duration");
	is_number(ai_wait_in_text("try again in a while"), -1, "none in a sentence without");
	is_number((double) ai_http_date("Sun, 06 Nov 1994 08:49:37 GMT", NOW), 784111777, "a date");
	is_number((double) ai_http_date("Sunday, 06-Nov-94 08:49:37 GMT", NOW), 784111777, "of RFC 850");
	is_number((double) ai_http_date("Sun Nov  6 08:49:37 1994", NOW), 784111777, "of asctime");
	is_number((double) ai_http_date("Monday, 23-Nov-26 12:00:00 GMT", NOW), (double) NOW, "of this century");
	is_number((double) ai_http_date("Sun, 06 Foo 1994 08:49:37 GMT", NOW), -1, "of no month");
	is_number((double) ai_http_date("tomorrow", NOW), -1, "a word");
	return done_testing();
}
