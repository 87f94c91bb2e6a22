/*
 * json_reader.c
 *	  The pull reader of json.h, made for replies that hold millions of
 *	  numbers: no tree, no allocation, one pass.
 *
 * Numbers become floats by multiplying a mantissa of 18 digits with a power of
 * ten in double precision.  The mantissa, the power and the product are each off
 * by half a unit in the last place of a double, and what is cut off the mantissa
 * by less than a tenth of one: together less than four units, so rounding the
 * product to float is right unless it lies that close to the midpoint of two
 * floats; there, and for large exponents, strtof decides.
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

static const double tenths[] = {
	1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12,
	1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22
};

/* Digits beyond these may be made up for by as many before the point. */
#define FAR_EXPONENT	10000

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Eight digits at once, side by side in one word: pairs, then fours, then all.
 * False if one is none.
 */
static inline bool
eight_digits(const char *p, uint64_t *number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t pairs = 0x000000ff000000ff;
	uint64_t	word;

	memcpy(&word, p, sizeof(word));
	if (((word & 0xf0f0f0f0f0f0f0f0) | ((word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4) != 0x3333333333333333)
		return false;
	word -= 0x3030303030303030;
	word = word * 10 + (word >> 8);
	*number = ((word & pairs) * (100 + (1000000ULL << 32)) +
			   (word >> 16 & pairs) * (1 + (10000ULL << 32))) >> 32;
	return true;
#else
	return false;
#endif
}

/*
 * Takes digits into the mantissa for as long as it stays below 10^18, passes
 * the others, and tells how many it took.  What is passed changes a number by
 * less than one part in 10^17.
 */
static inline const char *
read_digits(const char *p, const char *end, uint64_t *mantissa, int *taken)
{
	const char *start = p;
	uint64_t	sum = *mantissa;
	uint64_t	eight;

	while (sum < 10000000000 && end - p >= 8 && eight_digits(p, &eight))
	{
		sum = sum * 100000000 + eight;
		p += 8;
	}
	for (; sum < 100000000000000000 && is_digit(*p); p++)
		sum = sum * 10 + (uint64_t) (*p - '0');
	*mantissa = sum;
	*taken = (int) (p - start);
	while (is_digit(*p))
		p++;
	return p;
}

/*
 * Does the double decide which float a number is?  Below, above and far enough
 * from the midpoint of two of them it does.
 */
static inline bool
decides(double approximate)
{
	uint64_t	bits;
	uint64_t	tail;

	memcpy(&bits, &approximate, sizeof(bits));
	tail = bits & 0x1fffffff;
	return (tail < 0x10000000 - 4 || tail > 0x10000000 + 4) &&
		approximate > 1.2e-38 && approximate < 3.4e38;
}

static inline bool
read_float(AiJsonReader *reader, float *value)
{
	const char *start = reader->p;
	const char *p = start;
	const char *whole;
	uint64_t	mantissa = 0;
	int			taken;
	int			exponent;
	bool		negative = *p == '-';
	bool		far = false;	/* the exponent was cut short */

	p += negative;
	if (!is_digit(*p))
		return read_fail(reader);	/* NaN, Infinity, null */
	whole = p;
	p = read_digits(p, reader->end, &mantissa, &taken);
	exponent = (int) (p - whole) - taken;
	if (*p == '.')
	{
		if (!is_digit(p[1]))
			return read_fail(reader);
		p = read_digits(p + 1, reader->end, &mantissa, &taken);
		exponent -= taken;
	}
	if (*p == 'e' || *p == 'E')
	{
		int			sign = 1;
		int			number = 0;

		p++;
		if (*p == '-' || *p == '+')
			sign = *p++ == '-' ? -1 : 1;
		if (!is_digit(*p))
			return read_fail(reader);
		for (; is_digit(*p); p++)
			number = number < FAR_EXPONENT ? number * 10 + (*p - '0') : number;
		far = number >= FAR_EXPONENT;
		exponent += sign * number;
	}
	reader->p = p;

	if (mantissa == 0)
	{
		*value = negative ? -0.0f : 0.0f;
		return true;
	}
	if (!far && exponent >= -22 && exponent <= 22)
	{
		double		approximate = (double) (int64_t) mantissa *
			(exponent < 0 ? tenths[-exponent] : powers_of_ten[exponent]);

		if (decides(approximate))
		{
			*value = (float) (negative ? -approximate : approximate);
			return true;
		}
	}
	*value = strtof(start, NULL);
	return isfinite(*value) ? true : read_fail(reader);
}

int
ai_read_floats(AiJsonReader *reader, float *numbers, int room)
{
	int			n = 0;

	while (n < room && next_item(reader, ']') && read_float(reader, &numbers[n]))
		n++;
	return n;
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
	if (end == reader->p || !(number >= -9e15 && number <= 9e15) || number != (double) (int64_t) number)
		return read_fail(reader);
	reader->p = end;
	*value = (int64_t) number;
	return true;
}
