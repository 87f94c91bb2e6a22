/*
 * Requests, byte for byte: each registration of test/golden/cases.json with
 * each case that its protocol serves, against test/golden/NAME.http.  With
 * AI_GATEWAY_UPDATE_GOLDEN set the files are written anew, to be read before
 * they are committed.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto_for_tests.h"
#include "provider/messages.h"
#include "provider/provider.h"
#include "tap.h"
#include "util/json.h"

/* 2026-11-23 12:00:00 UTC */
#define NOW INT64_C(1795435200)

static const unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static char *
read_file(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	AiBuffer	content = {0};
	char		block[4096];
	size_t		n;

	if (file == NULL)
		return NULL;
	ai_buffer_append(&content, "", 0);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		ai_buffer_append(&content, block, n);
	fclose(file);
	return content.data ? content.data : ai_strdup("");
}

static void
read_profile(const cJSON *from, AiProfile *profile)
{
	const cJSON *word;

	profile->pattern = ai_json_string(from, "pattern");
	profile->renames = ai_json_get(from, "renames");
	profile->requires = ai_json_get(from, "requires");
	cJSON_ArrayForEach(word, ai_json_get(from, "refuses"))
	{
		if (strcmp(word->valuestring, "schema") == 0)
			profile->refuses_schema = true;
		for (int key = 0; key < AI_OPTION_KEYS; key++)
		{
			if (strcmp(ai_option_names[key], word->valuestring) == 0)
				profile->refuses |= AI_OPTION_BIT(key);
		}
	}
}

static void
write_case(const AiTarget *target, cJSON *item, AiBuffer *out)
{
	AiMessage	messages[8] = {0};
	const char *inputs[8];
	AiImage		image = {"image/png", png, sizeof(png)};
	AiRequest	request = {.messages = messages,.inputs = inputs};
	AiHttpRequest http = {0};
	AiFailure	failure;
	AiTask		task = AI_TASK_CHAT;
	cJSON	   *message;
	const cJSON *input;

	if (ai_json_string(item, "task"))
		ai_task_by_name(ai_json_string(item, "task"), &task);
	if (!ai_provider_serves(target->provider, target->protocol, task))
		return;
	request.task = task;
	ai_failure_clear(&failure);
	cJSON_ArrayForEach(message, cJSON_GetObjectItem(item, "messages"))
	{
		if (!ai_message_parse(message, request.n_messages + 1, &messages[request.n_messages], &failure))
			abort();
		request.n_messages++;
	}
	if (ai_json_get(item, "image"))
	{
		messages[0].images = &image;
		messages[0].n_images = 1;
	}
	cJSON_ArrayForEach(input, ai_json_get(item, "inputs"))
		inputs[request.n_inputs++] = input->valuestring;
	request.tools = ai_json_get(item, "tools");
	request.schema = ai_json_get(item, "schema");
	request.query = ai_json_string(item, "query");
	request.top_n = ai_json_get(item, "top_n") ? (int) ai_json_int64(item, "top_n") : 0;
	request.dimensions = ai_json_get(item, "dimensions") ? (int) ai_json_int64(item, "dimensions") : 0;
	request.audio = (const unsigned char *) ai_json_string(item, "audio");
	request.audio_len = request.audio ? strlen((const char *) request.audio) : 0;
	if (ai_json_get(item, "options") && !ai_options_parse(ai_json_get(item, "options"), &request.options, &failure))
		abort();
	{
		AiTarget	copy = *target;
		int			max_inputs;
		int			max_bytes;

		ai_provider_limits(&copy, &max_inputs, &max_bytes);
		if (task == AI_TASK_EMBED && request.n_inputs > max_inputs)
			return;
	}
	request.stream = cJSON_IsTrue(ai_json_get(item, "stream"));
	if (request.stream && !ai_provider_streams(target, task))
		return;
	ai_buffer_printf(out, "### %s\n", ai_json_string(item, "name"));
	if (ai_provider_build(target, &request, true, &http, &failure))
	{
		ai_buffer_printf(out, "POST %s\n%s\n", http.url.data, http.headers.data);
		ai_buffer_append(out, http.body.data, http.body.len);
		ai_buffer_append_string(out, "\n\n");
	}
	else
		ai_buffer_printf(out, "refused: %s: %s\n\n", ai_error_kinds[failure.kind].name, failure.message);
	ai_http_request_free(&http);
}

int
main(void)
{
	char	   *text = read_file("test/golden/cases.json");
	const char *why = NULL;
	cJSON	   *all = text ? ai_json_parse(text, strlen(text), &why) : NULL;
	bool		update = getenv("AI_GATEWAY_UPDATE_GOLDEN") != NULL;
	cJSON	   *registration;

	ok(all != NULL, "test/golden/cases.json can be read%s%s", why ? ": " : "", why ? why : "");
	cJSON_ArrayForEach(registration, ai_json_get(all, "registrations"))
	{
		const char *name = ai_json_string(registration, "name");
		AiProfile	profile = {0};
		AiTarget	target = {
			.provider = ai_provider_by_name(ai_json_string(registration, "provider")),
			.remote_model = ai_json_string(registration, "model"),
			.endpoint = ai_json_string(registration, "endpoint"),
			.settings = ai_json_get(registration, "settings"),
			.fields = ai_json_get(registration, "fields"),
			.api_key = ai_json_get(registration, "fields") ? NULL : "the-key",
			.token = ai_json_get(registration, "token") != NULL,
			.crypto = &test_crypto,
			.now = NOW,
		};
		AiBuffer	out = {0};
		char		path[200];
		char	   *golden;
		cJSON	   *item;

		target.protocol = ai_json_string(registration, "protocol")
			? ai_protocol_by_name(ai_json_string(registration, "protocol")) : target.provider->protocol;
		if (ai_json_get(registration, "profile"))
		{
			read_profile(ai_json_get(registration, "profile"), &profile);
			target.profile = &profile;
		}
		cJSON_ArrayForEach(item, ai_json_get(all, "cases"))
		{
			/* reading a message may change its tree */
			cJSON	   *copy = cJSON_Duplicate(item, true);

			write_case(&target, copy, &out);
			cJSON_Delete(copy);
		}
		snprintf(path, sizeof(path), "test/golden/%s.http", name);
		if (update)
		{
			FILE	   *file = fopen(path, "wb");

			fwrite(out.data, 1, out.len, file);
			fclose(file);
		}
		golden = read_file(path);
		is_string(out.data, golden, name);
		free(golden);
		ai_buffer_free(&out);
	}
	cJSON_Delete(all);
	free(text);
	return done_testing();
}
