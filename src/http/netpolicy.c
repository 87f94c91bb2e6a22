/*
 * netpolicy.c
 *	  Which addresses may be connected to, and how many descriptors that may
 *	  take: libcurl's callbacks for opening and closing sockets.
 *
 * The open callback sees the resolved address, just before connecting, so a
 * name that resolves differently the second time (DNS rebinding) gains
 * nothing.  Link-local, metadata and other private addresses are refused
 * unless the host is listed by name or the address by network in
 * ai_gateway.allowed_hosts.  Loopback is fine; a proxy is the DBA's own word.
 *
 * Each socket is announced to PostgreSQL's accounting of descriptors, so that
 * a fan-out cannot starve the backend of files.
 *
 * These run inside libcurl: no palloc, no ereport.
 */
#include "postgres.h"

#include <sys/socket.h>
#include <unistd.h>

#include "guc.h"
#include "http/poller.h"
#include "http/transfer.h"
#include "storage/fd.h"
#include "util/url.h"

static bool
may_connect(const AiTransfer *transfer, const struct sockaddr *address)
{
	AiAddressClass class = ai_address_class(address);

	if (transfer->reach == AI_REACH_ANY || transfer->reach == AI_REACH_METADATA)
		return true;
	if (class == AI_ADDRESS_LOOPBACK)
		return true;
	if (transfer->reach == AI_REACH_LOOPBACK)
		return false;
	return class == AI_ADDRESS_PUBLIC ||
		ai_address_listed(ai_guc_allowed_hosts, address);
}

curl_socket_t
ai_open_socket(void *clientp, curlsocktype purpose, struct curl_sockaddr *address)
{
	AiTransfer *transfer = clientp;
	bool		proxied = ai_guc_proxy && ai_guc_proxy[0] != '\0';
	int			fd;

	(void) purpose;
	transfer->connecting = true;
	if (!may_connect(transfer, &address->addr) &&
		!(proxied && transfer->reach != AI_REACH_LOOPBACK))
	{
		transfer->address_refused = true;
		return CURL_SOCKET_BAD;
	}
	if (!AcquireExternalFD())
	{
		transfer->descriptor_refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0)
	{
		ReleaseExternalFD();
		return CURL_SOCKET_BAD;
	}
	ai_poller_adopt(fd);
	return fd;
}

int
ai_close_socket(void *unused, curl_socket_t fd)
{
	(void) unused;
	ReleaseExternalFD();
	ai_poller_closed(fd);
	return close(fd);
}
