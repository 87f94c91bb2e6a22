/* Headers, the server's wishes for a retry, and the decision to retry. */
#include "call/retry.h"
#include "tap.h"
#include "util/wire.h"

/* 2026-11-23 12:00:00 UTC */
#define NOW INT64_C(1795435200)

static double
retry_after(const char *headers)
{
	AiHttpReply reply = {0};
	double		result;

	ai_buffer_append_string(&reply.headers, headers);
	result = ai_http_retry_after_ms(&reply, NOW);
	ai_http_reply_free(&reply);
	return result;
}

static double
delay(AiErrorKind kind, int attempts, int max_retries, double left, double random,
	  int should_retry, double hint, int status)
{
	AiFailure	failure;
	AiRetryInput input = {&failure, attempts, max_retries, left, random};

	ai_fail(&failure, kind, "x");
	failure.should_retry = should_retry;
	failure.retry_after_ms = hint;
	failure.http_status = status;
	return ai_retry_delay(&input);
}

int
main(void)
{
	AiHttpReply reply = {0};
	char		value[20];

	ai_buffer_append_string(&reply.headers, "Content-Type: text/html\nX-Id:  a b \nx-id: last\nempty:\n");
	ok(ai_http_header(&reply, "content-type", value, sizeof(value)), "a header without regard to case");
	is_string(value, "text/html", "its value");
	ok(ai_http_header(&reply, "x-id", value, sizeof(value)), "one that repeats");
	is_string(value, "last", "the last one counts");
	ok(ai_http_header(&reply, "empty", value, sizeof(value)), "an empty one");
	is_string(value, "", "is empty");
	ok(!ai_http_header(&reply, "type", value, sizeof(value)), "no part of a name");
	ai_http_reply_free(&reply);

	is_number(retry_after("Retry-After: 3\n"), 3000, "seconds");
	is_number(retry_after("retry-after: 1.5\n"), 1500, "fractions of seconds");
	is_number(retry_after("retry-after: 9\nretry-after-ms: 250\n"), 250, "milliseconds come first");
	is_number(retry_after("Retry-After: Mon, 23 Nov 2026 12:00:30 GMT\n"), 30000, "a date");
	is_number(retry_after("Retry-After: Mon, 23 Nov 2026 11:00:00 GMT\n"), -1, "a date gone by is none");
	is_number(retry_after("Retry-After: 0\n"), -1, "zero would make a hot loop");
	is_number(retry_after("Retry-After: -5\n"), -1, "a negative one");
	is_number(retry_after("Retry-After: soon\n"), -1, "a word");
	is_number(retry_after("retry-after-ms: nan\nretry-after: 2\n"), 2000, "no number falls back");
	is_number(retry_after(""), -1, "none");

	is_number(delay(AI_ERROR_SERVER, 1, 2, 1e6, 0.5, -1, -1, 500), 250, "half of the first ceiling");
	is_number(delay(AI_ERROR_SERVER, 2, 2, 1e6, 0.5, -1, -1, 500), 500, "half of the second");
	is_number(delay(AI_ERROR_SERVER, 3, 2, 1e6, 0.5, -1, -1, 500), -1, "the retries are used up");
	is_number(delay(AI_ERROR_SERVER, 50, 99, 1e6, 0.5, -1, -1, 500), 4000, "the ceiling has a cap");
	is_number(delay(AI_ERROR_SERVER, 1, 2, 200, 0.5, -1, -1, 500), -1, "the deadline comes first");
	is_number(delay(AI_ERROR_RATE_LIMIT, 1, 2, 1e6, 0, -1, 700, 429), 700, "the server's hint");
	ok(delay(AI_ERROR_RATE_LIMIT, 1, 2, 1e6, 0.999, -1, 700, 429) < 771, "and at most a tenth more");
	is_number(delay(AI_ERROR_RATE_LIMIT, 1, 2, 1e6, 0, -1, 61000, 429), -1, "a hint above a minute gives up");
	is_number(delay(AI_ERROR_INVALID_REQUEST, 1, 2, 1e6, 0, -1, -1, 400), -1, "a bad request is not sent again");
	is_number(delay(AI_ERROR_INVALID_REQUEST, 1, 2, 1e6, 0.5, 1, -1, 409), 250, "unless the server says so");
	is_number(delay(AI_ERROR_INVALID_REQUEST, 1, 2, 1e6, 0.5, 1, -1, 400), -1, "and then not for any status");
	is_number(delay(AI_ERROR_INVALID_REPLY, 1, 2, 1e6, 0.5, -1, -1, 200), -1, "a reply that cannot be used is not asked for again");
	is_number(delay(AI_ERROR_INVALID_REPLY, 1, 2, 1e6, 0.5, 1, -1, 200), 250, "a page in its place is");
	is_number(delay(AI_ERROR_SERVER, 1, 2, 1e6, 0, 0, -1, 500), -1, "the server says no");
	is_number(delay(AI_ERROR_QUOTA, 1, 2, 1e6, 0, 1, -1, 429), -1, "a used-up quota does not come back");
	return done_testing();
}
