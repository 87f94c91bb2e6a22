/*
 * openai_tasks.c
 *	  Embeddings, rerank, moderations and transcription as OpenAI and the
 *	  servers that follow it have them.
 *
 * Formats: https://platform.openai.com/docs/api-reference (embeddings,
 * moderations, audio); rerank is Jina's, which llama.cpp, vLLM, Together and
 * others took over: https://api.jina.ai/redoc.
 *
 * Embeddings	base64 is asked for where the dialect says so; both forms are
 *				read.
 * Transcribe	multipart/form-data (RFC 7578); members of options.extra are
 *				fields (language, prompt).
 * Azure		v1: {endpoint}/openai/v1, the deployment is the model; with the
 *				setting api_version the older form with the deployment in the
 *				path; an endpoint that ends in /models is the first form of
 *				Foundry's models.
 */
#include "provider/classify.h"
#include "provider/protocol/openai.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "provider/place.h"

#define FOUNDRY_MODELS_VERSION	"2024-05-01-preview"

bool
ai_put_openai_url(AiHttpRequest *http, const AiTarget *target, const char *path,
				  AiFailure *failure)
{
	const char *version = ai_setting(target, "api_version");
	const char *scheme = strstr(target->endpoint, "://");
	bool		host_only = scheme != NULL && strchr(scheme + 3, '/') == NULL;
	bool		azure = target->provider->auth == AI_AUTH_AZURE;

	if (azure && version == NULL && ai_endpoint_ends_with(target, "/models"))
		version = FOUNDRY_MODELS_VERSION;
	if (azure && version != NULL && host_only)
	{
		ai_buffer_append_string(&http->url, target->endpoint);
		ai_buffer_append_string(&http->url, "/openai/");
		if (strcmp(path, "/responses") != 0)
		{
			ai_buffer_append_string(&http->url, "deployments/");
			ai_buffer_append_url_segment(&http->url, target->remote_model);
			ai_buffer_append_char(&http->url, '/');
		}
		ai_buffer_append_string(&http->url, path + 1);
	}
	else if (!ai_put_url(http, target, path, failure))
		return false;
	if (version != NULL)
	{
		ai_buffer_append_string(&http->url, "?api-version=");
		ai_buffer_append_url_segment(&http->url, version);
	}
	return true;
}

void
ai_put_openai_headers(const AiTarget *target, AiHttpRequest *http)
{
	const char *organization = ai_setting(target, "organization");
	const char *project = target->provider->auth == AI_AUTH_BEARER ? ai_setting(target, "project") : NULL;

	if (organization != NULL)
		ai_put_header(http, "OpenAI-Organization", organization);
	if (project != NULL)
		ai_put_header(http, "OpenAI-Project", project);
}

/* ---- requests ---- */

static void
write_embeddings(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request)
{
	const AiDialect *dialect = &target->provider->dialect;

	ai_write_inputs(writer, "input", request);
	if (request->dimensions > 0)
	{
		ai_write_key(writer, dialect->dimensions ? dialect->dimensions : "dimensions");
		ai_write_int(writer, request->dimensions);
	}
	if (dialect->base64)
		ai_write_string_member(writer, "encoding_format", "base64");
}

static void
write_rerank(AiJsonWriter *writer, const AiRequest *request)
{
	ai_write_string_member(writer, "query", request->query);
	ai_write_inputs(writer, "documents", request);
	if (request->top_n > 0)
	{
		ai_write_key(writer, "top_n");
		ai_write_int(writer, request->top_n);
	}
}

/* The name that tells the format, by the first bytes. */
static const char *
audio_name(const unsigned char *data, size_t len)
{
	static const struct
	{
		size_t		at;
		const char *bytes;
		const char *name;
	}			kinds[] = {
		{8, "WAVE", "audio.wav"},
		{0, "fLaC", "audio.flac"},
		{0, "OggS", "audio.ogg"},
		{4, "ftyp", "audio.m4a"},
		{0, "\x1a\x45\xdf\xa3", "audio.webm"},
		{0, "ID3", "audio.mp3"},
		{0, "\xff\xfb", "audio.mp3"},
		{0, "\xff\xf3", "audio.mp3"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		size_t		n = strlen(kinds[i].bytes);

		if (len >= kinds[i].at + n && memcmp(data + kinds[i].at, kinds[i].bytes, n) == 0)
			return kinds[i].name;
	}
	return "audio.wav";
}

/* A line that the audio does not hold. */
static void
choose_boundary(const AiRequest *request, char *boundary, size_t size)
{
	for (unsigned n = 0;; n++)
	{
		bool		held = false;

		snprintf(boundary, size, "ai-gateway-%08x", n * 2654435761u + 0x5eed);
		for (size_t i = 0; !held && i + strlen(boundary) <= request->audio_len; i++)
			held = memcmp(request->audio + i, boundary, strlen(boundary)) == 0;
		if (!held)
			return;
	}
}

static void
write_field(AiBuffer *body, const char *boundary, const char *name, const char *value)
{
	ai_buffer_printf(body, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n",
					 boundary, name);
	ai_buffer_append_string(body, value);
	ai_buffer_append_string(body, "\r\n");
}

static bool
write_transcription(const AiTarget *target, const AiRequest *request, AiHttpRequest *http,
					AiFailure *failure)
{
	char		boundary[32];
	char		text[64];
	const cJSON *extra;
	const cJSON *field;

	choose_boundary(request, boundary, sizeof(boundary));
	ai_buffer_printf(&http->headers, "Content-Type: multipart/form-data; boundary=%s\n", boundary);
	write_field(&http->body, boundary, "model", target->remote_model);
	write_field(&http->body, boundary, "response_format", "json");
	if (ai_option_set(&request->options, AI_OPTION_TEMPERATURE))
	{
		snprintf(text, sizeof(text), "%g", request->options.temperature);
		write_field(&http->body, boundary, "temperature", text);
	}
	extra = ai_option_set(&request->options, AI_OPTION_EXTRA) ? request->options.extra : NULL;
	cJSON_ArrayForEach(field, extra)
	{
		const char *value = cJSON_GetStringValue(field);

		if (value == NULL)
			value = ai_json_scalar_text(field, text, sizeof(text));
		if (value[0] == '\0' && !cJSON_IsString(field))
			return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
						   "\"%s\" of options.extra is neither text, number nor boolean, which are all that a form has", field->string);
		if (strpbrk(field->string, "\"\r\n") != NULL || strstr(value, boundary) != NULL ||
			strcmp(field->string, "model") == 0 || strcmp(field->string, "file") == 0 ||
			strcmp(field->string, "response_format") == 0)
			return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
						   "options.extra may not hold \"%s\"", field->string);
		write_field(&http->body, boundary, field->string, value);
	}
	ai_buffer_printf(&http->body, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"
					 "Content-Type: application/octet-stream\r\n\r\n",
					 boundary, audio_name(request->audio, request->audio_len));
	ai_buffer_append(&http->body, (const char *) request->audio, request->audio_len);
	ai_buffer_printf(&http->body, "\r\n--%s--\r\n", boundary);
	return true;
}

bool
ai_openai_task_build(const AiTarget *target, const AiRequest *request,
					 AiHttpRequest *http, AiFailure *failure)
{
	static const char *const paths[AI_TASKS] = {
		[AI_TASK_EMBED] = "/embeddings",
		[AI_TASK_RERANK] = "/rerank",
		[AI_TASK_MODERATE] = "/moderations",
		[AI_TASK_TRANSCRIBE] = "/audio/transcriptions",
	};
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_openai_url(http, target, paths[request->task], failure))
		return false;
	ai_put_openai_headers(target, http);
	if (request->task == AI_TASK_TRANSCRIBE)
		return write_transcription(target, request, http, failure);
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "model", target->remote_model);
	if (request->task == AI_TASK_EMBED)
		write_embeddings(&writer, target, request);
	else if (request->task == AI_TASK_RERANK)
		write_rerank(&writer, request);
	else
		ai_write_inputs(&writer, "input", request);
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

/* ---- replies ---- */

bool
ai_read_scores(const cJSON *list, const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	static const char *const names[] = {"relevance_score", "relevanceScore", "score"};
	const cJSON *item;

	if (!cJSON_IsArray(list))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no list of scores");
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *score = NULL;

		for (size_t i = 0; score == NULL && i < sizeof(names) / sizeof(names[0]); i++)
			score = ai_json_get(item, names[i]);
		if (!cJSON_IsNumber(score))
			return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply ranks a document without a score");
		if (!ai_reply_add_score(reply, request->n_inputs, ai_json_int64(item, "index"),
								score->valuedouble, failure))
			return false;
	}
	return true;
}

static bool
read_rerank(const AiRequest *request, const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *usage = ai_json_get(body, "usage");
	const cJSON *list = ai_json_get(body, "results");
	int64_t		tokens = ai_json_int64(usage, "prompt_tokens");

	if (list == NULL)
		list = ai_json_get(body, "data");
	if (tokens < 0)
		tokens = ai_json_int64(usage, "total_tokens");
	reply->usage.uncached_input = tokens;
	return ai_read_scores(cJSON_IsArray(body) ? body : list, request, reply, failure);
}

/* {flagged, categories, scores} of the one input. */
static bool
read_moderation(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *results = ai_json_get(body, "results");
	const cJSON *result = cJSON_IsArray(results) ? results->child : NULL;
	const cJSON *categories = ai_json_get(result, "categories");
	const cJSON *scores = ai_json_get(result, "category_scores");
	const cJSON *flagged = ai_json_get(result, "flagged");
	const cJSON *category;
	bool		any = cJSON_IsTrue(flagged);

	if (!cJSON_IsObject(categories))
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no moderation result");
	cJSON_ArrayForEach(category, categories)
		any = any || (flagged == NULL && cJSON_IsTrue(category));
	reply->moderation = cJSON_CreateObject();
	cJSON_AddBoolToObject(reply->moderation, "flagged", any);
	cJSON_AddItemToObject(reply->moderation, "categories", cJSON_Duplicate(categories, true));
	cJSON_AddItemToObject(reply->moderation, "scores", scores ? cJSON_Duplicate(scores, true) : cJSON_CreateObject());
	return true;
}

static bool
read_transcription(const cJSON *body, AiReply *reply, AiFailure *failure)
{
	const cJSON *usage = ai_json_get(body, "usage");

	reply->text = ai_strdup(ai_json_string(body, "text"));
	if (reply->text == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"text\"");
	reply->finish = AI_FINISH_STOP;
	reply->usage.uncached_input = ai_json_int64(usage, "input_tokens");
	reply->usage.visible_output = ai_json_int64(usage, "output_tokens");
	return true;
}

bool
ai_openai_task_parse(const AiTarget *target, const AiRequest *request,
					 const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	const char *why;
	cJSON	   *body;
	bool		good;

	(void) target;
	if (request->task == AI_TASK_EMBED)
		return ai_parse_openai_embeddings(request, http, reply, failure);
	body = ai_json_parse(http->body.data, http->body.len, &why);
	if (body == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply cannot be read: %s", why);
	if (ai_classify_found(body, failure))
	{
		good = false;
	}
	else if (request->task == AI_TASK_RERANK)
		good = read_rerank(request, body, reply, failure);
	else if (request->task == AI_TASK_MODERATE)
		good = read_moderation(body, reply, failure);
	else
		good = read_transcription(body, reply, failure);
	reply->model = ai_strdup(ai_json_string(body, "model"));
	cJSON_Delete(body);
	return good;
}
