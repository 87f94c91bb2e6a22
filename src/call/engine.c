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
 * answers in process) an answer already and a time when it "arrives".
 *
 * State: the list of active calls, per backend.
 */
#include "postgres.h"

#include <time.h>

#include "call/engine.h"
#include "call/retry.h"
#include "call/target.h"
#include "common/pg_prng.h"
#include "guc.h"
#include "util/redact.h"
#include "utils/builtins.h"

static dlist_head active = DLIST_STATIC_INIT(active);

static void
finish(AiCall *call)
{
	call->state = AI_CALL_DONE;
	call->latency_ms = ai_now_ms() - call->submitted_at;
	dlist_delete(&call->active_node);
	dlist_delete(&call->set_node);
	dlist_push_tail(&call->set->done, &call->set_node);
}

/* The texts of the request, which no error may repeat. */
static void
redact_failure(AiCall *call, const char *key)
{
	const AiRequest *request = &call->request;
	int			n = request->n_messages + request->n_inputs;
	const char **texts = malloc(sizeof(char *) * (size_t) (n + 1));
	int			n_texts = 0;

	if (texts == NULL)
	{
		call->failure.message[0] = '\0';
		return;
	}
	for (int i = 0; i < request->n_messages; i++)
	{
		if (request->messages[i].text != NULL)
			texts[n_texts++] = request->messages[i].text;
	}
	for (int i = 0; i < request->n_inputs; i++)
		texts[n_texts++] = request->inputs[i];
	ai_redact(call->failure.message, sizeof(call->failure.message),
			  &key, key != NULL ? 1 : 0, texts, n_texts);
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
	redact_failure(call, resolved.secret.key);
	ai_secret_wipe(&resolved.secret);
	if (resolved.key_withheld && call->failure.kind == AI_ERROR_AUTHENTICATION)
		ai_failure_hint(&call->failure,
						"No key was sent: the key of provider \"%s\" may not go to the endpoint of model \"%s\". Name its host in \"hosts\" of the key's file.",
						call->model->provider, call->model->name);
}

static void
start_attempt(AiCall *call)
{
	AiResolvedTarget resolved;
	AiHttpRequest http = {0};
	double		left = call->deadline - ai_now_ms();

	call->attempts++;
	call->state = AI_CALL_IN_FLIGHT;
	/* libcurl times out first; this is the net below it */
	call->due_at = call->deadline + 1000;
	if (left < 1)
	{
		ai_fail(&call->failure, AI_ERROR_TIMEOUT, "the time ran out before an attempt could be made");
		call->max_retries = 0;
		attempt_failed(call);
		return;
	}
	if (!ai_target_resolve(call->model, &resolved, &call->failure))
	{
		ai_secret_wipe(&resolved.secret);
		call->max_retries = 0;
		attempt_failed(call);
		return;
	}
	if (resolved.target.provider->in_process)
	{
		answer_in_process(call, &resolved.target);
		return;
	}
	if (!ai_provider_build(&resolved.target, &call->request, ai_guc_drop_unsupported,
						   &http, &call->failure))
	{
		ai_http_request_free(&http);
		ai_secret_wipe(&resolved.secret);
		call->max_retries = 0;
		attempt_failed(call);
		return;
	}
	ai_secret_wipe(&resolved.secret);
	call->transfer = ai_http_start(&http, resolved.reach, (int) left, call, &call->failure);
	if (call->transfer == NULL)
		attempt_failed(call);
}

/* Reads what came back for an attempt. */
static void
attempt_arrived(AiCall *call)
{
	AiTransfer *transfer = call->transfer;
	AiTarget	target;
	bool		good;

	ai_failure_clear(&call->failure);
	good = ai_http_result(transfer, &call->failure);
	if (good)
	{
		ai_target_describe(call->model, &target, &call->failure);
		good = ai_provider_parse(&target, &call->request, ai_http_reply(transfer),
								 time(NULL), &call->reply, &call->failure);
		if (!good)
			explain_refusal(call);
	}
	call->transfer = NULL;
	ai_http_release(transfer);
	if (good)
		finish(call);
	else
		attempt_failed(call);
}

void
ai_call_admit(AiCall *call)
{
	call->state = AI_CALL_ADMITTED;
	dlist_delete(&call->set_node);
	dlist_push_tail(&call->set->pending, &call->set_node);
	dlist_push_tail(&active, &call->active_node);
	start_attempt(call);
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
	ai_reply_free(&call->reply);
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

/* Hands on what arrived over the network. */
static void
collect_transfers(void)
{
	AiTransfer *transfer;

	while ((transfer = ai_http_next_finished()) != NULL)
		attempt_arrived(ai_http_owner(transfer));
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

		if (call->due_at > now)
		{
			if (next < 0 || call->due_at < next)
				next = call->due_at;
			continue;
		}
		next = now;
		if (call->state == AI_CALL_BACKOFF)
			start_attempt(call);
		else if (call->transfer == NULL)
		{
			if (call->failure.kind == AI_ERROR_NONE)
				finish(call);
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
			ai_fail(&call->failure, AI_ERROR_TIMEOUT, "the time ran out");
			attempt_failed(call);
		}
	}
	return next;
}

AiCall *
ai_call_set_next(AiCallSet *set)
{
	for (;;)
	{
		double		next;
		AiCall	   *call;

		collect_transfers();
		next = act_on_time();
		if (!dlist_is_empty(&set->done))
		{
			call = dlist_container(AiCall, set_node, dlist_pop_head_node(&set->done));
			dlist_push_tail(&set->idle, &call->set_node);
			return call;
		}
		if (dlist_is_empty(&set->pending))
			return NULL;
		ai_http_wait(next < 0 ? -1 : Max(next - ai_now_ms(), 0));
	}
}
