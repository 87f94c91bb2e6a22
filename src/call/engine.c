/*
 * engine.c
 *	  Drives calls from their start to their end.
 *
 * Who calls.  A window starts calls (window.c).  Whoever waits for one, a
 * scalar function or a plan node, gives all started calls of the backend a
 * turn, whoever owns them, because drivers nest: a function that is evaluated
 * for an argument of a plan node waits while the node has calls of its own under
 * way.  A turn tells who listens of the transfers that have finished (they come
 * back here, from attempt.c and token.c), then acts on the calls whose time has
 * come, then offers places.  It runs no SQL, so that it is not entered twice.
 *
 * The story of a call.
 *	1. It asks for a place (admission.h).  Without one it waits (AI_WAIT_ROOM), and
 *	   is offered one later.
 *	2. With its first place it gets its deadline; an attempt begins (attempt.h) and
 *	   goes as far as it can at once.
 *	3. It may need a token first (AI_WAIT_TOKEN): the place is kept, and the
 *	   attempt begins anew when the fetch has ended; a fetch that failed counts as
 *	   the attempt.  Or no descriptor is to be had: the place is given back, and
 *	   the call is at 1 again.
 *	4. Else it is IN_FLIGHT until its transfer has finished, or its time has come.
 *	5. An answer ends the call, unless a schema says what it must be: then it is
 *	   judged (structured.h), and one that does not fit is asked for once more,
 *	   from 1 on.
 *	6. A failure that says that the token was refused has the call try at once with
 *	   a new one, from 1 on, once.  One that another attempt may mend waits for its
 *	   time (AI_WAIT_BACK_OFF, retry.h), then is at 1.  Any other ends the call.
 *	7. DONE: it leaves the list, is remembered for last_call(), and is its
 *	   window's to count and hand out.
 *
 * States are changed in become() alone, and the attempt's exit, which gives back
 * the place, is ai_attempt_ended() alone.  In which state a call is, is never
 * guessed from its counters.
 *
 * Time.  `next_due` is never later than the earliest time at which something
 * is to be done about any call, so that a turn looks at all of them only when
 * one of them may be due.  A turn looks at the clock and at what was received;
 * sockets are read in ai_http_wait() alone.
 *
 * Room.  Waiting calls are offered a place, the first started first, after a
 * place was given back, and whenever none has one: then none will give one
 * back.
 *
 * Memory: a call and its context are its window's, what an attempt holds is
 * malloc.  ai_engine_abandon() frees the latter in any state.
 *
 * Who may throw: nobody here but for what judging an answer by a schema may (want
 * of memory, a cancel); the call then ends with its window.  Locks: none, all of
 * it is the backend's own.
 *
 * State: the list of started calls, how many of them wait for room and how many
 * do not, next_due; how many calls there were and what the last one was.
 */
#include "postgres.h"

#include "call/engine.h"
#include "call/retry.h"
#include "call/structured.h"
#include "call/token.h"
#include "call/window.h"
#include "common/pg_prng.h"
#include "util/usage.h"

#define NEVER		1e300

static dlist_head active = DLIST_STATIC_INIT(active);
static int	n_for_room = 0;		/* of them: wait for room */
static int	n_otherwise = 0;	/* all others */
static double next_due = NEVER;

AiLastCall	ai_last_call = {.task = -1};
int64		ai_calls_started = 0;

/* ---- states ---- */

static void
count(const AiCall *call, int by)
{
	switch (call->state)
	{
		case AI_CALL_NEW:
		case AI_CALL_DONE:
			break;
		case AI_CALL_WAITING:
			if (call->waits_for == AI_WAIT_ROOM)
				n_for_room += by;
			else
				n_otherwise += by;
			break;
		case AI_CALL_IN_FLIGHT:
			n_otherwise += by;
			break;
	}
}

static void
become(AiCall *call, AiCallState state, AiCallWait waits_for)
{
	if (call->waits_for == AI_WAIT_TOKEN)
		ai_token_leave(call->token_slot);
	count(call, -1);
	call->state = state;
	call->waits_for = waits_for;
	count(call, 1);
	if (waits_for == AI_WAIT_TOKEN)
		ai_token_join(call->token_slot);
	if (waits_for == AI_WAIT_ROOM)
	{
		call->waiting_since = ai_now_ms();
		call->due_at = NEVER;
	}
}

void
ai_engine_due(AiCall *call, double due_at)
{
	call->due_at = due_at;
	next_due = Min(next_due, due_at);
}

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

static void
finish(AiCall *call, bool failed)
{
	become(call, AI_CALL_DONE, AI_WAIT_NONE);
	call->failed = failed;

	/*
	 * what the first of two answers took is paid for, whatever came of the
	 * second
	 */
	if (call->asked_again && call->reply.usage.uncached_input < 0)
		call->reply.usage = call->spent;
	else if (call->asked_again)
		ai_usage_add(&call->reply.usage, &call->spent);
	call->latency_ms = ai_now_ms() - call->started_at;
	remember(call);
	dlist_delete(&call->active_node);
	ai_window_call_done(call);
}

/* ---- from attempt to attempt ---- */

static void settle(AiCall *call, AiAttemptOutcome outcome);

/* With a place: how long it was waited for is no part of the call's time. */
static void
begin_attempt(AiCall *call)
{
	double		now = ai_now_ms();

	if (call->deadline == 0)
		call->deadline = now + call->settings.timeout_ms;
	else if (call->waits_for == AI_WAIT_ROOM)
		call->deadline += now - call->waiting_since;
	become(call, AI_CALL_IN_FLIGHT, AI_WAIT_NONE);
	if (call->deadline - now >= 1)
		settle(call, ai_attempt_start(call));
	else
	{
		call->attempt.sent = AI_HTTP_NOT_SENT;
		ai_fail(&call->attempt.failure, AI_ERROR_TIMEOUT, "the time ran out before an attempt could be made");
		settle(call, AI_ATTEMPT_HOPELESS);
	}
}

static void
attempt(AiCall *call)
{
	if (ai_admission_enter(call, &call->attempt.ticket))
		begin_attempt(call);
	else if (call->waits_for != AI_WAIT_ROOM)
		become(call, AI_CALL_WAITING, AI_WAIT_ROOM);
}

/* After a failure: the time of the next attempt, or the end. */
static void
back_off(AiCall *call)
{
	double		now = ai_now_ms();
	AiRetryInput input = {
		.failure = &call->failure,
		.attempts = call->attempts,
		.max_retries = call->settings.max_retries,
		.left_ms = call->deadline - now,
		.random = pg_prng_double(&pg_global_prng_state),
	};
	double		delay = ai_retry_delay(&input);

	if (delay < 0)
	{
		finish(call, true);
		return;
	}
	become(call, AI_CALL_WAITING, AI_WAIT_BACK_OFF);
	ai_engine_due(call, now + delay);
}

/* A server that refuses a token may take a new one; asked once a call. */
static bool
renews_token(AiCall *call)
{
	if (call->token_slot == NULL || call->token_renewed || call->attempt.token_serial == 0 ||
		call->attempt.failure.kind != AI_ERROR_AUTHENTICATION)
		return false;
	call->token_renewed = true;
	ai_token_refused(call->token_slot, call->attempt.token_serial);
	return true;
}

/* A good reply: done, unless the answer has to be what a schema says. */
static void
answered(AiCall *call)
{
	AiReview	review = AI_REVIEW_GOOD;

	call->attempt.usage = call->reply.usage;
	if (call->request.schema != NULL)
		review = ai_structured_review(call);
	switch (review)
	{
		case AI_REVIEW_GOOD:
			ai_attempt_ended(call, AI_END_ANSWERED);
			finish(call, false);
			break;
		case AI_REVIEW_ASK_AGAIN:
			ai_attempt_ended(call, AI_END_ANSWERED);
			attempt(call);
			break;
		case AI_REVIEW_BAD:
			ai_attempt_ended(call, AI_END_FAILED);
			finish(call, true);
			break;
	}
}

/* What came of a step of the attempt decides the call's next state. */
static void
settle(AiCall *call, AiAttemptOutcome outcome)
{
	bool		again;

	switch (outcome)
	{
		case AI_ATTEMPT_UNDER_WAY:
			break;
		case AI_ATTEMPT_NEEDS_TOKEN:
			become(call, AI_CALL_WAITING, AI_WAIT_TOKEN);
			ai_engine_due(call, call->deadline);
			break;
		case AI_ATTEMPT_NEEDS_ROOM:
			ai_attempt_ended(call, AI_END_NOT_MADE);
			become(call, AI_CALL_WAITING, AI_WAIT_ROOM);
			break;
		case AI_ATTEMPT_ANSWERED:
			answered(call);
			break;
		case AI_ATTEMPT_FAILED:
			again = renews_token(call);
			ai_attempt_ended(call, AI_END_FAILED);
			if (again)
				attempt(call);
			else
				back_off(call);
			break;
		case AI_ATTEMPT_HOPELESS:
			ai_attempt_ended(call, AI_END_FAILED);
			finish(call, true);
			break;
	}
}

/* ---- what drives it ---- */

void
ai_engine_start(AiCall *call)
{
	Assert(call->state == AI_CALL_NEW && call->model != NULL);
	ai_calls_started++;
	call->started_at = ai_now_ms();
	dlist_push_tail(&active, &call->active_node);
	attempt(call);
}

void
ai_engine_attempt_finished(AiCall *call)
{
	settle(call, ai_attempt_take(call));
}

/* The place that the call kept while it waited is the new attempt's. */
static void
token_came(AiCall *call)
{
	call->token_arrived = true;
	begin_attempt(call);
}

/* A fetch that failed counts as the attempt that it was for. */
static void
token_failed(AiCall *call, const AiFailure *failure)
{
	call->attempt.failure = *failure;
	call->attempt.made = true;
	settle(call, AI_ATTEMPT_FAILED);
}

void
ai_engine_token_ended(AiTokenSlot *slot, const AiFailure *failure)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &active)
	{
		AiCall	   *call = dlist_container(AiCall, active_node, iter.cur);

		if (call->waits_for != AI_WAIT_TOKEN || call->token_slot != slot)
			continue;
		if (failure == NULL)
			token_came(call);
		else
			token_failed(call, failure);
	}
}

void
ai_engine_abandon(AiCall *call)
{
	if (call->state != AI_CALL_NEW && call->state != AI_CALL_DONE)
		dlist_delete(&call->active_node);
	become(call, AI_CALL_DONE, AI_WAIT_NONE);
	ai_attempt_ended(call, AI_END_ABANDONED);
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

/* A call whose time has come. */
static void
act(AiCall *call, double now)
{
	switch (call->waits_for)
	{
		case AI_WAIT_NONE:
			settle(call, ai_attempt_act(call, now));
			break;
		case AI_WAIT_BACK_OFF:
			attempt(call);
			break;
		case AI_WAIT_TOKEN:
			ai_fail(&call->attempt.failure, AI_ERROR_TIMEOUT, "the time ran out while waiting for a token");
			settle(call, AI_ATTEMPT_HOPELESS);
			break;
		case AI_WAIT_ROOM:
		case AI_WAIT_RATE:
		case AI_WAIT_TWIN:
			break;
	}
}

static void
act_on_time(void)
{
	double		now = ai_now_ms();
	dlist_mutable_iter iter;

	if (now < next_due)
		return;
	dlist_foreach_modify(iter, &active)
	{
		AiCall	   *call = dlist_container(AiCall, active_node, iter.cur);

		if (call->due_at <= now)
			act(call, now);
	}
	/* at the end: a cancel that ends this half-way leaves a time that is due */
	next_due = NEVER;
	dlist_foreach_modify(iter, &active)
		next_due = Min(next_due, dlist_container(AiCall, active_node, iter.cur)->due_at);
}

static void
offer_room(void)
{
	dlist_mutable_iter iter;
	bool		freed = ai_admission_freed();

	if (n_for_room == 0 || (!freed && n_otherwise > 0))
		return;
	dlist_foreach_modify(iter, &active)
	{
		AiCall	   *call = dlist_container(AiCall, active_node, iter.cur);

		if (call->waits_for == AI_WAIT_ROOM)
			attempt(call);
	}
}

void
ai_engine_turn(void)
{
	ai_http_progress();
	ai_http_deliver();
	act_on_time();
	offer_room();
}

double
ai_engine_next_in(void)
{
	double		left = next_due - ai_now_ms();

	/* Max() looks at what it is given twice, and below 0 is for ever */
	return next_due == NEVER ? -1 : Max(left, 0);
}
