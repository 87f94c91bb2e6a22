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

#include <string.h>
#include <strings.h>

#include "provider/protocols.h"
#include "util/sse.h"

typedef struct Feed
{
	AiStream	stream;
	const AiAssembler *assembler;
	bool		failed;
} Feed;

void
ai_tree_set(cJSON *object, const char *name, cJSON *item)
{
	if (item == NULL)
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	cJSON_AddItemToObject(object, name, item);
}

void
ai_tree_append(cJSON *object, const char *name, const char *more)
{
	const char *before = ai_json_string(object, name);
	AiBuffer	joined = {0};

	if (more == NULL)
		return;
	ai_buffer_append_string(&joined, before ? before : "");
	ai_buffer_append_string(&joined, more);
	if (joined.data != NULL)
		ai_tree_set(object, name, cJSON_CreateString(joined.data));
	ai_buffer_free(&joined);
}

/* The status that an error within a stream stands for. */
static int
error_status(const cJSON *data)
{
	const cJSON *error = ai_json_get(data, "error");
	int64_t		status = ai_json_int64(error, "status_code");

	if (status < 400)
		status = ai_json_int64(error, "code");
	if (status < 400)
		status = ai_json_int64(data, "status_code");
	return status >= 400 && status < 600 ? (int) status : 500;
}

static bool
is_error(const char *event, const cJSON *data)
{
	const cJSON *error = ai_json_get(data, "error");
	const char *type = ai_json_string(data, "type");

	return strcmp(event, "error") == 0 || (type != NULL && strcmp(type, "error") == 0) ||
		cJSON_IsString(error) || (cJSON_IsObject(error) && ai_json_get(data, "choices") == NULL);
}

static bool
take_json(Feed *feed, const char *event, const char *data, size_t len)
{
	const char *why;
	cJSON	   *tree;
	bool		good;

	if (len == 6 && memcmp(data, "[DONE]", 6) == 0)
	{
		feed->stream.ended = true;
		return true;
	}
	if (len == 0)
		return true;
	tree = ai_json_parse(data, len, &why);
	if (tree == NULL)
		good = ai_fail(feed->stream.failure, AI_ERROR_INVALID_REPLY,
					   "an event of the stream cannot be read: %s", why);
	else if (is_error(event, tree))
	{
		ai_classify_body(error_status(tree), tree, feed->stream.failure);
		good = false;
	}
	else
		good = feed->assembler->take(&feed->stream, event, tree);
	cJSON_Delete(tree);
	if (good && (feed->stream.text.failed || feed->stream.reasoning.failed))
		good = ai_fail(feed->stream.failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	feed->failed = !good;
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

static bool
is_frames(const AiHttpReply *http)
{
	char		type[64];

	return ai_http_header(http, "content-type", type, sizeof(type)) &&
		strncasecmp(type, "application/vnd.amazon.eventstream", 34) == 0;
}

/* Several documents, one a line: a line break follows a whole object. */
static bool
is_lines(const AiHttpReply *http)
{
	char		type[64];
	size_t		left;
	const char *p = skip_blanks(http, &left);
	const char *newline = left > 0 ? memchr(p, '\n', left) : NULL;

	if (ai_http_header(http, "content-type", type, sizeof(type)) &&
		strncasecmp(type, "application/x-ndjson", 20) == 0)
		return true;
	return newline != NULL && newline > p && newline[-1] == '}' &&
		newline + 1 < p + left && newline[1] == '{';
}

/* ---- feeding ---- */

/* An error that stands between the events, or behind them, without "data:". */
static void
take_stray(Feed *feed, const AiBuffer *stray)
{
	const char *why;
	cJSON	   *tree = ai_json_parse(stray->data, stray->len, &why);
	const cJSON *first = cJSON_IsArray(tree) ? tree->child : tree;

	if (cJSON_IsObject(ai_json_get(first, "error")))
	{
		ai_classify_body(error_status(first), first, feed->stream.failure);
		feed->failed = true;
	}
	cJSON_Delete(tree);
}

static void
feed_sse(Feed *feed, const AiHttpReply *http)
{
	AiSse		sse;

	ai_sse_start(&sse, take_event, feed);
	ai_sse_feed(&sse, http->body.data, http->body.len);
	ai_sse_finish(&sse);
	if (!feed->failed && sse.stray.len > 0)
		take_stray(feed, &sse.stray);
	ai_sse_free(&sse);
}

static void
feed_lines(Feed *feed, const AiHttpReply *http)
{
	const char *p = http->body.data;
	const char *end = p + http->body.len;

	while (p < end && !feed->failed)
	{
		const char *newline = memchr(p, '\n', (size_t) (end - p));
		size_t		len = (size_t) ((newline ? newline : end) - p);

		while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == ' '))
			len--;
		if (!take_json(feed, "", p, len))
			break;
		p = newline ? newline + 1 : end;
	}
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
feed_frames(Feed *feed, const AiHttpReply *http)
{
	const unsigned char *p = (const unsigned char *) http->body.data;
	size_t		left = http->body.len;

	while (left >= 16 && !feed->failed)
	{
		size_t		total = big_endian(p);
		size_t		headers = big_endian(p + 4);
		char		kind[64];
		char		event[64];

		if (total < 16 || total > left || headers > total - 16)
			break;
		frame_header(p + 12, headers, ":event-type", event, sizeof(event));
		frame_header(p + 12, headers, ":message-type", kind, sizeof(kind));
		if (strcmp(kind, "exception") == 0)
		{
			const char *why;
			cJSON	   *body = ai_json_parse((const char *) p + 12 + headers, total - headers - 16, &why);

			frame_header(p + 12, headers, ":exception-type", event, sizeof(event));
			ai_classify_body(strstr(event, "hrottling") ? 429 : strstr(event, "alidation") ? 400 : 500,
							 body, feed->stream.failure);
			cJSON_Delete(body);
			feed->failed = true;
		}
		else
			take_json(feed, event, (const char *) p + 12 + headers, total - headers - 16);
		p += total;
		left -= total;
	}
}

cJSON *
ai_reply_tree(const AiHttpReply *http, const AiAssembler *assembler, AiFailure *failure)
{
	Feed		feed = {.stream = {.failure = failure},.assembler = assembler};
	const char *why;
	cJSON	   *tree;

	bool		frames = is_frames(http);
	bool		sse = !frames && is_sse(http);

	if (!frames && !sse && !is_lines(http))
	{
		tree = ai_json_parse(http->body.data, http->body.len, &why);
		if (tree == NULL)
			ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply cannot be read: %s", why);
		return tree;
	}
	ai_failure_clear(failure);
	feed.stream.tree = cJSON_CreateObject();
	if (frames)
		feed_frames(&feed, http);
	else if (sse)
		feed_sse(&feed, http);
	else
		feed_lines(&feed, http);
	if (!feed.failed && !feed.stream.ended)
	{
		ai_fail(failure, AI_ERROR_SERVER, "the stream of the reply stopped before its end");
		feed.failed = true;
	}
	if (!feed.failed)
		assembler->end(&feed.stream);
	ai_buffer_free(&feed.stream.text);
	ai_buffer_free(&feed.stream.reasoning);
	if (!feed.failed)
		return feed.stream.tree;
	cJSON_Delete(feed.stream.tree);
	return NULL;
}
