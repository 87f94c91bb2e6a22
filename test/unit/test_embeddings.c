/*
 * Vectors of a reply in OpenAI's shape: whatever stands where in an item and in
 * which order the items come, each goes to its input, or the reply is refused.
 */
#include <stdlib.h>

#include "provider/provider.h"
#include "tap.h"

#define N_INPUTS	3

static bool
parse(const char *body, int n_inputs, AiReply *reply, AiFailure *failure)
{
	static const char *const inputs[] = {"a", "b", "c"};
	AiTarget	target = {.provider = ai_provider_by_name("openai"),.protocol = AI_PROTOCOL_OPENAI_CHAT,.remote_model = "m"};
	AiRequest	request = {.task = AI_TASK_EMBED,.inputs = inputs,.n_inputs = n_inputs};
	AiHttpReply http = {.status = 200,.body = {.data = (char *) body,.len = strlen(body)}};

	return ai_provider_parse(&target, &request, &http, 0, reply, failure);
}

/* The vectors as text: "1 2|3 4". */
static void
gives(const char *body, int n_inputs, const char *expected)
{
	AiReply		reply;
	AiFailure	failure;
	AiBuffer	text = {0};

	if (!parse(body, n_inputs, &reply, &failure))
		ai_buffer_printf(&text, "%s", failure.message);
	for (int i = 0; i < reply.n_vectors * reply.dimensions; i++)
		ai_buffer_printf(&text, "%s%g", i == 0 ? "" : i % reply.dimensions == 0 ? "|" : " ", reply.vectors[i]);
	is_string(text.data, expected, body);
	ai_buffer_free(&text);
	ai_reply_free(&reply);
}

/* Every order of three items, with "index" before, behind, or each in turn. */
static void
test_orders(void)
{
	static const int orders[6][N_INPUTS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (int order = 0; order < 6; order++)
	{
		for (int behind = 0; behind < 8; behind++)
		{
			AiBuffer	body = {0};

			ai_buffer_append_string(&body, "{\"data\":[");
			for (int i = 0; i < N_INPUTS; i++)
			{
				int			index = orders[order][i];

				ai_buffer_printf(&body, i > 0 ? ",{" : "{");
				if ((behind >> i & 1) == 0)
					ai_buffer_printf(&body, "\"index\":%d,", index);
				ai_buffer_printf(&body, "\"embedding\":[%d,%d.5]", index, index);
				if ((behind >> i & 1) != 0)
					ai_buffer_printf(&body, ",\"object\":\"embedding\",\"index\":%d", index);
				ai_buffer_append_char(&body, '}');
			}
			ai_buffer_append_string(&body, "]}");
			gives(body.data, N_INPUTS, "0 0.5|1 1.5|2 2.5");
			ai_buffer_free(&body);
		}
	}
	gives("{\"data\":[{\"embedding\":[1]},{\"embedding\":[2]},{\"embedding\":[3]}]}", 3, "1|2|3");
	gives("{\"data\":[{\"embedding\":[1],\"index\":null},{\"embedding\":[2]},{\"index\":null,\"embedding\":[3]}]}", 3, "1|2|3");
}

static void
test_refused(void)
{
	gives("{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[2]}]}", 2, "the reply has two embeddings with index 0");
	gives("{\"data\":[{\"embedding\":[1],\"index\":0},{\"embedding\":[2],\"index\":0}]}", 2, "the reply has two embeddings with index 0");
	gives("{\"data\":[{\"embedding\":[1],\"index\":1},{\"embedding\":[2]}]}", 2, "the reply has two embeddings with index 1");
	gives("{\"data\":[{\"embedding\":[1],\"index\":1}]}", 2, "the reply has no embedding for input 1 of 2");
	gives("{\"data\":[{\"embedding\":[1]}]}", 2, "the reply has no embedding for input 2 of 2");
	gives("{\"data\":[{\"embedding\":[1],\"index\":5}]}", 2, "the reply has an embedding with index 5 for 2 inputs");
	gives("{\"data\":[{\"embedding\":[1],\"index\":-1}]}", 2, "the reply has an embedding with index -1 for 2 inputs");
	gives("{\"data\":[{\"embedding\":[1]},{\"embedding\":[2]},{\"embedding\":[3]}]}", 2, "the reply has an embedding with index 2 for 2 inputs");
	gives("{\"data\":[{\"embedding\":[1],\"index\":0},{\"embedding\":[1,2],\"index\":1}]}", 2, "the reply mixes embeddings of 1 and 2 dimensions");
	/* what is wrong with the place comes before what is wrong with the numbers */
	gives("{\"data\":[{\"embedding\":[1],\"index\":0},{\"embedding\":[1,2],\"index\":0}]}", 2, "the reply has two embeddings with index 0");
	gives("{\"data\":[{\"embedding\":[NaN],\"index\":7}]}", 2, "the reply has an embedding with index 7 for 2 inputs");
	gives("{\"data\":[{\"embedding\":[NaN],\"index\":0}]}", 1, "the reply is not the JSON of embeddings");
	gives("{\"data\":[{\"index\":0}]}", 1, "the reply has an item without an embedding");
	gives("{\"data\":[{\"index\":0,\"embedding\":null}]}", 1, "the reply has an item without an embedding");
	gives("{\"data\":[{\"index\":0,\"embedding\":[]}]}", 1, "the reply has an embedding of 0 dimensions");
}

static void
test_twice(void)
{
	gives("{\"data\":[{\"index\":0,\"embedding\":[1,2],\"embedding\":[3]}]}", 1, "3");
	gives("{\"data\":[{\"index\":0,\"embedding\":[1,2],\"embedding\":\"AACAPw==\"}]}", 1, "1");
	gives("{\"data\":[{\"index\":0,\"embedding\":\"AACAPw==\",\"embedding\":[5,6]}]}", 1, "1");
	gives("{\"data\":[{\"index\":0,\"embedding\":[1],\"index\":1},{\"index\":0,\"embedding\":[2]}]}", 2, "2|1");
}

static void
test_base64(void)
{
	gives("{\"data\":[{\"embedding\":\"AACAPgAAAL8AAABA\"}]}", 1, "0.25 -0.5 2");
	gives("{\"data\":[{\"embedding\":\"AACAPw==\"}]}", 1, "1");
	gives("{\"data\":[{\"embedding\":\"AACAPwAAgD8=\"}]}", 1, "1 1");
	gives("{\"data\":[{\"embedding\":\"AACAPwAAgD8\"}]}", 1, "1 1");
	/* a slash, which may be escaped, and both alphabets */
	gives("{\"data\":[{\"embedding\":\"/+d/Pwb/fz8=\"}]}", 1, "0.999634 0.999985");
	gives("{\"data\":[{\"embedding\":\"\\/+d\\/Pwb\\/fz8=\"}]}", 1, "0.999634 0.999985");
	gives("{\"data\":[{\"embedding\":\"_-d_Pwb_fz8=\"}]}", 1, "0.999634 0.999985");
	/* what float32 looks like as float64 */
	gives("{\"data\":[{\"embedding\":\"AAAAAAAA0D8AAAAAAADgvw==\"}]}", 1, "0.25 -0.5");
	gives("{\"data\":[{\"embedding\":\"AAAAAAAAAAA=\"}]}", 1, "0 0");
	gives("{\"data\":[{\"embedding\":\"AACAP*==\"}]}", 1, "the reply has an embedding that is not base64 of floats");
	gives("{\"data\":[{\"embedding\":\"AACA Pw==\"}]}", 1, "the reply has an embedding that is not base64 of floats");
	gives("{\"data\":[{\"embedding\":\"AAC\"}]}", 1, "the reply has an embedding that is not base64 of floats");
	gives("{\"data\":[{\"embedding\":\"\"}]}", 1, "the reply has an embedding that is not base64 of floats");
	gives("{\"data\":[{\"embedding\":\"AADAfw==\"}]}", 1, "the reply has an embedding with a number that is not finite");
	gives("{\"data\":[{\"embedding\":\"AACAPw==\"},{\"embedding\":[1,2]}]}", 2, "the reply mixes embeddings of 1 and 2 dimensions");
}

static void
carries(const char *provider, AiProtocolId protocol, const char *model, const char *settings, int expected)
{
	const char *why;
	cJSON	   *tree = ai_json_parse(settings, strlen(settings), &why);
	AiTarget	target = {.provider = ai_provider_by_name(provider),.protocol = protocol,.remote_model = model,.settings = tree};
	int			max_inputs;
	int			max_bytes;

	ai_provider_limits(&target, &max_inputs, &max_bytes);
	if (!ok(max_inputs == expected, "%s, %s, %s: %d inputs a request", provider, model, settings, expected))
		printf("#      got: %d\n", max_inputs);
	cJSON_Delete(tree);
}

static void
test_limits(void)
{
	carries("openai", AI_PROTOCOL_OPENAI_RESPONSES, "m", "{}", 256);
	carries("openai", AI_PROTOCOL_OPENAI_RESPONSES, "m", "{\"max_inputs\": 1000}", 1000);
	carries("openai", AI_PROTOCOL_OPENAI_RESPONSES, "m", "{\"max_inputs\": 5000}", 2048);
	carries("openai", AI_PROTOCOL_OPENAI_RESPONSES, "m", "{\"max_inputs\": 1}", 1);
	carries("llamacpp", AI_PROTOCOL_OPENAI_CHAT, "m", "{}", 256);
	carries("cohere", AI_PROTOCOL_COHERE, "m", "{}", 96);
	carries("cohere", AI_PROTOCOL_COHERE, "m", "{\"max_inputs\": 200}", 96);
	carries("tei", AI_PROTOCOL_TEI, "m", "{\"max_inputs\": 8}", 8);
	carries("vertex", AI_PROTOCOL_VERTEX_PREDICT, "text-embedding-005", "{}", 250);
	carries("vertex", AI_PROTOCOL_VERTEX_PREDICT, "gemini-embedding-001", "{\"max_inputs\": 100}", 1);
	carries("bedrock", AI_PROTOCOL_BEDROCK_INVOKE, "amazon.titan-embed-text-v2:0", "{\"max_inputs\": 100}", 1);
	carries("bedrock", AI_PROTOCOL_BEDROCK_INVOKE, "cohere.embed-v4:0", "{}", 96);
	carries("mock", AI_PROTOCOL_MOCK, "m", "{}", 256);
	/* what a row from before it was checked may hold */
	carries("mock", AI_PROTOCOL_MOCK, "m", "{\"max_inputs\": 0}", 256);
	carries("mock", AI_PROTOCOL_MOCK, "m", "{\"max_inputs\": -5}", 256);
	carries("mock", AI_PROTOCOL_MOCK, "m", "{\"max_inputs\": \"9\"}", 256);
	carries("mock", AI_PROTOCOL_MOCK, "m", "{\"max_inputs\": 0.5}", 256);
}

/* 1,536 dimensions, in an order that nobody would guess. */
static void
test_size(void)
{
	AiBuffer	body = {0};
	AiReply		reply;
	AiFailure	failure;
	int			wrong = 0;

	ai_buffer_append_string(&body, "{\"data\":[");
	for (int i = 0; i < N_INPUTS; i++)
	{
		int			index = (i + 1) % N_INPUTS;

		ai_buffer_printf(&body, "%s{\"embedding\":[", i > 0 ? "," : "");
		for (int k = 0; k < 1536; k++)
			ai_buffer_printf(&body, "%s%.8f", k > 0 ? "," : "", (index * 1536 + k) / 16384.0);
		ai_buffer_printf(&body, "],\"index\":%d}", index);
	}
	ai_buffer_append_string(&body, "]}");
	ok(parse(body.data, N_INPUTS, &reply, &failure) && reply.dimensions == 1536, "three vectors of 1,536 dimensions");
	for (int i = 0; i < reply.n_vectors * reply.dimensions; i++)
		wrong += reply.vectors[i] < (float) (i / 16384.0) - 1e-6F || reply.vectors[i] > (float) (i / 16384.0) + 1e-6F;
	is_number(wrong, 0, "each number in its place");
	ai_reply_free(&reply);
	ai_buffer_free(&body);
}

/* Vectors as long as there may be, one beyond, and many times that. */
static void
gives_of_length(int first, int second, const char *expected)
{
	AiBuffer	body = {0};
	AiReply		reply;
	AiFailure	failure;
	char		text[sizeof(failure.message)];

	ai_buffer_append_string(&body, "{\"data\":[{\"embedding\":[0");
	for (int i = 1; i < first; i++)
		ai_buffer_append_string(&body, ",1");
	ai_buffer_append_string(&body, "]},{\"embedding\":[0");
	for (int i = 1; i < second; i++)
		ai_buffer_append_string(&body, ",1");
	ai_buffer_append_string(&body, "]}]}");
	if (parse(body.data, 2, &reply, &failure))
		snprintf(text, sizeof(text), "%d x %d", reply.n_vectors, reply.dimensions);
	else
		snprintf(text, sizeof(text), "%s", failure.message);
	is_string(text, expected, "the lengths of vectors");
	ai_reply_free(&reply);
	ai_buffer_free(&body);
}

static void
test_lengths(void)
{
	gives_of_length(2047, 2047, "2 x 2047");
	gives_of_length(2048, 2048, "2 x 2048");
	gives_of_length(2049, 2049, "2 x 2049");
	gives_of_length(65536, 65536, "2 x 65536");
	gives_of_length(65537, 1, "the reply has an embedding of 65537 dimensions");
	gives_of_length(1000000, 1, "the reply has an embedding that is too long");
	gives_of_length(256, 512, "the reply mixes embeddings of 256 and 512 dimensions");
	gives_of_length(256, 1000, "the reply mixes embeddings of 256 and 1000 dimensions");
	gives_of_length(512, 131072, "the reply mixes embeddings of 512 and 131072 dimensions");
	gives_of_length(2048, 2047, "the reply mixes embeddings of 2048 and 2047 dimensions");
}

int
main(void)
{
	test_orders();
	test_refused();
	test_twice();
	test_base64();
	test_size();
	test_limits();
	test_lengths();
	return done_testing();
}
