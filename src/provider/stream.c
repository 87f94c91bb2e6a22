/*
 * stream.c
 *	  Telling streams from replies in one piece, and feeding their events to an
 *	  assembler (stream.h).
 *
 * Amazon's frames: total length u32, header length u32, CRC32 of these eight
 * bytes, headers, payload, CRC32 of all before; big-endian.  A header is a
 * name (length u8), a type u8 (7 = string) and a value (length u16).  Source:
 * https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html.  The
 * check sums are not looked at: TCP and TLS have theirs.
 */
#include "provider/stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "provider/protocol/protocols.h"
#include "util/sse.h"

typedef enum StreamForm
{
	FORM_NONE,					/* not known yet, or one document */
	FORM_SSE,
	FORM_LINES,
	FORM_FRAMES,
} StreamForm;

struct AiReplyStream
{
	AiStream	stream;
	const AiAssembler *assembler;
	StreamForm	form;
	AiSse		sse;
	AiBuffer	rest;			/* of a line or a frame that is not whole yet */
	bool		began;
	bool		failed;
	AiFailure	failure;
};

void
ai_tree_set(cJSON *object, const char *name, cJSON *item)
{
	if (item == NULL)
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	cJSON_AddItemToObject(object, name, item);
}

AiStreamCall *
ai_stream_call(AiStream *stream, cJSON *call, int64_t index)
{
	AiStreamCall *calls;

	if (stream->n_calls >= AI_MAX_TOOL_CALLS)
	{
		ai_fail(stream->failure, AI_ERROR_INVALID_REPLY, "the reply calls more than %d tools", AI_MAX_TOOL_CALLS);
		return NULL;
	}
	/* a power of two at a time */
	if ((stream->n_calls & (stream->n_calls - 1)) == 0)
	{
		calls = realloc(stream->calls, sizeof(AiStreamCall) * (stream->n_calls > 0 ? 2 * stream->n_calls : 1));
		if (calls == NULL)
		{
			ai_fail(stream->failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
			return NULL;
		}
		stream->calls = calls;
	}
	calls = &stream->calls[stream->n_calls++];
	*calls = (AiStreamCall)
	{
		.call = call,.index = index
	};
	calls->function = cJSON_GetObjectItemCaseSensitive(call, "function");
	return calls;
}

/* The arguments of each, where the reader looks for them. */
static void
set_arguments(AiStream *stream)
{
	for (int i = 0; i < stream->n_calls; i++)
	{
		if (stream->calls[i].arguments.data != NULL && stream->calls[i].function != NULL)
			ai_tree_set(stream->calls[i].function, "arguments", cJSON_CreateString(stream->calls[i].arguments.data));
	}
}

static bool
is_error(const char *event, const cJSON *data)
{
	const cJSON *error = ai_json_get(data, "error");
	const char *type = ai_json_string(data, "type");

	return strcmp(event, "error") == 0 || (type != NULL && strcmp(type, "error") == 0) ||
		(ai_error_says(error) && (cJSON_IsString(error) || ai_json_get(data, "choices") == NULL));
}

static bool
take_json(AiReplyStream *reader, const char *event, const char *data, size_t len)
{
	AiStream   *stream = &reader->stream;
	const char *why;
	cJSON	   *tree;
	bool		good;

	/* OpenRouter's keep-alive comes as data, too */
	if (len == 0 || data[0] == ':')
		return true;
	reader->began = true;
	if (len == 6 && memcmp(data, "[DONE]", 6) == 0)
	{
		stream->ended = true;
		return true;
	}
	tree = ai_json_parse(data, len, &why);
	if (tree == NULL)
		good = ai_fail(stream->failure, AI_ERROR_INVALID_REPLY,
					   "an event of the stream cannot be read: %s", why);
	else if (is_error(event, tree))
	{
		ai_classify_told(tree, stream->failure);
		good = false;
	}
	else
		good = reader->assembler->take(stream, event, tree);
	cJSON_Delete(tree);
	if (good && stream->kept > AI_MAX_STREAM_VALUES)
		good = ai_fail(stream->failure, AI_ERROR_INVALID_REPLY, "the stream of the reply has too many values");
	if (good && (stream->text.failed || stream->reasoning.failed || stream->refusal.failed))
		good = ai_fail(stream->failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	reader->failed = !good;
	return good;
}

static bool
take_event(void *context, const char *event, const char *data, size_t len)
{
	return take_json(context, event, data, len);
}

/* ---- what kind of stream it is ---- */

static const char *
skip_blanks(const AiHttpReply *http, size_t *left)
{
	const char *p = http->body.data ? http->body.data : "";
	const char *end = p + http->body.len;

	while (p < end && strchr(" \t\r\n", *p) != NULL && *p != '\0')
		p++;
	*left = (size_t) (end - p);
	return p;
}

static bool
is_sse(const AiHttpReply *http)
{
	static const char *const starts[] = {"data:", "event:", "id:", "retry:", ":"};
	size_t		left;
	const char *p = skip_blanks(http, &left);

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
	{
		if (left >= strlen(starts[i]) && memcmp(p, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

static StreamForm
declared_form(const AiHttpReply *http)
{
	static const struct
	{
		const char *type;
		StreamForm	form;
	}			declared[] = {
		{"text/event-stream", FORM_SSE},
		{"application/x-ndjson", FORM_LINES},
		{"application/vnd.amazon.eventstream", FORM_FRAMES},
	};
	char		type[64];

	if (!ai_http_header(http, "content-type", type, sizeof(type)))
		return FORM_NONE;
	for (size_t i = 0; i < sizeof(declared) / sizeof(declared[0]); i++)
	{
		if (strncasecmp(type, declared[i].type, strlen(declared[i].type)) == 0)
			return declared[i].form;
	}
	return FORM_NONE;
}

/* Several documents, one a line: a line break follows a whole object. */
static bool
is_lines(const AiHttpReply *http)
{
	size_t		left;
	const char *p = skip_blanks(http, &left);
	const char *newline = left > 0 ? memchr(p, '\n', left) : NULL;

	return newline != NULL && newline > p && newline[-1] == '}' &&
		newline + 1 < p + left && newline[1] == '{';
}

/* Of a body that is whole: some declare a stream and send one document. */
static StreamForm
form_of(const AiHttpReply *http)
{
	StreamForm	declared = declared_form(http);

	if (declared == FORM_FRAMES || declared == FORM_LINES)
		return declared;
	return is_sse(http) ? FORM_SSE : is_lines(http) ? FORM_LINES : FORM_NONE;
}

/* ---- taking it in ---- */

static void
start(AiReplyStream *reader, const AiAssembler *assembler)
{
	memset(reader, 0, sizeof(*reader));
	reader->assembler = assembler;
	reader->stream.failure = &reader->failure;
	reader->stream.tree = cJSON_CreateObject();
	ai_failure_clear(&reader->failure);
	ai_sse_start(&reader->sse, take_event, reader);
}

/* Frees all but the tree. */
static void
end(AiReplyStream *reader)
{
	ai_buffer_free(&reader->stream.text);
	ai_buffer_free(&reader->stream.reasoning);
	ai_buffer_free(&reader->stream.refusal);
	for (int i = 0; i < reader->stream.n_calls; i++)
		ai_buffer_free(&reader->stream.calls[i].arguments);
	free(reader->stream.calls);
	reader->stream.calls = NULL;
	reader->stream.n_calls = 0;
	ai_buffer_free(&reader->rest);
	ai_sse_free(&reader->sse);
}

/* An error that stands between the events, or behind them, without "data:". */
static void
take_stray(AiReplyStream *reader, const AiBuffer *stray)
{
	const char *why;
	cJSON	   *tree = ai_json_parse(stray->data, stray->len, &why);
	const cJSON *first = cJSON_IsArray(tree) ? tree->child : tree;

	if (cJSON_IsObject(ai_json_get(first, "error")))
	{
		ai_classify_told(first, &reader->failure);
		reader->failed = true;
	}
	cJSON_Delete(tree);
}

/* The whole lines of p; returns how much of it they are. */
static size_t
take_lines(AiReplyStream *reader, const char *p, size_t left)
{
	size_t		taken = 0;
	const char *newline;

	while (!reader->failed && (newline = memchr(p + taken, '\n', left - taken)) != NULL)
	{
		size_t		len = (size_t) (newline - (p + taken));

		while (len > 0 && (p[taken + len - 1] == '\r' || p[taken + len - 1] == ' '))
			len--;
		take_json(reader, "", p + taken, len);
		taken = (size_t) (newline + 1 - p);
	}
	return taken;
}

static uint32_t
big_endian(const unsigned char *p)
{
	return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

/* Copies a string header of a frame; empty if it has none. */
static void
frame_header(const unsigned char *headers, size_t len, const char *name,
			 char *value, size_t size)
{
	size_t		i = 0;

	value[0] = '\0';
	while (i < len)
	{
		size_t		name_len = headers[i];
		size_t		value_len;
		bool		match;

		if (i + 1 + name_len + 3 > len || headers[i + 1 + name_len] != 7)
			return;
		match = name_len == strlen(name) && memcmp(headers + i + 1, name, name_len) == 0;
		i += 1 + name_len + 1;
		value_len = (size_t) headers[i] << 8 | headers[i + 1];
		i += 2;
		if (i + value_len > len)
			return;
		if (match)
		{
			ai_copy_clean(value, size, (const char *) headers + i, value_len);
			return;
		}
		i += value_len;
	}
}

static void
take_frame(AiReplyStream *reader, const unsigned char *p, size_t headers, size_t total)
{
	const char *payload = (const char *) p + 12 + headers;
	size_t		len = total - headers - 16;
	char		kind[64];
	char		event[64];

	frame_header(p + 12, headers, ":event-type", event, sizeof(event));
	frame_header(p + 12, headers, ":message-type", kind, sizeof(kind));
	if (strcmp(kind, "exception") == 0)
	{
		const char *why;
		cJSON	   *body = ai_json_parse(payload, len, &why);

		frame_header(p + 12, headers, ":exception-type", event, sizeof(event));
		ai_classify_body(strstr(event, "hrottling") ? 429 : strstr(event, "alidation") ? 400 : 500,
						 body, &reader->failure);
		cJSON_Delete(body);
		reader->began = true;
		reader->failed = true;
	}
	else
		take_json(reader, event, payload, len);
}

/* The whole frames of p; returns how much of it they are. */
static size_t
take_frames(AiReplyStream *reader, const char *bytes, size_t left)
{
	const unsigned char *p = (const unsigned char *) bytes;
	size_t		taken = 0;

	while (left - taken >= 16 && !reader->failed)
	{
		size_t		total = big_endian(p + taken);
		size_t		headers = big_endian(p + taken + 4);

		if (total < 16 || headers > total - 16)
		{
			ai_fail(&reader->failure, AI_ERROR_INVALID_REPLY, "a frame of the stream cannot be read");
			reader->failed = true;
		}
		else if (total > left - taken)
			break;
		else
		{
			take_frame(reader, p + taken, headers, total);
			taken += total;
		}
	}
	return taken;
}

/* Lines and frames: what is whole is taken in, what is left waits in `rest`. */
static void
take_whole(AiReplyStream *reader, const char *bytes, size_t len,
		   size_t (*take) (AiReplyStream *reader, const char *bytes, size_t len))
{
	AiBuffer	rest = {0};
	size_t		taken;

	if (reader->rest.len > 0)
	{
		ai_buffer_append(&reader->rest, bytes, len);
		bytes = reader->rest.data;
		len = reader->rest.len;
	}
	if (reader->rest.failed)
	{
		ai_fail(&reader->failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
		reader->failed = true;
		return;
	}
	taken = take(reader, bytes, len);
	if (taken == 0 && reader->rest.len > 0)
		return;
	if (taken < len)
		ai_buffer_append(&rest, bytes + taken, len - taken);
	ai_buffer_free(&reader->rest);
	reader->rest = rest;
}

static void
take_bytes(AiReplyStream *reader, const char *bytes, size_t len)
{
	if (len == 0 || reader->failed)
		return;
	switch (reader->form)
	{
		case FORM_NONE:
			break;
		case FORM_SSE:
			ai_sse_feed(&reader->sse, bytes, len);
			break;
		case FORM_LINES:
			take_whole(reader, bytes, len, take_lines);
			break;
		case FORM_FRAMES:
			take_whole(reader, bytes, len, take_frames);
			break;
	}
}

/*
 * All of it was there: the tree, which is the caller's from here on, or NULL
 * with a failure.
 */
static cJSON *
finish(AiReplyStream *reader, AiFailure *failure)
{
	cJSON	   *tree;
	const char *why;

	/* the last line may lack its end, the last event its empty line */
	if (reader->form == FORM_LINES && reader->rest.len > 0)
		take_bytes(reader, "\n", 1);
	else if (reader->form == FORM_SSE && !reader->failed)
	{
		ai_sse_finish(&reader->sse);
		if (!reader->failed && reader->sse.stray.len > 0)
			take_stray(reader, &reader->sse.stray);
		/* one document after all, whatever its type says */
		if (!reader->failed && !reader->began &&
			(tree = ai_json_parse(reader->sse.stray.data, reader->sse.stray.len, &why)) != NULL)
			return tree;
	}
	if (!reader->failed && !reader->stream.ended)
	{
		ai_fail(&reader->failure, AI_ERROR_SERVER, "the stream of the reply stopped before its end");
		reader->failed = true;
	}
	if (reader->failed)
	{
		*failure = reader->failure;
		return NULL;
	}
	ai_failure_clear(failure);
	reader->stream.failure = failure;
	set_arguments(&reader->stream);
	reader->assembler->end(&reader->stream);
	tree = reader->stream.tree;
	reader->stream.tree = NULL;
	return tree;
}

AiReplyStream *
ai_reply_stream_new(const AiAssembler *assembler)
{
	AiReplyStream *reader = malloc(sizeof(AiReplyStream));

	if (reader != NULL)
		start(reader, assembler);
	return reader;
}

void
ai_reply_stream_free(AiReplyStream *reader)
{
	if (reader == NULL)
		return;
	end(reader);
	cJSON_Delete(reader->stream.tree);
	free(reader);
}

AiStreamState
ai_reply_stream_state(const AiReplyStream *reader)
{
	if (reader->form == FORM_NONE)
		return AI_STREAM_NONE;
	return reader->failed ? AI_STREAM_FAILED : reader->stream.ended ? AI_STREAM_ENDED : AI_STREAM_OPEN;
}

bool
ai_reply_stream_began(const AiReplyStream *reader)
{
	return reader->began;
}

AiStreamState
ai_reply_stream_take(AiReplyStream *reader, const AiHttpReply *http, const char *bytes, size_t len)
{
	if (reader->form == FORM_NONE && http->body.len == 0 && http->status / 100 == 2)
		reader->form = declared_form(http);
	if (reader->form == FORM_NONE)
		reader->began = true;
	else
		take_bytes(reader, bytes, len);
	return ai_reply_stream_state(reader);
}

bool
ai_reply_is_stream(const AiHttpReply *http)
{
	return (http->stream != NULL && http->stream->form != FORM_NONE) || form_of(http) != FORM_NONE;
}

cJSON *
ai_reply_tree(const AiHttpReply *http, const AiAssembler *assembler, AiFailure *failure)
{
	AiReplyStream reader;
	const char *why;
	cJSON	   *tree;
	StreamForm	form;

	if (http->stream != NULL && http->stream->form != FORM_NONE)
		return finish(http->stream, failure);
	form = form_of(http);
	if (form == FORM_NONE)
	{
		tree = ai_json_parse(http->body.data, http->body.len, &why);
		if (tree == NULL)
			ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply cannot be read: %s", why);
		return tree;
	}
	start(&reader, assembler);
	reader.form = form;
	take_bytes(&reader, http->body.data, http->body.len);
	tree = finish(&reader, failure);
	end(&reader);
	cJSON_Delete(reader.stream.tree);
	return tree;
}
