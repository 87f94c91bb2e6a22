/*
 * wait.c
 *	  The readers of wait.h.
 */
#include "util/wait.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

double
ai_wait_usable(double ms)
{
	return ms > 0 && ms <= AI_WAIT_CAP_MS ? ms : -1;
}

/* ---- durations ---- */

static const struct
{
	const char *name;
	double		ms;
}			units[] = {
	{"ms", 1}, {"millisecond", 1}, {"milliseconds", 1},
	{"s", 1000}, {"sec", 1000}, {"secs", 1000}, {"second", 1000}, {"seconds", 1000},
	{"m", 60000}, {"min", 60000}, {"mins", 60000}, {"minute", 60000}, {"minutes", 60000},
	{"h", 3600000}, {"hr", 3600000}, {"hrs", 3600000}, {"hour", 3600000}, {"hours", 3600000},
	{"d", 86400000}, {"day", 86400000}, {"days", 86400000},
};

/* The unit that the text begins with; 0 for none. */
static double
read_unit(const char **text)
{
	size_t		len = 0;

	while (isalpha((unsigned char) (*text)[len]))
		len++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strlen(units[i].name) == len && strncasecmp(units[i].name, *text, len) == 0)
		{
			*text += len;
			return units[i].ms;
		}
	}
	return 0;
}

/* Digits, and digits behind a point; < 0 for none.  No sign, exponent or infinity. */
static double
read_number(const char **text)
{
	const char *start = *text;
	size_t		len = strspn(start, "0123456789");

	if (len == 0 || len > 15)
		return -1;
	if (start[len] == '.' && isdigit((unsigned char) start[len + 1]))
		len += 1 + strspn(start + len + 1, "0123456789");
	*text = start + len;
	return strtod(start, NULL);
}

static const char *
skip_between(const char *text)
{
	text += strspn(text, " ,");
	if (strncasecmp(text, "and ", 4) == 0)
		text += 4;
	return text;
}

double
ai_wait_duration(const char *text)
{
	double		sum = -1;
	int			hours,
				minutes,
				seconds,
				len = 0;

	text += strspn(text, " ");
	if (sscanf(text, "%3d:%2d:%2d%n", &hours, &minutes, &seconds, &len) == 3 && len >= 5)
		return ai_wait_usable((hours * 3600.0 + minutes * 60.0 + seconds) * 1000);
	for (;;)
	{
		const char *part = text;
		double		number = read_number(&part);
		double		unit;

		part += strspn(part, " ");
		unit = number < 0 ? 0 : read_unit(&part);
		if (unit == 0)
			break;
		sum = (sum < 0 ? 0 : sum) + number * unit;
		text = skip_between(part);
	}
	return ai_wait_usable(sum);
}

double
ai_wait_in_text(const char *text)
{
	static const char *const starts[] = {"again in ", "again after ", "retry in ", "retry after ", "wait "};

	for (; *text != '\0'; text++)
	{
		for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		{
			double		wait;

			if (strncasecmp(text, starts[i], strlen(starts[i])) != 0)
				continue;
			wait = ai_wait_duration(text + strlen(starts[i]));
			if (wait > 0)
				return wait;
		}
	}
	return -1;
}

/* ---- dates ---- */

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

/* "Nov" is 11; 0 for none. */
static int
month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at = strlen(name) == 3 ? strstr(names, name) : NULL;

	return at != NULL && (at - names) % 3 == 0 ? (int) (at - names) / 3 + 1 : 0;
}

int64_t
ai_http_date(const char *text, int64_t now)
{
	char		name[4];
	int			day,
				year,
				hour,
				minute,
				second,
				month;

	if (sscanf(text, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT", &day, name, &year, &hour, &minute, &second) != 6 &&
		sscanf(text, "%*3[A-Za-z] %3s %2d %2d:%2d:%2d %4d", name, &day, &hour, &minute, &second, &year) != 6)
	{
		int64_t		this_year = 1970 + now / 31556952;

		if (sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &day, name, &year, &hour, &minute, &second) != 6)
			return -1;
		/* what seems more than 50 years ahead is of the century before */
		year += (int) (this_year / 100 * 100);
		if (year > this_year + 50)
			year -= 100;
	}
	month = month_of(name);
	if (month == 0)
		return -1;
	return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}
