/*
 * provider.c
 *	  The table of providers, and what all protocols share: adding the key,
 *	  checking options, replies in general.
 *
 * A new provider is one row here; a new protocol is one file, one row in
 * ai_protocols[] and one AiProtocolId.
 */
#include "provider/provider.h"

#include <stdlib.h>
#include <string.h>

#include "provider/protocols.h"

const char *const ai_task_names[AI_TASKS] = {
	[AI_TASK_CHAT] = "chat",
	[AI_TASK_EMBED] = "embed",
	[AI_TASK_RERANK] = "rerank",
	[AI_TASK_MODERATE] = "moderate",
	[AI_TASK_TRANSCRIBE] = "transcribe",
};

const char *const ai_finish_reason_names[AI_FINISH_REASONS] = {
	[AI_FINISH_NONE] = NULL,
	[AI_FINISH_STOP] = "stop",
	[AI_FINISH_LENGTH] = "length",
	[AI_FINISH_TOOL_CALLS] = "tool_calls",
	[AI_FINISH_CONTENT_FILTER] = "content_filter",
	[AI_FINISH_REFUSAL] = "refusal",
	[AI_FINISH_ERROR] = "error",
};

static const char *const no_settings[] = {NULL};
static const char *const openai_settings[] = {"organization", "project", NULL};
static const char *const anthropic_settings[] = {"anthropic_version", "anthropic_beta", NULL};
static const char *const ollama_settings[] = {"keep_alive", "num_ctx", NULL};

const AiProvider ai_providers[] = {
	{
		.name = "openai",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.openai.com/v1",
		.hosts = "api.openai.com, eu.api.openai.com, us.api.openai.com",
		.key_variable = "OPENAI_API_KEY",
		.settings = openai_settings,
		.description = "OpenAI",
	},
	{
		.name = "openai_compatible",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.auth = AI_AUTH_BEARER,
		.settings = no_settings,
		.description = "any server that speaks OpenAI's chat completions",
	},
	{
		.name = "anthropic",
		.protocol = AI_PROTOCOL_ANTHROPIC_MESSAGES,
		.auth = AI_AUTH_X_API_KEY,
		.key_required = true,
		.endpoint = "https://api.anthropic.com",
		.hosts = "api.anthropic.com",
		.key_variable = "ANTHROPIC_API_KEY",
		.settings = anthropic_settings,
		.description = "Anthropic",
	},
	{
		.name = "ollama",
		.protocol = AI_PROTOCOL_OLLAMA,
		.auth = AI_AUTH_BEARER,
		.endpoint = "http://127.0.0.1:11434",
		.hosts = "ollama.com",
		.key_variable = "OLLAMA_API_KEY",
		.settings = ollama_settings,
		.description = "Ollama",
	},
	{
		.name = "mock",
		.protocol = AI_PROTOCOL_MOCK,
		.auth = AI_AUTH_NONE,
		.in_process = true,
		.settings = no_settings,
		.description = "answers in process, for testing one's own SQL",
	},
};

const int	ai_n_providers = sizeof(ai_providers) / sizeof(ai_providers[0]);

const AiProtocol *const ai_protocols[AI_PROTOCOLS] = {
	[AI_PROTOCOL_OPENAI_CHAT] = &ai_protocol_openai_chat,
	[AI_PROTOCOL_ANTHROPIC_MESSAGES] = &ai_protocol_anthropic_messages,
	[AI_PROTOCOL_OLLAMA] = &ai_protocol_ollama,
	[AI_PROTOCOL_MOCK] = &ai_protocol_mock,
};

const AiProvider *
ai_provider_by_name(const char *name)
{
	for (int i = 0; i < ai_n_providers; i++)
	{
		if (strcmp(ai_providers[i].name, name) == 0)
			return &ai_providers[i];
	}
	return NULL;
}

AiProtocolId
ai_protocol_by_name(const char *name)
{
	for (int i = AI_PROTOCOL_NONE + 1; i < AI_PROTOCOLS; i++)
	{
		if (strcmp(ai_protocols[i]->name, name) == 0)
			return (AiProtocolId) i;
	}
	return AI_PROTOCOL_NONE;
}

/* A server may offer another vendor's protocol; only the mock is by itself. */
bool
ai_provider_speaks(const AiProvider *provider, AiProtocolId protocol)
{
	return protocol == provider->protocol ||
		(!provider->in_process && ai_protocols[protocol]->respond == NULL);
}

void
ai_provider_names(AiBuffer *out)
{
	for (int i = 0; i < ai_n_providers; i++)
		ai_buffer_printf(out, "%s%s", i > 0 ? ", " : "", ai_providers[i].name);
}

bool
ai_provider_check(const AiTarget *target, const AiRequest *request,
				  bool drop_unsupported, AiRequest *effective,
				  AiFailure *failure)
{
	const AiProtocol *protocol = ai_protocols[target->protocol];
	uint32_t	can = protocol->options[request->task];
	uint32_t	extra;

	*effective = *request;
	if (can == 0)
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					   "protocol \"%s\" cannot serve task \"%s\"",
					   protocol->name, ai_task_names[request->task]);
	if (request->tools != NULL && !protocol->tools)
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					   "protocol \"%s\" cannot carry tools", protocol->name);
	for (int i = 0; i < request->n_messages; i++)
	{
		if (request->messages[i].n_images > 0 && !protocol->images)
			return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
						   "protocol \"%s\" cannot carry images", protocol->name);
	}
	extra = request->options.set & ~(can | AI_OPTIONS_ENGINE);
	if (extra == 0)
		return true;
	for (int key = 0; key < AI_OPTION_KEYS; key++)
	{
		if ((extra & AI_OPTION_BIT(key)) == 0)
			continue;
		if (!drop_unsupported || (AI_OPTIONS_NEVER_DROPPED & AI_OPTION_BIT(key)) != 0)
		{
			ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					"protocol \"%s\" has no option \"%s\" for task \"%s\"",
					protocol->name, ai_option_names[key], ai_task_names[request->task]);
			if ((AI_OPTIONS_NEVER_DROPPED & AI_OPTION_BIT(key)) == 0)
				ai_failure_hint(failure, "Leave it out, or SET ai_gateway.drop_unsupported = on.");
			return false;
		}
	}
	effective->options.set &= ~extra;
	return true;
}

static void
put_key(const AiTarget *target, AiHttpRequest *http)
{
	if (target->api_key == NULL)
		return;
	switch (target->provider->auth)
	{
		case AI_AUTH_NONE:
			break;
		case AI_AUTH_BEARER:
			ai_buffer_append_string(&http->headers, "Authorization: Bearer ");
			ai_buffer_append_string(&http->headers, target->api_key);
			ai_buffer_append_char(&http->headers, '\n');
			break;
		case AI_AUTH_X_API_KEY:
			ai_put_header(http, "x-api-key", target->api_key);
			break;
	}
}

bool
ai_provider_build(const AiTarget *target, const AiRequest *request,
				  bool drop_unsupported, AiHttpRequest *http,
				  AiFailure *failure)
{
	AiRequest	effective;

	if (!ai_provider_check(target, request, drop_unsupported, &effective, failure))
		return false;
	ai_put_header(http, "Content-Type", "application/json");
	ai_put_header(http, "Accept", "application/json");
	if (!ai_protocols[target->protocol]->build(target, &effective, http, failure))
		return false;
	put_key(target, http);
	if (http->url.failed || http->headers.failed || http->body.failed)
		return ai_fail(failure, AI_ERROR_REQUEST_TOO_LARGE,
					   "memory ran out while the request was written");
	return true;
}

bool
ai_provider_parse(const AiTarget *target, const AiRequest *request,
				  const AiHttpReply *http, int64_t now,
				  AiReply *reply, AiFailure *failure)
{
	static const char *const id_headers[] = {
		"x-request-id", "request-id", "apim-request-id", "x-amzn-requestid",
		"x-debug-trace-id", "mistral-correlation-id",
	};
	const AiProtocol *protocol = ai_protocols[target->protocol];
	char		request_id[sizeof(reply->request_id)] = "";
	bool		good;

	ai_reply_init(reply);
	for (size_t i = 0; i < sizeof(id_headers) / sizeof(id_headers[0]); i++)
	{
		if (ai_http_header(http, id_headers[i], request_id, sizeof(request_id)))
			break;
	}
	if (http->status >= 200 && http->status < 300)
	{
		good = protocol->parse(target, request, http, reply, failure);
		if (good && request->task == AI_TASK_CHAT)
			good = ai_reply_check(reply, failure);
	}
	else
	{
		good = false;
		ai_classify_error(target, http, protocol->classify, failure);
		ai_classify_retry(http, now, failure);
	}
	if (request_id[0] != '\0')
		memcpy(reply->request_id, request_id, sizeof(request_id));
	if (!good)
	{
		if (failure->request_id[0] == '\0')
			memcpy(failure->request_id, reply->request_id, sizeof(failure->request_id));
		failure->http_status = http->status;
	}
	return good;
}

void
ai_put_url(AiHttpRequest *http, const char *endpoint, const char *path)
{
	ai_buffer_append_string(&http->url, endpoint);
	ai_buffer_append_string(&http->url, path);
}

void
ai_put_header(AiHttpRequest *http, const char *name, const char *value)
{
	ai_buffer_append_string(&http->headers, name);
	ai_buffer_append_string(&http->headers, ": ");
	ai_buffer_append_string(&http->headers, value);
	ai_buffer_append_char(&http->headers, '\n');
}

char *
ai_system_text(const AiRequest *request)
{
	AiBuffer	text = {0};

	for (int i = 0; i < request->n_messages; i++)
	{
		const AiMessage *message = &request->messages[i];

		if (message->role != AI_ROLE_SYSTEM || message->text == NULL)
			continue;
		if (text.len > 0)
			ai_buffer_append_string(&text, "\n\n");
		ai_buffer_append_string(&text, message->text);
	}
	return text.data;
}

void
ai_reply_init(AiReply *reply)
{
	memset(reply, 0, sizeof(*reply));
	reply->usage.uncached_input = -1;
	reply->usage.cache_read = -1;
	reply->usage.cache_write = -1;
	reply->usage.visible_output = -1;
	reply->usage.reasoning = -1;
}

void
ai_reply_free(AiReply *reply)
{
	free(reply->text);
	free(reply->refusal);
	free(reply->model);
	free(reply->vectors);
	cJSON_Delete(reply->tool_calls);
	ai_reply_init(reply);
}

bool
ai_reply_add_tool_call(AiReply *reply, const char *id, const char *name,
					   const char *arguments_text, const cJSON *arguments,
					   AiFailure *failure)
{
	cJSON	   *call = cJSON_CreateObject();
	cJSON	   *tree = NULL;
	const char *why;

	if (arguments != NULL && !cJSON_IsNull(arguments))
		tree = cJSON_Duplicate(arguments, true);
	else if (arguments_text != NULL && arguments_text[0] != '\0')
		tree = ai_json_parse(arguments_text, strlen(arguments_text), &why);
	else
		tree = cJSON_CreateObject();
	if (cJSON_IsNull(tree))
	{
		cJSON_Delete(tree);
		tree = cJSON_CreateObject();
	}
	if (reply->tool_calls == NULL)
		reply->tool_calls = cJSON_CreateArray();
	if (call == NULL || tree == NULL || name == NULL || reply->tool_calls == NULL)
	{
		cJSON_Delete(call);
		cJSON_Delete(tree);
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has a tool call whose name or arguments cannot be read");
	}
	if (id != NULL)
		cJSON_AddStringToObject(call, "id", id);
	else
		cJSON_AddNullToObject(call, "id");
	cJSON_AddStringToObject(call, "name", name);
	cJSON_AddItemToObject(call, "arguments", tree);
	cJSON_AddItemToArray(reply->tool_calls, call);
	return true;
}

bool
ai_reply_make_vectors(AiReply *reply, int count, int dimensions, AiFailure *failure)
{
	size_t		bytes = (size_t) count * (size_t) dimensions * sizeof(float);

	if (dimensions <= 0 || dimensions > 65536)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has an embedding of %d dimensions", dimensions);
	reply->vectors = malloc(bytes);
	if (reply->vectors == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "memory ran out for %d embeddings of %d dimensions", count, dimensions);
	reply->n_vectors = count;
	reply->dimensions = dimensions;
	return true;
}

bool
ai_reply_check(AiReply *reply, AiFailure *failure)
{
	bool		empty = reply->text == NULL || reply->text[0] == '\0';

	switch (reply->finish)
	{
		case AI_FINISH_REFUSAL:
			ai_fail(failure, AI_ERROR_REFUSAL, "%s",
					reply->refusal ? reply->refusal : "the model gave no reason");
			break;
		case AI_FINISH_CONTENT_FILTER:
			ai_fail(failure, AI_ERROR_CONTENT_FILTER, "the provider withheld the answer");
			break;
		case AI_FINISH_ERROR:
			if (!empty)
				return true;
			ai_fail(failure, AI_ERROR_SERVER, "the provider ended the answer with an error");
			break;
		case AI_FINISH_LENGTH:
			if (!empty)
				return true;
			ai_fail(failure, AI_ERROR_INVALID_REPLY,
					"all output tokens were used before the first word of an answer");
			ai_failure_hint(failure, "Give a larger max_tokens, or a lower reasoning_effort, in the options.");
			break;
		case AI_FINISH_NONE:
		case AI_FINISH_STOP:
		case AI_FINISH_TOOL_CALLS:
			if (reply->text != NULL || reply->tool_calls != NULL)
				return true;
			ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply holds no answer");
			break;
	}
	return false;
}
