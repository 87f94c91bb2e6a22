/*
 * json.c
 *	  Guarded cJSON parsing and the getters of json.h.
 *
 * The guard is one pass over the bytes before cJSON sees them.  It tracks
 * strings and nesting, and only when it meets something that cJSON would
 * mishandle does it make a repaired copy; the common reply is parsed in place.
 */
#include "util/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/hex.h"
#include "util/number.h"
#include "util/utf8.h"
#include "util/word.h"

/* The value of \uXXXX at p, or -1. */
static int
unicode_escape(const char *p, const char *end)
{
	int			value = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++)
	{
		int			digit = ai_hex_digit(p[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/*
 * How many input bytes at p (inside a string) form one good unit, or 0 if
 * they need replacing; then *bad is how many to replace, or 0 where there is no
 * document: of an escape with other digits cJSON makes a NUL.
 */
static size_t
string_unit(const char *p, const char *end, size_t *bad)
{
	*bad = 1;
	if (*p == '\\')
	{
		int			value;

		if (end - p < 2)
			return 1;			/* cJSON reports it */
		if (p[1] != 'u')
			return 2;
		value = unicode_escape(p, end);
		*bad = value < 0 ? 0 : 6;
		if (value < 0)
			return 0;
		if (value == 0 || (value >= 0xdc00 && value <= 0xdfff))
			return 0;
		if (value >= 0xd800 && value <= 0xdbff)
		{
			int			low = unicode_escape(p + 6, end);

			return (low >= 0xdc00 && low <= 0xdfff) ? 12 : 0;
		}
		return 6;
	}
	if (*p == '\0')
		return 0;
	return ai_utf8_sequence(p, (size_t) (end - p));
}

/* How many bytes at p (inside a string) are ASCII that cJSON takes as it is. */
static size_t
plain_run(const char *p, const char *end)
{
	const char *start = p;

	while (end - p >= (ptrdiff_t) sizeof(uint64_t))
	{
		uint64_t	word = ai_word(p);

		if ((ai_word_above_ascii(word) | ai_word_below(word, 1) |
			 ai_word_has(word, '"') | ai_word_has(word, '\\')) != 0)
			break;
		p += sizeof(uint64_t);
	}
	while (p < end && *p != '\0' && (unsigned char) *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return (size_t) (p - start);
}

/*
 * Checks nesting, counts values, and copies into `repaired` (if not NULL) with
 * U+FFFD in place of what cannot stay.  Returns false if it nests too deeply, with
 * that as *why, or has an escape that is none; *needs_repair tells whether a copy
 * is needed.
 */
static bool
guard(const char *data, const char *end, AiBuffer *repaired,
	  size_t *values, bool *needs_repair, const char **why)
{
	int			depth = 0;
	bool		in_string = false;
	const char *p = data;

	*needs_repair = false;
	*values = 1;
	while (p < end)
	{
		size_t		bad = 1;
		size_t		unit = 1;

		if (in_string)
		{
			if (*p == '"')
				in_string = false;
			else if ((unit = plain_run(p, end)) == 0)
				unit = string_unit(p, end, &bad);
		}
		else if (*p == '"')
			in_string = true;
		else if (*p == ',')
			(*values)++;
		else if (*p == '{' || *p == '[')
		{
			(*values)++;
			if (++depth > AI_JSON_MAX_DEPTH)
			{
				*why = "it is nested too deeply";
				return false;
			}
		}
		else if (*p == '}' || *p == ']')
			depth--;
		if (unit == 0 && bad == 0)
			return false;
		if (unit == 0)
		{
			*needs_repair = true;
			if (repaired)
				ai_utf8_append(repaired, 0xfffd);
			p += bad;
		}
		else
		{
			if (repaired)
				ai_buffer_append(repaired, p, unit);
			p += unit;
		}
	}
	return true;
}

/* ---- numbers ---- */

/* The next number of a document, which is good JSON but for the grammar of numbers. */
static const char *
next_number(const char *p, const char *end, size_t *len)
{
	bool		in_string = false;

	for (; p < end; p++)
	{
		if (in_string && *p == '\\')
			p++;
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && (*p == '-' || (*p >= '0' && *p <= '9')))
			break;
	}
	/* the document need not end with a zero */
	*len = 0;
	while (p + *len < end && p[*len] != '\0' && strchr("0123456789+-.eE", p[*len]) != NULL)
		++* len;
	return p;
}

/* A whole number of at most 15 digits: a double has it exactly, and is printed as it stands. */
static bool
is_short_integer(const char *p, size_t len)
{
	if (len == 0 || len > 15 || p[0] < '1')
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (p[i] < '0' || p[i] > '9')
			return false;
	}
	return true;
}

/* Gives numbers of a tree, in the order of the document, their text where it says more. */
static const char *
keep_numbers(cJSON *item, const char *p, const char *end)
{
	char		space[40];
	size_t		len;

	if (cJSON_IsNumber(item))
	{
		p = next_number(p, end, &len);
		if (is_short_integer(p, len))
			return p + len;
		ai_json_number(item, space, sizeof(space));
		if (ai_number_valid(p, len) && (strlen(space) != len || memcmp(space, p, len) != 0))
			item->valuestring = strndup(p, len);
		p += len;
	}
	for (cJSON *child = item->child; child != NULL; child = child->next)
		p = keep_numbers(child, p, end);
	return p;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

cJSON *
ai_json_parse(const char *data, size_t len, const char **why)
{
	const char *end = data ? data + len : NULL;
	const char *parse_end = NULL;
	AiBuffer	repaired = {0};
	size_t		values;
	bool		needs_repair;
	cJSON	   *tree;

	*why = "it is not JSON";
	if (data == NULL)
	{
		*why = "it is empty";
		return NULL;
	}
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		data += 3;
	while (data < end && is_space(*data))
		data++;
	while (end > data && is_space(end[-1]))
		end--;
	if (data == end)
	{
		*why = "it is empty";
		return NULL;
	}
	if (!guard(data, end, NULL, &values, &needs_repair, why))
		return NULL;
	if (values > AI_JSON_FREE_VALUES + len / AI_JSON_BYTES_A_VALUE)
	{
		*why = "it has too many values";
		return NULL;
	}
	if (needs_repair)
	{
		guard(data, end, &repaired, &values, &needs_repair, why);
		if (repaired.failed)
		{
			ai_buffer_free(&repaired);
			*why = "memory ran out";
			return NULL;
		}
		data = repaired.data;
		end = data + repaired.len;
	}
	tree = cJSON_ParseWithLengthOpts(data, (size_t) (end - data), &parse_end, 0);
	if (tree != NULL)
	{
		/* without a terminating NUL in reach, cJSON stops at the last byte */
		while (parse_end < end && is_space(*parse_end))
			parse_end++;
		if (parse_end != end)
		{
			cJSON_Delete(tree);
			tree = NULL;
			*why = "something follows the JSON document";
		}
	}
	if (tree != NULL)
		keep_numbers(tree, data, end);
	ai_buffer_free(&repaired);
	return tree;
}

const cJSON *
ai_json_get(const cJSON *object, const char *name)
{
	if (!cJSON_IsObject(object))
		return NULL;
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *
ai_json_string(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(ai_json_get(object, name));
}

int64_t
ai_json_int64(const cJSON *object, const char *name)
{
	const cJSON *item = ai_json_get(object, name);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
		item->valuedouble > 9e15 || item->valuedouble != (double) (int64_t) item->valuedouble)
		return -1;
	return (int64_t) item->valuedouble;
}

const char *
ai_json_scalar_text(const cJSON *item, char *space, size_t size)
{
	space[0] = '\0';
	if (cJSON_IsString(item))
		ai_copy_clean(space, size, item->valuestring, strlen(item->valuestring));
	else if (cJSON_IsNumber(item) && item->valuestring != NULL)
		ai_copy_clean(space, size, item->valuestring, strlen(item->valuestring));
	else if (cJSON_IsNumber(item))
		snprintf(space, size, "%.15g", item->valuedouble);
	else if (cJSON_IsBool(item))
		snprintf(space, size, "%s", cJSON_IsTrue(item) ? "true" : "false");
	return space;
}

const char *
ai_json_number(const cJSON *number, char *space, size_t size)
{
	if (number->valuestring != NULL)
		return number->valuestring;
	/* the shortest of 15 or 17 digits that reads back as the same number */
	snprintf(space, size, "%.15g", number->valuedouble);
	if (strtod(space, NULL) != number->valuedouble)
		snprintf(space, size, "%.17g", number->valuedouble);
	return space;
}

static bool
numbers_equal(const cJSON *a, const cJSON *b)
{
	char		one[40];
	char		two[40];

	if (a->valuestring == NULL && b->valuestring == NULL)
		return a->valuedouble == b->valuedouble;
	return ai_number_equal(ai_json_number(a, one, sizeof(one)), ai_json_number(b, two, sizeof(two)));
}

bool
ai_json_equal(const cJSON *a, const cJSON *b)
{
	const cJSON *item;
	const cJSON *other = b->child;

	if ((a->type & 0xff) != (b->type & 0xff))
		return false;
	if (cJSON_IsNumber(a))
		return numbers_equal(a, b);
	if (cJSON_IsString(a))
		return strcmp(a->valuestring, b->valuestring) == 0;
	if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
		return false;
	cJSON_ArrayForEach(item, a)
	{
		if (cJSON_IsObject(a))
			other = ai_json_get(b, item->string);
		if (other == NULL || !ai_json_equal(item, other))
			return false;
		if (cJSON_IsArray(a))
			other = other->next;
	}
	return true;
}

char *
ai_json_text(const cJSON *tree)
{
	AiJsonWriter writer;
	AiBuffer	out = {0};

	ai_write_start(&writer, &out);
	ai_write_tree(&writer, tree);
	ai_write_end(&writer);
	if (out.failed)
		ai_buffer_free(&out);
	return out.data;
}
