/*
 * poller.h
 *	  One file descriptor that becomes readable when any of many sockets is
 *	  ready, so that a persistent WaitEventSet of three events can wait for
 *	  hundreds of connections.
 *
 * A WaitEventSet cannot drop a socket, and one made for each wait costs a
 * system call a socket (and leaks its descriptor on error before PostgreSQL
 * 17).  epoll keeps the set in the kernel instead; on kqueue systems the same
 * functions are to be written over kevent().
 *
 * Nothing throws; these are called inside libcurl's callbacks.
 */
#ifndef AI_POLLER_H
#define AI_POLLER_H

#include <stdbool.h>

typedef struct AiPollerEvent
{
	int			fd;
	bool		readable;
	bool		writable;
	bool		error;
} AiPollerEvent;

/* The descriptor to wait on; -1 on failure. */
extern int	ai_poller_create(void);

/* Neither readable nor writable = forget the socket. */
extern bool ai_poller_watch(int poller, int fd, bool readable, bool writable);

/*
 * From now on the closing of this socket is told to ai_poller_closed(), so it
 * need not be taken out of the kernel's set whenever it is forgotten.
 */
extern void ai_poller_adopt(int fd);
extern void ai_poller_closed(int fd);

/* The sockets that are ready now, without waiting. */
extern int	ai_poller_ready(int poller, AiPollerEvent *events, int max_events);

#endif							/* AI_POLLER_H */
