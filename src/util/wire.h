/*
 * wire.h
 *	  An HTTP request and its reply as plain data, between provider/, which
 *	  writes and reads them, and http/, which carries them.
 *
 * Both own malloc memory; whoever holds the struct frees it.  A request holds
 * a key in its headers, so freeing it overwrites it.
 */
#ifndef AI_WIRE_H
#define AI_WIRE_H

#include "util/buffer.h"

typedef struct AiHttpRequest
{
	AiBuffer	url;
	AiBuffer	headers;		/* "Name: value\n" each */
	AiBuffer	body;			/* sent by POST; none = GET */
} AiHttpRequest;

struct AiReplyStream;

typedef struct AiHttpReply
{
	int			status;			/* 0 until a status line was read */
	AiBuffer	headers;		/* "Name: value\n" each, of the last block */
	AiBuffer	body;
	struct AiReplyStream *stream;	/* what the body was taken in by as it
									 * came, in place of `body`; borrowed */
} AiHttpReply;

extern void ai_http_request_free(AiHttpRequest *request);
extern void ai_http_reply_free(AiHttpReply *reply);

/*
 * Copies the value of a header (name matched without regard to case; the last
 * one if it repeats) into value, clipped; false if the reply has none.
 */
extern bool ai_http_header(const AiHttpReply *reply, const char *name,
						   char *value, size_t size);

/*
 * The server's wish for when to try again, in milliseconds; < 0 if none is
 * usable.  Order as in the vendors' own clients: retry-after-ms, then
 * retry-after as seconds (fractions allowed), then as an HTTP date (RFC 9110
 * section 10.2.3) relative to `now` in seconds since 1970.  Zero counts as
 * absent: it would make a hot loop.
 */
extern double ai_http_retry_after_ms(const AiHttpReply *reply, int64_t now);

#endif							/* AI_WIRE_H */
