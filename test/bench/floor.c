/*
 * floor.c [-n REQUESTS] [-f IN_FLIGHT] [-H HEADER]... [-c CA_FILE] [-v] URL BODY_FILE
 *	  The floor of the concurrent benchmarks: the same requests as the extension
 *	  sends, by libcurl's socket interface over epoll, and nothing else.
 *
 * Each request posts what BODY_FILE holds, where every "#######" is replaced by
 * a number of seven digits that no other place has, so that what is sent is as
 * distinct and as long as the rows of the extension.  The URL decides the
 * protocol as it does there: HTTP/1.1 over plain http, what the server chooses
 * over https.  Handles and connections are used again; a first round, which is
 * not counted, opens the connections.
 *
 * A reply is received and forgotten; with -v it is gathered, and the numbers of
 * its embeddings are read into an array of floats, digit by digit.  (strtof()
 * would be no floor: it takes longer than all that the extension does.)
 *
 * Prints: seconds, seconds of CPU of this process (user and system), bytes
 * of replies, vectors read, connections opened in all.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MARK		"#######"
#define MARK_DIGITS	7
#define FIRST_NUMBER 1000000

typedef struct Slot
{
	CURL	   *easy;
	char	   *body;			/* a copy of the template of its own */
	char	   *reply;			/* with -v */
	size_t		reply_len;
	size_t		reply_room;
} Slot;

static CURLM *multi;
static int	poller;
static double timer_due = -1;
static size_t *marks;			/* where the numbers stand in a body */
static int	n_marks;
static int	next_number = FIRST_NUMBER;
static size_t body_len;
static int	read_vectors;
static float *vector;
static long received;
static long vectors;
static long connections;

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
give_up(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

/* ---- what libcurl asks for ---- */

static int
socket_changed(CURL *easy, curl_socket_t fd, int what, void *clientp, void *known)
{
	struct epoll_event event = {.data.fd = fd};

	(void) easy;
	(void) clientp;
	if (what == CURL_POLL_REMOVE)
	{
		epoll_ctl(poller, EPOLL_CTL_DEL, fd, &event);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	epoll_ctl(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	curl_multi_assign(multi, fd, &multi);
	return 0;
}

static int
timer_changed(CURLM *handle, long timeout_ms, void *clientp)
{
	(void) handle;
	(void) clientp;
	timer_due = timeout_ms < 0 ? -1 : seconds(CLOCK_MONOTONIC) + timeout_ms / 1e3;
	return 0;
}

static size_t
receive(char *data, size_t size, size_t n, void *into)
{
	Slot	   *slot = into;

	n *= size;
	received += (long) n;
	if (!read_vectors)
		return n;
	if (slot->reply_len + n >= slot->reply_room)
	{
		slot->reply_room = 2 * (slot->reply_len + n) + 65536;
		slot->reply = realloc(slot->reply, slot->reply_room);
		if (slot->reply == NULL)
			give_up("memory ran out");
	}
	memcpy(slot->reply + slot->reply_len, data, n);
	slot->reply_len += n;
	return n;
}

/* ---- a request and its reply ---- */

static void
start(Slot *slot)
{
	for (int i = 0; i < n_marks; i++)
	{
		int			number = next_number++;

		for (int digit = MARK_DIGITS - 1; digit >= 0; digit--, number /= 10)
			slot->body[marks[i] + (size_t) digit] = (char) ('0' + number % 10);
	}
	slot->reply_len = 0;
	curl_multi_add_handle(multi, slot->easy);
}

/* A number without an exponent, of so few digits that a double is exact. */
static float
read_number(char **at)
{
	static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	char	   *p = *at;
	int			negative = *p == '-';
	unsigned long digits = 0;
	char	   *point = NULL;

	for (p += negative; (*p >= '0' && *p <= '9') || *p == '.'; p++)
	{
		if (*p == '.')
			point = p + 1;
		else
			digits = digits * 10 + (unsigned long) (*p - '0');
	}
	if (*p != ',' && *p != ']')
		give_up("an embedding has a number that cannot be read");
	*at = p;
	return (float) ((negative ? -(double) digits : (double) digits) / powers[point ? (p - point) & 15 : 0]);
}

static void
read_reply(Slot *slot)
{
	char	   *p = slot->reply;

	slot->reply[slot->reply_len] = '\0';
	while ((p = strstr(p, "\"embedding\":[")) != NULL)
	{
		int			n = 0;

		p += strlen("\"embedding\":");
		while (*p == '[' || *p == ',')
		{
			p++;
			vector[n++ & 0xffff] = read_number(&p);
		}
		vectors++;
	}
}

static void
end(Slot *slot, CURLcode code)
{
	long		status = 0;
	long		opened = 0;

	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(slot->easy, CURLINFO_NUM_CONNECTS, &opened);
	if (code != CURLE_OK)
		give_up(curl_easy_strerror(code));
	if (status != 200)
		give_up("the server refuses the request");
	connections += opened;
	curl_multi_remove_handle(multi, slot->easy);
	if (read_vectors)
		read_reply(slot);
}

static void
turn(void)
{
	struct epoll_event ready[64];
	double		wait = timer_due < 0 ? 1 : timer_due - seconds(CLOCK_MONOTONIC);
	int			n = epoll_wait(poller, ready, 64, wait > 0 ? (int) (wait * 1e3 + 0.999) : 0);
	int			running;

	for (int i = 0; i < n; i++)
		curl_multi_socket_action(multi, ready[i].data.fd,
								 (ready[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
								 (ready[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
								 (ready[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0), &running);
	if (timer_due >= 0 && timer_due <= seconds(CLOCK_MONOTONIC))
	{
		timer_due = -1;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

static void
run(Slot *slots, int n, int in_flight)
{
	int			started = 0;
	int			done = 0;

	while (started < in_flight && started < n)
		start(&slots[started++]);
	while (done < n)
	{
		CURLMsg    *message;
		int			left;

		turn();
		while ((message = curl_multi_info_read(multi, &left)) != NULL)
		{
			CURLcode	code = message->data.result;
			Slot	   *slot;

			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &slot);
			end(slot, code);
			done++;
			if (started < n)
			{
				start(slot);
				started++;
			}
		}
	}
}

/* ---- setting up ---- */

static char *
read_template(const char *path)
{
	FILE	   *file = fopen(path, "r");
	char	   *body = malloc(1 << 24);

	if (file == NULL || body == NULL)
		give_up("the body cannot be read");
	body_len = fread(body, 1, (1 << 24) - 1, file);
	fclose(file);
	body[body_len] = '\0';
	for (char *p = body; (p = strstr(p, MARK)) != NULL; p += MARK_DIGITS)
	{
		marks = realloc(marks, (size_t) (n_marks + 1) * sizeof(size_t));
		marks[n_marks++] = (size_t) (p - body);
	}
	return body;
}

static void
make_slot(Slot *slot, const char *url, const char *template, struct curl_slist *headers, const char *ca_file)
{
	CURL	   *easy = curl_easy_init();
	int			https = strncmp(url, "https:", 6) == 0;

	slot->easy = easy;
	slot->body = malloc(body_len + 1);
	memcpy(slot->body, template, body_len + 1);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, slot->body);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long) body_len);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, https ? (long) CURL_HTTP_VERSION_2TLS : (long) CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, https ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	if (read_vectors)
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 128L * 1024);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
}

int
main(int argc, char **argv)
{
	struct curl_slist *headers = NULL;
	const char *ca_file = NULL;
	char	   *template;
	int			n = 1000;
	int			in_flight = 64;
	int			option;
	double		wall;
	double		cpu;
	Slot	   *slots;

	while ((option = getopt(argc, argv, "n:f:H:c:v")) != -1)
	{
		switch (option)
		{
			case 'n':
				n = atoi(optarg);
				break;
			case 'f':
				in_flight = atoi(optarg);
				break;
			case 'H':
				headers = curl_slist_append(headers, optarg);
				break;
			case 'c':
				ca_file = optarg;
				break;
			case 'v':
				read_vectors = 1;
				break;
			default:
				return 2;
		}
	}
	if (argc - optind != 2)
		return 2;
	headers = curl_slist_append(headers, "Expect:");
	template = read_template(argv[optind + 1]);
	vector = malloc(65536 * sizeof(float));
	curl_global_init(CURL_GLOBAL_DEFAULT);
	poller = epoll_create1(EPOLL_CLOEXEC);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_changed);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 4096L);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);
	slots = calloc((size_t) in_flight, sizeof(Slot));
	for (int i = 0; i < in_flight; i++)
		make_slot(&slots[i], argv[optind], template, headers, ca_file);

	run(slots, in_flight, in_flight);
	received = vectors = 0;
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	run(slots, n, in_flight);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	printf("%.6f %.6f %ld %ld %ld\n", wall, cpu, received, vectors, connections);
	return 0;
}
