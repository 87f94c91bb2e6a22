/*
 * transfer.h
 *	  What the files of http/ share: the transfer itself.
 */
#ifndef AI_TRANSFER_H
#define AI_TRANSFER_H

#include <curl/curl.h>

#include "http/http.h"
#include "lib/ilist.h"

typedef enum AiTransferState
{
	AI_TRANSFER_STARTED,
	AI_TRANSFER_FINISHED,		/* and on the list of those to be told of */
	AI_TRANSFER_TOLD,
} AiTransferState;

/* What a transfer has of descriptors; see descriptor.c. */
typedef enum AiDescriptor
{
	AI_DESCRIPTOR_EXPECTED,
	AI_DESCRIPTOR_RESOLVING,
	AI_DESCRIPTOR_PLACED,		/* has or shares a connection, or is over */
} AiDescriptor;

struct AiTransfer
{
	CURL	   *easy;
	struct curl_slist *headers;
	AiHttpRequest request;
	AiHttpReply reply;
	AiReach		reach;
	AiHttpLimits limits;
	AiHttpListener listener;
	AiTransferState state;
	AiDescriptor descriptor;
	CURLcode	code;
	size_t		sunk;			/* bytes that the listener's sink took */
	bool		stopped;		/* by the sink */
	bool		connecting;		/* the name is resolved, a socket was opened */
	bool		connected;		/* with TLS, where there is any */
	bool		reply_began;
	bool		address_refused;	/* the policy refused where the name led */
	bool		descriptor_refused; /* there was none left */
	bool		lacked_descriptor;	/* it ended of that, and can be tried
									 * again */
	bool		headers_over_limit;
	char		error[CURL_ERROR_SIZE];
	dlist_node	finished_node;
};

/* ---- transfer.c ---- */

/* Sets every option of the easy handle. */
extern bool ai_transfer_setup(AiTransfer *transfer);

/* Fills the failure from the transfer's CURLcode. */
extern void ai_transfer_explain(AiTransfer *transfer, AiFailure *failure);

extern void ai_fail_descriptors(AiFailure *failure);

/* Frees and wipes; the easy handle must be out of the multi handle. */
extern void ai_transfer_free(AiTransfer *transfer);

/* ---- netpolicy.c ---- */
extern bool ai_net_allows(AiReach reach, const struct sockaddr *address);

/* ---- socket.c ---- */
extern curl_socket_t ai_open_socket(void *transfer, curlsocktype purpose,
									struct curl_sockaddr *address);
extern int	ai_close_socket(void *unused, curl_socket_t fd);

/*
 * A transfer waits for the socket, or does no longer.  Once it is connected,
 * the socket's closing will be told.
 */
extern void ai_socket_watched(int fd, bool watched, bool connected);

/* Of those that are open, what transfers use, and what is kept for others. */
extern int	ai_sockets_in_use(void);
extern int	ai_sockets_idle(void);

/*
 * Gives back the descriptors that were closed unseen: those that this transfer
 * opened, or all (NULL).
 */
extern void ai_sockets_settle(const AiTransfer *opener);

/* ---- descriptor.c ---- */

/* A transfer starts; its name is looked up; it has a connection, or is over. */
extern void ai_descriptor_expect(AiTransfer *transfer);
extern void ai_descriptor_resolve(AiTransfer *transfer);
extern void ai_descriptor_place(AiTransfer *transfer);

/* Asks PostgreSQL for one; ReleaseExternalFD() gives it back. */
extern bool ai_descriptor_acquire(void);

/* Can the system make one? */
extern bool ai_descriptor_exists(void);

/* Tells PostgreSQL of so many more, or fewer, without asking. */
extern void ai_descriptors_report(int more);

/* Are there enough for one more transfer, beside those under way? */
extern bool ai_descriptors_suffice(void);

/* How many connections there can be, and how many libcurl is to be told. */
extern int	ai_descriptors_bound(void);
extern int	ai_descriptors_total(void);

#endif							/* AI_TRANSFER_H */
