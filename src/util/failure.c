/*
 * failure.c
 *	  The table of error kinds, and the making of AiFailure.
 */
#include "util/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

const AiErrorKindInfo ai_error_kinds[AI_ERROR_KINDS] = {
	[AI_ERROR_NONE] = {
		.name = "none",
		.sqlstate = "00000",
		.summary = "succeeded",
	},
	[AI_ERROR_INVALID_REQUEST] = {
		.name = "invalid_request",
		.sqlstate = "LM001",
		.summary = "refused the request as invalid",
	},
	[AI_ERROR_AUTHENTICATION] = {
		.name = "authentication",
		.sqlstate = "LM002",
		.summary = "could not authenticate",
		.next_target = true,
	},
	[AI_ERROR_PERMISSION] = {
		.name = "permission",
		.sqlstate = "LM003",
		.summary = "was denied permission",
		.next_target = true,
	},
	[AI_ERROR_NOT_FOUND] = {
		.name = "not_found",
		.sqlstate = "LM004",
		.summary = "was not found by its provider",
		.next_target = true,
	},
	[AI_ERROR_CONTEXT_LENGTH] = {
		.name = "context_length",
		.sqlstate = "LM005",
		.summary = "cannot take an input this long",
		.next_target = true,
	},
	[AI_ERROR_CONTENT_FILTER] = {
		.name = "content_filter",
		.sqlstate = "LM006",
		.summary = "was stopped by a content filter",
	},
	[AI_ERROR_REFUSAL] = {
		.name = "refusal",
		.sqlstate = "LM007",
		.summary = "refused to answer",
	},
	[AI_ERROR_RATE_LIMIT] = {
		.name = "rate_limit",
		.sqlstate = "LM008",
		.summary = "is rate limited",
		.retry = true,
		.next_target = true,
	},
	[AI_ERROR_QUOTA] = {
		.name = "quota",
		.sqlstate = "LM009",
		.summary = "has no quota or credit left",
		.next_target = true,
	},
	[AI_ERROR_OVERLOADED] = {
		.name = "overloaded",
		.sqlstate = "LM010",
		.summary = "is overloaded",
		.retry = true,
		.next_target = true,
		.trips_breaker = true,
	},
	[AI_ERROR_SERVER] = {
		.name = "server_error",
		.sqlstate = "LM011",
		.summary = "failed on its server",
		.retry = true,
		.next_target = true,
		.trips_breaker = true,
	},
	[AI_ERROR_TIMEOUT] = {
		.name = "timeout",
		.sqlstate = "LM012",
		.summary = "did not answer in time",
		.retry = true,
		.next_target = true,
		.trips_breaker = true,
	},
	[AI_ERROR_REQUEST_TOO_LARGE] = {
		.name = "request_too_large",
		.sqlstate = "LM013",
		.summary = "refused the request as too large",
		.next_target = true,
	},
	[AI_ERROR_INVALID_REPLY] = {
		.name = "invalid_reply",
		.sqlstate = "LM014",
		.summary = "gave a reply that cannot be used",
		.next_target = true,
	},
	[AI_ERROR_CONNECTION] = {
		.name = "connection",
		.sqlstate = "LM015",
		.summary = "cannot be reached",
		.retry = true,
		.next_target = true,
		.trips_breaker = true,
	},
	[AI_ERROR_BUDGET] = {
		.name = "budget",
		.sqlstate = "LM016",
		.summary = "is out of budget",
	},
};

void
ai_failure_clear(AiFailure *failure)
{
	/* several times a call: what no text reaches is left as it is */
	failure->kind = AI_ERROR_NONE;
	failure->fault = AI_FAULT_CALL;
	failure->http_status = 0;
	failure->should_retry = -1;
	failure->retry_after_ms = -1;
	failure->sqlstate = NULL;
	failure->code[0] = '\0';
	failure->parameter[0] = '\0';
	failure->request_id[0] = '\0';
	failure->message[0] = '\0';
	failure->detail[0] = '\0';
	failure->hint[0] = '\0';
}

static void
__attribute__((format(printf, 3, 0)))
print_clean(char *dst, size_t size, const char *format, va_list args)
{
	char		text[1024];

	vsnprintf(text, sizeof(text), format, args);
	ai_copy_clean(dst, size, text, strlen(text));
}

bool
ai_fail(AiFailure *failure, AiErrorKind kind, const char *format,...)
{
	va_list		args;

	ai_failure_clear(failure);
	failure->kind = kind;
	va_start(args, format);
	print_clean(failure->message, sizeof(failure->message), format, args);
	va_end(args);
	return false;
}

bool
ai_fault(AiFailure *failure, AiFault fault, AiErrorKind kind, const char *sqlstate,
		 const char *format,...)
{
	va_list		args;

	ai_failure_clear(failure);
	failure->kind = kind;
	failure->fault = fault;
	failure->sqlstate = sqlstate;
	va_start(args, format);
	print_clean(failure->message, sizeof(failure->message), format, args);
	va_end(args);
	return false;
}

void
ai_failure_detail(AiFailure *failure, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	print_clean(failure->detail, sizeof(failure->detail), format, args);
	va_end(args);
}

void
ai_failure_hint(AiFailure *failure, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	print_clean(failure->hint, sizeof(failure->hint), format, args);
	va_end(args);
}

AiErrorKind
ai_error_kind_by_name(const char *name)
{
	for (int kind = AI_ERROR_NONE + 1; kind < AI_ERROR_KINDS; kind++)
	{
		if (strcmp(ai_error_kinds[kind].name, name) == 0)
			return (AiErrorKind) kind;
	}
	return AI_ERROR_NONE;
}

void
ai_copy_clean(char *dst, size_t size, const char *src, size_t len)
{
	size_t		used = 0;
	size_t		i = 0;

	while (i < len)
	{
		bool		plain = src[i] >= 0x20 && src[i] < 0x7f;
		size_t		step = plain ? 1 : ai_utf8_sequence(src + i, len - i);

		if (plain && used + 1 < size)
		{
			dst[used++] = src[i++];
			continue;
		}
		if (step == 0 || (unsigned char) src[i] < 0x20 || src[i] == 0x7f)
		{
			if (used + 1 >= size)
				break;
			dst[used++] = ' ';
			i++;
			continue;
		}
		if (used + step >= size)
			break;
		memcpy(dst + used, src + i, step);
		used += step;
		i += step;
	}
	dst[used] = '\0';
}

bool
ai_copy_literal(char *dst, size_t size, const char *src)
{
	size_t		used = 0;

	if (size < 3)
		return false;
	dst[used++] = '\'';
	for (; *src != '\0'; src++)
	{
		if (used + 4 > size)
			return false;
		if (*src == '\'')
			dst[used++] = '\'';
		dst[used++] = *src;
	}
	dst[used++] = '\'';
	dst[used] = '\0';
	return true;
}
