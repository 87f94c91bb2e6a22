/*
 * wire.c
 *	  Reading HTTP replies held as plain data: headers and retry hints.
 */
#include "util/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/failure.h"
#include "util/wait.h"

void
ai_http_request_free(AiHttpRequest *request)
{
	ai_buffer_free(&request->url);
	ai_buffer_wipe(&request->headers);
	ai_buffer_wipe(&request->body);
}

void
ai_http_reply_free(AiHttpReply *reply)
{
	ai_buffer_free(&reply->headers);
	ai_buffer_free(&reply->body);
	reply->status = 0;
}

bool
ai_http_header(const AiHttpReply *reply, const char *name, char *value, size_t size)
{
	const char *line = reply->headers.data;
	size_t		name_len = strlen(name);
	bool		found = false;

	value[0] = '\0';
	while (line != NULL && *line != '\0')
	{
		const char *end = strchr(line, '\n');

		if (end == NULL)
			end = line + strlen(line);
		if ((size_t) (end - line) > name_len && line[name_len] == ':' &&
			strncasecmp(line, name, name_len) == 0)
		{
			const char *start = line + name_len + 1;
			const char *stop = end;

			while (start < stop && (*start == ' ' || *start == '\t'))
				start++;
			while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t'))
				stop--;
			ai_copy_clean(value, size, start, (size_t) (stop - start));
			found = true;
		}
		line = *end ? end + 1 : end;
	}
	return found;
}

/* A header that holds milliseconds, or seconds. */
static double
number_header(const AiHttpReply *reply, const char *name, double unit)
{
	char		value[64];
	char	   *end;
	double		number;

	if (!ai_http_header(reply, name, value, sizeof(value)))
		return -1;
	number = strtod(value, &end);
	return end != value && *end == '\0' ? ai_wait_usable(number * unit) : -1;
}

/*
 * OpenAI's and its like: when the requests or the tokens, of which none are left,
 * come back.  The later of both, for either refuses.
 */
static double
reset_of_limits(const AiHttpReply *reply)
{
	static const char *const what[] = {"requests", "tokens"};
	double		wait = -1;

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++)
	{
		char		name[48];
		char		value[64];
		double		reset;

		snprintf(name, sizeof(name), "x-ratelimit-remaining-%s", what[i]);
		if (!ai_http_header(reply, name, value, sizeof(value)) || strcmp(value, "0") != 0)
			continue;
		snprintf(name, sizeof(name), "x-ratelimit-reset-%s", what[i]);
		reset = number_header(reply, name, 1000);
		if (reset < 0 && ai_http_header(reply, name, value, sizeof(value)))
			reset = ai_wait_duration(value);
		if (reset > wait)
			wait = reset;
	}
	return wait;
}

double
ai_http_retry_after_ms(const AiHttpReply *reply, int64_t now)
{
	char		value[64];
	double		wait = number_header(reply, "retry-after-ms", 1);

	if (wait < 0)
		wait = number_header(reply, "x-ms-retry-after-ms", 1);
	if (wait < 0)
		wait = number_header(reply, "retry-after", 1000);
	if (wait < 0 && ai_http_header(reply, "retry-after", value, sizeof(value)))
		wait = ai_wait_usable((double) (ai_http_date(value, now) - now) * 1000);
	return wait > 0 ? wait : reset_of_limits(reply);
}
