/*
 * engine.c
 *	  Drives calls: starts attempts, reads their outcomes, retries, finishes.
 *
 * All active calls of the backend are on one list, whoever owns them, because
 * drivers nest: a function evaluated for an argument of a plan node waits
 * while the node has calls of its own under way.  Whoever waits moves all of
 * them; each set only collects its own.
 *
 * A call that is IN_FLIGHT has either a transfer, or (for a provider that
 * answers in process) an answer already and a time when it "arrives".  It holds
 * a place in its model's lane (lane.h); where that has none, it stays in
 * BACKOFF until something has ended.
 *
 * State: the list of active calls, how many there were and what the last one
 * was, per backend.
 */
#include "postgres.h"

#include <time.h>

#include "call/engine.h"
#include "call/lane.h"
#include "call/retry.h"
#include "call/structured.h"
#include "call/target.h"
#include "call/token.h"
#include "common/pg_prng.h"
#include "pg/guc.h"
#include "util/redact.h"
#include "utils/builtins.h"

#define STREAM_GRACE_MS	500

static dlist_head active = DLIST_STATIC_INIT(active);
AiLastCall	ai_last_call = {.task = -1};
int64		ai_calls_started = 0;

static void
remember(const AiCall *call)
{
	AiLastCall *last = &ai_last_call;

	last->task = call->request.task;
	last->failed = call->failed;
	strlcpy(last->model, call->model->name, sizeof(last->model));
	strlcpy(last->provider, call->model->provider, sizeof(last->provider));
	strlcpy(last->served_by, call->reply.model ? call->reply.model : call->model->remote_model,
			sizeof(last->served_by));
	last->finish = call->reply.finish;
	last->usage = call->reply.usage;
	last->failure = call->failure;
	strlcpy(last->request_id, call->reply.request_id[0] ? call->reply.request_id : call->failure.request_id,
			sizeof(last->request_id));
	last->attempts = call->attempts;
	last->latency_ms = call->latency_ms;
}

/* An attempt is under way no more. */
static void
leave_lane(AiCall *call, AiLaneOutcome outcome)
{
	if (call->in_lane)
		ai_lane_leave(call->lane, outcome, call->entered_at, ai_now_ms());
	call->in_lane = false;
}

/* Goes in, if there is room. */
static bool
enter_lane(AiCall *call)
{
	if (call->in_lane)
		return true;
	if (!ai_lane_has_room(call->lane, call->model->max_in_flight))
		return false;
	ai_lane_enter(call->lane);
	call->in_lane = true;
	call->entered_at = ai_now_ms();
	/* waiting for the first place is no part of the call's time */
	if (call->attempts == 0)
		call->deadline = call->entered_at + call->timeout_ms;
	return true;
}

/* Is there time to wait for a place? */
static bool
may_wait(const AiCall *call)
{
	return call->attempts == 0 || call->deadline - ai_now_ms() >= 1;
}

bool
ai_call_has_room(const AiCall *call)
{
	return ai_lane_has_room(call->lane, call->model->max_in_flight);
}

static void
finish(AiCall *call)
{
	leave_lane(call, AI_LANE_ANSWERED);
	call->state = AI_CALL_DONE;
	call->latency_ms = ai_now_ms() - call->submitted_at;
	remember(call);
	dlist_delete(&call->active_node);
	dlist_delete(&call->set_node);
	dlist_push_tail(&call->set->done, &call->set_node);
}

#define MAX_SECRETS		14

/* Whatever of the secret's fields may be one: all but names and places. */
static int
collect_secrets(const AiSecret *secret, const char **secrets)
{
	const cJSON *field;
	int			n = 0;

	if (secret == NULL)
		return 0;
	if (secret->key != NULL)
		secrets[n++] = secret->key;
	cJSON_ArrayForEach(field, secret->fields)
	{
		if (cJSON_IsString(field) && n < MAX_SECRETS &&
			(strstr(field->string, "secret") || strstr(field->string, "key") ||
			 strstr(field->string, "token")))
			secrets[n++] = field->valuestring;
	}
	return n;
}

/* Takes the secrets and the texts of the request, which no error may repeat, out. */
static void
redact_failure(AiCall *call, const AiSecret *secret)
{
	const AiRequest *request = &call->request;
	const char *secrets[MAX_SECRETS + 1];
	int			n_secrets = collect_secrets(secret, secrets);
	const char **texts = malloc(sizeof(char *) * (size_t) (request->n_messages + request->n_inputs + 1));
	int			n_texts = 0;

	if (texts == NULL)
	{
		call->failure.message[0] = '\0';
		return;
	}
	if (call->token_slot != NULL && call->token_slot->token != NULL)
		secrets[n_secrets++] = call->token_slot->token;
	for (int i = 0; i < request->n_messages; i++)
	{
		if (request->messages[i].text != NULL)
			texts[n_texts++] = request->messages[i].text;
	}
	for (int i = 0; i < request->n_inputs; i++)
		texts[n_texts++] = request->inputs[i];
	if (request->query != NULL)
		texts[n_texts++] = request->query;
	ai_redact(call->failure.message, sizeof(call->failure.message),
			  secrets, n_secrets, texts, n_texts);
	free(texts);
}

/* An attempt failed: back off, or give up. */
static void
attempt_failed(AiCall *call)
{
	double		now = ai_now_ms();
	AiRetryInput input = {
		.failure = &call->failure,
		.attempts = call->attempts,
		.max_retries = call->max_retries,
		.left_ms = call->deadline - now,
		.random = pg_prng_double(&pg_global_prng_state),
	};
	double		delay = ai_retry_delay(&input);

	leave_lane(call, call->failure.kind == AI_ERROR_RATE_LIMIT || call->failure.kind == AI_ERROR_OVERLOADED
			   ? AI_LANE_OVERLOADED : AI_LANE_ENDED);
	if (delay < 0)
	{
		call->failed = true;
		finish(call);
		return;
	}
	call->state = AI_CALL_BACKOFF;
	call->due_at = now + delay;
}

static void
answer_in_process(AiCall *call, const AiTarget *target)
{
	const AiProtocol *protocol = ai_protocols[target->protocol];
	AiRequest	effective;
	double		latency_ms = 0;

	ai_failure_clear(&call->failure);
	ai_reply_free(&call->reply);
	if (ai_provider_check(target, &call->request, ai_guc_drop_unsupported, &effective,
						  &call->failure))
		protocol->respond(target, &effective, call->attempts, &call->reply,
						  &call->failure, &latency_ms);
	call->state = AI_CALL_IN_FLIGHT;
	call->due_at = ai_now_ms() + latency_ms;
	if (call->due_at > call->deadline)
	{
		call->due_at = call->deadline;
		ai_fail(&call->failure, AI_ERROR_TIMEOUT, "no answer within %d ms",
				(int) (call->deadline - call->submitted_at + 0.5));
	}
}

/*
 * A provider refused: take out what it repeats of the request.  The key is
 * read again for that, since it is not kept.
 */
static void
explain_refusal(AiCall *call)
{
	AiResolvedTarget resolved;
	AiFailure	ignored;

	ai_target_resolve(call->model, &resolved, &ignored);
	redact_failure(call, &resolved.secret);
	ai_secret_wipe(&resolved.secret);
	if (resolved.key_withheld && call->failure.kind == AI_ERROR_AUTHENTICATION)
		ai_failure_hint(&call->failure,
						"No key was sent: the key of provider \"%s\" may not go to the endpoint of model \"%s\". Name its host in \"hosts\" of the key's file.",
						call->model->provider, call->model->name);
}

/* An attempt that cannot be made, and would not be by trying again. */
static void
give_up(AiCall *call)
{
	call->max_retries = 0;
	attempt_failed(call);
}

static AiHttpLimits
limits_of(const AiCall *call, double left)
{
	return (AiHttpLimits)
	{
		.timeout_ms = (int) left,
			.connect_timeout_ms = ai_guc_connect_timeout,
			.max_response_kb = ai_guc_max_response_size,
			.large_reply = call->request.task == AI_TASK_EMBED,
	};
}

static void attempt_arrived(void *owner, AiTransfer *transfer);

/*
 * Waits for a token, or fetches it; true if there is one, and the target has
 * it.  The slot keeps the token, the target borrows it.
 */
static bool
authorize(AiCall *call, AiResolvedTarget *resolved)
{
	AiTokenRequest request;
	const char *token;
	AiHttpLimits limits = limits_of(call, call->deadline - ai_now_ms());
	AiHttpListener listener = {.finished = attempt_arrived,.owner = call};

	limits.large_reply = false;
	if (!ai_token_identify(&resolved->target, &request, &call->failure))
	{
		give_up(call);
		return false;
	}
	call->token_slot = ai_token_slot(&resolved->target, &request);
	token = ai_token_valid(call->token_slot);
	/* one that was got for this very attempt is used, however short it lasts */
	if (token == NULL && call->token_arrived)
		token = call->token_slot->token;
	call->token_arrived = false;
	if (token != NULL)
	{
		resolved->target.api_key = token;
		resolved->target.token = true;
		return true;
	}
	call->state = AI_CALL_AUTHORIZING;
	if (call->token_slot->fetcher != NULL)
		return false;			/* another call fetches it, and wakes this one */
	if (!ai_token_build(&resolved->target, &request, &call->failure))
	{
		ai_http_request_free(&request.http);
		give_up(call);
		return false;
	}
	call->transfer = ai_http_start(&request.http, request.local ? AI_REACH_METADATA : AI_REACH_PUBLIC,
								   &limits, &listener, &call->failure);
	if (call->transfer == NULL)
		attempt_failed(call);
	else
		call->token_slot->fetcher = call;
	return false;
}

/* Inside libcurl. */
static AiSinkVerdict
take_in(void *owner, const AiHttpReply *so_far, const char *data, size_t len)
{
	AiCall	   *call = owner;

	switch (ai_reply_stream_take(call->stream, so_far, data, len))
	{
		case AI_STREAM_NONE:
			return AI_SINK_KEEP;
		case AI_STREAM_OPEN:
		case AI_STREAM_ENDED:
			return AI_SINK_TAKEN;
		case AI_STREAM_FAILED:
			break;
	}
	return AI_SINK_STOP;
}

static void
drop_stream(AiCall *call)
{
	ai_reply_stream_free(call->stream);
	call->stream = NULL;
}

/*
 * A stream's time has come: its last event was there and the server still
 * holds the connection, its first was not there in time, or all is well.
 */
static void
act_on_stream(AiCall *call)
{
	if (ai_reply_stream_state(call->stream) == AI_STREAM_ENDED)
		ai_http_stop(call->transfer);
	else if (ai_reply_stream_began(call->stream))
		call->due_at = call->deadline + 1000;
	else
	{
		ai_http_release(call->transfer);
		call->transfer = NULL;
		drop_stream(call);
		ai_fail(&call->failure, AI_ERROR_TIMEOUT, "the answer did not begin within %d ms",
				call->first_byte_ms);
		attempt_failed(call);
	}
}

static void
start_attempt(AiCall *call)
{
	AiResolvedTarget resolved;
	AiHttpRequest http = {0};
	AiHttpLimits limits;
	AiHttpListener listener = {.finished = attempt_arrived,.owner = call};
	double		left;

	if (may_wait(call) && !enter_lane(call))
	{
		/* looked at again whenever something has ended */
		call->state = AI_CALL_BACKOFF;
		return;
	}
	left = call->deadline - ai_now_ms();
	call->state = AI_CALL_IN_FLIGHT;
	/* libcurl times out first; this is the net below it */
	call->due_at = call->deadline + 1000;
	if (left < 1)
	{
		ai_fail(&call->failure, AI_ERROR_TIMEOUT, "the time ran out before an attempt could be made");
		give_up(call);
		return;
	}
	if (!ai_target_resolve(call->model, &resolved, &call->failure))
	{
		ai_secret_wipe(&resolved.secret);
		give_up(call);
		return;
	}
	if (resolved.target.provider->in_process)
	{
		call->attempts++;
		answer_in_process(call, &resolved.target);
		return;
	}
	if (resolved.needs_token && !authorize(call, &resolved))
	{
		ai_secret_wipe(&resolved.secret);
		return;
	}
	call->attempts++;
	call->request.stream = call->first_byte_ms > 0 &&
		ai_provider_streams(&resolved.target, call->request.task);
	if (!ai_provider_build(&resolved.target, &call->request, ai_guc_drop_unsupported,
						   &http, &call->failure))
	{
		ai_http_request_free(&http);
		ai_secret_wipe(&resolved.secret);
		give_up(call);
		return;
	}
	ai_secret_wipe(&resolved.secret);
	if (call->request.stream)
		call->stream = ai_reply_stream_new(ai_protocols[resolved.target.protocol]->assembler);
	if (call->stream != NULL)
	{
		/* the reply is to come as events, the first of them in time */
		listener.sink = take_in;
		call->due_at = Min(call->due_at, ai_now_ms() + call->first_byte_ms);
	}
	limits = limits_of(call, left);
	call->transfer = ai_http_start(&http, resolved.reach, &limits, &listener, &call->failure);
	if (call->transfer == NULL)
	{
		drop_stream(call);
		attempt_failed(call);
	}
}

/*
 * The fetch of a token ended: the calls that wait for it go on, or fail as it
 * failed.  None of them is the fetcher any more.
 */
static void
wake_waiters(AiTokenSlot *slot, const AiFailure *failure)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &active)
	{
		AiCall	   *call = dlist_container(AiCall, active_node, iter.cur);

		if (call->state != AI_CALL_AUTHORIZING || call->token_slot != slot || call->transfer != NULL)
			continue;
		call->token_arrived = failure == NULL;
		if (failure == NULL)
			start_attempt(call);
		else
		{
			call->failure = *failure;
			attempt_failed(call);
		}
	}
}

static void
token_arrived(AiCall *call)
{
	AiTransfer *transfer = call->transfer;
	AiTokenSlot *slot = call->token_slot;
	char	   *token = NULL;
	int64_t		expires_in = 0;
	bool		good;

	ai_failure_clear(&call->failure);
	good = ai_http_result(transfer, &call->failure) &&
		ai_token_parse(ai_http_reply(transfer), &token, &expires_in, &call->failure);
	call->transfer = NULL;
	ai_http_release(transfer);
	slot->fetcher = NULL;
	if (good)
	{
		ai_token_store(slot, token, expires_in);
		call->token_arrived = true;
		start_attempt(call);
		wake_waiters(slot, NULL);
	}
	else
	{
		AiFailure	failure = call->failure;

		/* a fetch counts as the attempt that it was for */
		call->attempts++;
		attempt_failed(call);
		wake_waiters(slot, &failure);
	}
}

/* A server that refuses a token may take a new one; asked once a call. */
static bool
renew_token(AiCall *call)
{
	if (call->token_slot == NULL || call->token_renewed ||
		call->failure.kind != AI_ERROR_AUTHENTICATION)
		return false;
	call->token_renewed = true;
	ai_token_drop(call->token_slot);
	return true;
}

/* A good reply: done, unless the answer has to be what a schema says. */
static void
attempt_succeeded(AiCall *call)
{
	if (call->request.schema == NULL)
	{
		finish(call);
		return;
	}
	switch (ai_structured_review(call))
	{
		case AI_REVIEW_GOOD:
			finish(call);
			break;
		case AI_REVIEW_ASK_AGAIN:
			start_attempt(call);
			break;
		case AI_REVIEW_BAD:
			give_up(call);
			break;
	}
}

/* Reads what came back for an attempt. */
static void
attempt_arrived(void *owner, AiTransfer *transfer)
{
	AiCall	   *call = owner;
	AiResolvedTarget resolved;
	bool		good;

	if (call->state == AI_CALL_AUTHORIZING)
	{
		token_arrived(call);
		return;
	}
	ai_failure_clear(&call->failure);
	good = ai_http_result(transfer, &call->failure);
	if (good)
	{
		AiHttpReply http = *ai_http_reply(transfer);

		http.stream = call->stream;
		ai_target_describe(call->model, &resolved, &call->failure);
		ai_reply_free(&call->reply);
		good = ai_provider_parse(&resolved.target, &call->request, &http, time(NULL),
								 &call->reply, &call->failure);
		if (!good)
			explain_refusal(call);
	}
	call->transfer = NULL;
	ai_http_release(transfer);
	drop_stream(call);
	if (good)
		attempt_succeeded(call);
	else if (renew_token(call))
		start_attempt(call);
	else
		attempt_failed(call);
}

void
ai_call_admit(AiCall *call)
{
	ai_calls_started++;
	call->state = AI_CALL_ADMITTED;
	dlist_delete(&call->set_node);
	dlist_push_tail(&call->set->pending, &call->set_node);
	dlist_push_tail(&active, &call->active_node);
	start_attempt(call);
}

/*
 * A call that fetched a token is given up: one of those that wait for it must
 * fetch it anew, at the next turn.
 */
static void
hand_on_fetch(AiCall *call)
{
	dlist_iter	iter;

	if (call->token_slot == NULL || call->token_slot->fetcher != call)
		return;
	call->token_slot->fetcher = NULL;
	dlist_foreach(iter, &active)
	{
		AiCall	   *other = dlist_container(AiCall, active_node, iter.cur);

		if (other->state == AI_CALL_AUTHORIZING && other->token_slot == call->token_slot)
			other->due_at = 0;
	}
}

void
ai_call_abandon(AiCall *call)
{
	if (call->state != AI_CALL_NEW && call->state != AI_CALL_DONE)
		dlist_delete(&call->active_node);
	call->state = AI_CALL_DONE;
	if (call->transfer != NULL)
		ai_http_release(call->transfer);
	call->transfer = NULL;
	leave_lane(call, AI_LANE_ENDED);
	drop_stream(call);
	hand_on_fetch(call);
	ai_reply_free(&call->reply);
	cJSON_Delete(call->json);
	call->json = NULL;
	cJSON_Delete(call->call_options);
	call->call_options = NULL;
	for (int i = 0; i < (int) lengthof(call->trees); i++)
	{
		cJSON_Delete(call->trees[i]);
		call->trees[i] = NULL;
	}
	if (call->model != NULL)
		ai_model_release(call->model);
	call->model = NULL;
}

/* Acts on calls whose time has come; returns when the next one comes, or -1. */
static double
act_on_time(void)
{
	double		now = ai_now_ms();
	double		next = -1;
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &active)
	{
		AiCall	   *call = dlist_container(AiCall, active_node, iter.cur);

		/* a server may hold the connection after the last event, but not long */
		if (call->stream != NULL && call->due_at > now + STREAM_GRACE_MS &&
			ai_reply_stream_state(call->stream) == AI_STREAM_ENDED)
			call->due_at = now + STREAM_GRACE_MS;
		/* something of its lane is under way, and ends in its own time */
		if (call->state == AI_CALL_BACKOFF && call->due_at <= now && may_wait(call) &&
			!ai_call_has_room(call))
		{
			if (call->attempts > 0 && (next < 0 || call->deadline < next))
				next = call->deadline;
			continue;
		}
		if (call->due_at > now)
		{
			if (next < 0 || call->due_at < next)
				next = call->due_at;
			continue;
		}
		next = now;
		if (call->state == AI_CALL_BACKOFF ||
			(call->state == AI_CALL_AUTHORIZING && call->transfer == NULL))
			start_attempt(call);
		else if (call->stream != NULL && now < call->deadline)
			act_on_stream(call);
		else if (call->transfer == NULL)
		{
			if (call->failure.kind == AI_ERROR_NONE)
				attempt_succeeded(call);
			else
			{
				redact_failure(call, NULL);
				attempt_failed(call);
			}
		}
		else
		{
			/* libcurl's own timeout comes first unless it is in trouble */
			ai_http_release(call->transfer);
			call->transfer = NULL;
			drop_stream(call);
			hand_on_fetch(call);
			ai_fail(&call->failure, AI_ERROR_TIMEOUT, "the time ran out");
			attempt_failed(call);
		}
	}
	return next;
}

static AiCall *
take_done(AiCallSet *set)
{
	AiCall	   *call;

	if (dlist_is_empty(&set->done))
		return NULL;
	call = dlist_container(AiCall, set_node, dlist_pop_head_node(&set->done));
	dlist_push_tail(&set->idle, &call->set_node);
	return call;
}

AiCall *
ai_call_set_poll(AiCallSet *set)
{
	if (dlist_is_empty(&set->done))
	{
		ai_http_deliver();
		act_on_time();
	}
	return take_done(set);
}

AiCall *
ai_call_set_next(AiCallSet *set)
{
	for (;;)
	{
		double		next;
		AiCall	   *call;

		ai_http_deliver();
		next = act_on_time();
		call = take_done(set);
		if (call != NULL)
			return call;
		if (dlist_is_empty(&set->pending))
			return NULL;
		ai_http_wait(next < 0 ? -1 : Max(next - ai_now_ms(), 0));
	}
}
