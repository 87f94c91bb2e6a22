/*
 * sse.c
 *	  The parser of sse.h.
 */
#include "util/sse.h"

#include <string.h>

#define MAX_STRAY_BYTES	(64 * 1024)

void
ai_sse_start(AiSse *sse, AiSseHandler handler, void *context)
{
	memset(sse, 0, sizeof(*sse));
	sse->handler = handler;
	sse->context = context;
	sse->stray.limit = MAX_STRAY_BYTES;
}

void
ai_sse_free(AiSse *sse)
{
	ai_buffer_free(&sse->line);
	ai_buffer_free(&sse->event);
	ai_buffer_free(&sse->data);
	ai_buffer_free(&sse->stray);
}

static void
hand_on(AiSse *sse)
{
	if (sse->has_data &&
		!sse->handler(sse->context, sse->event.data ? sse->event.data : "",
					  sse->data.data ? sse->data.data : "", sse->data.len))
		sse->stopped = true;
	ai_buffer_reset(&sse->event);
	ai_buffer_reset(&sse->data);
	sse->has_data = false;
}

static bool
is_field(const char *name, size_t len)
{
	return (len == 2 && memcmp(name, "id", 2) == 0) || (len == 5 && memcmp(name, "retry", 5) == 0);
}

static void
take_line(AiSse *sse)
{
	const char *line = sse->line.data ? sse->line.data : "";
	size_t		len = sse->line.len;
	const char *colon;
	const char *value;
	size_t		name_len;

	if (!sse->started)
	{
		sse->started = true;
		if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		{
			line += 3;
			len -= 3;
		}
	}
	if (len == 0)
	{
		hand_on(sse);
		return;
	}
	colon = memchr(line, ':', len);
	name_len = colon ? (size_t) (colon - line) : len;
	value = colon ? colon + 1 : line + len;
	if (value < line + len && *value == ' ')
		value++;
	if (name_len == 4 && memcmp(line, "data", 4) == 0)
	{
		if (sse->has_data)
			ai_buffer_append_char(&sse->data, '\n');
		ai_buffer_append(&sse->data, value, (size_t) (line + len - value));
		sse->has_data = true;
	}
	else if (name_len == 5 && memcmp(line, "event", 5) == 0)
	{
		ai_buffer_reset(&sse->event);
		ai_buffer_append(&sse->event, value, (size_t) (line + len - value));
	}
	else if (name_len > 0 && !is_field(line, name_len))
	{
		ai_buffer_append(&sse->stray, line, len);
		ai_buffer_append_char(&sse->stray, '\n');
	}
	if (sse->data.failed || sse->event.failed)
		sse->stopped = true;
}

bool
ai_sse_feed(AiSse *sse, const char *bytes, size_t len)
{
	size_t		i = 0;

	while (i < len && !sse->stopped)
	{
		size_t		end = i;

		if (sse->after_cr)
		{
			sse->after_cr = false;
			if (bytes[i] == '\n')
			{
				i++;
				continue;
			}
		}
		while (end < len && bytes[end] != '\n' && bytes[end] != '\r')
			end++;
		ai_buffer_append(&sse->line, bytes + i, end - i);
		if (sse->line.failed)
		{
			sse->stopped = true;
			break;
		}
		if (end < len)
		{
			sse->after_cr = bytes[end] == '\r';
			take_line(sse);
			ai_buffer_reset(&sse->line);
			end++;
		}
		i = end;
	}
	return !sse->stopped;
}

bool
ai_sse_finish(AiSse *sse)
{
	if (!sse->stopped && sse->line.len > 0)
	{
		take_line(sse);
		ai_buffer_reset(&sse->line);
	}
	if (!sse->stopped)
		hand_on(sse);
	return !sse->stopped;
}
