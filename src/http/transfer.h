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
	CURLcode	code;
	size_t		sunk;			/* bytes that the listener's sink took */
	bool		stopped;		/* by the sink */
	bool		connecting;		/* the name is resolved, a socket was opened */
	bool		connected;		/* with TLS, where there is any */
	bool		reply_began;
	bool		address_refused;	/* the policy refused where the name led */
	bool		descriptor_refused; /* PostgreSQL had no file descriptor left */
	bool		headers_over_limit;
	char		error[CURL_ERROR_SIZE];
	dlist_node	finished_node;
};

/* ---- transfer.c ---- */

/* Sets every option of the easy handle. */
extern bool ai_transfer_setup(AiTransfer *transfer);

/* Fills the failure from the transfer's CURLcode. */
extern void ai_transfer_explain(AiTransfer *transfer, AiFailure *failure);

/* Frees and wipes; the easy handle must be out of the multi handle. */
extern void ai_transfer_free(AiTransfer *transfer);

/* ---- netpolicy.c ---- */
extern bool ai_net_allows(AiReach reach, const struct sockaddr *address);

/* ---- socket.c ---- */
extern curl_socket_t ai_open_socket(void *transfer, curlsocktype purpose,
									struct curl_sockaddr *address);
extern int	ai_close_socket(void *unused, curl_socket_t fd);

/* A connected transfer uses it; from now on its closing is told. */
extern void ai_socket_lasts(int fd);

/*
 * Gives back the descriptors that were closed unseen: those that this transfer
 * opened, or all (NULL).
 */
extern void ai_sockets_settle(const AiTransfer *opener);

#endif							/* AI_TRANSFER_H */
