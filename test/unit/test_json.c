/* The guarded JSON parser, the writer, and the reader that builds no tree. */
#include <math.h>
#include <stdlib.h>

#include "tap.h"
#include "util/json.h"
#include "util/number.h"

static void
parses(const char *text, size_t len, const char *expected, const char *name)
{
	const char *why = NULL;
	cJSON	   *tree = ai_json_parse(text, len, &why);
	char	   *printed = tree ? cJSON_PrintUnformatted(tree) : NULL;

	is_string(printed, expected, name);
	if (expected == NULL)
		ok(why != NULL && why[0] != '\0', "%s: says why", name);
	free(printed);
	cJSON_Delete(tree);
}

#define PARSES(text, expected, name) parses(text, sizeof(text) - 1, expected, name)

static void
test_parse(void)
{
	char		deep[1000];

	PARSES("{\"a\":1}", "{\"a\":1}", "an object");
	PARSES(" \r\n\t[1, 2] \n", "[1,2]", "white space around it");
	PARSES("\xef\xbb\xbf{}", "{}", "a byte order mark");
	PARSES("{} x", NULL, "garbage behind it");
	PARSES("{}{}", NULL, "two documents");
	PARSES("", NULL, "nothing");
	PARSES("   ", NULL, "blanks");
	PARSES("{\"a\":", NULL, "cut off");
	PARSES("[1,]", NULL, "a comma too many");
	PARSES("{\"a\" 1}", NULL, "no colon");
	PARSES("\"\\u0000x\"", "\"\xef\xbf\xbdx\"", "U+0000 becomes U+FFFD and cuts nothing off");
	PARSES("{\"a\\u0000b\":1}", "{\"a\xef\xbf\xbd" "b\":1}", "in a name too");
	PARSES("\"a\\ud83dz\"", "\"a\xef\xbf\xbdz\"", "a lone high surrogate");
	PARSES("\"a\\ude00z\"", "\"a\xef\xbf\xbdz\"", "a lone low surrogate");
	PARSES("\"\\ud83d\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"", "a high surrogate before a pair");
	PARSES("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"", "a pair");
	PARSES("\"\\u00E9\\u00e9\"", "\"\xc3\xa9\xc3\xa9\"", "hexadecimal digits of both cases");
	PARSES("\"\\u00G9\"", NULL, "other digits");
	PARSES("\"\\u00e\"", NULL, "too few of them");
	PARSES("\"\\", NULL, "an escape cut off");
	PARSES("\"\\\\u0000\"", "\"\\\\u0000\"", "an escaped backslash before u0000 is no escape");
	PARSES("\"a\xff\xfe" "b\"", "\"a\xef\xbf\xbd\xef\xbf\xbd" "b\"", "invalid UTF-8");
	PARSES("\"\xc3\"", "\"\xef\xbf\xbd\"", "UTF-8 cut off");
	PARSES("\"\xed\xa0\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "a surrogate in UTF-8");
	parses("{\"a\":\"b\0c\"}", 11, "{\"a\":\"b\xef\xbf\xbd" "c\"}", "a NUL byte");
	memset(deep, '[', 500);
	memset(deep + 500, ']', 500);
	parses(deep, 1000, NULL, "nested too deep");
	parses(deep + 400, 200, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested deep");
}

static void
test_get(void)
{
	const char *why;
	const char *text = "{\"Name\":\"upper\",\"name\":\"lower\",\"n\":12345678901234,\"f\":1.5,\"s\":\"x\",\"big\":1e300,\"half\":0.5,\"neg\":-3,\"yes\":true,\"no\":false}";
	cJSON	   *tree = ai_json_parse(text, strlen(text), &why);
	char		space[32];

	is_string(ai_json_string(tree, "name"), "lower", "names are matched by case");
	ok(ai_json_get(tree, "NAME") == NULL, "and not without it");
	ok(ai_json_int64(tree, "n") == INT64_C(12345678901234), "a whole number");
	ok(ai_json_int64(tree, "s") == -1, "a string is no number");
	ok(ai_json_int64(tree, "big") == -1, "a number too large is none");
	ok(ai_json_int64(tree, "half") == -1, "a part of a number is none");
	ok(ai_json_string(tree, "n") == NULL, "a number is no string");
	ok(ai_json_string(NULL, "n") == NULL, "nothing has no members");
	is_string(ai_json_scalar_text(ai_json_get(tree, "f"), space, sizeof(space)), "1.5", "a scalar as text");
	is_string(ai_json_scalar_text(NULL, space, sizeof(space)), "", "no scalar as text");
	is_string(ai_json_scalar_text(ai_json_get(tree, "yes"), space, sizeof(space)), "true", "a truth as text");
	is_string(ai_json_scalar_text(ai_json_get(tree, "no"), space, sizeof(space)), "false", "and its contrary");
	cJSON_Delete(tree);
}

static void
test_write(void)
{
	AiBuffer	out = {0};
	AiJsonWriter writer;
	AiFailure	failure;
	const char *why;
	cJSON	   *extra = ai_json_parse("{\"x\":[1,{\"y\":null}],\"z\":1.5}", 28, &why);
	cJSON	   *again = ai_json_parse("{\"model\":\"other\"}", 17, &why);

	ai_write_start(&writer, &out);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", "a\"\\\n\t\x01/\xc3\xa9");
	ai_write_key(&writer, "n");
	ai_write_int(&writer, -5);
	ai_write_key(&writer, "d");
	ai_write_double(&writer, 0.1);
	ai_write_key(&writer, "list");
	ai_write_array(&writer);
	ai_write_bool(&writer, true);
	ai_write_object(&writer);
	ai_write_object_end(&writer);
	ai_write_base64(&writer, "data:x;base64,", (const unsigned char *) "\x00\xff\x10\x20", 4);
	ai_write_array_end(&writer);
	ok(ai_write_extra(&writer, extra, &failure), "extra members are added");
	ok(!ai_write_extra(&writer, again, &failure), "none that is there already");
	ok(strstr(failure.message, "\"model\"") != NULL, "and the failure names it");
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	is_string(out.data, "{\"model\":\"a\\\"\\\\\\n\\t\\u0001/\xc3\xa9\",\"n\":-5,\"d\":0.1,\"list\":[true,{},\"data:x;base64,AP8QIA==\"],"
			  "\"x\":[1,{\"y\":null}],\"z\":1.5}", "what the writer wrote");
	ai_buffer_free(&out);
	cJSON_Delete(extra);
	cJSON_Delete(again);
}

static void
test_write_numbers(void)
{
	AiBuffer	out = {0};
	AiJsonWriter writer;

	ai_write_start(&writer, &out);
	ai_write_array(&writer);
	ai_write_double(&writer, 0.1 + 0.2);
	ai_write_double(&writer, 1e300 * 1e300);
	ai_write_double(&writer, 3);
	ai_write_double(&writer, -1e-7);
	ai_write_string(&writer, "a\rb");
	ai_write_array_end(&writer);
	ai_write_end(&writer);
	is_string(out.data, "[0.30000000000000004,null,3,-1e-07,\"a\\rb\"]", "numbers that a reader gets back, and what is none");
	ai_buffer_free(&out);
}

/* Reads a value with all that is in it. */
static bool
walk(AiJsonReader *reader)
{
	const char *name;
	size_t		len;
	char		c = ai_read_peek(reader);

	if (c == '{')
	{
		ai_read_object(reader);
		while (ai_read_member(reader, &name, &len) && walk(reader))
			;
	}
	else if (c == '[')
	{
		ai_read_array(reader);
		while (ai_read_element(reader) && walk(reader))
			;
	}
	else
		ai_read_skip(reader);
	return !reader->failed;
}

static void
walks(const char *text, bool good)
{
	AiJsonReader reader;
	const char *name;
	size_t		len;
	int64_t		number;
	float		value;

	ai_read_start(&reader, text, strlen(text));
	ok(walk(&reader) == good, "%s is %s", text, good ? "walked through" : "refused");
	if (!reader.failed)
		return;
	ok(ai_read_peek(&reader) == '\0' && !ai_read_member(&reader, &name, &len) && !ai_read_element(&reader) &&
	   !ai_read_int64(&reader, &number) && ai_read_floats(&reader, &value, 1) == 0 && ai_read_string(&reader) == NULL,
	   "and nothing is read behind that");
}

/* A value that nobody reads is passed by its brackets and quotes alone. */
static void
skips(const char *text, bool good)
{
	AiJsonReader reader;

	ai_read_start(&reader, text, strlen(text));
	ok((ai_read_skip(&reader) && ai_read_peek(&reader) == ',') == good, "%s is %s", text, good ? "skipped" : "not skipped");
}

static void
reads_int(const char *text, bool good, int64_t expected)
{
	AiJsonReader reader;
	int64_t		value = -1;

	ai_read_start(&reader, text, strlen(text));
	ok(ai_read_int64(&reader, &value) == good && (!good || value == expected), "integer %s is %s", text, good ? "read" : "refused");
}

static void
test_malformed(void)
{
	AiJsonReader reader;
	char	   *string;

	walks("{\"a\":[1,{\"b\":\"}\\\"]\"},[]],\"c\\\\\":null} ", true);
	walks("\"\\\\\"", true);
	walks("{\"a\" 1}", false);
	walks("{\"a\":1 \"b\":2}", false);
	walks("{a:1}", false);
	walks("{1:1}", false);
	walks("{\"a\":1,}", false);
	walks("{\"a\":}", false);
	walks("{\"a\":", false);
	walks("{\"a", false);
	walks("{", false);
	walks("[1 2]", false);
	walks("[1,,2]", false);
	walks("[1,]", false);
	walks("[1", false);
	walks("[\"x]", false);
	walks("\"x\\\"", false);
	walks("}", false);
	walks("", false);
	skips("{\"a\":[1,{\"b\":\"}\\\"]\"},[]]},", true);
	skips("\"a,b\\\\\",", true);
	skips("1.5e3,", true);
	skips("[[1]", false);
	skips("[\"],", false);
	skips(",", false);

	ai_read_start(&reader, "\"\\x\"", 4);
	ok(ai_read_string(&reader) == NULL && reader.failed, "a string with an escape that there is not");
	ai_read_start(&reader, "5", 1);
	ok(ai_read_string(&reader) == NULL && reader.failed, "a number is no string");
	ai_read_start(&reader, "\"\\u00e9\\\\\"", 10);
	string = ai_read_string(&reader);
	is_string(string, "\xc3\xa9\\", "a string with two");
	free(string);

	reads_int("12.0", true, 12);
	reads_int("0.5", false, 0);
	reads_int("-9e15", true, INT64_C(-9000000000000000));
	reads_int("9.1e15", false, 0);
	reads_int("nan", false, 0);
	reads_int("\"5\"", false, 0);
	reads_int("", false, 0);
}

static void
reads_float(const char *text, bool good, float expected)
{
	AiJsonReader reader;
	char		array[128];
	float		value = -1;

	snprintf(array, sizeof(array), "[%s]", text);
	ai_read_start(&reader, array, strlen(array));
	ai_read_array(&reader);
	ok((ai_read_floats(&reader, &value, 1) == 1) == good && reader.failed == !good, "float %s is %s", text, good ? "read" : "refused");
	if (good)
		is_number(value, expected, text);
}

static void
test_read(void)
{
	const char *text = "{\"a\": {\"b\": [1, \"x\\ny\", {}, []]}, \"n\": -7, \"s\": \"\\ud83d\\ude00\", \"l\": [1.5 , 2]}";
	AiJsonReader reader;
	const char *name;
	size_t		len;
	int64_t		n = 0;
	float		f;
	double		sum = 0;
	char	   *s = NULL;

	ai_read_start(&reader, text, strlen(text));
	ai_read_object(&reader);
	while (ai_read_member(&reader, &name, &len))
	{
		if (name[0] == 'n')
			ai_read_int64(&reader, &n);
		else if (name[0] == 's')
			s = ai_read_string(&reader);
		else if (name[0] == 'l')
		{
			ai_read_array(&reader);
			while (ai_read_floats(&reader, &f, 1) == 1)
				sum += f;
		}
		else
			ai_read_skip(&reader);
	}
	ok(!reader.failed, "the reader reads a document");
	ok(n == -7, "an integer");
	is_string(s, "\xf0\x9f\x98\x80", "a string with escapes");
	is_number(sum, 3.5, "numbers of an array");
	free(s);

	reads_float("1", true, 1);
	reads_float("-0.5", true, -0.5F);
	reads_float("1e-3", true, 0.001F);
	reads_float("3.4028235e38", true, 3.4028235e38F);
	reads_float("1e39", false, 0);
	reads_float("0.1000000014901161193847656250000000000000000001", true, 0.1F);
	reads_float("0.00000000", true, 0);
	reads_float("-0.0000000000000000000000000000000000000000012345678e30", true, -1.2345678e-12F);
	reads_float("16777217", true, 16777216);
	reads_float("1e-60", true, 0);
	reads_float("NaN", false, 0);
	reads_float("Infinity", false, 0);
	reads_float("null", false, 0);
	reads_float("\"1\"", false, 0);
	reads_float(",", false, 0);
	reads_float("-", false, 0);
	reads_float(".5", false, 0);
	reads_float("01", true, 1);
	reads_float("1.", false, 0);
	reads_float("1e", false, 0);
	reads_float("1e+", false, 0);
	/* digits beyond those that are counted, before and behind the point */
	reads_float("123456789012345678901234567890", true, 123456789012345678901234567890.0F);
	reads_float("340282350000000000000000000000000000000.5", true, 3.4028235e38F);
}

/* Digits before and behind the point that an exponent makes up for. */
static void
reads_far_float(int zeros, const char *before, const char *behind, bool good, float expected)
{
	char	   *text = malloc((size_t) zeros + 100);
	int			n = sprintf(text, "[%s", before);
	AiJsonReader reader;
	float		value = -1;

	memset(text + n, '0', (size_t) zeros);
	sprintf(text + n + zeros, "%s]", behind);
	ai_read_start(&reader, text, strlen(text));
	ai_read_array(&reader);
	ok((ai_read_floats(&reader, &value, 1) == 1) == good, "%s, %d zeros, %s is %s", before, zeros, behind, good ? "read" : "refused");
	if (good)
		is_number(value, expected, behind);
	free(text);
}

static void
test_far_floats(void)
{
	reads_far_float(20010, "1", "e-200000", true, 0);
	reads_far_float(10007, "1", "e-100070", true, 0);
	reads_far_float(20000, "1", "e-20000", true, 1);
	reads_far_float(20000, "0.", "1e200000", false, 0);
	reads_far_float(9000, "0.", "1e9001", true, 1);
	reads_far_float(30000, "0.", "1e30001", true, 1);
}

/* Every value is what the C library reads, bit for bit. */
static void
test_floats_are_exact(void)
{
	static const char *const formats[] = {"[%.17g]", "[%.9g]", "[%.9f]", "[%.30f]", "[%.25e]", "[%.8f]"};
	unsigned	seed = 20261123;
	int			wrong = 0;

	for (int i = 0; i < 600000; i++)
	{
		char		text[96];
		AiJsonReader reader;
		float		value = 0;
		double		x = (rand_r(&seed) / (double) RAND_MAX - 0.5) * (i % 7 == 0 ? 1e-5 : i % 7 < 5 ? 2 : 1e20);

		/* every other one lies at, or next to, the midpoint of two floats */
		if (i % 2)
		{
			float		below = (float) x;

			x = ((double) below + (double) nextafterf(below, INFINITY)) / 2;
			if (i % 4 == 1)
				x = nextafter(x, i % 8 == 1 ? INFINITY : -INFINITY);
		}
		snprintf(text, sizeof(text), formats[i % 6], x);
		ai_read_start(&reader, text, strlen(text));
		ai_read_array(&reader);
		if (ai_read_floats(&reader, &value, 1) != 1 || value != strtof(text + 1, NULL))
			wrong++;
	}
	is_number(wrong, 0, "600,000 floats are read as strtof() reads them");
}

/* The writer's rule, byte by byte. */
static void
write_slowly(AiBuffer *out, const char *string, size_t len)
{
	ai_buffer_append_char(out, '"');
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) string[i];

		if (c == '"' || c == '\\')
			ai_buffer_printf(out, "\\%c", c);
		else if (c == '\n' || c == '\r' || c == '\t')
			ai_buffer_append_string(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		else if (c < 0x20 || c == 0x7f)
			ai_buffer_printf(out, "\\u%04x", c);
		else
			ai_buffer_append(out, string + i, 1);
	}
	ai_buffer_append_char(out, '"');
}

static bool
is_written(const char *string, size_t len)
{
	AiBuffer	fast = {0};
	AiBuffer	slow = {0};
	AiJsonWriter writer;
	bool		same;

	ai_write_start(&writer, &fast);
	ai_write_string_len(&writer, string, len);
	ai_write_end(&writer);
	write_slowly(&slow, string, len);
	same = fast.len == slow.len && memcmp(fast.data, slow.data, fast.len) == 0;
	ai_buffer_free(&fast);
	ai_buffer_free(&slow);
	return same;
}

/* What the parser makes of a string of plain bytes with one unit in it. */
static bool
is_parsed(const char *before, const char *unit, size_t unit_len, const char *after, const char *expected)
{
	AiBuffer	text = {0};
	AiBuffer	wanted = {0};
	const char *why;
	cJSON	   *tree;
	bool		same;

	ai_buffer_printf(&text, "[\"%s", before);
	ai_buffer_append(&text, unit, unit_len);
	ai_buffer_printf(&text, "%s\"]", after);
	ai_buffer_printf(&wanted, "%s%s%s", before, expected, after);
	tree = ai_json_parse(text.data, text.len, &why);
	same = tree != NULL && strcmp(tree->child->valuestring, wanted.data) == 0;
	cJSON_Delete(tree);
	ai_buffer_free(&text);
	ai_buffer_free(&wanted);
	return same;
}

/*
 * Eight bytes are looked at together: each byte value at each place around the
 * borders of words, beside each other, and in texts of each length.
 */
static void
test_words(void)
{
	static const char replaced[] = "\xef\xbf\xbd";
	const char *plain = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop";
	char		space[64];
	int			written = 0;
	int			beside = 0;
	int			parsed = 0;

	for (int start = 0; start < 8; start++)
	{
		for (int len = 0; len <= 24; len++)
		{
			memcpy(space + start, plain, (size_t) len);
			written += !is_written(space + start, (size_t) len);
			for (int at = 0; at < len && at < 16; at++)
			{
				for (int c = 0; c < 256; c++)
				{
					space[start + at] = (char) c;
					written += !is_written(space + start, (size_t) len);
				}
				space[start + at] = plain[at];
			}
		}
	}
	is_number(written, 0, "each byte at each place of a text is written as it must be");

	memcpy(space, plain, 24);
	for (int at = 0; at < 9; at++)
	{
		for (int pair = 0; pair < 65536; pair++)
		{
			space[at] = (char) (pair >> 8);
			space[at + 1] = (char) pair;
			beside += !is_written(space, 16);
		}
		memcpy(space, plain, 24);
	}
	is_number(beside, 0, "and each beside each other");

	for (int at = 0; at < 16; at++)
	{
		for (int tail = 0; tail < 16; tail++)
		{
			char		before[32];
			char		after[32];

			snprintf(before, sizeof(before), "%.*s", at, plain);
			snprintf(after, sizeof(after), "%.*s", tail, plain);
			for (int c = 0; c < 256; c++)
			{
				char		unit[3] = {(char) c, '\0', '\0'};

				if (c == '"')
					parsed += !is_parsed(before, "\\\"", 2, after, "\"");
				else if (c == '\\')
					parsed += !is_parsed(before, "\\\\", 2, after, "\\");
				else
					parsed += !is_parsed(before, unit, 1, after, c == 0 || c >= 0x80 ? replaced : unit);
			}
			parsed += !is_parsed(before, "\\ud83d", 6, after, replaced);
			parsed += !is_parsed(before, "\\u0000", 6, after, replaced);
			parsed += !is_parsed(before, "\xf0\x9f\x98\x80", 4, after, "\xf0\x9f\x98\x80");
			parsed += !is_parsed(before, "\xf0\x9f\x98", 3, after, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
			parsed += !is_parsed(before, "\x01\x80\x01", 3, after, "\x01\xef\xbf\xbd\x01");
		}
	}
	is_number(parsed, 0, "each byte at each place of a string is parsed, or replaced");
}

/* How many values a document may have is a matter of how long it is. */
static const char *
why_not(const char *value, int n)
{
	AiBuffer	document = {0};
	const char *why = NULL;
	cJSON	   *tree;

	ai_buffer_append_char(&document, '[');
	for (int i = 0; i < n; i++)
		ai_buffer_append_string(&document, value);
	ai_buffer_append_string(&document, "0]");
	tree = ai_json_parse(document.data, document.len, &why);
	ai_buffer_free(&document);
	if (tree == NULL)
		return why;
	cJSON_Delete(tree);
	return "";
}

static void
test_many_values(void)
{
	is_string(why_not("1,", 99000), "", "so many short values");
	is_string(why_not("1,", 120000), "it has too many values", "and no more");
	is_string(why_not("[],", 70000), "it has too many values", "lists are values");
	is_string(why_not("{\"\":0},", 70000), "it has too many values", "and so are objects");
	is_string(why_not("\"as long as the values of answers\",", 300000), "", "more of those that say something");
}

/* What a double does not say stays as it is written. */
static void
keeps(const char *document)
{
	const char *why;
	cJSON	   *tree = ai_json_parse(document, strlen(document), &why);
	cJSON	   *copy = cJSON_Duplicate(tree, true);
	char	   *text = ai_json_text(copy);

	is_string(text, document, "numbers stay as they are written");
	free(text);
	cJSON_Delete(copy);
	cJSON_Delete(tree);
}

static void
test_numbers(void)
{
	static const struct
	{
		const char *a;
		const char *b;
		bool		same;
	}			pairs[] = {
		{"1e99999999999999999999", "10e99999999999999999999", false},
		{"1", "1.0", true}, {"150", "1.5e2", true}, {"-0", "0.000", true}, {"1e-3", "0.001", true},
		{"0.0010", "1E-3", true}, {"100000", "1e5", true}, {"12300", "123e2", true}, {"1e400", "10e399", true},
		{"1", "-1", false}, {"10", "1", false}, {"1234567890123456789", "1234567890123456788", false},
		{"9007199254740993", "9007199254740992", false}, {"1e400", "1e401", false}, {"0.1", "0.10000000000000001", false},
	};
	static const char *const bad[] = {"01", "1.", ".5", "+1", "1e", "--1", "1e+", "-", ""};

	keeps("{\"a\":1234567890123456789,\"b\":[98765432109876543.21,1e400,-1E-400,0.10,1.0,5],\"1234567890123456789\":\"-7\",\"c\":9007199254740991}");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ok(ai_number_equal(pairs[i].a, pairs[i].b) == pairs[i].same, "%s and %s", pairs[i].a, pairs[i].b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!ai_number_valid(bad[i], strlen(bad[i])), "\"%s\" is no number", bad[i]);
	ok(ai_number_valid("-0.5e+10", 8), "but -0.5e+10 is");
}

/* The sanitizer watches the byte behind it. */
static void
test_without_a_zero(void)
{
	const char *why;
	char	   *document = malloc(1);
	cJSON	   *tree;

	document[0] = '7';
	tree = ai_json_parse(document, 1, &why);
	ok(tree != NULL && tree->valuedouble == 7, "a number that is the whole of a document of a length");
	cJSON_Delete(tree);
	free(document);
}

int
main(void)
{
	test_without_a_zero();
	test_numbers();
	test_many_values();
	test_words();
	test_parse();
	test_get();
	test_write();
	test_write_numbers();
	test_read();
	test_malformed();
	test_far_floats();
	test_floats_are_exact();
	return done_testing();
}
