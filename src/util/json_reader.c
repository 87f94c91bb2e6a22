/*
 * json_reader.c
 *	  The pull reader of json.h, made for replies that hold millions of
 *	  numbers: no tree, no allocation, one pass.
 *
 * Numbers become floats by multiplying a 64-bit mantissa with a power of ten
 * in double precision.  That result is off by at most two units in its last
 * place, so rounding it to float is right unless it lies that close to the
 * midpoint of two floats; there, and for large exponents, strtof decides.
 */
#include "util/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool
read_fail(AiJsonReader *reader)
{
	reader->failed = true;
	return false;
}

static void
skip_space(AiJsonReader *reader)
{
	while (reader->p < reader->end &&
		   (*reader->p == ' ' || *reader->p == '\n' || *reader->p == '\r' ||
			*reader->p == '\t'))
		reader->p++;
}

void
ai_read_start(AiJsonReader *reader, const char *data, size_t len)
{
	reader->p = data;
	reader->end = data + len;
	reader->depth = 0;
	reader->failed = data == NULL;
	if (!reader->failed)
		skip_space(reader);
}

/* The first byte of the value that comes next, or NUL at the end. */
char
ai_read_peek(AiJsonReader *reader)
{
	if (reader->failed)
		return '\0';
	skip_space(reader);
	return reader->p < reader->end ? *reader->p : '\0';
}

static bool
enter(AiJsonReader *reader, char bracket)
{
	if (ai_read_peek(reader) != bracket || reader->depth >= AI_JSON_MAX_DEPTH)
		return read_fail(reader);
	reader->p++;
	reader->first[reader->depth++] = true;
	return true;
}

/* Moves to the next item of the open container; false at its end. */
static bool
next_item(AiJsonReader *reader, char bracket)
{
	char		c = ai_read_peek(reader);

	if (reader->failed || reader->depth == 0)
		return false;
	if (c == bracket)
	{
		reader->p++;
		reader->depth--;
		return false;
	}
	if (reader->first[reader->depth - 1])
	{
		reader->first[reader->depth - 1] = false;
		return c != '\0' ? true : read_fail(reader);
	}
	if (c != ',')
		return read_fail(reader);
	reader->p++;
	c = ai_read_peek(reader);
	return c != '\0' && c != bracket ? true : read_fail(reader);
}

bool
ai_read_object(AiJsonReader *reader)
{
	return enter(reader, '{');
}

bool
ai_read_member(AiJsonReader *reader, const char **name, size_t *len)
{
	if (!next_item(reader, '}'))
		return false;
	if (!ai_read_raw_string(reader, name, len))
		return false;
	if (ai_read_peek(reader) != ':')
		return read_fail(reader);
	reader->p++;
	return true;
}

bool
ai_name_is(const char *name, size_t len, const char *expected)
{
	return len == strlen(expected) && memcmp(name, expected, len) == 0;
}

bool
ai_read_array(AiJsonReader *reader)
{
	return enter(reader, '[');
}

bool
ai_read_element(AiJsonReader *reader)
{
	return next_item(reader, ']');
}

bool
ai_read_raw_string(AiJsonReader *reader, const char **string, size_t *len)
{
	const char *p;

	if (ai_read_peek(reader) != '"')
		return read_fail(reader);
	p = ++reader->p;
	for (;;)
	{
		const char *quote = memchr(p, '"', (size_t) (reader->end - p));
		const char *escape;

		if (quote == NULL)
			return read_fail(reader);
		/* a quote is the end unless an odd number of backslashes precede it */
		escape = quote;
		while (escape > reader->p && escape[-1] == '\\')
			escape--;
		p = quote + 1;
		if ((quote - escape) % 2 == 0)
		{
			*string = reader->p;
			*len = (size_t) (quote - reader->p);
			reader->p = p;
			return true;
		}
	}
}

char *
ai_read_string(AiJsonReader *reader)
{
	const char *raw;
	const char *why;
	size_t		len;
	cJSON	   *tree;
	char	   *copy = NULL;

	if (!ai_read_raw_string(reader, &raw, &len))
		return NULL;
	tree = ai_json_parse(raw - 1, len + 2, &why);
	if (cJSON_IsString(tree))
		copy = strdup(tree->valuestring);
	cJSON_Delete(tree);
	if (copy == NULL)
		read_fail(reader);
	return copy;
}

bool
ai_read_skip(AiJsonReader *reader)
{
	const char *ignored;
	size_t		len;
	int			depth = 0;

	/* what is skipped need only balance; nobody reads it */
	do
	{
		char		c = ai_read_peek(reader);

		if (c == '"')
		{
			if (!ai_read_raw_string(reader, &ignored, &len))
				return false;
		}
		else if (c == '{' || c == '[')
		{
			reader->p++;
			depth++;
		}
		else if (depth > 0 && c != '\0' && strchr("]},:", c) != NULL)
		{
			reader->p++;
			if (c == ']' || c == '}')
				depth--;
		}
		else
		{
			size_t		scalar = strcspn(reader->p, ",:]} \t\r\n");

			if (reader->failed || c == '\0' || scalar == 0)
				return read_fail(reader);
			reader->p += scalar;
		}
	} while (depth > 0);
	return true;
}

static const double powers_of_ten[] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
	1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
};

bool
ai_read_float(AiJsonReader *reader, float *value)
{
	const char *p;
	const char *start;
	uint64_t	mantissa = 0;
	int			digits = 0;
	int			exponent = 0;
	bool		negative = false;
	bool		exact = true;

	ai_read_peek(reader);
	if (reader->failed)
		return false;
	start = p = reader->p;
	if (*p == '-')
	{
		negative = true;
		p++;
	}
	if (*p < '0' || *p > '9')
		return read_fail(reader);	/* NaN, Infinity, null */
	for (; *p >= '0' && *p <= '9'; p++)
	{
		if (digits < 19)
		{
			mantissa = mantissa * 10 + (uint64_t) (*p - '0');
			digits += mantissa != 0;
		}
		else
		{
			exponent++;
			exact = false;
		}
	}
	if (*p == '.')
	{
		if (p[1] < '0' || p[1] > '9')
			return read_fail(reader);
		for (p++; *p >= '0' && *p <= '9'; p++)
		{
			if (digits < 19)
			{
				mantissa = mantissa * 10 + (uint64_t) (*p - '0');
				digits += mantissa != 0;
				exponent--;
			}
		}
	}
	if (*p == 'e' || *p == 'E')
	{
		int			sign = 1;
		int			number = 0;

		p++;
		if (*p == '-' || *p == '+')
			sign = *p++ == '-' ? -1 : 1;
		if (*p < '0' || *p > '9')
			return read_fail(reader);
		for (; *p >= '0' && *p <= '9'; p++)
			number = number < 10000 ? number * 10 + (*p - '0') : number;
		exponent += sign * number;
	}
	reader->p = p;

	if (mantissa == 0 && exact)
	{
		*value = negative ? -0.0f : 0.0f;
		return true;
	}
	if (exact && exponent >= -22 && exponent <= 22)
	{
		double		approximate = (double) mantissa;
		uint64_t	bits;
		uint64_t	tail;

		approximate = exponent < 0 ? approximate / powers_of_ten[-exponent]
			: approximate * powers_of_ten[exponent];
		memcpy(&bits, &approximate, sizeof(bits));
		tail = bits & 0x1fffffff;
		if ((tail < 0x10000000 - 4 || tail > 0x10000000 + 4) &&
			approximate > 1.2e-38 && approximate < 3.4e38)
		{
			*value = (float) (negative ? -approximate : approximate);
			return true;
		}
	}
	*value = strtof(start, NULL);
	return isfinite(*value) ? true : read_fail(reader);
}

bool
ai_read_int64(AiJsonReader *reader, int64_t *value)
{
	char	   *end;
	double		number;

	ai_read_peek(reader);
	if (reader->failed)
		return false;
	number = strtod(reader->p, &end);
	if (end == reader->p || !(number >= -9e15 && number <= 9e15))
		return read_fail(reader);
	reader->p = end;
	*value = (int64_t) number;
	return true;
}
