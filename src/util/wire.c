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

/* Days from 1970-01-01 of a civil date (H. Hinnant's days_from_civil). */
static int64_t
days_from_civil(int64_t year, int month, int day)
{
	int64_t		era;
	int64_t		year_of_era;
	int64_t		day_of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
		year_of_era / 100 + day_of_year - 719468;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since 1970; < 0 if it is none. */
static int64_t
parse_http_date(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char		month[4];
	const char *at;
	int			day,
				year,
				hour,
				minute,
				second;

	if (sscanf(text, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT",
			   &day, month, &year, &hour, &minute, &second) != 6)
		return -1;
	at = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (at == NULL || (at - months) % 3 != 0)
		return -1;
	return days_from_civil(year, (int) (at - months) / 3 + 1, day) * 86400 +
		hour * 3600 + minute * 60 + second;
}

double
ai_http_retry_after_ms(const AiHttpReply *reply, int64_t now)
{
	char		value[64];
	char	   *end;

	if (ai_http_header(reply, "retry-after-ms", value, sizeof(value)))
	{
		double		ms = strtod(value, &end);

		if (end != value && *end == '\0' && ms > 0 && ms < 1e12)
			return ms;
	}
	if (ai_http_header(reply, "retry-after", value, sizeof(value)))
	{
		double		seconds = strtod(value, &end);
		int64_t		date;

		if (end != value && *end == '\0')
			return seconds > 0 && seconds < 1e9 ? seconds * 1000 : -1;
		date = parse_http_date(value);
		if (date > now)
			return (double) (date - now) * 1000;
	}
	return -1;
}
