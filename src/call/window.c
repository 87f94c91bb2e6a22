/*
 * window.c
 *	  Windows of calls (window.h).
 *
 * State: the windows of the backend, the last made first.
 */
#include "postgres.h"

#include "call/engine.h"
#include "call/prefix.h"
#include "call/window.h"
#include "pg/guc.h"
#include "shared/activity.h"
#include "util/usage.h"
#include "utils/memutils.h"

/* Between two NOTICEs of progress. */
#define TOLD_EVERY_MS	3000

static dlist_head windows = DLIST_STATIC_INIT(windows);

/* ---- life ---- */

static void
left_flight(AiCall *call)
{
	if (!call->under_way)
		return;
	call->under_way = false;
	call->window->in_flight--;
	ai_activity.in_flight--;
	if (call->place == NULL)
		return;
	call->place->counts.in_flight--;
	if (call->place->lead == call)
		call->place->lead = NULL;
}

static void
window_ends(void *arg)
{
	AiWindow   *window = arg;
	dlist_head *lists[] = {&window->idle, &window->queue, &window->pending, &window->done};

	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		dlist_iter	iter;

		dlist_foreach(iter, lists[i])
		{
			AiCall	   *call = dlist_container(AiCall, window_node, iter.cur);

			/* the place may be gone before the window is */
			call->place = NULL;
			left_flight(call);
			ai_engine_abandon(call);
		}
		dlist_init(lists[i]);
	}
	dlist_delete(&window->node);
	if (dlist_is_empty(&windows))
		ai_activity_end();
}

AiWindow *
ai_window_create(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "ai_gateway window",
												  ALLOCSET_SMALL_SIZES);
	AiWindow   *window = MemoryContextAllocZero(context, sizeof(AiWindow));

	window->context = context;
	window->max_in_flight = ai_guc_max_in_flight;
	window->told_at = ai_now_ms();
	dlist_init(&window->idle);
	dlist_init(&window->queue);
	dlist_init(&window->pending);
	dlist_init(&window->done);
	if (dlist_is_empty(&windows))
		ai_activity_begin();
	dlist_push_head(&windows, &window->node);
	window->callback.func = window_ends;
	window->callback.arg = window;
	MemoryContextRegisterResetCallback(context, &window->callback);
	return window;
}

/*
 * The struct lives in the window's context and not in the call's own: contexts
 * below one that ends are gone before its callback runs.
 */
AiCall *
ai_call_new(AiWindow *window)
{
	MemoryContext context = AllocSetContextCreate(window->context, "ai_gateway call",
												  ALLOCSET_SMALL_SIZES);
	AiCall	   *call = MemoryContextAllocZero(window->context, sizeof(AiCall));

	call->context = context;
	call->window = window;
	ai_reply_init(&call->reply);
	ai_failure_clear(&call->failure);
	dlist_push_tail(&window->idle, &call->window_node);
	return call;
}

void
ai_call_free(AiCall *call)
{
	dlist_delete(&call->window_node);
	if (call->queued)
		call->window->n_queued--;
	call->window->bytes -= call->counted;
	left_flight(call);
	ai_engine_abandon(call);
	MemoryContextDelete(call->context);
	pfree(call);
}

/* ---- memory ---- */

static Size
reply_bytes(const AiReply *reply)
{
	Size		bytes = sizeof(float) * (Size) reply->n_vectors * reply->dimensions;

	if (reply->text != NULL)
		bytes += strlen(reply->text);
	if (reply->reasoning != NULL)
		bytes += strlen(reply->reasoning);
	return bytes;
}

/* Brings the window's sum up to date with what the call holds now. */
static void
count_memory(AiCall *call)
{
	Size		holds = MemoryContextMemAllocated(call->context, false) + reply_bytes(&call->reply);

	call->window->bytes += holds - call->counted;
	call->counted = holds;
}

/* ---- sending ---- */

bool
ai_window_has_room(const AiWindow *window)
{
	return window->in_flight + window->n_queued < 2 * window->max_in_flight;
}

bool
ai_window_is_idle(const AiWindow *window)
{
	return window->in_flight == 0 && window->n_queued == 0;
}

/* Is one under way whose prefix it will find cached? */
static bool
follows(const AiCall *call)
{
	const AiCall *lead = call->place ? call->place->lead : NULL;

	return lead != NULL && ai_prefix_is_shared(lead, call);
}

/*
 * The next call to start: the first whose model has room.  Where nothing of the
 * window is under way there is always one, which the engine lets wait.
 */
static AiCall *
next_to_start(AiWindow *window)
{
	dlist_iter	iter;

	if (window->in_flight >= window->max_in_flight)
		return NULL;
	/* no call has room where there is no descriptor: none need be asked */
	if (window->in_flight > 0 && !ai_http_has_room())
		return NULL;
	dlist_foreach(iter, &window->queue)
	{
		AiCall	   *call = dlist_container(AiCall, window_node, iter.cur);

		if (window->in_flight == 0 || (ai_admission_open(call) && !follows(call)))
			return call;
	}
	return NULL;
}

static void
start(AiCall *call)
{
	AiWindow   *window = call->window;
	AiPlace    *place = call->place;

	dlist_delete(&call->window_node);
	dlist_push_tail(&window->pending, &call->window_node);
	call->queued = false;
	window->n_queued--;
	call->under_way = true;
	window->in_flight++;
	ai_activity.in_flight++;
	if (place != NULL)
	{
		place->counts.in_flight++;
		place->counts.peak = Max(place->counts.peak, place->counts.in_flight);
		if (!place->led && place->lead == NULL && ai_prefix_pays(call))
			place->lead = call;
	}
	ai_engine_start(call);
}

static void
refill(AiWindow *window)
{
	AiCall	   *call;

	while ((call = next_to_start(window)) != NULL)
		start(call);
}

static void
refill_all(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &windows)
		refill(dlist_container(AiWindow, node, iter.cur));
}

/* What every driver does in its waits, for all calls of the backend. */
static void
give_turn(void)
{
	ai_engine_turn();
	refill_all();
}

void
ai_window_submit(AiCall *call, AiPlace *place)
{
	AiWindow   *window = call->window;

	Assert(call->state == AI_CALL_NEW && call->model != NULL);
	call->place = place;
	dlist_delete(&call->window_node);
	dlist_push_tail(&window->queue, &call->window_node);
	call->queued = true;
	window->n_queued++;
	count_memory(call);
	refill(window);
}

/* ---- arrival ---- */

static void
count_outcome(const AiCall *call)
{
	int64		input_tokens = Max(ai_usage_input(&call->reply.usage), 0);
	int64		output_tokens = Max(ai_usage_output(&call->reply.usage), 0);
	AiCallCounts *counts;

	ai_activity.requests += call->attempts;
	ai_activity.input_tokens += input_tokens;
	ai_activity.output_tokens += output_tokens;
	if (call->place == NULL)
		return;
	counts = &call->place->counts;
	counts->requests += call->attempts;
	counts->retries += Max(call->attempts - 1, 0);
	counts->arrived++;
	counts->latency_ms += call->latency_ms;
	counts->input_tokens += input_tokens;
	counts->output_tokens += output_tokens;
	counts->cost = ai_money_add(counts->cost, ai_call_cost(call));
}

void
ai_window_call_done(AiCall *call)
{
	if (call->place != NULL && call->place->lead == call)
		call->place->led = true;
	left_flight(call);
	count_outcome(call);
	count_memory(call);
	dlist_delete(&call->window_node);
	dlist_push_tail(&call->window->done, &call->window_node);
}

static AiCall *
take_done(AiWindow *window)
{
	AiCall	   *call;

	if (dlist_is_empty(&window->done))
		return NULL;
	call = dlist_container(AiCall, window_node, dlist_pop_head_node(&window->done));
	dlist_push_tail(&window->idle, &call->window_node);
	return call;
}

AiCall *
ai_window_poll(AiWindow *window)
{
	if (dlist_is_empty(&window->done))
		give_turn();
	return take_done(window);
}

void
ai_window_progress(void)
{
	if (ai_http_progress())
		give_turn();
}

/* For ai_gateway.stat_activity, and for who asked to be told. */
static void
tell_progress(AiWindow *window)
{
	double		now = ai_now_ms();

	ai_activity_publish();
	if (!ai_guc_progress || now - window->told_at < TOLD_EVERY_MS)
		return;
	window->told_at = now;
	ereport(NOTICE,
			(errmsg("model calls: " INT64_FORMAT " answered, " INT64_FORMAT " under way, " INT64_FORMAT " failed",
					ai_activity.answered, ai_activity.in_flight, ai_activity.failed)));
}

AiCall *
ai_window_next(AiWindow *window)
{
	for (;;)
	{
		AiCall	   *call;

		give_turn();
		call = take_done(window);
		if (call != NULL)
			return call;
		if (dlist_is_empty(&window->pending) && dlist_is_empty(&window->queue))
			return NULL;
		tell_progress(window);
		ai_http_wait(ai_engine_next_in());
	}
}
