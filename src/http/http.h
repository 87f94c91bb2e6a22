/*
 * http.h
 *	  Carries HTTP requests: many at once, in one backend, driven by its latch.
 *	  http/ is the only place of the extension that opens sockets or sleeps.
 *
 * Words
 *	transfer	one request on its way and its reply.
 *	engine		one curl_multi handle for the life of the backend, with its
 *				connections, resolved names and TLS sessions.
 *
 * A transfer goes STARTED -> FINISHED (ai_http_next_finished() hands it out
 * once) -> released.  ai_http_release() takes it in any state; one under way is
 * abandoned and its connection closed.
 *
 * Who may throw: ai_http_wait() alone, and only where CHECK_FOR_INTERRUPTS
 * does, never inside libcurl.  Everything else may be called from a memory
 * context's reset callback.  Memory is malloc; nothing belongs to a context,
 * so whoever starts a transfer must make sure that it is released.
 */
#ifndef AI_HTTP_H
#define AI_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "util/failure.h"
#include "util/wire.h"

typedef struct AiTransfer AiTransfer;

/* Which resolved addresses a transfer may connect to. */
typedef enum AiReach
{
	AI_REACH_PUBLIC,			/* public and loopback, and listed networks */
	AI_REACH_LOOPBACK,			/* loopback only: plain http to a local name */
	AI_REACH_ANY,				/* a host that the DBA listed by name */
	AI_REACH_METADATA,			/* this machine's metadata service: any, and
								 * never by a proxy */
} AiReach;

/*
 * Starts a transfer.  Takes over what `request` holds, whatever happens, and
 * wipes it when it is no longer needed.  Returns NULL with a failure.
 */
extern AiTransfer *ai_http_start(AiHttpRequest *request, AiReach reach,
								 int timeout_ms, void *owner, AiFailure *failure);

/*
 * Takes a reply's body in as it comes, in place of keeping it.  It runs inside
 * libcurl: neither palloc nor ereport, and no call of this file.
 */
typedef enum AiSinkVerdict
{
	AI_SINK_KEEP,				/* put this into reply.body */
	AI_SINK_TAKEN,
	AI_SINK_STOP,				/* the outcome is known: end the transfer */
} AiSinkVerdict;

typedef AiSinkVerdict (*AiHttpSink) (void *owner, const AiHttpReply *so_far,
									 const char *data, size_t len);

/* For a transfer that was just started. */
extern void ai_http_set_sink(AiTransfer *transfer, AiHttpSink sink);

/* Ends a transfer under way as if its reply were whole. */
extern void ai_http_stop(AiTransfer *transfer);

/* A transfer that finished since, each one once; NULL if there is none. */
extern AiTransfer *ai_http_next_finished(void);

extern void *ai_http_owner(const AiTransfer *transfer);

/*
 * The outcome of a finished transfer: false with a failure if no whole reply
 * came.  The reply is the transfer's own.
 */
extern bool ai_http_result(AiTransfer *transfer, AiFailure *failure);
extern const AiHttpReply *ai_http_reply(const AiTransfer *transfer);

extern void ai_http_release(AiTransfer *transfer);

/*
 * Sleeps until something happens on a socket, the latch is set, or timeout_ms
 * passed (< 0 = no limit), then does what is due.  Interrupts are served.
 */
extern void ai_http_wait(double timeout_ms);

/* Monotonic milliseconds. */
extern double ai_now_ms(void);

/* The version of libcurl, and whether it resolves names without blocking. */
extern const char *ai_http_library(void);

#endif							/* AI_HTTP_H */
