/*
 * direct.c URL N
 *	  The floor of the scalar benchmark: N identical requests over one kept
 *	  connection with libcurl's easy interface, and nothing else.  Prints the
 *	  microseconds of CPU that one took.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static size_t
swallow(char *data, size_t size, size_t n, void *into)
{
	(void) data;
	(void) into;
	return size * n;
}

static double
cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec;
}

int
main(int argc, char **argv)
{
	const char *body = "{\"model\":\"remote\",\"messages\":[{\"role\":\"user\",\"content\":\"p\"}]}";
	int			n = atoi(argv[2]);
	CURL	   *easy = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	double		start = 0;

	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
	for (int i = -100; i < n; i++)
	{
		if (i == 0)
			start = cpu();
		if (curl_easy_perform(easy) != CURLE_OK)
			return 1;
	}
	printf("%.2f\n", (cpu() - start) / n);
	return argc < 3;
}
