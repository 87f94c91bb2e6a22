/*
 * poller.c
 *	  The poller of poller.h, over epoll.
 *
 * libcurl forgets a connection's socket after each reply, and watches it again
 * for the next request.  An adopted socket therefore stays in the
 * kernel's set when it is forgotten, until it tells something that nobody waits
 * for, or is closed; in between, watching it again costs no system call.  Other
 * descriptors (libcurl's resolver has some) may be closed unseen, and are taken
 * out at once.
 *
 * State: of each adopted socket, what is wanted and what the kernel watches;
 * there is one poller in a process.
 */
#include "http/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct Watched
{
	bool		own;
	unsigned char wanted;		/* EPOLLIN, EPOLLOUT */
	unsigned char watched;		/* by the kernel */
} Watched;

static Watched *sockets = NULL;
static int	n_sockets = 0;

void
ai_poller_adopt(int fd)
{
	if (fd >= n_sockets)
	{
		int			n = fd < 512 ? 1024 : 2 * fd;
		Watched    *more = realloc(sockets, n * sizeof(Watched));

		if (more == NULL)
			return;				/* then it is as any other descriptor */
		memset(more + n_sockets, 0, (n - n_sockets) * sizeof(Watched));
		sockets = more;
		n_sockets = n;
	}
	sockets[fd] = (Watched)
	{
		.own = true
	};
}

void
ai_poller_closed(int fd)
{
	if (fd < n_sockets)
		sockets[fd].own = false;
}

int
ai_poller_create(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

bool
ai_poller_watch(int poller, int fd, bool readable, bool writable)
{
	struct epoll_event event = {0};
	unsigned char wanted = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);
	Watched    *own = fd < n_sockets && sockets[fd].own ? &sockets[fd] : NULL;

	if (own != NULL)
	{
		own->wanted = wanted;
		if (wanted == 0 || wanted == own->watched)
			return true;
		own->watched = wanted;
	}
	if (!readable && !writable)
	{
		/* it may be closed already, which took it out */
		epoll_ctl(poller, EPOLL_CTL_DEL, fd, &event);
		return true;
	}
	event.data.fd = fd;
	event.events = wanted;
	if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) == 0)
		return true;
	return errno == ENOENT && epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0;
}

int
ai_poller_ready(int poller, AiPollerEvent *events, int max_events)
{
	struct epoll_event ready[64];
	int			n;
	int			n_events = 0;

	if (max_events > 64)
		max_events = 64;
	n = epoll_wait(poller, ready, max_events, 0);
	for (int i = 0; i < n; i++)
	{
		int			fd = ready[i].data.fd;
		AiPollerEvent *event = &events[n_events];

		if (fd < n_sockets && sockets[fd].own && sockets[fd].wanted == 0)
		{
			epoll_ctl(poller, EPOLL_CTL_DEL, fd, &ready[i]);
			sockets[fd].watched = 0;
			continue;
		}
		event->fd = fd;
		event->readable = (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0;
		event->writable = (ready[i].events & EPOLLOUT) != 0;
		event->error = (ready[i].events & EPOLLERR) != 0;
		n_events++;
	}
	return n_events;
}
