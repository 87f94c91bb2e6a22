/*
 * socket.c
 *	  The sockets that libcurl opens for us: where they may lead, and their
 *	  part of PostgreSQL's accounting of descriptors, so that a fan-out cannot
 *	  starve the backend of files.
 *
 * A socket is FOREIGN (not of our opening, or closed) -> OPENED, by the open
 * callback, and counted -> LASTING, once a transfer is connected -> FOREIGN
 * again and given back, by the close callback.
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
	SOCKET_LASTING,
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

static void
give_back(Socket *socket)
{
	if (socket->state == SOCKET_OPENED)
		n_opened--;
	socket->state = SOCKET_FOREIGN;
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
ai_socket_lasts(int fd)
{
	if (fd >= n_sockets || sockets[fd].state != SOCKET_OPENED || is_gone(fd))
		return;
	n_opened--;
	sockets[fd].state = SOCKET_LASTING;
	ai_poller_adopt(fd);
}

static bool
acquire(void)
{
	if (AcquireExternalFD())
		return true;
	ai_sockets_settle(NULL);
	return AcquireExternalFD();
}

curl_socket_t
ai_open_socket(void *clientp, curlsocktype purpose, struct curl_sockaddr *address)
{
	AiTransfer *transfer = clientp;
	int			fd;

	(void) purpose;
	transfer->connecting = true;
	if (!ai_net_allows(transfer->reach, &address->addr))
	{
		transfer->address_refused = true;
		return CURL_SOCKET_BAD;
	}
	if (!acquire())
	{
		transfer->descriptor_refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0 || !make_place(fd))
	{
		if (fd >= 0)
			close(fd);
		ReleaseExternalFD();
		return CURL_SOCKET_BAD;
	}
	if (sockets[fd].state != SOCKET_FOREIGN)
		give_back(&sockets[fd]);	/* what had this number before */
	sockets[fd] = (Socket)
	{
		.state = SOCKET_OPENED,
			.opener = transfer,
	};
	n_opened++;
	inode_of(fd, &sockets[fd].inode);
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
