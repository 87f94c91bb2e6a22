/*
 * fuzz_sse.c
 *	  Server-sent events: however a stream is cut, the events are the same.
 *
 * Byte 0 is how long the pieces are; the rest is the stream.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/sse.h"

int			LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool
collect(void *context, const char *event, const char *data, size_t len)
{
	AiBuffer   *all = context;

	assert(strlen(event) < 1000000);
	ai_buffer_printf(all, "[%s|", event);
	ai_buffer_append(all, data, len);
	ai_buffer_append_string(all, "]");
	return true;
}

static void
feed(AiBuffer *all, const char *bytes, size_t len, size_t piece)
{
	AiSse		sse;

	ai_sse_start(&sse, collect, all);
	for (size_t i = 0; i < len; i += piece)
		ai_sse_feed(&sse, bytes + i, len - i < piece ? len - i : piece);
	ai_sse_finish(&sse);
	if (sse.stray.len > 0)
		ai_buffer_append(all, sse.stray.data, sse.stray.len);
	ai_sse_free(&sse);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	AiBuffer	whole = {0};
	AiBuffer	pieces = {0};

	if (size < 1)
		return 0;
	feed(&whole, (const char *) data + 1, size - 1, size);
	feed(&pieces, (const char *) data + 1, size - 1, (size_t) data[0] % 17 + 1);
	assert(whole.len == pieces.len);
	assert(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
	ai_buffer_free(&whole);
	ai_buffer_free(&pieces);
	return 0;
}
