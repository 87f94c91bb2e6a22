/*
 * sse.h
 *	  Server-sent events, parsed as they arrive.  Pure.
 *
 * Format: https://html.spec.whatwg.org/multipage/server-sent-events.html.
 * Lines may end in LF, CR or CRLF; a byte order mark is skipped; comments,
 * "id" and "retry" are ignored; several "data" lines join with LF.  What is
 * fed may be cut anywhere, inside of a character too.
 *
 * State machine: the bytes of an unfinished line are kept; a finished line
 * adds to the event; an empty line hands the event on.  An event that the
 * stream ends in is not handed on, as the standard has it, unless
 * ai_sse_finish() is called: some servers forget the last empty line.
 *
 * The parser owns its buffers, ai_sse_free() frees them.  The handler may
 * return false, and nothing more is parsed.
 */
#ifndef AI_SSE_H
#define AI_SSE_H

#include "util/buffer.h"

/* Both are NUL-terminated; `event` is "" where none was named. */
typedef bool (*AiSseHandler) (void *context, const char *event,
							  const char *data, size_t len);

typedef struct AiSse
{
	AiSseHandler handler;
	void	   *context;
	AiBuffer	line;
	AiBuffer	event;
	AiBuffer	data;
	AiBuffer	stray;			/* lines that are no field: Google puts an
								 * error between the events as it is */
	bool		has_data;
	bool		after_cr;		/* a LF that comes now belongs to the CR */
	bool		started;		/* past the place of a byte order mark */
	bool		stopped;		/* the handler said so, or memory ran out */
} AiSse;

extern void ai_sse_start(AiSse *sse, AiSseHandler handler, void *context);

/* False once stopped. */
extern bool ai_sse_feed(AiSse *sse, const char *bytes, size_t len);

/* The stream has ended: what is left counts as an event. */
extern bool ai_sse_finish(AiSse *sse);

extern void ai_sse_free(AiSse *sse);

#endif							/* AI_SSE_H */
