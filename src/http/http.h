/*
 * http.h
 *	  Carries HTTP requests: many at once, in one backend, driven by its latch.
 *	  http/ is the only place of the extension that opens sockets or sleeps.
 *
 * Words
 *	transfer	one request on its way and its reply.
 *	loop		one curl_multi handle (loop.c), with its connections, resolved names
 *				and TLS sessions, which the backend keeps from call to call.
 *
 * A transfer goes STARTED -> FINISHED -> TOLD (its listener has it) -> released:
 *	1. An attempt or an exchange of call/ starts it (ai_http_start).  It is then
 *	   libcurl's, and nothing was sent yet.
 *	2. Within ai_http_wait(), and nowhere else, its name is resolved, its socket
 *	   opened where it may be (socket.c, netpolicy.c, descriptor.c), the request
 *	   sent and the reply taken in (transfer.c), by the listener's sink if it has one.
 *	3. It has ended, by itself or by ai_http_stop(), and waits on a list.
 *	4. ai_http_deliver() tells its listener, once, who reads the outcome and the
 *	   reply, which are the transfer's own, and releases it.
 * ai_http_release() takes it in any state; one under way is abandoned and its
 * connection closed.
 *
 * Why nothing hangs.  A transfer under way ends: at its timeout at the latest.
 * (One that waits within libcurl for another's connection can be late for it;
 * its owner looks at the clock as well.)  While ai_http_has_room() says no,
 * something is under way; so there is an end to wait for, after which it is
 * asked again.  With nothing under way it says yes: a start is made, idle
 * connections are closed for it, and if there is no descriptor even so it fails
 * for good.
 *
 * Who may throw: ai_http_wait(), only where CHECK_FOR_INTERRUPTS does, never
 * inside libcurl; ai_http_deliver() where a listener does; ai_http_start() for want
 * of memory, when it is the first of a process.  What stops, releases and asks
 * may be called from a memory context's reset callback.
 *
 * Memory is malloc; nothing belongs to a context, so whoever starts a transfer
 * must make sure that it is released.  Locks: none.
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

/* Who is told of a transfer. */
typedef struct AiHttpListener
{
	/* its end, outside of libcurl; the transfer is the owner's to release */
	void		(*finished) (void *owner, AiTransfer *transfer);
	AiHttpSink	sink;			/* NULL = the body is kept */
	void	   *owner;
} AiHttpListener;

/* The caller's settings, as they were when it was called. */
typedef struct AiHttpLimits
{
	int			timeout_ms;		/* for all of it */
	int			connect_timeout_ms;
	int			max_response_kb;	/* uncompressed */
	bool		large_reply;	/* worth a large buffer: embeddings */
	bool		http2;			/* where the server speaks it; libcurl reads
								 * frames until there are no more, so whoever
								 * floods it holds the backend */
} AiHttpLimits;

/*
 * Starts a transfer.  Takes over what `request` holds, whatever happens, and
 * wipes it when it is no longer needed.  Returns NULL with a failure.
 */
extern AiTransfer *ai_http_start(AiHttpRequest *request, AiReach reach,
								 const AiHttpLimits *limits,
								 const AiHttpListener *listener, AiFailure *failure);

/* Ends a transfer under way as if its reply were whole. */
extern void ai_http_stop(AiTransfer *transfer);

/*
 * Tells the listeners of all transfers that have finished, each once, in the
 * order of their ends; returns how many.  A listener may start, stop and
 * release any transfer, and enter this again.
 */
extern int	ai_http_deliver(void);

/* How far a transfer got, or has got until now. */
typedef enum AiHttpSent
{
	AI_HTTP_NOT_SENT,			/* no byte of the request left this machine */
	AI_HTTP_CONNECTED,			/* it may have, in part or whole */
	AI_HTTP_REPLY_BEGAN,
} AiHttpSent;

extern AiHttpSent ai_http_sent(const AiTransfer *transfer);

/* Bytes of its body so far, uncompressed. */
extern size_t ai_http_received(const AiTransfer *transfer);

/*
 * A file descriptor that is not to be had is a place to wait for.  False: a
 * start now would find none; wait until a transfer ends.
 */
extern bool ai_http_has_room(void);

/* Did it end for want of one only?  Start it again when there is room. */
extern bool ai_http_lacked_descriptor(const AiTransfer *transfer);

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

/*
 * The same without sleeping, for who is busy with something else: where anything
 * is under way, and at most every ten milliseconds; returns whether it did.  A clock
 * that is looked at before what has arrived is read calls late what came in time.
 */
extern bool ai_http_progress(void);

/* Monotonic milliseconds. */
extern double ai_now_ms(void);

/* The version of libcurl, and whether it resolves names without blocking. */
extern const char *ai_http_library(void);

#endif							/* AI_HTTP_H */
