/*
 * poller.c
 *	  The poller of poller.h, over epoll.
 */
#include "http/poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int
ai_poller_create(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

bool
ai_poller_watch(int poller, int fd, bool readable, bool writable)
{
	struct epoll_event event = {0};

	if (!readable && !writable)
	{
		/* it may be closed already, which took it out */
		epoll_ctl(poller, EPOLL_CTL_DEL, fd, &event);
		return true;
	}
	event.data.fd = fd;
	event.events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);
	if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) == 0)
		return true;
	return errno == ENOENT && epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0;
}

int
ai_poller_ready(int poller, AiPollerEvent *events, int max_events)
{
	struct epoll_event ready[64];
	int			n;

	if (max_events > 64)
		max_events = 64;
	n = epoll_wait(poller, ready, max_events, 0);
	for (int i = 0; i < n; i++)
	{
		events[i].fd = ready[i].data.fd;
		events[i].readable = (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0;
		events[i].writable = (ready[i].events & EPOLLOUT) != 0;
		events[i].error = (ready[i].events & EPOLLERR) != 0;
	}
	return n > 0 ? n : 0;
}
