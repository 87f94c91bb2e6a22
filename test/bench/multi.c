/*
 * multi.c URL N IN_FLIGHT
 *	  The floor of the concurrent benchmarks: N requests with libcurl's multi
 *	  interface, IN_FLIGHT at a time over kept connections, the bytes that the
 *	  extension sends, and nothing else.  Prints the seconds that they took,
 *	  after a first round that opens the connections.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Slot
{
	CURL	   *easy;
	char		body[200];
} Slot;

static const char *url;
static CURLM *multi;
static struct curl_slist *headers;

static size_t
swallow(char *data, size_t size, size_t n, void *into)
{
	(void) data;
	(void) into;
	return size * n;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
start(Slot *slot, int number)
{
	snprintf(slot->body, sizeof(slot->body),
			 "{\"model\":\"remote\",\"messages\":[{\"role\":\"user\",\"content\":\"%d\"}]}", number);
	curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, slot->body);
	curl_multi_add_handle(multi, slot->easy);
}

static double
run(Slot *slots, int n, int in_flight)
{
	int			started = 0;
	int			done = 0;
	double		begin = now();

	while (started < in_flight && started < n)
	{
		start(&slots[started], started);
		started++;
	}
	while (done < n)
	{
		CURLMsg    *message;
		int			running;
		int			left;

		curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left)) != NULL)
		{
			CURL	   *easy = message->easy_handle;
			Slot	   *slot;

			if (message->data.result != CURLE_OK)
				exit(1);
			curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &slot);
			curl_multi_remove_handle(multi, easy);
			done++;
			if (started < n)
				start(slot, started++);
		}
		if (done < n)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	return now() - begin;
}

int
main(int argc, char **argv)
{
	int			n = atoi(argv[2]);
	int			in_flight = atoi(argv[3]);
	Slot	   *slots = calloc(in_flight, sizeof(Slot));

	url = argv[1];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1024L);
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Accept: application/json");
	headers = curl_slist_append(headers, "Expect:");
	for (int i = 0; i < in_flight; i++)
	{
		slots[i].easy = curl_easy_init();
		curl_easy_setopt(slots[i].easy, CURLOPT_URL, url);
		curl_easy_setopt(slots[i].easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(slots[i].easy, CURLOPT_USERAGENT, "ai_gateway/bench");
		curl_easy_setopt(slots[i].easy, CURLOPT_WRITEFUNCTION, swallow);
		curl_easy_setopt(slots[i].easy, CURLOPT_PRIVATE, &slots[i]);
	}
	run(slots, in_flight, in_flight);
	printf("%.4f\n", run(slots, n, in_flight));
	return argc < 4;
}
