/*
 * provider.c
 *	  The way through the layer: a request is checked against what protocol,
 *	  provider and model can carry, built and authorised; a reply of any status
 *	  becomes an answer or a failure.
 *
 * A schema that the other side does not take is asked for in words: the
 * instruction joins the system text, and the caller checks the answer.
 */
#include "provider/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/auth.h"
#include "provider/classify.h"
#include "provider/parts.h"
#include "provider/protocol/protocols.h"
#include "provider/stream.h"
#include "util/filetype.h"

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

bool
ai_provider_streams(const AiTarget *target, AiTask task)
{
	const AiProtocol *protocol = ai_protocols[target->protocol];

	return task == AI_TASK_CHAT && protocol->assembler != NULL &&
		(protocol->streams == NULL || protocol->streams(target));
}

bool
ai_provider_takes_schema(const AiTarget *target)
{
	return ai_protocols[target->protocol]->schema &&
		!target->provider->dialect.json_object_only &&
		!(target->profile != NULL && target->profile->refuses_schema);
}

/* ---- checks ---- */

static bool
refuse(const AiTarget *target, AiFailure *failure, bool by_profile, const char *what)
{
	char		pattern[200];

	if (!by_profile)
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST, "protocol \"%s\" cannot carry %s",
					   ai_protocols[target->protocol]->name, what);
	ai_fail(failure, AI_ERROR_INVALID_REQUEST,
			"remote model \"%s\" does not take %s, says the profile \"%s\"",
			target->remote_model, what, target->profile->pattern);
	if (ai_copy_literal(pattern, sizeof(pattern), target->profile->pattern))
		ai_failure_hint(failure, "SELECT * FROM ai_gateway.model_profiles WHERE pattern = %s;", pattern);
	return false;
}

static bool
forces_tools(const AiOptions *options)
{
	const char *word;

	if (!ai_option_set(options, AI_OPTION_TOOL_CHOICE))
		return false;
	word = cJSON_GetStringValue(options->tool_choice);
	return word == NULL || strcmp(word, "required") == 0;
}

static bool
check_files(const AiTarget *target, const AiMessage *message, AiFailure *failure)
{
	char		what[100];

	for (int i = 0; i < message->n_images; i++)
	{
		if (ai_file_is_picture(message->images[i].media_type))
			continue;
		snprintf(what, sizeof(what), "files of type %s", message->images[i].media_type);
		return refuse(target, failure, false, what);
	}
	return true;
}

static bool
check_parts(const AiTarget *target, const AiRequest *request, AiFailure *failure)
{
	const AiProtocol *protocol = ai_protocols[target->protocol];
	const AiProfile *profile = target->profile;

	if (request->tools != NULL && (!protocol->tools || (profile && profile->refuses_tools)))
		return refuse(target, failure, protocol->tools, "tools");
	if (profile && profile->refuses_forced_tools && forces_tools(&request->options))
		return refuse(target, failure, true, "a \"tool_choice\" that forces a tool");
	if (profile && profile->refuses_dimensions && request->dimensions > 0)
		return refuse(target, failure, true, "a number of dimensions");
	for (int i = 0; i < request->n_messages; i++)
	{
		if (!check_files(target, &request->messages[i], failure))
			return false;
		if (request->messages[i].n_images > 0 && (!protocol->images || (profile && profile->refuses_images)))
			return refuse(target, failure, protocol->images, "images");
	}
	return true;
}

static bool
check_options(const AiTarget *target, bool drop_unsupported, AiRequest *request,
			  AiFailure *failure)
{
	const AiProtocol *protocol = ai_protocols[target->protocol];
	uint32_t	can = protocol->options[request->task] | AI_OPTIONS_ENGINE;
	uint32_t	refused = target->profile ? target->profile->refuses : 0;
	uint32_t	extra = request->options.set & (~can | refused);

	for (int key = 0; key < AI_OPTION_KEYS; key++)
	{
		bool		never_dropped = (AI_OPTIONS_NEVER_DROPPED & AI_OPTION_BIT(key)) != 0;

		if ((extra & AI_OPTION_BIT(key)) == 0 || (drop_unsupported && !never_dropped))
			continue;
		if ((can & AI_OPTION_BIT(key)) == 0)
			ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					"protocol \"%s\" has no option \"%s\" for task \"%s\"",
					protocol->name, ai_option_names[key], ai_task_names[request->task]);
		else
			ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					"remote model \"%s\" does not take option \"%s\", says the profile \"%s\"",
					target->remote_model, ai_option_names[key], target->profile->pattern);
		if (!never_dropped)
			ai_failure_hint(failure, "Leave it out, or SET ai_gateway.drop_unsupported = on.");
		return false;
	}
	request->options.set &= ~extra;
	return true;
}

bool
ai_provider_check(const AiTarget *target, const AiRequest *request,
				  bool drop_unsupported, AiRequest *effective,
				  AiFailure *failure)
{
	*effective = *request;
	if (!ai_provider_serves(target->provider, target->protocol, request->task))
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					   "protocol \"%s\" of provider \"%s\" cannot serve task \"%s\"",
					   ai_protocols[target->protocol]->name, target->provider->name,
					   ai_task_names[request->task]);
	return check_parts(target, request, failure) &&
		check_options(target, drop_unsupported, effective, failure);
}

/* ---- a schema in words ---- */

static const char schema_instruction[] =
"Answer with one JSON document and nothing else: no explanation, no code fence. "
"It must be valid against this JSON Schema:\n";

typedef struct Instructed
{
	AiMessage  *messages;
	char	   *text;
} Instructed;

/* Puts the instruction behind the first system text, or in front of all. */
static bool
instruct(AiRequest *request, Instructed *instructed)
{
	char	   *schema = ai_json_text(request->schema);
	bool		has_system = request->n_messages > 0 && request->messages[0].role == AI_ROLE_SYSTEM;
	AiBuffer	text = {0};
	int			n = request->n_messages + (has_system ? 0 : 1);

	if (has_system && request->messages[0].text != NULL)
		ai_buffer_printf(&text, "%s\n\n", request->messages[0].text);
	ai_buffer_append_string(&text, schema_instruction);
	ai_buffer_append_string(&text, schema ? schema : "{}");
	free(schema);
	instructed->text = text.data;
	instructed->messages = calloc((size_t) n, sizeof(AiMessage));
	if (instructed->messages == NULL || text.failed)
		return false;
	memcpy(instructed->messages + (has_system ? 0 : 1), request->messages,
		   (size_t) request->n_messages * sizeof(AiMessage));
	instructed->messages[0].role = AI_ROLE_SYSTEM;
	instructed->messages[0].text = instructed->text;
	request->messages = instructed->messages;
	request->n_messages = n;
	return true;
}

/* ---- requests ---- */

bool
ai_provider_build(const AiTarget *target, const AiRequest *request,
				  bool drop_unsupported, AiHttpRequest *http,
				  AiFailure *failure)
{
	AiRequest	effective;
	Instructed	instructed = {0};
	bool		good;

	if (!ai_provider_check(target, request, drop_unsupported, &effective, failure))
		return false;
	if (request->schema != NULL && !ai_provider_takes_schema(target) && !instruct(&effective, &instructed))
		good = false;
	else
	{
		/* a body of several parts names its own type */
		if (request->task != AI_TASK_TRANSCRIBE)
			ai_put_header(http, "Content-Type", "application/json");
		ai_put_header(http, "Accept", "application/json");
		ai_failure_clear(failure);
		good = ai_protocols[target->protocol]->build(target, &effective, http, failure) &&
			ai_put_auth(target, http, failure);
	}
	free(instructed.messages);
	free(instructed.text);
	if (http->url.failed || http->headers.failed || http->body.failed || (!good && failure->kind == AI_ERROR_NONE))
		return ai_fail(failure, AI_ERROR_REQUEST_TOO_LARGE,
					   "memory ran out while the request was written");
	return good;
}

/* ---- replies ---- */

static void
find_request_id(const AiHttpReply *http, char *id, size_t size)
{
	static const char *const headers[] = {
		"x-request-id", "request-id", "apim-request-id", "x-amzn-requestid",
		"x-debug-trace-id", "mistral-correlation-id", "x-ds-trace-id", "inference-id",
	};

	id[0] = '\0';
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
	{
		if (ai_http_header(http, headers[i], id, size))
			return;
	}
}

/*
 * A 200 that holds no reply: a gateway's error in place of it, a page that says that
 * the server starts, a document that was cut off, or one without what an answer
 * stands in.  Another attempt may find one, but for an error that says otherwise.
 */
static void
look_for_error(const AiRequest *request, const AiHttpReply *http, AiFailure *failure)
{
	const char *why;
	cJSON	   *body;

	if (failure->kind != AI_ERROR_INVALID_REPLY || ai_reply_is_stream(http) || http->body.len > AI_MAX_ERROR_BODY)
		return;
	body = ai_json_parse(http->body.data, http->body.len, &why);
	if (!ai_classify_found(body, failure) &&
		(body == NULL || (request->task == AI_TASK_CHAT && cJSON_IsNull(ai_json_get(body, "choices")))))
		failure->should_retry = 1;
	cJSON_Delete(body);
}

/* All that was asked for; the task's own reader has looked at each part. */
static bool
check_reply(const AiRequest *request, AiReply *reply, AiFailure *failure)
{
	int			wanted = request->n_inputs;

	if (request->task == AI_TASK_CHAT)
		return ai_reply_check(reply, failure);
	if (request->top_n > 0 && request->top_n < wanted)
		wanted = request->top_n;
	return request->task != AI_TASK_RERANK || reply->n_scores >= wanted ||
		ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has a score for %d of %d documents",
				reply->n_scores, wanted);
}

/*
 * Without a byte order mark, and without the comments of an event stream, which
 * OpenRouter sends to keep the connection alive, before a document that is none.
 */
static AiHttpReply
without_prelude(const AiHttpReply *http, AiTask task)
{
	AiHttpReply reply = *http;

	if (task == AI_TASK_CHAT)
		return reply;
	if (reply.body.len >= 3 && memcmp(reply.body.data, "\xef\xbb\xbf", 3) == 0)
	{
		reply.body.data += 3;
		reply.body.len -= 3;
	}
	while (reply.body.len > 0 && strchr(":\r\n", reply.body.data[0]) != NULL)
	{
		const char *end = memchr(reply.body.data, '\n', reply.body.len);
		size_t		line = end != NULL ? (size_t) (end - reply.body.data) + 1 : reply.body.len;

		reply.body.data += line;
		reply.body.len -= line;
	}
	return reply;
}

bool
ai_provider_parse(const AiTarget *target, const AiRequest *request,
				  const AiHttpReply *http, int64_t now,
				  AiReply *reply, AiFailure *failure)
{
	const AiProtocol *protocol = ai_protocols[target->protocol];
	bool		good = false;

	ai_reply_init(reply);
	ai_failure_clear(failure);
	if (http->status >= 200 && http->status < 300)
	{
		const AiHttpReply answer = without_prelude(http, request->task);

		if (protocol->parse(target, request, &answer, reply, failure))
			good = check_reply(request, reply, failure);
		else
		{
			ai_reply_free(reply);
			look_for_error(request, &answer, failure);
		}
	}
	else
	{
		ai_classify_error(target, http, failure);
		ai_classify_retry(http, now, failure);
		ai_classify_option(target, request, failure);
	}
	find_request_id(http, reply->request_id, sizeof(reply->request_id));
	if (!good)
	{
		if (failure->request_id[0] == '\0')
			memcpy(failure->request_id, reply->request_id, sizeof(failure->request_id));
		failure->http_status = http->status;
	}
	return good;
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
