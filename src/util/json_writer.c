/*
 * json_writer.c
 *	  The JSON writer of json.h: appends straight to a buffer, so that a
 *	  request of megabytes is written once and never held as a tree.
 */
#include "util/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/word.h"

static void
separate(AiJsonWriter *writer)
{
	if (writer->need_comma)
		ai_buffer_append_char(writer->out, ',');
	writer->need_comma = true;
}

void
ai_write_start(AiJsonWriter *writer, AiBuffer *out)
{
	memset(writer, 0, sizeof(*writer));
	writer->out = out;
	ai_buffer_append_char(&writer->members, '\n');
}

void
ai_write_end(AiJsonWriter *writer)
{
	ai_buffer_free(&writer->members);
}

static void
open_container(AiJsonWriter *writer, char bracket)
{
	separate(writer);
	ai_buffer_append_char(writer->out, bracket);
	writer->depth++;
	writer->need_comma = false;
}

static void
close_container(AiJsonWriter *writer, char bracket)
{
	ai_buffer_append_char(writer->out, bracket);
	writer->depth--;
	writer->need_comma = true;
}

void
ai_write_object(AiJsonWriter *writer)
{
	open_container(writer, '{');
}

void
ai_write_object_end(AiJsonWriter *writer)
{
	close_container(writer, '}');
}

void
ai_write_array(AiJsonWriter *writer)
{
	open_container(writer, '[');
}

void
ai_write_array_end(AiJsonWriter *writer)
{
	close_container(writer, ']');
}

void
ai_write_key(AiJsonWriter *writer, const char *name)
{
	if (writer->depth == 1)
	{
		ai_buffer_append_string(&writer->members, name);
		ai_buffer_append_char(&writer->members, '\n');
	}
	ai_write_string(writer, name);
	ai_buffer_append_char(writer->out, ':');
	writer->need_comma = false;
}

void
ai_write_string(AiJsonWriter *writer, const char *string)
{
	ai_write_string_len(writer, string, strlen(string));
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* How many bytes from here on stand in a string as they are. */
static size_t
plain_run(const char *string, size_t len)
{
	size_t		n = 0;

	while (len - n >= sizeof(uint64_t))
	{
		uint64_t	word = ai_word(string + n);

		if ((ai_word_below(word, 0x20) | ai_word_has(word, '"') |
			 ai_word_has(word, '\\') | ai_word_has(word, 0x7f)) != 0)
			break;
		n += sizeof(uint64_t);
	}
	while (n < len && is_plain((unsigned char) string[n]))
		n++;
	return n;
}

/* Writes the escape of a byte; returns what follows it. */
static char *
put_escape(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	*to++ = '\\';
	switch (c)
	{
		case '"':
		case '\\':
			*to++ = (char) c;
			break;
		case '\n':
			*to++ = 'n';
			break;
		case '\r':
			*to++ = 'r';
			break;
		case '\t':
			*to++ = 't';
			break;
		default:
			memcpy(to, "u00", 3);
			to[3] = hex[c >> 4];
			to[4] = hex[c & 15];
			to += 5;
			break;
	}
	return to;
}

/* Escapes what does not stand as it is, up to where that ends; returns how much it was. */
static size_t
append_escapes(AiBuffer *out, const char *string, size_t len)
{
	char		escapes[1024];
	char	   *to = escapes;
	size_t		n = 0;

	while (n < len && !is_plain((unsigned char) string[n]))
	{
		if (to > escapes + sizeof(escapes) - 6)
		{
			ai_buffer_append(out, escapes, (size_t) (to - escapes));
			to = escapes;
		}
		to = put_escape(to, (unsigned char) string[n++]);
	}
	ai_buffer_append(out, escapes, (size_t) (to - escapes));
	return n;
}

void
ai_write_string_len(AiJsonWriter *writer, const char *string, size_t len)
{
	AiBuffer   *out = writer->out;
	size_t		run;

	separate(writer);
	ai_buffer_append_char(out, '"');
	while ((run = plain_run(string, len)) < len)
	{
		ai_buffer_append(out, string, run);
		run += append_escapes(out, string + run, len - run);
		string += run;
		len -= run;
	}
	ai_buffer_append(out, string, run);
	ai_buffer_append_char(out, '"');
}

void
ai_write_int(AiJsonWriter *writer, int64_t value)
{
	separate(writer);
	ai_buffer_printf(writer->out, "%lld", (long long) value);
}

static void
write_number(AiJsonWriter *writer, const cJSON *number)
{
	char		text[40];

	separate(writer);
	ai_buffer_append_string(writer->out, isfinite(number->valuedouble) || number->valuestring != NULL
							? ai_json_number(number, text, sizeof(text)) : "null");
}

void
ai_write_double(AiJsonWriter *writer, double value)
{
	const cJSON number = {.type = cJSON_Number,.valuedouble = value};

	write_number(writer, &number);
}

void
ai_write_bool(AiJsonWriter *writer, bool value)
{
	separate(writer);
	ai_buffer_append_string(writer->out, value ? "true" : "false");
}

void
ai_write_tree(AiJsonWriter *writer, const cJSON *tree)
{
	const cJSON *child;

	if (cJSON_IsObject(tree))
	{
		ai_write_object(writer);
		cJSON_ArrayForEach(child, tree)
		{
			ai_write_key(writer, child->string);
			ai_write_tree(writer, child);
		}
		ai_write_object_end(writer);
	}
	else if (cJSON_IsArray(tree))
	{
		ai_write_array(writer);
		cJSON_ArrayForEach(child, tree)
			ai_write_tree(writer, child);
		ai_write_array_end(writer);
	}
	else if (cJSON_IsString(tree))
		ai_write_string(writer, tree->valuestring);
	else if (cJSON_IsNumber(tree))
		write_number(writer, tree);
	else if (cJSON_IsBool(tree))
		ai_write_bool(writer, cJSON_IsTrue(tree));
	else
	{
		separate(writer);
		ai_buffer_append_string(writer->out, "null");
	}
}

void
ai_write_string_member(AiJsonWriter *writer, const char *name, const char *string)
{
	ai_write_key(writer, name);
	ai_write_string(writer, string);
}

void
ai_write_base64(AiJsonWriter *writer, const char *prefix,
				const unsigned char *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	AiBuffer   *out = writer->out;

	separate(writer);
	ai_buffer_append_char(out, '"');
	ai_buffer_append_string(out, prefix);
	for (size_t i = 0; i < len; i += 3)
	{
		uint32_t	group = (uint32_t) data[i] << 16;
		char		four[4];

		if (i + 1 < len)
			group |= (uint32_t) data[i + 1] << 8;
		if (i + 2 < len)
			group |= data[i + 2];
		four[0] = digits[group >> 18];
		four[1] = digits[(group >> 12) & 63];
		four[2] = i + 1 < len ? digits[(group >> 6) & 63] : '=';
		four[3] = i + 2 < len ? digits[group & 63] : '=';
		ai_buffer_append(out, four, sizeof(four));
	}
	ai_buffer_append_char(out, '"');
}

static bool
is_written(const AiJsonWriter *writer, const char *name)
{
	size_t		len = strlen(name);
	const char *p = writer->members.data;

	while (p != NULL && (p = strchr(p, '\n')) != NULL && p[1] != '\0')
	{
		p++;
		if (strncmp(p, name, len) == 0 && p[len] == '\n')
			return true;
	}
	return false;
}

bool
ai_write_extra(AiJsonWriter *writer, const cJSON *extra, AiFailure *failure)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, extra)
	{
		if (is_written(writer, member->string))
			return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
						   "options.extra may not override \"%s\", which the request already has",
						   member->string);
		ai_write_key(writer, member->string);
		ai_write_tree(writer, member);
	}
	return true;
}

void
ai_write_missing(AiJsonWriter *writer, const cJSON *members)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, members)
	{
		if (is_written(writer, member->string))
			continue;
		ai_write_key(writer, member->string);
		ai_write_tree(writer, member);
	}
}
