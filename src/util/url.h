/*
 * url.h
 *	  Endpoints: a strict URL parser, and the matching of hosts.  Pure.
 *
 * The parser takes only what an endpoint needs: http or https, a host, a port,
 * a path.  User names, queries, fragments, escapes in the host, blanks and
 * control characters are refused, so that what is checked here and what
 * libcurl connects to cannot be two different things.
 */
#ifndef AI_URL_H
#define AI_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

typedef struct AiUrl
{
	bool		https;
	char		host[256];		/* lower case; IPv6 without brackets */
	bool		ipv6;
	int			port;			/* the scheme's own if none was written */
	char		path[512];		/* without a slash at the end; may be empty */
} AiUrl;

/* False sets *why to a static phrase that completes "endpoint ... ". */
extern bool ai_url_parse(const char *text, AiUrl *url, const char **why);

/* localhost, 127.0.0.0/8 in dotted form, or ::1. */
extern bool ai_host_is_loopback(const char *host);

/*
 * Is the host in a comma-separated list?  Entries: a host name or address,
 * host:port, [v6]:port, *.example.com (any name below it), or a network such
 * as 10.0.0.0/8 (matches a host that is such an address).
 */
extern bool ai_host_listed(const char *list, const char *host, int port);

/* False if an entry of such a list cannot be read; copies it to bad. */
extern bool ai_host_list_valid(const char *list, char *bad, size_t size);

/* Same scheme, host and port, and prefix's path is a whole-segment prefix. */
extern bool ai_url_within(const AiUrl *url, const AiUrl *prefix);

typedef enum AiAddressClass
{
	AI_ADDRESS_PUBLIC,
	AI_ADDRESS_LOOPBACK,
	AI_ADDRESS_PRIVATE,			/* private, link-local, metadata, multicast,
								 * reserved */
} AiAddressClass;

/* IPv4-mapped, 6to4 and NAT64 addresses are classed by the IPv4 address inside. */
extern AiAddressClass ai_address_class(const struct sockaddr *address);

/* Is the address in one of the networks of such a list? */
extern bool ai_address_listed(const char *list, const struct sockaddr *address);

#endif							/* AI_URL_H */
