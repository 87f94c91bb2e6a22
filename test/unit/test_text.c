/* UTF-8, buffers, and the events of a stream. */
#include <stdint.h>

#include "tap.h"
#include "util/buffer.h"
#include "util/sse.h"
#include "util/utf8.h"

/* ---- UTF-8 ---- */

/* The code point that the first `len` bytes are, by RFC 3629's table turned round. */
static uint32_t
decoded(const unsigned char *p, size_t len)
{
	uint32_t	c = len == 1 ? p[0] : p[0] & (0x7f >> len);

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static void
test_utf8(void)
{
	static const size_t limits[] = {0x80, 0x800, 0x10000, 0x110000};
	AiBuffer	out = {0};
	int			wrong = 0;
	int			cut = 0;
	uint32_t	accepted = 0;

	for (uint32_t c = 0; c < 0x110000; c++)
	{
		size_t		len = 1;

		while (c >= limits[len - 1])
			len++;
		ai_buffer_reset(&out);
		ai_utf8_append(&out, c);
		if (c >= 0xd800 && c <= 0xdfff)
			wrong += out.len != 3 || memcmp(out.data, "\xef\xbf\xbd", 3) != 0;
		else
			wrong += out.len != len || ai_utf8_sequence(out.data, out.len) != len ||
				decoded((unsigned char *) out.data, len) != c;
		/* cut off it is none, and nothing is read behind the end */
		for (size_t n = 1; n < out.len; n++)
			cut += ai_utf8_sequence(out.data, n) != 0;
	}
	is_number(wrong, 0, "each code point is written and read; U+FFFD stands for those that are none");
	is_number(cut, 0, "none is read from its first bytes");
	ai_buffer_reset(&out);
	ai_utf8_append(&out, 0x110000);
	is_string(out.data, "\xef\xbf\xbd", "what is above the last one too");
	ai_buffer_free(&out);

	/* every sequence of four bytes that is accepted is one code point's */
	for (uint32_t word = 0x80; word < 0x10000; word++)
	{
		unsigned char bytes[4] = {(unsigned char) word, (unsigned char) (word >> 8), 0x80, 0x80};
		size_t		len = ai_utf8_sequence((char *) bytes, 4);
		uint32_t	c = decoded(bytes, len);

		if (len < 2)
			continue;
		accepted++;
		wrong += c >= 0x110000 || (c >= 0xd800 && c <= 0xdfff) || (len > 1 && c < limits[len - 2]) || c >= limits[len - 1];
	}
	is_number(wrong, 0, "overlong sequences and surrogates are refused");
	is_number(accepted, 30 * 64 + (14 * 64 + 32 + 32) + (3 * 64 + 48 + 16), "and no others");
	ok(ai_utf8_sequence("", 0) == 0, "nothing is no character");
	ok(ai_utf8_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10) && ai_utf8_valid("", 0), "a valid text");
	ok(!ai_utf8_valid("a\0b", 3), "not one with a NUL in it, which SQL has no text for");
	ok(!ai_utf8_valid("a\xe2\x82", 3) && !ai_utf8_valid("\xe2\x82z", 3), "not one that is cut off");
}

/* ---- buffers ---- */

static void
test_buffer(void)
{
	AiBuffer	buffer = {.limit = 10};
	AiBuffer	huge = {0};
	volatile size_t most = SIZE_MAX - 2;

	ai_buffer_printf(&buffer, "%s-%d", "abc", 5);
	is_string(buffer.data, "abc-5", "printed");
	ai_buffer_append(&buffer, "12345", 5);
	ok(!buffer.failed && buffer.len == 10, "up to the limit");
	ai_buffer_printf(&buffer, "%s", "x");
	ok(buffer.failed && buffer.over_limit, "what is above it fails, and says so");
	is_string(buffer.data, "abc-512345", "and leaves what was there");
	ai_buffer_reset(&buffer);
	ai_buffer_append_string(&buffer, "again");
	is_string(buffer.data, "again", "used again");
	ai_buffer_free(&buffer);

	ai_buffer_append_string(&huge, "abc");
	ai_buffer_append(&huge, "x", most);
	ok(huge.failed && !huge.over_limit, "a length that no memory has fails");
	ai_buffer_free(&huge);
}

/* ---- events of a stream ---- */

typedef struct Events
{
	AiBuffer	told;
	int			n;
	int			stop_after;		/* 0 = never */
} Events;

static bool
take(void *context, const char *event, const char *data, size_t len)
{
	Events	   *events = context;

	ai_buffer_printf(&events->told, "[%s|%.*s]", event, (int) len, data);
	return ++events->n != events->stop_after;
}

/* The events in pieces of each size: where a stream is cut is nobody's choice. */
static void
streams(const char *text, size_t len, const char *expected, const char *stray, const char *name)
{
	bool		same = true;
	char		last[200] = "";

	for (size_t piece = 1; piece <= len; piece++)
	{
		Events		events = {0};
		AiSse		sse;

		ai_sse_start(&sse, take, &events);
		for (size_t at = 0; at < len; at += piece)
			ai_sse_feed(&sse, text + at, piece < len - at ? piece : len - at);
		ai_sse_finish(&sse);
		snprintf(last, sizeof(last), "%s", events.told.data ? events.told.data : "");
		same = same && strcmp(last, expected) == 0 && strcmp(sse.stray.data ? sse.stray.data : "", stray) == 0;
		ai_sse_free(&sse);
		ai_buffer_free(&events.told);
		if (!same)
			break;
	}
	if (!ok(same, "%s", name))
		printf("#      got: %s\n# expected: %s\n", last, expected);
}

#define STREAMS(text, expected, stray, name) streams(text, sizeof(text) - 1, expected, stray, name)

static void
test_stream(void)
{
	Events		events = {.stop_after = 2};
	AiSse		sse;
	const char *three = "data: 1\n\ndata: 2\n\ndata: 3\n\n";

	STREAMS("data: a\n\n", "[|a]", "", "an event");
	STREAMS("\xef\xbb\xbf" "data: a\n\n", "[|a]", "", "behind a byte order mark");
	STREAMS("data: a\n\n\xef\xbb\xbf" "data: b\n\n", "[|a]", "\xef\xbb\xbf" "data: b\n", "which is one at the beginning only");
	STREAMS("data: a\ndata: b\ndata\ndata:c\n\n", "[|a\nb\n\nc]", "", "of several lines");
	STREAMS("event: x\r\ndata: a\r\n\r\nevent: y\rdata: b\r\r", "[x|a][y|b]", "", "with each kind of line end");
	STREAMS("event: x\n\ndata: a\n\n", "[|a]", "", "a name without data is none");
	STREAMS(": comment\nid: 7\nretry: 10\ndata:  a \n\n", "[| a ]", "", "comments, other fields, one blank");
	STREAMS("data: a", "[|a]", "", "the last one without an end");
	STREAMS("{\"error\": 1}\n\ndata: a\n\n", "[|a]", "{\"error\": 1}\n", "a line that is no field");
	STREAMS("\n\n\r\n", "", "", "nothing");

	ai_sse_start(&sse, take, &events);
	ok(!ai_sse_feed(&sse, three, strlen(three)) && !ai_sse_finish(&sse), "a handler that has enough");
	is_string(events.told.data, "[|1][|2]", "gets no more");
	ai_sse_free(&sse);
	ai_buffer_free(&events.told);

	ai_sse_start(&sse, take, &events);
	sse.line.limit = 8;
	ok(!ai_sse_feed(&sse, "data: abcdef", 12) && sse.stopped, "a line that is too long stops it");
	ai_sse_free(&sse);
	ai_sse_start(&sse, take, &events);
	sse.data.limit = 8;
	ok(!ai_sse_feed(&sse, "data: abcde\ndata: fgh\n", 22), "and an event that is");
	ai_sse_free(&sse);
	ai_buffer_free(&events.told);
}

int
main(void)
{
	test_utf8();
	test_buffer();
	test_stream();
	return done_testing();
}
