/*
 * url.c
 *	  Endpoint URLs, host lists and address classes (see url.h).
 *
 * Address classes follow the IANA special-purpose registries (RFC 6890 and its
 * updates); whatever is not plainly public or loopback counts as private.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "util/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static bool
host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '.' || c == '_';
}

static bool
parse_port(const char *text, int *port)
{
	char	   *end;
	long		value;

	if (*text < '0' || *text > '9')
		return false;
	value = strtol(text, &end, 10);
	if (*end != '\0' || value < 1 || value > 65535)
		return false;
	*port = (int) value;
	return true;
}

/* Splits "host", "host:port" or "[v6]:port"; lower-cases the host. */
/*
 * Resolvers read 127.1, 0x7f000001 and 2130706433 as addresses.  A host whose
 * last label begins with a digit must be a dotted quad (WHATWG URL, "ends in a
 * number checker").
 */
static bool
unambiguous_name(const char *host)
{
	const char *last = strrchr(host, '.');
	struct in_addr v4;

	last = last ? last + 1 : host;
	return last[0] != '\0' &&
		(!(last[0] >= '0' && last[0] <= '9') || inet_pton(AF_INET, host, &v4) == 1);
}

static bool
parse_authority(const char *text, size_t len, AiUrl *url, const char **why)
{
	char		authority[300];
	char	   *port = NULL;

	if (len == 0 || len >= sizeof(authority))
	{
		*why = "has no host, or one that is too long";
		return false;
	}
	for (size_t i = 0; i < len; i++)
		authority[i] = (char) (text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	authority[len] = '\0';
	if (strchr(authority, '@') != NULL)
	{
		*why = "must not hold a user name or password";
		return false;
	}
	if (authority[0] == '[')
	{
		char	   *close = strchr(authority, ']');
		struct in6_addr v6;

		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
		{
			*why = "has a malformed IPv6 address";
			return false;
		}
		if (close[1] == ':')
			port = close + 2;
		*close = '\0';
		if (inet_pton(AF_INET6, authority + 1, &v6) != 1)
		{
			*why = "has a malformed IPv6 address";
			return false;
		}
		/* one spelling for one address, so that lists match */
		inet_ntop(AF_INET6, &v6, url->host, sizeof(url->host));
		url->ipv6 = true;
	}
	else
	{
		port = strchr(authority, ':');
		if (port)
			*port++ = '\0';
		if (authority[0] == '\0' || strlen(authority) >= sizeof(url->host))
		{
			*why = "has no host, or one that is too long";
			return false;
		}
		for (const char *p = authority; *p; p++)
		{
			if (!host_char(*p))
			{
				*why = "has a character in its host that no host name can have";
				return false;
			}
		}
		strcpy(url->host, authority);
		/* a dot at the end names the same host */
		if (url->host[strlen(url->host) - 1] == '.')
			url->host[strlen(url->host) - 1] = '\0';
		if (!unambiguous_name(url->host))
		{
			*why = "has a host that a resolver may read as another address";
			return false;
		}
	}
	if (port && !parse_port(port, &url->port))
	{
		*why = "has a port that is not between 1 and 65535";
		return false;
	}
	return true;
}

bool
ai_url_parse(const char *text, AiUrl *url, const char **why)
{
	const char *rest;
	size_t		len;

	memset(url, 0, sizeof(*url));
	for (const unsigned char *p = (const unsigned char *) text; *p; p++)
	{
		if (*p <= 0x20 || *p >= 0x7f || strchr("\\\"<>^`{|}", *p) != NULL)
		{
			*why = "has a blank, a control character or another byte that a URL cannot have";
			return false;
		}
	}
	if (strncasecmp(text, "https://", 8) == 0)
	{
		url->https = true;
		rest = text + 8;
	}
	else if (strncasecmp(text, "http://", 7) == 0)
		rest = text + 7;
	else
	{
		*why = "does not begin with https:// or http://";
		return false;
	}
	if (strpbrk(rest, "?#") != NULL)
	{
		*why = "must not hold a query or a fragment";
		return false;
	}
	url->port = url->https ? 443 : 80;
	len = strcspn(rest, "/");
	if (!parse_authority(rest, len, url, why))
		return false;
	rest += len;
	len = strlen(rest);
	while (len > 0 && rest[len - 1] == '/')
		len--;
	if (len >= sizeof(url->path))
	{
		*why = "has a path that is too long";
		return false;
	}
	memcpy(url->path, rest, len);
	url->path[len] = '\0';
	if (strstr(url->path, "/../") != NULL || strstr(url->path, "/./") != NULL ||
		strcasestr(url->path, "%2e") != NULL ||
		(len >= 3 && strcmp(url->path + len - 3, "/..") == 0) ||
		(len >= 2 && strcmp(url->path + len - 2, "/.") == 0))
	{
		*why = "must not hold dot segments in its path";
		return false;
	}
	return true;
}

bool
ai_url_within(const AiUrl *url, const AiUrl *prefix)
{
	size_t		len = strlen(prefix->path);

	return url->https == prefix->https && url->port == prefix->port &&
		strcmp(url->host, prefix->host) == 0 &&
		strncmp(url->path, prefix->path, len) == 0 &&
		(url->path[len] == '\0' || url->path[len] == '/');
}

bool
ai_host_is_loopback(const char *host)
{
	struct in_addr v4;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	/* inet_pton takes only four decimal parts, never 127.1 or 0x7f000001 */
	return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* A network of an entry such as 10.0.0.0/8. */
typedef struct Network
{
	int			family;
	unsigned char bytes[16];
	int			bits;
} Network;

static bool
parse_network(const char *entry, Network *network)
{
	char		text[64];
	const char *slash = strchr(entry, '/');
	char	   *end;
	long		bits;

	if (slash == NULL || (size_t) (slash - entry) >= sizeof(text))
		return false;
	memcpy(text, entry, (size_t) (slash - entry));
	text[slash - entry] = '\0';
	memset(network, 0, sizeof(*network));
	if (inet_pton(AF_INET, text, network->bytes) == 1)
		network->family = AF_INET;
	else if (inet_pton(AF_INET6, text, network->bytes) == 1)
		network->family = AF_INET6;
	else
		return false;
	if (slash[1] < '0' || slash[1] > '9')
		return false;
	bits = strtol(slash + 1, &end, 10);
	network->bits = (int) bits;
	return *end == '\0' && bits <= (network->family == AF_INET ? 32 : 128);
}

static bool
network_holds(const Network *network, int family, const unsigned char *bytes)
{
	int			whole = network->bits / 8;
	int			rest = network->bits % 8;

	if (network->family != family || memcmp(network->bytes, bytes, (size_t) whole) != 0)
		return false;
	if (rest == 0)
		return true;
	return ((network->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

/* Takes the next entry of a comma-separated list into entry; false at the end. */
static bool
next_entry(const char **list, char *entry, size_t size)
{
	const char *p = *list;

	for (;;)
	{
		size_t		len;
		size_t		copy;

		if (p == NULL)
			return false;
		p += strspn(p, ", \t\r\n");
		if (*p == '\0')
			return false;
		len = strcspn(p, ", \t\r\n");
		copy = len < size - 1 ? len : size - 1;
		for (size_t i = 0; i < copy; i++)
			entry[i] = (char) (p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
		entry[copy] = '\0';
		*list = p + len;
		return true;
	}
}

/* Takes an entry apart that is no network; port is 0 if none was written. */
static bool
parse_host_entry(const char *entry, AiUrl *url)
{
	const char *why;
	bool		wildcard = strncmp(entry, "*.", 2) == 0;
	struct in6_addr v6;

	memset(url, 0, sizeof(*url));
	if (inet_pton(AF_INET6, entry, &v6) == 1)
	{
		inet_ntop(AF_INET6, &v6, url->host, sizeof(url->host));
		return true;
	}
	return parse_authority(entry + (wildcard ? 2 : 0),
						   strlen(entry) - (wildcard ? 2 : 0), url, &why);
}

/* A star stands for a part of one label: letters, digits and hyphens. */
static bool
glob_matches(const char *pattern, const char *host)
{
	if (*pattern == '\0' || *host == '\0')
		return *pattern == *host;
	if (*pattern != '*')
		return *pattern == *host && glob_matches(pattern + 1, host + 1);
	for (; *host && *host != '.'; host++)
	{
		if (glob_matches(pattern + 1, host + 1))
			return true;
	}
	return false;
}

static bool
entry_matches(const char *entry, const char *host, int port)
{
	AiUrl		url;
	Network		network;
	unsigned char bytes[16];

	if (parse_network(entry, &network))
		return (inet_pton(AF_INET, host, bytes) == 1 &&
				network_holds(&network, AF_INET, bytes)) ||
			(inet_pton(AF_INET6, host, bytes) == 1 &&
			 network_holds(&network, AF_INET6, bytes));
	if (strrchr(entry, '*') != NULL && (strrchr(entry, '*') != entry || entry[1] != '.'))
		return port == 443 && glob_matches(entry, host);
	if (!parse_host_entry(entry, &url))
		return false;
	if (url.port != 0 && url.port != port)
		return false;
	if (strncmp(entry, "*.", 2) == 0)
	{
		size_t		host_len = strlen(host);
		size_t		len = strlen(url.host);

		return host_len > len + 1 && host[host_len - len - 1] == '.' &&
			strcmp(host + host_len - len, url.host) == 0;
	}
	return strcmp(url.host, host) == 0;
}

bool
ai_host_listed(const char *list, const char *host, int port)
{
	char		entry[300];

	while (next_entry(&list, entry, sizeof(entry)))
	{
		if (entry_matches(entry, host, port))
			return true;
	}
	return false;
}

bool
ai_host_list_valid(const char *list, char *bad, size_t size)
{
	char		entry[300];
	AiUrl		url;
	Network		network;

	while (next_entry(&list, entry, sizeof(entry)))
	{
		if (!parse_network(entry, &network) && !parse_host_entry(entry, &url))
		{
			snprintf(bad, size, "%s", entry);
			return false;
		}
	}
	return true;
}

/* Special-purpose IPv4 networks that a public service never has. */
static const struct
{
	uint32_t	network;
	int			bits;
}			private_v4[] = {
	{0x00000000, 8},			/* this network */
	{0x0a000000, 8},			/* private use */
	{0x64400000, 10},			/* shared address space */
	{0xa9fe0000, 16},			/* link-local, cloud metadata */
	{0xac100000, 12},			/* private use */
	{0xc0000000, 24},			/* protocol assignments */
	{0xc0000200, 24},			/* documentation */
	{0xc0a80000, 16},			/* private use */
	{0xc6120000, 15},			/* benchmarking */
	{0xc6336400, 24},			/* documentation */
	{0xcb007100, 24},			/* documentation */
	{0xe0000000, 3},			/* multicast, reserved, broadcast */
};

static AiAddressClass
class_v4(uint32_t address)
{
	if (address >> 24 == 127)
		return AI_ADDRESS_LOOPBACK;
	if (address == 0xa83f8110)	/* 168.63.129.16: Azure's wire server */
		return AI_ADDRESS_PRIVATE;
	for (size_t i = 0; i < sizeof(private_v4) / sizeof(private_v4[0]); i++)
	{
		if ((address ^ private_v4[i].network) >> (32 - private_v4[i].bits) == 0)
			return AI_ADDRESS_PRIVATE;
	}
	return AI_ADDRESS_PUBLIC;
}

static uint32_t
v4_at(const unsigned char *b)
{
	return (uint32_t) b[0] << 24 | (uint32_t) b[1] << 16 | (uint32_t) b[2] << 8 | b[3];
}

AiAddressClass
ai_address_class(const struct sockaddr *address)
{
	static const unsigned char zeros[12] = {0};
	static const unsigned char mapped[12] = {[10] = 0xff,[11] = 0xff};
	static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	const unsigned char *b;

	if (address->sa_family == AF_INET)
		return class_v4(ntohl(((const struct sockaddr_in *) address)->sin_addr.s_addr));
	if (address->sa_family != AF_INET6)
		return AI_ADDRESS_PRIVATE;
	b = ((const struct sockaddr_in6 *) address)->sin6_addr.s6_addr;
	if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0)
		return class_v4(v4_at(b + 12));
	if (memcmp(b, zeros, 12) == 0)
		return v4_at(b + 12) == 1 ? AI_ADDRESS_LOOPBACK : AI_ADDRESS_PRIVATE;
	if (b[0] == 0x20 && b[1] == 0x02)
		return class_v4(v4_at(b + 2));	/* 6to4 */
	/* only global unicast is public, less documentation and Teredo */
	if ((b[0] & 0xe0) != 0x20 ||
		(b[0] == 0x20 && b[1] == 0x01 &&
		 ((b[2] == 0x0d && b[3] == 0xb8) || (b[2] == 0 && b[3] == 0))))
		return AI_ADDRESS_PRIVATE;
	return AI_ADDRESS_PUBLIC;
}

bool
ai_address_listed(const char *list, const struct sockaddr *address)
{
	char		entry[300];
	Network		network;

	while (next_entry(&list, entry, sizeof(entry)))
	{
		if (!parse_network(entry, &network))
			continue;
		if (address->sa_family == AF_INET &&
			network_holds(&network, AF_INET, (const unsigned char *)
						  &((const struct sockaddr_in *) address)->sin_addr))
			return true;
		if (address->sa_family == AF_INET6 &&
			network_holds(&network, AF_INET6,
						  ((const struct sockaddr_in6 *) address)->sin6_addr.s6_addr))
			return true;
	}
	return false;
}
