/*
 * schema.c
 *	  Validation against JSON Schema (schema.h).
 *
 * Two walks: over the schema alone, which refuses what is not understood, and
 * over schema and document together.  The path of where the walk stands is a
 * JSON pointer in a buffer, cut back on the way up.  Branches of anyOf, oneOf
 * and not are tried with a fault of their own, which is thrown away.
 */
#include "util/schema.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* $ref may lead in a circle; a document is never as deep as this. */
#define MAX_WALK_DEPTH	300

typedef struct Walk
{
	const cJSON *root;
	AiPatternMatcher matcher;
	AiPatternChecker checker;
	void	   *argument;		/* of the checker */
	AiBuffer	path;
	AiBuffer   *fault;			/* the first fault; NULL = nobody asks */
	int			depth;
} Walk;

typedef enum KeywordKind
{
	KEYWORD_NOTE,				/* says nothing of the document */
	KEYWORD_SCHEMA,				/* a schema */
	KEYWORD_SCHEMAS,			/* an array of schemas */
	KEYWORD_NAMED,				/* an object of schemas */
	KEYWORD_BOOL_OR_SCHEMA,
	KEYWORD_NUMBER,
	KEYWORD_POSITIVE,			/* a number above 0 */
	KEYWORD_COUNT,				/* an integer that is not negative */
	KEYWORD_BOOL,
	KEYWORD_STRINGS,			/* an array of strings */
	KEYWORD_VALUES,				/* an array */
	KEYWORD_VALUE,
	KEYWORD_TYPE,
	KEYWORD_PATTERN,
	KEYWORD_FORMAT,
	KEYWORD_REFERENCE,
} KeywordKind;

static const struct
{
	const char *name;
	KeywordKind kind;
}			keywords[] = {
	{"$comment", KEYWORD_NOTE},
	{"$id", KEYWORD_NOTE},
	{"$schema", KEYWORD_NOTE},
	{"default", KEYWORD_NOTE},
	{"deprecated", KEYWORD_NOTE},
	{"description", KEYWORD_NOTE},
	{"examples", KEYWORD_NOTE},
	{"readOnly", KEYWORD_NOTE},
	{"title", KEYWORD_NOTE},
	{"writeOnly", KEYWORD_NOTE},
	{"$defs", KEYWORD_NAMED},
	{"$ref", KEYWORD_REFERENCE},
	{"additionalProperties", KEYWORD_BOOL_OR_SCHEMA},
	{"allOf", KEYWORD_SCHEMAS},
	{"anyOf", KEYWORD_SCHEMAS},
	{"const", KEYWORD_VALUE},
	{"definitions", KEYWORD_NAMED},
	{"enum", KEYWORD_VALUES},
	{"exclusiveMaximum", KEYWORD_NUMBER},
	{"exclusiveMinimum", KEYWORD_NUMBER},
	{"format", KEYWORD_FORMAT},
	{"items", KEYWORD_BOOL_OR_SCHEMA},
	{"maxItems", KEYWORD_COUNT},
	{"maxLength", KEYWORD_COUNT},
	{"maxProperties", KEYWORD_COUNT},
	{"maximum", KEYWORD_NUMBER},
	{"minItems", KEYWORD_COUNT},
	{"minLength", KEYWORD_COUNT},
	{"minProperties", KEYWORD_COUNT},
	{"minimum", KEYWORD_NUMBER},
	{"multipleOf", KEYWORD_POSITIVE},
	{"not", KEYWORD_SCHEMA},
	{"oneOf", KEYWORD_SCHEMAS},
	{"pattern", KEYWORD_PATTERN},
	{"prefixItems", KEYWORD_SCHEMAS},
	{"properties", KEYWORD_NAMED},
	{"required", KEYWORD_STRINGS},
	{"type", KEYWORD_TYPE},
	{"uniqueItems", KEYWORD_BOOL},
};

static const char *const type_names[] = {
	"object", "array", "string", "number", "integer", "boolean", "null", NULL
};
static const char *const format_names[] = {
	"date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "uri", NULL
};

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
	{
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

static size_t
step_in(Walk *walk, const char *name)
{
	size_t		before = walk->path.len;

	ai_buffer_append_char(&walk->path, '/');
	for (; *name; name++)
	{
		if (*name == '~')
			ai_buffer_append_string(&walk->path, "~0");
		else if (*name == '/')
			ai_buffer_append_string(&walk->path, "~1");
		else
			ai_buffer_append_char(&walk->path, *name);
	}
	return before;
}

static size_t
step_in_index(Walk *walk, int index)
{
	char		name[16];

	snprintf(name, sizeof(name), "%d", index);
	return step_in(walk, name);
}

static void
step_out(Walk *walk, size_t before)
{
	walk->path.len = before;
	if (walk->path.data != NULL)
		walk->path.data[before] = '\0';
}

static bool fault(Walk *walk, const char *format,...)
			__attribute__((format(printf, 2, 3)));

static bool
fault(Walk *walk, const char *format,...)
{
	char		text[300];
	va_list		arguments;

	if (walk->fault == NULL || walk->fault->len > 0)
		return false;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	ai_buffer_append_string(walk->fault, text);
	if (walk->path.len > 0)
		ai_buffer_printf(walk->fault, " (at %.150s)", walk->path.data);
	return false;
}

/* The schema that "#/$defs/x" leads to, or NULL. */
static const cJSON *
resolve(const cJSON *root, const char *reference)
{
	const cJSON *place = root;

	if (*reference++ != '#')
		return NULL;
	while (place != NULL && *reference == '/')
	{
		AiBuffer	name = {0};

		ai_buffer_append_string(&name, "");
		for (reference++; *reference && *reference != '/'; reference++)
		{
			if (reference[0] == '~' && (reference[1] == '0' || reference[1] == '1'))
				ai_buffer_append_char(&name, *++reference == '0' ? '~' : '/');
			else
				ai_buffer_append_char(&name, *reference);
		}
		if (name.data == NULL)
			return NULL;
		place = cJSON_IsArray(place) ? cJSON_GetArrayItem(place, atoi(name.data))
			: ai_json_get(place, name.data);
		ai_buffer_free(&name);
	}
	return *reference == '\0' ? place : NULL;
}

/* ---- is the schema understood? ---- */

static bool check_schema(Walk *walk, const cJSON *schema);

static bool
check_type(Walk *walk, const cJSON *value)
{
	const cJSON *item;

	if (cJSON_IsString(value))
		return is_one_of(value->valuestring, type_names) || fault(walk, "has a type that is none");
	if (!cJSON_IsArray(value) || value->child == NULL)
		return fault(walk, "has a type that is neither a string nor a list of them");
	cJSON_ArrayForEach(item, value)
	{
		if (!cJSON_IsString(item) || !is_one_of(item->valuestring, type_names))
			return fault(walk, "has a type that is none");
	}
	return true;
}

static bool
check_each(Walk *walk, const cJSON *schemas, bool named)
{
	const cJSON *item;
	int			index = 0;

	if (named ? !cJSON_IsObject(schemas) : !cJSON_IsArray(schemas) || schemas->child == NULL)
		return fault(walk, named ? "has no object of schemas" : "has no list of schemas");
	cJSON_ArrayForEach(item, schemas)
	{
		size_t		before = named ? step_in(walk, item->string) : step_in_index(walk, index++);

		if (!check_schema(walk, item))
			return false;
		step_out(walk, before);
	}
	return true;
}

static bool
check_pattern(Walk *walk, const cJSON *value)
{
	const char *why;

	if (walk->checker == NULL)
		return fault(walk, "has a \"pattern\", which is not supported here");
	if (!cJSON_IsString(value))
		return fault(walk, "has no regular expression");
	why = walk->checker(value->valuestring, walk->argument);
	return why == NULL || fault(walk, "has a regular expression that cannot be used: %.100s", why);
}

static bool
check_keyword(Walk *walk, KeywordKind kind, const cJSON *value)
{
	const cJSON *item;

	switch (kind)
	{
		case KEYWORD_NOTE:
		case KEYWORD_VALUE:
			return true;
		case KEYWORD_SCHEMA:
		case KEYWORD_BOOL_OR_SCHEMA:
			return check_schema(walk, value);
		case KEYWORD_SCHEMAS:
			return check_each(walk, value, false);
		case KEYWORD_NAMED:
			return check_each(walk, value, true);
		case KEYWORD_NUMBER:
			return cJSON_IsNumber(value) || fault(walk, "has no number");
		case KEYWORD_POSITIVE:
			return (cJSON_IsNumber(value) && value->valuedouble > 0) || fault(walk, "has no number above 0");
		case KEYWORD_COUNT:
			return (cJSON_IsNumber(value) && value->valuedouble >= 0 &&
					value->valuedouble == floor(value->valuedouble)) || fault(walk, "has no count");
		case KEYWORD_BOOL:
			return cJSON_IsBool(value) || fault(walk, "has no boolean");
		case KEYWORD_STRINGS:
			if (!cJSON_IsArray(value))
				return fault(walk, "has no list of names");
			cJSON_ArrayForEach(item, value)
			{
				if (!cJSON_IsString(item))
					return fault(walk, "has no list of names");
			}
			return true;
		case KEYWORD_VALUES:
			return (cJSON_IsArray(value) && value->child != NULL) || fault(walk, "has no list of values");
		case KEYWORD_TYPE:
			return check_type(walk, value);
		case KEYWORD_PATTERN:
			return check_pattern(walk, value);
		case KEYWORD_FORMAT:
			return (cJSON_IsString(value) && is_one_of(value->valuestring, format_names)) ||
				fault(walk, "has a format that is not supported");
		case KEYWORD_REFERENCE:
			return (cJSON_IsString(value) && resolve(walk->root, value->valuestring) != NULL) ||
				fault(walk, "has a $ref that leads nowhere in this document");
	}
	return false;
}

static bool
check_schema(Walk *walk, const cJSON *schema)
{
	const cJSON *member;
	bool		good = true;

	if (cJSON_IsBool(schema))
		return true;
	if (!cJSON_IsObject(schema))
		return fault(walk, "is neither an object nor a boolean");
	cJSON_ArrayForEach(member, schema)
	{
		size_t		before = step_in(walk, member->string);
		size_t		i;

		for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		{
			if (strcmp(keywords[i].name, member->string) == 0)
				break;
		}
		if (i == sizeof(keywords) / sizeof(keywords[0]))
			good = fault(walk, "has the keyword \"%.60s\", which is not supported", member->string);
		else
			good = check_keyword(walk, keywords[i].kind, member);
		if (!good)
			break;
		step_out(walk, before);
	}
	return good;
}

bool
ai_schema_check(const cJSON *schema, AiPatternChecker checker, void *argument,
				AiBuffer *fault_text)
{
	Walk		walk = {.root = schema,.checker = checker,.argument = argument,.fault = fault_text};
	bool		good = check_schema(&walk, schema);

	ai_buffer_free(&walk.path);
	return good;
}

/* ---- is the document valid? ---- */

static bool validate(Walk *walk, const cJSON *schema, const cJSON *value);

static bool
has_type(const cJSON *value, const char *type)
{
	switch (type[0])
	{
		case 'o':
			return cJSON_IsObject(value);
		case 'a':
			return cJSON_IsArray(value);
		case 's':
			return cJSON_IsString(value);
		case 'b':
			return cJSON_IsBool(value);
		case 'i':
			return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
	}
	return strcmp(type, "null") == 0 ? cJSON_IsNull(value) : cJSON_IsNumber(value);
}

static bool
validate_type(Walk *walk, const cJSON *types, const cJSON *value)
{
	const cJSON *type;
	AiBuffer	names = {0};

	if (cJSON_IsString(types))
		return has_type(value, types->valuestring) ||
			fault(walk, "it is not of type %s", types->valuestring);
	cJSON_ArrayForEach(type, types)
	{
		if (has_type(value, type->valuestring))
		{
			ai_buffer_free(&names);
			return true;
		}
		ai_buffer_printf(&names, "%s%s", names.len ? " or " : "", type->valuestring);
	}
	fault(walk, "it is not of type %s", names.data ? names.data : "");
	ai_buffer_free(&names);
	return false;
}

static bool
validate_enum(Walk *walk, const cJSON *values, const cJSON *value)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, values)
	{
		if (ai_json_equal(item, value))
			return true;
	}
	return fault(walk, "it is none of the values of the enum");
}

static double
number_of(const cJSON *schema, const char *name, double otherwise)
{
	const cJSON *item = ai_json_get(schema, name);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static bool
validate_number(Walk *walk, const cJSON *schema, double number)
{
	double		multiple = number_of(schema, "multipleOf", 0);

	if (number < number_of(schema, "minimum", -INFINITY))
		return fault(walk, "it is less than %g", number_of(schema, "minimum", 0));
	if (number > number_of(schema, "maximum", INFINITY))
		return fault(walk, "it is more than %g", number_of(schema, "maximum", 0));
	if (number <= number_of(schema, "exclusiveMinimum", -INFINITY))
		return fault(walk, "it is not more than %g", number_of(schema, "exclusiveMinimum", 0));
	if (number >= number_of(schema, "exclusiveMaximum", INFINITY))
		return fault(walk, "it is not less than %g", number_of(schema, "exclusiveMaximum", 0));
	if (multiple > 0)
	{
		double		times = number / multiple;

		if (fabs(times - round(times)) > 1e-9 * fmax(1, fabs(times)))
			return fault(walk, "it is no multiple of %g", multiple);
	}
	return true;
}

static bool
digits(const char *text, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (!isdigit((unsigned char) text[i]))
			return false;
	}
	return true;
}

/* RFC 3339 full-date */
static bool
is_date(const char *text)
{
	int			month;
	int			day;

	if (!digits(text, 4) || text[4] != '-' || !digits(text + 5, 2) || text[7] != '-' ||
		!digits(text + 8, 2))
		return false;
	month = atoi(text + 5);
	day = atoi(text + 8);
	return month >= 1 && month <= 12 && day >= 1 &&
		day <= (month == 2 ? 29 : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31);
}

/* RFC 3339 full-time */
static bool
is_time(const char *text)
{
	if (!digits(text, 2) || text[2] != ':' || !digits(text + 3, 2) || text[5] != ':' ||
		!digits(text + 6, 2) || atoi(text) > 23 || atoi(text + 3) > 59 || atoi(text + 6) > 60)
		return false;
	text += 8;
	if (*text == '.')
	{
		text++;
		if (!isdigit((unsigned char) *text))
			return false;
		while (isdigit((unsigned char) *text))
			text++;
	}
	if ((*text == 'Z' || *text == 'z') && text[1] == '\0')
		return true;
	return (*text == '+' || *text == '-') && digits(text + 1, 2) && text[3] == ':' &&
		digits(text + 4, 2) && text[6] == '\0';
}

static bool
is_uuid(const char *text)
{
	for (int i = 0; i < 36; i++)
	{
		bool		hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
			return false;
	}
	return text[36] == '\0';
}

static bool
is_email(const char *text)
{
	const char *at = strrchr(text, '@');

	return at != NULL && at > text && at[1] != '\0' && strpbrk(text, " \t\r\n<>()") == NULL &&
		at[1] != '.' && text[strlen(text) - 1] != '.';
}

/* RFC 3986: a scheme, a colon, no blanks */
static bool
is_uri(const char *text)
{
	size_t		scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	return isalpha((unsigned char) text[0]) && text[scheme] == ':' && text[scheme + 1] != '\0' &&
		strpbrk(text, " \t\r\n\"<>\\^`{|}") == NULL;
}

static bool
has_format(const char *text, const char *format)
{
	unsigned char address[16];

	if (strcmp(format, "date") == 0)
		return is_date(text) && text[10] == '\0';
	if (strcmp(format, "time") == 0)
		return is_time(text);
	if (strcmp(format, "date-time") == 0)
		return is_date(text) && (text[10] == 'T' || text[10] == 't') && is_time(text + 11);
	if (strcmp(format, "uuid") == 0)
		return is_uuid(text);
	if (strcmp(format, "email") == 0)
		return is_email(text);
	if (strcmp(format, "ipv4") == 0)
		return inet_pton(AF_INET, text, address) == 1;
	if (strcmp(format, "ipv6") == 0)
		return inet_pton(AF_INET6, text, address) == 1;
	return is_uri(text);
}

static bool
validate_string(Walk *walk, const cJSON *schema, const char *text)
{
	const char *pattern = ai_json_string(schema, "pattern");
	const char *format = ai_json_string(schema, "format");
	double		length = 0;

	for (const char *p = text; *p; p++)
		length += (*p & 0xc0) != 0x80;
	if (length < number_of(schema, "minLength", 0))
		return fault(walk, "it is shorter than %g characters", number_of(schema, "minLength", 0));
	if (length > number_of(schema, "maxLength", INFINITY))
		return fault(walk, "it is longer than %g characters", number_of(schema, "maxLength", 0));
	if (format != NULL && !has_format(text, format))
		return fault(walk, "it is no %s", format);
	if (pattern != NULL && walk->matcher != NULL && !walk->matcher(pattern, text))
		return fault(walk, "it does not match the pattern");
	return true;
}

static bool
validate_array(Walk *walk, const cJSON *schema, const cJSON *value)
{
	const cJSON *prefix = ai_json_get(schema, "prefixItems");
	const cJSON *items = ai_json_get(schema, "items");
	int			n = cJSON_GetArraySize(value);
	int			index = 0;
	const cJSON *item;
	const cJSON *own = cJSON_IsArray(prefix) ? prefix->child : NULL;

	if (n < number_of(schema, "minItems", 0))
		return fault(walk, "it has fewer than %g items", number_of(schema, "minItems", 0));
	if (n > number_of(schema, "maxItems", INFINITY))
		return fault(walk, "it has more than %g items", number_of(schema, "maxItems", 0));
	cJSON_ArrayForEach(item, value)
	{
		const cJSON *expected = own ? own : items;
		size_t		before = step_in_index(walk, index++);

		if (expected != NULL && !validate(walk, expected, item))
			return false;
		step_out(walk, before);
		own = own ? own->next : NULL;
	}
	if (cJSON_IsTrue(ai_json_get(schema, "uniqueItems")))
	{
		for (const cJSON *a = value->child; a != NULL; a = a->next)
		{
			for (const cJSON *b = a->next; b != NULL; b = b->next)
			{
				if (ai_json_equal(a, b))
					return fault(walk, "two of its items are equal");
			}
		}
	}
	return true;
}

static bool
validate_object(Walk *walk, const cJSON *schema, const cJSON *value)
{
	const cJSON *properties = ai_json_get(schema, "properties");
	const cJSON *others = ai_json_get(schema, "additionalProperties");
	int			n = cJSON_GetArraySize(value);
	const cJSON *item;

	cJSON_ArrayForEach(item, ai_json_get(schema, "required"))
	{
		if (ai_json_get(value, item->valuestring) == NULL)
			return fault(walk, "it lacks the member \"%.60s\"", item->valuestring);
	}
	if (n < number_of(schema, "minProperties", 0))
		return fault(walk, "it has fewer than %g members", number_of(schema, "minProperties", 0));
	if (n > number_of(schema, "maxProperties", INFINITY))
		return fault(walk, "it has more than %g members", number_of(schema, "maxProperties", 0));
	cJSON_ArrayForEach(item, value)
	{
		const cJSON *expected = ai_json_get(properties, item->string);
		size_t		before;

		if (expected == NULL)
			expected = others;
		if (expected == NULL)
			continue;
		if (expected == others && cJSON_IsFalse(others))
			return fault(walk, "it has a member that the schema does not name");
		before = step_in(walk, item->string);
		if (!validate(walk, expected, item))
			return false;
		step_out(walk, before);
	}
	return true;
}

/* How many of the schemas take the value, faults unheard; stops at `enough`. */
static int
count_valid(Walk *walk, const cJSON *schemas, const cJSON *value, int enough)
{
	AiBuffer   *unheard = walk->fault;
	size_t		before = walk->path.len;
	const cJSON *schema;
	int			n = 0;

	walk->fault = NULL;
	cJSON_ArrayForEach(schema, schemas)
	{
		n += validate(walk, schema, value);
		step_out(walk, before);
		if (n >= enough)
			break;
	}
	walk->fault = unheard;
	return n;
}

static bool
validate_combined(Walk *walk, const cJSON *schema, const cJSON *value)
{
	const cJSON *any = ai_json_get(schema, "anyOf");
	const cJSON *one = ai_json_get(schema, "oneOf");
	const cJSON *not = ai_json_get(schema, "not");
	const cJSON *item;

	cJSON_ArrayForEach(item, ai_json_get(schema, "allOf"))
	{
		if (!validate(walk, item, value))
			return false;
	}
	if (any != NULL && count_valid(walk, any, value, 1) < 1)
		return fault(walk, "it is valid against none of anyOf");
	if (one != NULL && count_valid(walk, one, value, 2) != 1)
		return fault(walk, "it is not valid against exactly one of oneOf");
	if (not != NULL)
	{
		AiBuffer   *unheard = walk->fault;
		size_t		before = walk->path.len;
		bool		valid;

		walk->fault = NULL;
		valid = validate(walk, not, value);
		walk->fault = unheard;
		step_out(walk, before);
		if (valid)
			return fault(walk, "it is valid against what \"not\" excludes");
	}
	return true;
}

static bool
validate_own(Walk *walk, const cJSON *schema, const cJSON *value)
{
	const cJSON *types = ai_json_get(schema, "type");
	const cJSON *values = ai_json_get(schema, "enum");
	const cJSON *constant = ai_json_get(schema, "const");
	const char *reference = ai_json_string(schema, "$ref");

	if (types != NULL && !validate_type(walk, types, value))
		return false;
	if (values != NULL && !validate_enum(walk, values, value))
		return false;
	if (constant != NULL && !ai_json_equal(constant, value))
		return fault(walk, "it is not the one value that is allowed");
	if (cJSON_IsNumber(value) && !validate_number(walk, schema, value->valuedouble))
		return false;
	if (cJSON_IsString(value) && !validate_string(walk, schema, value->valuestring))
		return false;
	if (cJSON_IsArray(value) && !validate_array(walk, schema, value))
		return false;
	if (cJSON_IsObject(value) && !validate_object(walk, schema, value))
		return false;
	if (reference != NULL && !validate(walk, resolve(walk->root, reference), value))
		return false;
	return validate_combined(walk, schema, value);
}

static bool
validate(Walk *walk, const cJSON *schema, const cJSON *value)
{
	bool		good;

	if (cJSON_IsTrue(schema))
		return true;
	if (cJSON_IsFalse(schema) || schema == NULL)
		return fault(walk, "it is not allowed");
	if (walk->depth >= MAX_WALK_DEPTH)
		return fault(walk, "the schema leads in a circle");
	walk->depth++;
	good = validate_own(walk, schema, value);
	walk->depth--;
	return good;
}

bool
ai_schema_validate(const cJSON *schema, const cJSON *document,
				   AiPatternMatcher matcher, AiBuffer *fault_text)
{
	Walk		walk = {.root = schema,.matcher = matcher,.fault = fault_text};
	bool		good = validate(&walk, schema, document);

	ai_buffer_free(&walk.path);
	return good;
}
