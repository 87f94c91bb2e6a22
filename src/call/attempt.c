/*
 * attempt.c
 *	  The steps of one attempt (attempt.h).
 *
 * The key is looked up for each attempt and given back when the request is
 * written; where a provider refused, it is looked up once more, to take out
 * of the failure what repeats it (disclosure.h).
 *
 * State: none but the attempts themselves.
 */
#include "postgres.h"

#include <time.h>

#include "call/attempt.h"
#include "call/call.h"
#include "call/disclosure.h"
#include "call/engine.h"
#include "call/token.h"
#include "provider/auth.h"

/* A server may hold the connection after the last event, but not long. */
#define STREAM_GRACE_MS		500

/* Behind libcurl's own timeout: the net below it. */
#define LATE_MS				1000

/* A token is fetched for all that wait for it, however little time one has. */
#define TOKEN_TIMEOUT_MS	60000

/* Bytes of a reply behind which a session does not keep the memory. */
#define LARGE_TREE		(1024 * 1024)

static AiHttpLimits
limits_of(const AiCall *call, double timeout_ms)
{
	return (AiHttpLimits)
	{
		.timeout_ms = (int) Max(timeout_ms, 1),
			.connect_timeout_ms = call->settings.connect_timeout_ms,
			.max_response_kb = call->settings.max_response_kb,
			.large_reply = call->request.task == AI_TASK_EMBED,
	};
}

static void
forget_secrets(AiAttempt *attempt)
{
	ai_secret_release(&attempt->secret);
	ai_free_secret(attempt->token);
	attempt->token = NULL;
	attempt->key_withheld = false;
}

static void
begin(AiCall *call)
{
	AiAttempt  *attempt = &call->attempt;

	attempt->number = call->attempts + 1;
	attempt->begun_at = ai_now_ms();
	attempt->sent = AI_HTTP_NOT_SENT;
	attempt->made = false;
	attempt->answered = false;
	attempt->token_serial = 0;
	forget_secrets(attempt);
	ai_failure_clear(&attempt->failure);
	ai_engine_due(call, call->deadline + LATE_MS);
}

/* Who and how stays for the reply; place and key do not. */
static void
keep_target(AiAttempt *attempt, const AiResolvedTarget *resolved)
{
	attempt->target = resolved->target;
	attempt->target.endpoint = "";
	attempt->target.api_key = NULL;
	attempt->target.fields = NULL;
	attempt->profile = resolved->profile;
	if (attempt->target.profile != NULL)
		attempt->target.profile = &attempt->profile;
}

static AiAttemptOutcome
answer_in_process(AiCall *call)
{
	AiAttempt  *attempt = &call->attempt;
	AiRequest	effective;
	double		latency_ms = 0;
	double		arrives_at;

	attempt->made = true;
	attempt->answered = true;
	attempt->sent = AI_HTTP_CONNECTED;	/* as if it had been */
	ai_reply_free(&call->reply);
	if (ai_provider_check(&attempt->target, &call->request, call->settings.drop_unsupported,
						  &effective, &attempt->failure))
		ai_protocols[attempt->target.protocol]->respond(&attempt->target, &effective, attempt->number,
														&call->reply, &attempt->failure, &latency_ms);
	arrives_at = ai_now_ms() + latency_ms;
	if (arrives_at > call->deadline)
	{
		arrives_at = call->deadline;
		ai_reply_free(&call->reply);
		ai_fail(&attempt->failure, AI_ERROR_TIMEOUT, "no answer within %d ms", call->settings.timeout_ms);
	}
	ai_engine_due(call, arrives_at);
	return AI_ATTEMPT_UNDER_WAY;
}

/*
 * Finds the token, or has it fetched.  The slot keeps it, the target borrows
 * it.
 */
static AiAttemptOutcome
authorize(AiCall *call, AiResolvedTarget *resolved)
{
	AiAttempt  *attempt = &call->attempt;
	AiHttpLimits limits = limits_of(call, Min(call->settings.timeout_ms, TOKEN_TIMEOUT_MS));
	AiTokenRequest request;
	const char *token;

	limits.large_reply = false;
	if (!ai_token_identify(&resolved->target, &request, &attempt->failure))
		return AI_ATTEMPT_HOPELESS;
	call->token_slot = ai_token_slot(&resolved->target, &request);
	if (call->token_slot == NULL)
	{
		ai_fail(&attempt->failure, AI_ERROR_CONNECTION, "memory ran out");
		return AI_ATTEMPT_HOPELESS;
	}
	token = ai_token_valid(call->token_slot);
	/* one that was got for this very attempt is used, however short it lasts */
	if (token == NULL && call->token_arrived)
		token = call->token_slot->token;
	call->token_arrived = false;
	if (token == NULL && ai_token_fetch(call->token_slot, &resolved->target, &request, &limits, &attempt->failure))
		return AI_ATTEMPT_NEEDS_TOKEN;
	attempt->made = true;
	if (token == NULL)
		return AI_ATTEMPT_FAILED;
	attempt->token_serial = call->token_slot->serial;
	attempt->token = ai_strdup(token);
	resolved->target.api_key = token;
	resolved->target.token = true;
	return AI_ATTEMPT_UNDER_WAY;
}

/* Inside libcurl. */
static AiSinkVerdict
take_in(void *owner, const AiHttpReply *so_far, const char *data, size_t len)
{
	AiCall	   *call = owner;

	switch (ai_reply_stream_take(call->attempt.stream, so_far, data, len))
	{
		case AI_STREAM_NONE:
			return AI_SINK_KEEP;
		case AI_STREAM_OPEN:
			return AI_SINK_TAKEN;
		case AI_STREAM_ENDED:
			if (call->due_at > ai_now_ms() + STREAM_GRACE_MS)
				ai_engine_due(call, ai_now_ms() + STREAM_GRACE_MS);
			return AI_SINK_TAKEN;
		case AI_STREAM_FAILED:
			break;
	}
	return AI_SINK_STOP;
}

static void
finished(void *owner, AiTransfer *transfer)
{
	ai_engine_attempt_finished(owner);
}

/* Chat replies come as events, where the answer must begin in time. */
static void
await_stream(AiCall *call, AiHttpListener *listener)
{
	AiAttempt  *attempt = &call->attempt;
	double		until = ai_now_ms() + call->settings.first_byte_ms;

	attempt->stream = ai_reply_stream_new(ai_protocols[attempt->target.protocol]->assembler);
	if (attempt->stream == NULL)
		return;
	listener->sink = take_in;
	ai_engine_due(call, Min(call->due_at, until));
}

static AiAttemptOutcome
send(AiCall *call, const AiResolvedTarget *resolved)
{
	const AiTarget *target = &resolved->target;
	AiAttempt  *attempt = &call->attempt;
	AiHttpListener listener = {.finished = finished,.owner = call};
	AiHttpLimits limits = limits_of(call, call->deadline - attempt->begun_at);
	AiHttpRequest http = {0};

	attempt->made = true;
	limits.http2 = resolved->http2;
	call->request.stream = call->settings.first_byte_ms > 0 &&
		ai_provider_streams(target, call->request.task);
	if (!ai_provider_build(target, &call->request, call->settings.drop_unsupported, &http,
						   &attempt->failure))
	{
		ai_http_request_free(&http);
		return AI_ATTEMPT_HOPELESS;
	}
	if (call->request.stream)
		await_stream(call, &listener);
	attempt->transfer = ai_http_start(&http, resolved->reach, &limits, &listener, &attempt->failure);
	return attempt->transfer != NULL ? AI_ATTEMPT_UNDER_WAY : AI_ATTEMPT_FAILED;
}

AiAttemptOutcome
ai_attempt_start(AiCall *call)
{
	AiAttempt  *attempt = &call->attempt;
	AiResolvedTarget resolved;
	AiAttemptOutcome outcome = AI_ATTEMPT_UNDER_WAY;

	begin(call);
	if (!ai_target_resolve(call->model, &resolved, &attempt->failure))
	{
		ai_secret_release(&resolved.secret);
		return AI_ATTEMPT_HOPELESS;
	}
	attempt->secret = resolved.secret;
	attempt->key_withheld = resolved.key_withheld;
	keep_target(attempt, &resolved);
	if (resolved.target.provider->in_process)
		return answer_in_process(call);
	if (resolved.needs_token)
		outcome = authorize(call, &resolved);
	if (outcome == AI_ATTEMPT_UNDER_WAY)
		outcome = send(call, &resolved);
	return outcome;
}

/*
 * A stream's time has come: its last event was there and the server still
 * holds the connection, its first was not there in time, or all is well.
 */
static AiAttemptOutcome
act_on_stream(AiCall *call)
{
	AiAttempt  *attempt = &call->attempt;

	ai_engine_due(call, call->deadline + LATE_MS);
	if (ai_reply_stream_state(attempt->stream) == AI_STREAM_ENDED)
		ai_http_stop(attempt->transfer);
	else if (!ai_reply_stream_began(attempt->stream))
	{
		ai_fail(&attempt->failure, AI_ERROR_TIMEOUT, "the answer did not begin within %d ms",
				call->settings.first_byte_ms);
		return AI_ATTEMPT_FAILED;
	}
	return AI_ATTEMPT_UNDER_WAY;
}

AiAttemptOutcome
ai_attempt_act(AiCall *call, double now)
{
	AiAttempt  *attempt = &call->attempt;

	if (attempt->answered)
	{
		if (attempt->failure.kind == AI_ERROR_NONE)
			return AI_ATTEMPT_ANSWERED;
		return AI_ATTEMPT_FAILED;
	}
	if (attempt->stream != NULL && now < call->deadline)
		return act_on_stream(call);
	/* libcurl's own timeout comes first unless it is in trouble */
	ai_fail(&attempt->failure, AI_ERROR_TIMEOUT, "the time ran out");
	return AI_ATTEMPT_FAILED;
}

AiAttemptOutcome
ai_attempt_take(AiCall *call)
{
	AiAttempt  *attempt = &call->attempt;
	AiHttpReply http;

	ai_failure_clear(&attempt->failure);
	if (!ai_http_result(attempt->transfer, &attempt->failure))
		return ai_http_lacked_descriptor(attempt->transfer) ? AI_ATTEMPT_NEEDS_ROOM : AI_ATTEMPT_FAILED;
	http = *ai_http_reply(attempt->transfer);
	http.stream = attempt->stream;
	ai_reply_free(&call->reply);
	if (ai_provider_parse(&attempt->target, &call->request, &http, time(NULL), &call->reply,
						  &attempt->failure))
		return AI_ATTEMPT_ANSWERED;
	return AI_ATTEMPT_FAILED;
}

/*
 * Was it sent, and neither its tokens told nor a reply had that refuses it?  The
 * provider may have done the work, and may bill it.
 */
static bool
maybe_billed(const AiCall *call)
{
	const AiAttempt *attempt = &call->attempt;
	int			status = attempt->failure.http_status;
	AiErrorKind kind = attempt->failure.kind;

	if (attempt->sent == AI_HTTP_NOT_SENT || call->reply.usage.uncached_input >= 0)
		return false;
	if (status != 0)
		return status < 300 || status >= 500;
	return kind == AI_ERROR_TIMEOUT || kind == AI_ERROR_CONNECTION || kind == AI_ERROR_SERVER ||
		kind == AI_ERROR_INVALID_REPLY;
}

static AiLaneOutcome
lane_outcome(const AiAttempt *attempt, AiAttemptEnd how)
{
	if (how == AI_END_ANSWERED)
		return AI_LANE_ANSWERED;
	if (how == AI_END_FAILED &&
		(attempt->failure.kind == AI_ERROR_RATE_LIMIT || attempt->failure.kind == AI_ERROR_OVERLOADED))
		return AI_LANE_OVERLOADED;
	return AI_LANE_ENDED;
}

void
ai_attempt_ended(AiCall *call, AiAttemptEnd how)
{
	AiAttempt  *attempt = &call->attempt;
	size_t		received = 0;

	if (attempt->transfer != NULL)
	{
		attempt->sent = ai_http_sent(attempt->transfer);
		received = ai_http_received(attempt->transfer);
		ai_http_release(attempt->transfer);
		attempt->transfer = NULL;
	}
	ai_reply_stream_free(attempt->stream);
	attempt->stream = NULL;
	/* its tree, and what a stream had collected, was many small pieces */
	if (received > LARGE_TREE && call->request.task != AI_TASK_EMBED)
		ai_give_back_memory();
	ai_admission_settle(&attempt->ticket, lane_outcome(attempt, how));
	switch (how)
	{
		case AI_END_ANSWERED:
			call->attempts += attempt->made;
			ai_redact_reply(call);
			break;
		case AI_END_FAILED:
			call->attempts += attempt->made;
			/* what a server told; what we say of it repeats nothing */
			if (attempt->failure.http_status != 0)
				ai_redact_failure(call);
			strlcpy(call->reply.request_id, attempt->failure.request_id, sizeof(call->reply.request_id));
			call->failure = attempt->failure;
			call->maybe_billed = call->maybe_billed || maybe_billed(call);
			break;
		case AI_END_NOT_MADE:
		case AI_END_ABANDONED:
			break;
	}
	attempt->made = false;
	forget_secrets(attempt);
}
