/*
 * Replies that the recorded ones (test/replies) do not show: what each protocol
 * makes of a reply that lacks something, says it in another place or order, or
 * is no reply at all; of streams, whole and in pieces of each size.
 */
#include <stdlib.h>
#include <time.h>

#include "provider/provider.h"
#include "provider/stream.h"
#include "tap.h"

typedef struct Case
{
	const char *provider;
	AiProtocolId protocol;
	AiTask		task;
	int			n_inputs;
	const char *headers;
	const char *body;
	size_t		len;			/* 0 = that of the text */
	const char *expected;
} Case;

static const char json[] = "content-type: application/json\n";
static const char events[] = "content-type: text/event-stream\n";
static const char lines[] = "content-type: application/x-ndjson\n";
static const char frames[] = "content-type: application/vnd.amazon.eventstream\n";

/* ---- a reply as text ---- */

static void
add_count(AiBuffer *out, const char *name, int64_t count)
{
	if (count >= 0)
		ai_buffer_printf(out, " %s=%lld", name, (long long) count);
}

static void
add_tree(AiBuffer *out, const char *name, const cJSON *tree)
{
	char	   *text = tree ? cJSON_PrintUnformatted(tree) : NULL;

	if (text != NULL)
		ai_buffer_printf(out, " %s=%s", name, text);
	cJSON_free(text);
}

static void
add_reply(AiBuffer *out, const AiReply *reply)
{
	if (reply->finish != AI_FINISH_NONE)
		ai_buffer_printf(out, " %s", ai_finish_reason_names[reply->finish]);
	if (reply->text != NULL)
		ai_buffer_printf(out, " \"%s\"", reply->text);
	if (reply->reasoning != NULL)
		ai_buffer_printf(out, " thought \"%s\"", reply->reasoning);
	add_tree(out, "calls", reply->tool_calls);
	for (int i = 0; i < reply->n_vectors * reply->dimensions; i++)
		ai_buffer_printf(out, "%s%g", i % reply->dimensions == 0 ? " |" : " ", reply->vectors[i]);
	for (int i = 0; i < reply->n_scores; i++)
		ai_buffer_printf(out, " %d:%g", reply->scores[i].index, reply->scores[i].score);
	add_tree(out, "moderation", reply->moderation);
	add_count(out, "input", ai_usage_input(&reply->usage));
	add_count(out, "output", ai_usage_output(&reply->usage));
	add_count(out, "cached", reply->usage.cache_read);
	add_count(out, "reasoning", reply->usage.reasoning);
}

/* In pieces of a size, or 0 = whole; the outcome as text, malloc'd. */
static char *
outcome(const Case *item, size_t piece)
{
	static const char *const inputs[] = {"a", "b", "c"};
	const AiMessage message = {.role = AI_ROLE_USER,.text = "hi"};
	AiTarget	target = {.provider = ai_provider_by_name(item->provider),.protocol = item->protocol,.remote_model = "m"};
	AiRequest	request = {.task = item->task,.messages = &message,.n_messages = item->task == AI_TASK_CHAT,
		.inputs = inputs,.n_inputs = item->n_inputs,.query = "q",.top_n = 2};
	size_t		len = item->len ? item->len : strlen(item->body);
	AiHttpReply http = {.status = 200};
	AiReply		reply;
	AiFailure	failure;
	AiBuffer	out = {0};

	if (target.protocol == AI_PROTOCOL_NONE)
		target.protocol = ai_provider_protocol(target.provider, item->task);
	ai_buffer_append_string(&http.headers, item->headers);
	if (piece == 0)
		ai_buffer_append(&http.body, item->body, len);
	else
		http.stream = ai_reply_stream_new(ai_protocols[target.protocol]->assembler);
	for (size_t at = 0; piece > 0 && at < len; at += piece)
		ai_reply_stream_take(http.stream, &http, item->body + at, piece < len - at ? piece : len - at);
	if (ai_provider_parse(&target, &request, &http, 1795435200, &reply, &failure))
		add_reply(&out, &reply);
	else
		ai_buffer_printf(&out, " %s: %s", ai_error_kinds[failure.kind].name, failure.message);
	ai_reply_free(&reply);
	ai_reply_stream_free(http.stream);
	ai_buffer_free(&http.headers);
	ai_buffer_free(&http.body);
	return out.data;
}

static void
gives(const Case *item)
{
	char	   *whole = outcome(item, 0);
	size_t		len = item->len ? item->len : strlen(item->body);
	size_t		bad = 0;
	char		name[120];

	snprintf(name, sizeof(name), "%s: %s", item->provider, item->len ? item->expected : item->body);
	for (char *p = strchr(name, '\n'); p != NULL; p = strchr(p, '\n'))
		*p = ' ';
	is_string(whole + 1, item->expected, name);
	for (size_t piece = 1; item->headers != json && bad == 0 && piece <= len; piece++)
	{
		char	   *cut = outcome(item, piece);

		if (strcmp(cut, whole) != 0)
		{
			bad = piece;
			printf("# in pieces of %zu: %s\n", piece, cut);
		}
		free(cut);
	}
	if (item->headers != json)
		ok(bad == 0, "and in pieces of each size");
	free(whole);
}

/* ---- Amazon's frames ---- */

static void
put_number(AiBuffer *out, uint32_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		ai_buffer_append_char(out, (char) (number >> shift));
}

static void
put_header(AiBuffer *out, const char *name, const char *value)
{
	ai_buffer_append_char(out, (char) strlen(name));
	ai_buffer_append_string(out, name);
	ai_buffer_append_char(out, 7);
	ai_buffer_append_char(out, 0);
	ai_buffer_append_char(out, (char) strlen(value));
	ai_buffer_append_string(out, value);
}

static void
put_frame(AiBuffer *out, const char *kind, const char *event, const char *payload)
{
	AiBuffer	headers = {0};

	put_header(&headers, ":message-type", kind);
	put_header(&headers, strcmp(kind, "exception") == 0 ? ":exception-type" : ":event-type", event);
	put_number(out, (uint32_t) (16 + headers.len + strlen(payload)));
	put_number(out, (uint32_t) headers.len);
	put_number(out, 0);
	ai_buffer_append(out, headers.data, headers.len);
	ai_buffer_append_string(out, payload);
	put_number(out, 0);
	ai_buffer_free(&headers);
}

static void
gives_frames(const AiBuffer *body, const char *expected)
{
	const Case	item = {"bedrock", AI_PROTOCOL_BEDROCK_CONVERSE, AI_TASK_CHAT, 0, frames, body->data, body->len, expected};

	gives(&item);
}

static void
test_frames(void)
{
	AiBuffer	body = {0};

	put_frame(&body, "event", "messageStart", "{\"role\":\"assistant\"}");
	put_frame(&body, "event", "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"I \"}}}");
	put_frame(&body, "event", "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"see\"}}}");
	put_frame(&body, "event", "contentBlockStop", "{\"contentBlockIndex\":0}");
	put_frame(&body, "event", "contentBlockDelta", "{\"contentBlockIndex\":1,\"delta\":{\"text\":\"Bonn\"}}");
	put_frame(&body, "event", "contentBlockStop", "{\"contentBlockIndex\":1}");
	put_frame(&body, "event", "messageStop", "{\"stopReason\":\"end_turn\"}");
	put_frame(&body, "event", "metadata", "{\"usage\":{\"inputTokens\":3,\"outputTokens\":2,\"cacheReadInputTokens\":1}}");
	gives_frames(&body, "stop \"Bonn\" thought \"I see\" input=4 output=2 cached=1");
	body.len -= 10;
	gives_frames(&body, "server_error: the stream of the reply stopped before its end");
	ai_buffer_reset(&body);

	put_frame(&body, "event", "contentBlockStart", "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\"}}}");
	put_frame(&body, "event", "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{\\\"a\\\"\"}}}");
	put_frame(&body, "event", "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\":1}\"}}}");
	put_frame(&body, "event", "contentBlockStop", "{\"contentBlockIndex\":0}");
	put_frame(&body, "event", "messageStop", "{\"stopReason\":\"tool_use\"}");
	put_frame(&body, "event", "metadata", "{}");
	gives_frames(&body, "tool_calls calls=[{\"id\":\"t\",\"name\":\"f\",\"arguments\":{\"a\":1}}]");
	ai_buffer_reset(&body);

	put_frame(&body, "event", "messageStart", "{\"role\":\"assistant\"}");
	put_frame(&body, "exception", "throttlingException", "{\"message\":\"slow down\"}");
	gives_frames(&body, "rate_limit: slow down");
	ai_buffer_reset(&body);

	put_frame(&body, "event", "messageStop", "{\"stopReason\":\"end_turn\"}");
	body.data[3] = 12;
	gives_frames(&body, "invalid_reply: a frame of the stream cannot be read");
	ai_buffer_reset(&body);

	put_frame(&body, "event", "messageStop", "{\"stopReason\":\"end_turn\"}");
	body.data[13 + strlen(":message-type")] = 5;
	gives_frames(&body, "server_error: the stream of the reply stopped before its end");
	ai_buffer_free(&body);
}

/* ---- all others ---- */

static const Case cases[] = {
	/* OpenAI, chat */
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[]}", 0, "invalid_reply: the reply has no \"choices\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}", 0, "stop \"\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":null},\"finish_reason\":\"stop\"}]}", 0, "invalid_reply: the reply holds no answer"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"half\"},\"finish_reason\":\"insufficient_system_resource\"}]}", 0, "server_error: the provider ended the answer with an error"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"1\",\"function\":{\"arguments\":\"{}\"}}]}}]}", 0, "invalid_reply: the reply has a tool call whose name or arguments cannot be read"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}", 0, "invalid_reply: the reply has a tool call whose name or arguments cannot be read"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]}}]}", 0, "tool_calls calls=[{\"id\":\"1\",\"name\":\"f\",\"arguments\":{\"a\":1}}]"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "<html>", 0, "invalid_reply: the reply cannot be read: it is not JSON"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n"
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"}\"}}]}}]}\n\n"
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"2\",\"function\":{\"name\":\"g\",\"arguments\":{\"a\":1}}}]},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n", 0,
	"tool_calls calls=[{\"id\":\"1\",\"name\":\"f\",\"arguments\":{}},{\"id\":\"2\",\"name\":\"g\",\"arguments\":{\"a\":1}}]"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata:\n\ndata: [DONE]\n\n", 0, "invalid_reply: the reply holds no answer"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "{\"choices\":[{\"message\":{\"content\":\"one\"},\"finish_reason\":\"stop\"}]}", 0, "stop \"one\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n{\"error\":{\"message\":\"busy\",\"code\":\"overloaded\"}}\n\n", 0, "overloaded: busy"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", 0, "server_error: the stream of the reply stopped before its end"},
	/* two calls under one index, indexes that begin with 1, and none at all */
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events,
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\n\n"
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]}}]}\n\n"
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\":1}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n", 0,
		"tool_calls calls=[{\"id\":\"a\",\"name\":\"f\",\"arguments\":{}},{\"id\":\"b\",\"name\":\"g\",\"arguments\":{\"x\":1}}]"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events,
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n"
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"}\"}}]}}]}\n\n"
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":2,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n", 0,
		"tool_calls calls=[{\"id\":\"a\",\"name\":\"f\",\"arguments\":{}},{\"id\":\"b\",\"name\":\"g\",\"arguments\":{}}]"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "data: {\"choices\":[\n\n", 0, "invalid_reply: an event of the stream cannot be read: it is not JSON"},

	/* what a finish reason is called, and what an answer is that broke off */
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"half\"},\"finish_reason\":\"LENGTH\"}]}", 0, "length \"half\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"half\"},\"finish_reason\":\"error\"}]}", 0, "server_error: the provider ended the answer with an error"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"all\"},\"finish_reason\":\"a new word\"}]}", 0, "stop \"all\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"\"}]}", 0, "stop \"\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"\"}]}", 0, "tool_calls calls=[{\"id\":\"1\",\"name\":\"f\",\"arguments\":{}}]"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\"}}]},\"finish_reason\":\"length\"}]}", 0, "invalid_reply: all output tokens were used in the middle of a tool call"},
	{"openai", AI_PROTOCOL_OPENAI_RESPONSES, AI_TASK_CHAT, 0, json, "{\"status\":\"cancelled\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"half\"}]}]}", 0, "server_error: the provider ended the answer with an error"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_CHAT, 0, json, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half\"}]},\"finishReason\":\"CONTINUATION\"}]}", 0, "length \"half\""},
	{"gemini", AI_PROTOCOL_GEMINI_INTERACTIONS, AI_TASK_CHAT, 0, json, "{\"status\":\"requires_continuation\",\"steps\":[{\"type\":\"model_output\",\"content\":[{\"type\":\"text\",\"text\":\"half\"}]}]}", 0, "length \"half\""},
	/* an error beside an answer, in place of one, and before the server */
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"error\":{},\"choices\":[{\"message\":{\"content\":\"yes\"}}]}", 0, "stop \"yes\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"error\":false,\"choices\":[{\"message\":{\"content\":\"yes\"}}]}", 0, "stop \"yes\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"error\":{\"code\":\"429\",\"message\":\"slow down\"}}", 0, "rate_limit: slow down"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":null,\"base_resp\":{\"status_code\":1008,\"status_msg\":\"insufficient balance\"}}", 0, "quota: insufficient balance"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"yes\"}}],\"base_resp\":{\"status_code\":0}}", 0, "stop \"yes\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_EMBED, 1, json, "{\"error\":{\"code\":429,\"message\":\"slow down\"}}", 0, "rate_limit: slow down"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_EMBED, 1, json, ": OPENROUTER PROCESSING\n\n{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}", 0, "|1 2"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_EMBED, 1, json, "\xef\xbb\xbf{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}", 0, "|1 2"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_EMBED, 1, json, ": nothing", 0, "invalid_reply: the reply is not the JSON of embeddings"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_EMBED, 1, json, "{\"data\":[{\"index\":0,\"embedding\":[[1,2]]}]}", 0, "invalid_reply: the reply has an array of arrays in place of an embedding"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "upstream is starting", 0, "invalid_reply: the reply cannot be read: it is not JSON"},
	/* where a model leaves what it thinks */
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"so\\n</think>\\n\\n4\"}}]}", 0, "stop \"4\" thought \"so\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"so</think>\\n4\"}}]}", 0, "stop \"4\" thought \"so\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"the tag </think> ends it\"}}]}", 0, "stop \"the tag </think> ends it\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"[THINK]hm[/THINK]4\"}}]}", 0, "stop \"4\" thought \"hm\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"<thinking>hm</thinking>4\"}}]}", 0, "stop \"4\" thought \"hm\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>\"}}]}", 0, "stop \"4\" thought \"hm\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"<|channel|>final<|message|>4\"}}]}", 0, "stop \"4\" thought \"\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"<|channel|>analysis<|message|>hm\"},\"finish_reason\":\"stop\"}]}", 0, "stop \"\" thought \"hm\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, json, "{\"choices\":[{\"message\":{\"content\":\"a tag <think> ends with\\n</think>\"}}]}", 0, "stop \"a tag <think> ends with\n</think>\""},
	{"openai", AI_PROTOCOL_OPENAI_RESPONSES, AI_TASK_CHAT, 0, json, "{\"output\":[{\"type\":\"message\",\"phase\":\"commentary\",\"content\":[{\"type\":\"output_text\",\"text\":\"first\"}]},{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"yes\"}]}]}", 0, "stop \"yes\" thought \"first\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "data: {\"error\":\"\",\"choices\":[{\"delta\":{\"content\":\"yes\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"error\":{},\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n", 0, "stop \"yes\" input=2 output=1"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events, "data: : OPENROUTER PROCESSING\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"yes\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", 0, "stop \"yes\""},

	/* OpenAI, responses */
	{"openai", AI_PROTOCOL_OPENAI_RESPONSES, AI_TASK_CHAT, 0, json, "{\"status\":\"completed\"}", 0, "invalid_reply: the reply has no \"output\""},
	{"openai", AI_PROTOCOL_OPENAI_RESPONSES, AI_TASK_CHAT, 0, json, "{\"status\":\"cancelled\",\"output\":[]}", 0, "server_error: the provider ended the answer with an error"},
	{"openai", AI_PROTOCOL_OPENAI_RESPONSES, AI_TASK_CHAT, 0, json, "{\"output\":[{\"id\":\"x\"},{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"yes\"}]}]}", 0, "stop \"yes\""},
	{"openai", AI_PROTOCOL_OPENAI_RESPONSES, AI_TASK_CHAT, 0, events, "event: response.completed\ndata: {\"response\":{\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"yes\"}]}]}}\n\n", 0, "stop \"yes\""},

	/* Anthropic */
	{"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"type\":\"message\"}", 0, "invalid_reply: the reply has no \"content\""},
	{"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"content\":[],\"stop_reason\":\"end_turn\"}", 0, "stop \"\""},
	{"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"content\":[{\"text\":\"lost\"},{\"type\":\"text\",\"text\":\"found\"}]}", 0, "stop \"found\""},
	{"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}", 0, "overloaded: Overloaded"},
	{"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, events, "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":5}}}\n\n"
		"event: content_block_start\ndata: {\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n"
		"event: content_block_delta\ndata: {\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n"
		"event: content_block_stop\ndata: {}\n\n"
		"event: content_block_start\ndata: {\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
		"event: content_block_delta\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"yes\"}}\n\n"
		"event: content_block_stop\ndata: {}\n\n"
		"event: message_delta\ndata: {\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\n"
		"event: message_stop\ndata: {}\n\n", 0, "stop \"yes\" thought \"hm\" input=5 output=3"},
	{"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, events, "data: {\"type\":\"message_start\",\"message\":{}}\n\n"
		"data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n"
		"data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\"}}\n\n"
		"data: {\"type\":\"content_block_stop\"}\n\n"
		"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\ndata: {\"type\":\"message_stop\"}\n\n", 0,
	"invalid_reply: the reply has a tool call whose name or arguments cannot be read"},

	/* Gemini */
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_CHAT, 0, json, "{}", 0, "invalid_reply: the reply has no \"candidates\""},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_CHAT, 0, json, "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"args\":{}}}]}}]}", 0, "invalid_reply: the reply has a tool call whose name or arguments cannot be read"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_CHAT, 0, json, "{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"enough\"}}", 0, "rate_limit: enough"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_CHAT, 0, events, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"yes\"}]},\"finishReason\":\"STOP\"}]}\n\n"
		"data: {\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":1}}\n\n", 0, "stop \"yes\" input=4 output=1"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_EMBED, 2, json, "{\"embeddings\":[{\"values\":[1,2],\"more\":{}},{\"values\":[3,4]}],\"more\":[]}", 0, "|1 2 |3 4"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_EMBED, 2, json, "{\"embeddings\":[{\"values\":[1]},{\"values\":[1]},{\"values\":[1]}]}", 0, "invalid_reply: the reply has more embeddings than the 2 inputs that were sent"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_EMBED, 2, json, "{\"embeddings\":[{\"values\":[1]}]}", 0, "invalid_reply: the reply has 1 embeddings for 2 inputs"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_EMBED, 2, json, "{\"embeddings\":[{\"values\":[1]},{\"more\":1}]}", 0, "invalid_reply: the reply is not the JSON of embeddings"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_EMBED, 2, json, "{\"embeddings\":[{\"values\":[1]},{\"values\":[1,2]}]}", 0, "invalid_reply: the reply mixes embeddings of 1 and 2 dimensions"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_EMBED, 2, json, "{\"embeddings\":{}}", 0, "invalid_reply: the reply is not the JSON of embeddings"},
	{"gemini", AI_PROTOCOL_GEMINI, AI_TASK_EMBED, 2, json, "{\"embeddings\":[1]}", 0, "invalid_reply: the reply is not the JSON of embeddings"},

	/* Gemini, interactions */
	{"gemini", AI_PROTOCOL_GEMINI_INTERACTIONS, AI_TASK_CHAT, 0, json, "{\"steps\":[]}", 0, "invalid_reply: the reply has no \"status\""},
	{"gemini", AI_PROTOCOL_GEMINI_INTERACTIONS, AI_TASK_CHAT, 0, json, "{\"error\":{\"code\":\"unavailable\",\"message\":\"later\"}}", 0, "server_error: later"},
	{"gemini", AI_PROTOCOL_GEMINI_INTERACTIONS, AI_TASK_CHAT, 0, json, "{\"status\":\"completed\",\"steps\":[{\"a\":1},{\"type\":\"function_call\",\"id\":\"1\",\"name\":\"f\",\"arguments\":{}}]}", 0, "tool_calls calls=[{\"id\":\"1\",\"name\":\"f\",\"arguments\":{}}]"},

	/* Ollama */
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"response\":\"yes\",\"done\":true,\"done_reason\":\"stop\"}", 0, "stop \"yes\""},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"message\":{\"content\":\"ha\"},\"done\":false}", 0, "invalid_reply: the reply is not done"},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"done\":true}", 0, "invalid_reply: the reply has no \"message\""},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":{}}}]},\"done\":true}", 0, "invalid_reply: the reply has a tool call whose name or arguments cannot be read"},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"error\":\"model 'x' not found\"}", 0, "server_error: model 'x' not found"},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, lines, "{\"message\":{\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\r\n{\"message\":{\"content\":\"y\"},\"done\":false} \n"
		"{\"message\":{\"content\":\"es\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":2,\"eval_count\":1}", 0, "stop \"yes\" thought \"hm\" input=2 output=1"},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, lines, "{\"response\":\"y\",\"done\":false}\n{\"response\":\"es\",\"done\":true}\n", 0, "stop \"yes\""},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, lines, "{\"message\":{\"content\":\"y\"},\"done\":false}\n", 0, "server_error: the stream of the reply stopped before its end"},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_EMBED, 2, json, "{\"total_duration\":5,\"embeddings\":[[1,2],[3,4]],\"prompt_eval_count\":6}", 0, "|1 2 |3 4 input=6"},
	{"ollama", AI_PROTOCOL_NONE, AI_TASK_EMBED, 1, json, "{\"embedding\":[1,2]}", 0, "|1 2"},

	/* Cohere */
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"finish_reason\":\"COMPLETE\"}", 0, "invalid_reply: the reply has no \"message\""},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, json, "{\"message\":{\"content\":[]},\"finish_reason\":\"COMPLETE\"}", 0, "stop \"\""},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, events, "event: message-start\ndata: {}\n\n"
		"event: content-delta\ndata: {\"delta\":{\"message\":{\"content\":{\"thinking\":\"hm\"}}}}\n\n"
		"event: content-delta\ndata: {\"delta\":{\"message\":{\"content\":{\"text\":\"yes\"}}}}\n\n"
		"event: message-end\ndata: {\"delta\":{\"finish_reason\":\"COMPLETE\",\"usage\":{\"tokens\":{\"input_tokens\":2,\"output_tokens\":1}}}}\n\n", 0,
	"stop \"yes\" thought \"hm\" input=2 output=1"},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_EMBED, 1, json, "{\"embeddings\":{\"int8\":[[1]],\"float\":[[1,2]]},\"meta\":{\"billed_units\":{\"input_tokens\":3}}}", 0, "|1 2 input=3"},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_EMBED, 1, json, "{\"embeddings\":[[1,2]],\"meta\":null}", 0, "|1 2"},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "{}", 0, "invalid_reply: the reply has no list of scores"},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "{\"results\":[{\"index\":0}]}", 0, "invalid_reply: the reply ranks a document without a score"},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "{\"results\":[{\"index\":2,\"relevance_score\":1}]}", 0, "invalid_reply: the reply ranks document 2 of 2"},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "{\"results\":[{\"index\":1,\"relevance_score\":1},{\"index\":1,\"relevance_score\":1}]}", 0, "invalid_reply: the reply ranks document 1 twice"},
	{"cohere", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "[", 0, "invalid_reply: the reply cannot be read: it is not JSON"},

	/* tasks in OpenAI's shape */
	{"jina", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "{\"data\":[{\"index\":1,\"relevance_score\":0.5},{\"index\":0,\"relevance_score\":0.2}],\"usage\":{\"total_tokens\":9}}", 0, "1:0.5 0:0.2 input=9"},
	{"jina", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "{\"data\":[{\"index\":1,\"relevance_score\":0.5}]}", 0, "invalid_reply: the reply has a score for 1 of 2 documents"},
	{"jina", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "nothing", 0, "invalid_reply: the reply cannot be read: it is not JSON"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_MODERATE, 1, json, "{\"results\":[]}", 0, "invalid_reply: the reply has no moderation result"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_MODERATE, 1, json, "{\"error\":{\"message\":\"no\",\"code\":\"rate_limit_exceeded\"}}", 0, "rate_limit: no"},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_TRANSCRIBE, 0, json, "{\"words\":[]}", 0, "invalid_reply: the reply has no \"text\""},
	{"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_EMBED, 1, json, "{\"data\":[{\"index\":0,\"embedding\":[1]}],\"usage\":null}", 0, "|1"},

	/* Voyage, TEI, Azure's content safety */
	{"voyage", AI_PROTOCOL_NONE, AI_TASK_RERANK, 2, json, "x", 0, "invalid_reply: the reply cannot be read: it is not JSON"},
	{"tei", AI_PROTOCOL_NONE, AI_TASK_RERANK, 3, json, "[{\"index\":2,\"score\":3},{\"index\":0,\"score\":2},{\"index\":1,\"score\":1}]", 0, "2:3 0:2"},
	{"tei", AI_PROTOCOL_NONE, AI_TASK_RERANK, 3, json, "x", 0, "invalid_reply: the reply cannot be read: it is not JSON"},
	{"tei", AI_PROTOCOL_NONE, AI_TASK_EMBED, 2, json, "{\"error\":\"x\"}", 0, "server_error: x"},
	{"azure", AI_PROTOCOL_CONTENT_SAFETY, AI_TASK_MODERATE, 1, json, "{}", 0, "invalid_reply: the reply has no \"categoriesAnalysis\""},
	{"azure", AI_PROTOCOL_CONTENT_SAFETY, AI_TASK_MODERATE, 1, json, "{\"categoriesAnalysis\":[{\"category\":\"Hate\"},{\"category\":\"Sexual\",\"severity\":6}]}", 0,
	"moderation={\"flagged\":true,\"categories\":{\"Sexual\":true},\"scores\":{\"Sexual\":1}}"},

	/* Bedrock, Vertex */
	{"bedrock", AI_PROTOCOL_BEDROCK_CONVERSE, AI_TASK_CHAT, 0, json, "{\"output\":{\"message\":{\"content\":[]}},\"stopReason\":\"end_turn\"}", 0, "stop \"\""},
	{"bedrock", AI_PROTOCOL_BEDROCK_INVOKE, AI_TASK_RERANK, 2, json, "x", 0, "invalid_reply: the reply cannot be read: it is not JSON"},
	{"bedrock", AI_PROTOCOL_BEDROCK_INVOKE, AI_TASK_EMBED, 1, json, "{\"embeddings\":{}}", 0, "invalid_reply: the reply has no embeddings"},
	{"bedrock", AI_PROTOCOL_BEDROCK_INVOKE, AI_TASK_EMBED, 1, json, "{\"embeddings\":{\"int8\":[[1]],\"float\":[[1,2]]}}", 0, "|1 2"},
	{"vertex", AI_PROTOCOL_VERTEX_PREDICT, AI_TASK_EMBED, 2, json, "{\"predictions\":[{\"embeddings\":{\"values\":[1,2],\"statistics\":{\"token_count\":4.0,\"truncated\":false},\"more\":1},\"more\":1},"
		"{\"embeddings\":{\"statistics\":{\"token_count\":3},\"values\":[3,4]}}]}", 0, "|1 2 |3 4 input=7"},
	{"vertex", AI_PROTOCOL_VERTEX_PREDICT, AI_TASK_EMBED, 1, json, "{\"predictions\":[{\"embeddings\":{\"values\":[1,2],\"statistics\":null}}]}", 0, "|1 2"},
	{"vertex", AI_PROTOCOL_VERTEX_PREDICT, AI_TASK_EMBED, 1, json, "{\"predictions\":[{\"embeddings\":{\"values\":[1]}},{\"embeddings\":{\"values\":[1]}}]}", 0, "invalid_reply: the reply has more embeddings than the 1 inputs that were sent"},
	{"vertex", AI_PROTOCOL_VERTEX_PREDICT, AI_TASK_EMBED, 2, json, "{\"predictions\":[{\"embeddings\":{\"values\":[1]}}]}", 0, "invalid_reply: the reply has 1 embeddings for 2 inputs"},
	{"vertex", AI_PROTOCOL_VERTEX_PREDICT, AI_TASK_EMBED, 1, json, "{\"predictions\":{}}", 0, "invalid_reply: the reply is not the JSON of embeddings"},
};

/* ---- work that grows with the reply ---- */

/* A stream with a part that comes n times. */
typedef struct Growing
{
	const char *name;
	Case		item;
	const char *head;
	const char *part;			/* with its number */
	const char *tail;
} Growing;

static const Growing growing[] = {
	{"members of the first event of Anthropic's", {"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, events},
		"data: {\"type\":\"message_start\",\"message\":{\"content\":[]", ",\"k%d\":0", "}}\n\ndata: {\"type\":\"message_stop\"}\n\n"},
	{"counts of Anthropic's", {"anthropic", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, events},
		"data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":1", ",\"k%d\":0", "}}\n\ndata: {\"type\":\"message_stop\"}\n\n"},
	{"members of the last event of Responses", {"openai", AI_PROTOCOL_OPENAI_RESPONSES, AI_TASK_CHAT, 0, events},
		"data: {\"type\":\"response.completed\",\"response\":{\"output\":[]", ",\"k%d\":0", "}}\n\n"},
	{"members of the last line of Ollama's", {"ollama", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, lines},
		"{\"done\":true", ",\"k%d\":0", "}\n"},
	{"pieces of tool arguments", {"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events},
		"", "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"piece %d\"}}]}}]}\n\n", "data: [DONE]\n\n"},
	{"pieces of a refusal", {"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events},
		"", "data: {\"choices\":[{\"delta\":{\"refusal\":\"piece %d\"}}]}\n\n", "data: [DONE]\n\n"},
};

static clock_t
work(const Growing *growth, int n)
{
	Case		item = growth->item;
	AiBuffer	body = {0};
	clock_t		start;
	char	   *text;

	ai_buffer_append_string(&body, growth->head);
	for (int i = 0; i < n; i++)
		ai_buffer_printf(&body, growth->part, i);
	ai_buffer_append_string(&body, growth->tail);
	item.body = body.data;
	start = clock();
	text = outcome(&item, 0);
	start = clock() - start;
	free(text);
	ai_buffer_free(&body);
	return start;
}

/* Eight times as much is eight times the work, and 64 times where it is squared. */
static void
test_growth(void)
{
	for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++)
	{
		clock_t		small = work(&growing[i], 4000);
		clock_t		large = work(&growing[i], 32000);

		ok(large < 24 * (small + CLOCKS_PER_SEC / 1000), "%s: the work is linear", growing[i].name);
	}
}

/* Events that each have few values, and many together. */
static void
test_many_values(void)
{
	Case		item = {"gemini", AI_PROTOCOL_NONE, AI_TASK_CHAT, 0, events};
	AiBuffer	body = {0};
	char	   *text;

	for (int i = 0; i < 40; i++)
	{
		ai_buffer_append_string(&body, "data: {\"candidates\":[{\"content\":{\"parts\":[0");
		for (int j = 0; j < 10000; j++)
			ai_buffer_append_string(&body, ",1");
		ai_buffer_append_string(&body, "]}}]}\n\n");
	}
	item.body = body.data;
	text = outcome(&item, 0);
	is_string(text + 1, "invalid_reply: the stream of the reply has too many values", "what events add up to is bounded");
	free(text);
	ai_buffer_free(&body);
}

/* More calls of tools than anyone asks for. */
static void
test_many_calls(void)
{
	Case		item = {"openai", AI_PROTOCOL_OPENAI_CHAT, AI_TASK_CHAT, 0, events};
	AiBuffer	body = {0};
	char	   *text;

	for (int i = 0; i <= AI_MAX_TOOL_CALLS; i++)
		ai_buffer_printf(&body, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":%d,\"id\":\"c%d\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\n\n", i, i);
	ai_buffer_append_string(&body, "data: [DONE]\n\n");
	item.body = body.data;
	text = outcome(&item, 0);
	is_string(text + 1, "invalid_reply: the reply calls more than 1000 tools", "no call is lost in silence");
	free(text);
	ai_buffer_free(&body);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		gives(&cases[i]);
	test_frames();
	test_growth();
	test_many_calls();
	test_many_values();
	return done_testing();
}
