/*
 * socket.c
 *	  The sockets that libcurl opens for us: where they may lead, and their
 *	  part of PostgreSQL's accounting of descriptors, so that a fan-out cannot
 *	  starve the backend of files.
 *
 * A socket is FOREIGN (not of our opening, or closed) -> OPENED, by the open
 * callback, and counted -> BUSY, once a transfer is connected, and <-> IDLE as
 * transfers come and go -> FOREIGN again and given back, by the close callback.
 *
 * libcurl before 8.0 closes a socket that did not come to be connected without
 * calling back, so of an OPENED one it is not known whether it still is, nor
 * whether its number has a second life as a descriptor of somebody else's: its
 * inode tells.  That is looked at when the transfer that opened it ends, and
 * when descriptors run out.
 *
 * The callbacks run inside libcurl: no palloc, no ereport.
 *
 * State: the table of sockets by their numbers, for the life of a backend.
 */
#include "postgres.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/poller.h"
#include "http/transfer.h"
#include "storage/fd.h"

typedef enum SocketState
{
	SOCKET_FOREIGN,
	SOCKET_OPENED,
	SOCKET_BUSY,
	SOCKET_IDLE,
} SocketState;

typedef struct Socket
{
	SocketState state;
	ino_t		inode;
	const AiTransfer *opener;	/* of an opened one; may be gone */
} Socket;

static Socket *sockets = NULL;
static int	n_sockets = 0;
static int	n_opened = 0;
static int	n_busy = 0;
static int	n_idle = 0;

static bool
make_place(int fd)
{
	int			n = fd < 512 ? 1024 : 2 * fd;
	Socket	   *more;

	if (fd < n_sockets)
		return true;
	more = realloc(sockets, n * sizeof(Socket));
	if (more == NULL)
		return false;
	memset(more + n_sockets, 0, (n - n_sockets) * sizeof(Socket));
	sockets = more;
	n_sockets = n;
	return true;
}

static bool
inode_of(int fd, ino_t * inode)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	*inode = status.st_ino;
	return true;
}

static int *
count_of(SocketState state)
{
	switch (state)
	{
		case SOCKET_OPENED:
			return &n_opened;
		case SOCKET_BUSY:
			return &n_busy;
		case SOCKET_IDLE:
			return &n_idle;
		case SOCKET_FOREIGN:
			break;
	}
	return NULL;
}

static void
change(Socket *socket, SocketState state)
{
	if (socket->state != SOCKET_FOREIGN)
		(*count_of(socket->state))--;
	socket->state = state;
	if (state != SOCKET_FOREIGN)
		(*count_of(state))++;
}

static void
give_back(Socket *socket)
{
	change(socket, SOCKET_FOREIGN);
	ReleaseExternalFD();
}

/* Is it closed, and libcurl did not tell?  If so it is given back. */
static bool
is_gone(int fd)
{
	ino_t		inode;

	if (inode_of(fd, &inode) && inode == sockets[fd].inode)
		return false;
	give_back(&sockets[fd]);
	return true;
}

void
ai_sockets_settle(const AiTransfer *opener)
{
	for (int fd = 0; n_opened > 0 && fd < n_sockets; fd++)
	{
		if (sockets[fd].state == SOCKET_OPENED &&
			(opener == NULL || sockets[fd].opener == opener))
			is_gone(fd);
	}
}

void
ai_socket_watched(int fd, bool watched, bool connected)
{
	Socket	   *socket = fd < n_sockets ? &sockets[fd] : NULL;

	if (socket == NULL)
		return;
	switch (socket->state)
	{
		case SOCKET_OPENED:
			/* a quick reply is there before libcurl has said that it waits */
			if (connected && !is_gone(fd))
			{
				change(socket, watched ? SOCKET_BUSY : SOCKET_IDLE);
				ai_poller_adopt(fd);
			}
			break;
		case SOCKET_BUSY:
			if (!watched)
				change(socket, SOCKET_IDLE);
			break;
		case SOCKET_IDLE:
			if (watched)
				change(socket, SOCKET_BUSY);
			break;
		case SOCKET_FOREIGN:
			break;
	}
}

int
ai_sockets_in_use(void)
{
	return n_opened + n_busy;
}

int
ai_sockets_idle(void)
{
	return n_idle;
}

curl_socket_t
ai_open_socket(void *clientp, curlsocktype purpose, struct curl_sockaddr *address)
{
	AiTransfer *transfer = clientp;
	int			fd;

	(void) purpose;
	transfer->connecting = true;
	ai_descriptor_place(transfer);	/* what the resolver had is free again */
	if (!ai_net_allows(transfer->reach, &address->addr))
	{
		transfer->address_refused = true;
		return CURL_SOCKET_BAD;
	}
	if (!ai_descriptor_acquire())
	{
		transfer->descriptor_refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0 || !make_place(fd))
	{
		if (fd >= 0)
			close(fd);
		else
			transfer->descriptor_refused = !ai_descriptor_exists();
		ReleaseExternalFD();
		return CURL_SOCKET_BAD;
	}
	if (sockets[fd].state != SOCKET_FOREIGN)
		give_back(&sockets[fd]);	/* what had this number before */
	sockets[fd].opener = transfer;
	inode_of(fd, &sockets[fd].inode);
	change(&sockets[fd], SOCKET_OPENED);
	return fd;
}

int
ai_close_socket(void *unused, curl_socket_t fd)
{
	(void) unused;
	if (fd < n_sockets && sockets[fd].state != SOCKET_FOREIGN)
		give_back(&sockets[fd]);
	ai_poller_closed(fd);
	return close(fd);
}
