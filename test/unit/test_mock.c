/* The mock: what it makes from a hash of the prompt, and how long it takes. */
#include <stdlib.h>

#include "provider/protocol/protocols.h"
#include "tap.h"

static AiReply reply;
static double latency;

/* Asks for an answer; false with the failure's message in `said`. */
static bool
ask(const char *mock, const char *system, const char *prompt, char *said, size_t size)
{
	AiMessage	messages[2] = {{.role = AI_ROLE_SYSTEM, .text = system}, {.role = AI_ROLE_USER, .text = prompt}};
	AiRequest	request = {.task = AI_TASK_CHAT, .messages = messages, .n_messages = 2};
	AiTarget	target = {.remote_model = "m"};
	AiFailure	failure;
	const char *why;
	char		text[200];
	cJSON	   *tree;
	bool		good;

	snprintf(text, sizeof(text), "{\"mock\": %s}", mock);
	tree = ai_json_parse(text, strlen(text), &why);
	ai_failure_clear(&failure);
	if (!ai_options_parse(tree, &request.options, &failure))
		abort();
	ai_reply_free(&reply);
	good = ai_protocol_mock.respond(&target, &request, 1, &reply, &failure, &latency);
	snprintf(said, size, "%s", failure.message);
	cJSON_Delete(tree);
	return good;
}

int
main(void)
{
	static const int sizes[] = {0, 1, 2, 5, 900, 10000};
	char		said[300];
	char	   *first;
	double		early;
	double		late;
	int			seen[5] = {0};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		char		mock[60];

		snprintf(mock, sizeof(mock), "{\"answer_bytes\": %d}", sizes[i]);
		ok(ask(mock, NULL, "hello", said, sizeof(said)), "an answer of %d bytes", sizes[i]);
		is_number(reply.text ? strlen(reply.text) : 0, sizes[i], "it is so long");
		is_number(reply.text ? strspn(reply.text, " abcdefghijklmnopqrstuvwxyz") : 0, sizes[i], "of words");
		ok(sizes[i] == 0 || (reply.text && reply.text[sizes[i] - 1] != ' '), "with no blank at the end");
	}
	ask("{\"answer_bytes\": 10000}", NULL, "hello", said, sizeof(said));
	ok(strchr(reply.text, ' ') != NULL && strchr(reply.text, 'a') != NULL && strchr(reply.text, 'z') != NULL, "all letters come");
	first = ai_strdup(reply.text);
	ask("{\"answer_bytes\": 10000}", NULL, "hello", said, sizeof(said));
	is_string(reply.text, first, "the same prompt, the same answer");
	ask("{\"answer_bytes\": 10000}", NULL, "hellp", said, sizeof(said));
	ok(strcmp(reply.text, first) != 0, "another prompt, another answer");
	ask("{\"answer_bytes\": 10000}", "be brief", "hello", said, sizeof(said));
	ok(strcmp(reply.text, first) != 0, "another system text, too");
	ask("{\"answer_bytes\": 10000, \"answers\": {\"hello\": \"known\"}}", NULL, "hello", said, sizeof(said));
	is_string(reply.text, "known", "answers comes first");
	ok(!ask("{\"answer_bytes\": 1e12}", NULL, "hello", said, sizeof(said)) && strstr(said, "answer_bytes") != NULL, "too many bytes are refused: %s", said);
	free(first);

	ask("{\"latency_ms\": 7}", NULL, "hello", said, sizeof(said));
	is_number(latency, 7, "a latency");
	ask("{\"latency_ms\": [5, 10]}", NULL, "hello", said, sizeof(said));
	early = latency;
	ask("{\"latency_ms\": [5, 10]}", NULL, "hello", said, sizeof(said));
	is_number(latency, early, "the same prompt takes the same time");
	early = 10;
	late = 5;
	for (int i = 0; i < 100; i++)
	{
		char		prompt[20];

		snprintf(prompt, sizeof(prompt), "row %d", i);
		ask("{\"latency_ms\": [5, 10]}", NULL, prompt, said, sizeof(said));
		early = latency < early ? latency : early;
		late = latency > late ? latency : late;
		if (latency >= 5 && latency < 10)
			seen[(int) latency - 5]++;
	}
	ok(early >= 5 && late < 10, "a hundred others between the two");
	for (int i = 0; i < 5; i++)
		ok(seen[i] >= 8, "spread evenly (%d of 100 from %d to %d ms)", seen[i], i + 5, i + 6);
	ai_reply_free(&reply);
	return done_testing();
}
