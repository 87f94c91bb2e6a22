/*
 * embed_server.c DIMENSIONS
 *	  An embedding server without a limit of its own: every request waits by
 *	  itself, however many wait beside it, as with a provider that has machines
 *	  enough.  One thread over epoll, for benchmarks.
 *
 *	  POST /BASE_MS/EACH_US/...	counts the strings of "input", waits BASE_MS
 *							and EACH_US for each of them, then sends as many
 *							vectors, in the JSON of OpenAI's embeddings
 *	  GET /counts			"requests inputs peak largest connections" since it was
 *							asked last; peak: the most requests that were under
 *							way at once, largest: the most inputs in one
 *
 * The vectors are prepared when it starts, for as many inputs as one request
 * may have; a reply is a prefix of them, and costs little more than its send().
 * Prints its port when it listens, and ends with its standard input.
 *
 * State: the connections, by descriptor; those that wait, in an array without
 * order, which is looked through for the next that is due.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_INPUTS		2048
#define MAX_DESCRIPTORS	20000
#define KINDS			64		/* of vectors; then they repeat */

typedef struct Connection
{
	char	   *in;
	size_t		in_len;
	size_t		in_room;
	double		due;
	int			n_inputs;
	char		head[400];
	size_t		head_len;
	const char *body;
	size_t		body_len;
	size_t		sent;			/* of head, body and tail together */
	int			busy;			/* read, and not yet sent as a whole */
} Connection;

static Connection *connections[MAX_DESCRIPTORS];
static int	waiting[MAX_DESCRIPTORS];
static int	n_waiting;
static int	poller;
static char *prepared;
static size_t ends[MAX_INPUTS + 1]; /* of so many items in what is prepared */
static const char opening[] = "{\"object\":\"list\",\"data\":[";
static const char closing[] = "],\"model\":\"bench\",\"usage\":{\"prompt_tokens\":3,\"total_tokens\":3}}";
static long n_requests;
static long n_inputs;
static long n_connections;
static int	busy;
static int	peak;
static int	largest;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- what is sent ---- */

/* A vector of unit length as a provider prints it, nine digits a number. */
static size_t
write_vector(char *at, int dimensions, unsigned *seed)
{
	char	   *start = at;

	for (int i = 0; i < dimensions; i++)
	{
		*seed = *seed * 1103515245u + 12345u;
		at += sprintf(at, "%s%.9f", i ? "," : "", ((int) (*seed >> 8 & 0xffff) - 32768) / 740000.0);
	}
	return (size_t) (at - start);
}

static void
prepare(int dimensions)
{
	char	   *vectors[KINDS];
	size_t		lens[KINDS];
	unsigned	seed = 1;
	char	   *at;

	for (int i = 0; i < KINDS; i++)
	{
		vectors[i] = malloc((size_t) dimensions * 16);
		lens[i] = write_vector(vectors[i], dimensions, &seed);
	}
	at = prepared = malloc(sizeof(opening) + MAX_INPUTS * ((size_t) dimensions * 16 + 64));
	at += sprintf(at, "%s", opening);
	for (int i = 0; i < MAX_INPUTS; i++)
	{
		at += sprintf(at, "%s{\"object\":\"embedding\",\"index\":%d,\"embedding\":[", i ? "," : "", i);
		memcpy(at, vectors[i % KINDS], lens[i % KINDS]);
		at += lens[i % KINDS];
		at += sprintf(at, "]}");
		ends[i + 1] = (size_t) (at - prepared);
	}
	for (int i = 0; i < KINDS; i++)
		free(vectors[i]);
}

static void
watch(int fd, unsigned events, int how)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	epoll_ctl(poller, how, fd, &event);
}

static void
drop(int fd)
{
	Connection *c = connections[fd];

	for (int i = 0; i < n_waiting; i++)
	{
		if (waiting[i] == fd)
			waiting[i--] = waiting[--n_waiting];
	}
	busy -= c->busy;
	free(c->in);
	free(c);
	connections[fd] = NULL;
	close(fd);
}

static void
send_reply(int fd)
{
	Connection *c = connections[fd];
	size_t		tail_len = c->n_inputs ? sizeof(closing) - 1 : 0;
	size_t		total = c->head_len + c->body_len + tail_len;

	while (c->sent < total)
	{
		struct iovec parts[3] = {
			{c->head, c->head_len}, {(char *) c->body, c->body_len}, {(char *) closing, tail_len}
		};
		size_t		skip = c->sent;
		ssize_t		n;

		for (int i = 0; i < 3; i++)
		{
			size_t		part = skip < parts[i].iov_len ? skip : parts[i].iov_len;

			parts[i].iov_base = (char *) parts[i].iov_base + part;
			parts[i].iov_len -= part;
			skip -= part;
		}
		n = writev(fd, parts, 3);
		if (n < 0 && errno == EAGAIN)
		{
			watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
			return;
		}
		if (n < 0)
		{
			drop(fd);
			return;
		}
		c->sent += (size_t) n;
	}
	busy -= c->busy;
	c->busy = 0;
	watch(fd, EPOLLIN, EPOLL_CTL_MOD);
}

static void
reply(int fd, int n)
{
	Connection *c = connections[fd];

	c->n_inputs = n;
	c->body = prepared;
	c->body_len = ends[n];
	c->head_len = (size_t) sprintf(c->head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
								   c->body_len + sizeof(closing) - 1);
	c->sent = 0;
	send_reply(fd);
}

static void
reply_short(int fd, const char *status, const char *text)
{
	Connection *c = connections[fd];

	c->n_inputs = 0;
	c->body_len = 0;
	c->head_len = (size_t) sprintf(c->head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(text), text);
	c->sent = 0;
	send_reply(fd);
}

/* ---- what is asked ---- */

/* The strings in the array (or the one string) of "input". */
static int
count_inputs(const char *body, size_t len)
{
	const char *end = body + len;
	const char *p = memmem(body, len, "\"input\":", 8);
	int			n = 0;
	int			array;

	if (p == NULL)
		return 0;
	p += 8;
	while (p < end && *p == ' ')
		p++;
	array = p < end && *p == '[';
	for (p += array; p < end && *p != ']'; p++)
	{
		if (*p != '"')
			continue;
		n++;
		for (p++; p < end && *p != '"'; p++)
		{
			if (*p == '\\')
				p++;
		}
		if (!array)
			break;
	}
	return n;
}

static void
serve(int fd, const char *body, size_t len)
{
	Connection *c = connections[fd];
	int			base_ms = 0;
	int			each_us = 0;
	int			n = count_inputs(body, len);

	if (strncmp(c->in, "GET /counts", 11) == 0)
	{
		char		text[200];

		snprintf(text, sizeof(text), "%ld %ld %d %d %ld\n", n_requests, n_inputs, peak, largest, n_connections - 1);
		n_requests = n_inputs = n_connections = 0;
		peak = largest = busy;
		reply_short(fd, "200 OK", text);
		return;
	}
	if (sscanf(c->in, "POST /%d/%d/", &base_ms, &each_us) != 2 || n < 1 || n > MAX_INPUTS)
	{
		reply_short(fd, "400 Bad Request", "{\"error\":{\"message\":\"no or too many inputs\"}}");
		return;
	}
	n_requests++;
	n_inputs += n;
	c->busy = 1;
	if (++busy > peak)
		peak = busy;
	if (n > largest)
		largest = n;
	c->n_inputs = n;
	c->due = now() + base_ms / 1e3 + n * (each_us / 1e6);
	if (base_ms + each_us == 0)
		reply(fd, n);
	else
		waiting[n_waiting++] = fd;
}

/* A whole request, if it is there, is served and taken out. */
static void
take_request(int fd)
{
	Connection *c = connections[fd];
	char	   *head_end;
	char	   *line;
	size_t		body_len = 0;
	size_t		whole;

	c->in[c->in_len] = '\0';
	head_end = strstr(c->in, "\r\n\r\n");
	if (head_end == NULL)
		return;
	*head_end = '\0';
	line = strcasestr(c->in, "\r\ncontent-length:");
	if (line != NULL)
		body_len = (size_t) atol(line + 17);
	whole = (size_t) (head_end + 4 - c->in) + body_len;
	if (c->in_len < whole)
	{
		*head_end = '\r';
		return;
	}
	c->in_len = 0;				/* nobody sends the next before the reply */
	serve(fd, head_end + 4, body_len);
}

static void
receive(int fd)
{
	Connection *c = connections[fd];

	for (;;)
	{
		ssize_t		n;

		if (c->in_room - c->in_len < 65536)
		{
			c->in_room = 2 * c->in_room + 131072;
			c->in = realloc(c->in, c->in_room);
		}
		n = recv(fd, c->in + c->in_len, c->in_room - c->in_len - 1, 0);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
		{
			drop(fd);
			return;
		}
		c->in_len += (size_t) n;
	}
	take_request(fd);
}

static void
accept_all(int listener)
{
	int			fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
	{
		int			on = 1;

		if (fd >= MAX_DESCRIPTORS)
		{
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		connections[fd] = calloc(1, sizeof(Connection));
		n_connections++;
		watch(fd, EPOLLIN, EPOLL_CTL_ADD);
	}
}

/* Answers what is due; how long until the next, in ms, -1 = nothing waits. */
static int
answer_due(void)
{
	double		time = now();
	double		next = -1;

	for (int i = 0; i < n_waiting; i++)
	{
		int			fd = waiting[i];
		Connection *c = connections[fd];

		if (c->due <= time)
		{
			waiting[i--] = waiting[--n_waiting];
			reply(fd, c->n_inputs);
		}
		else if (next < 0 || c->due < next)
			next = c->due;
	}
	return next < 0 ? -1 : (int) ((next - time) * 1e3 + 0.999);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(address);
	int			listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (argc != 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	prepare(atoi(argv[1]));
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (bind(listener, (struct sockaddr *) &address, len) != 0 || listen(listener, 4096) != 0 ||
		getsockname(listener, (struct sockaddr *) &address, &len) != 0)
		return 1;
	watch(listener, EPOLLIN, EPOLL_CTL_ADD);
	watch(STDIN_FILENO, EPOLLIN, EPOLL_CTL_ADD);
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;)
	{
		struct epoll_event ready[64];
		int			n = epoll_wait(poller, ready, 64, answer_due());

		for (int i = 0; i < n; i++)
		{
			int			fd = ready[i].data.fd;

			if (fd == STDIN_FILENO)
				return 0;
			if (fd == listener)
				accept_all(listener);
			else if (connections[fd] != NULL && ready[i].events & EPOLLOUT)
				send_reply(fd);
			else if (connections[fd] != NULL)
				receive(fd);
		}
	}
}
