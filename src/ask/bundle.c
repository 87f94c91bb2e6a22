/*
 * bundle.c
 *	  Jobs that travel in one call (bundle.h).
 *
 * State: none but the bundles, which belong to their tables.
 */
#include "postgres.h"

#include "ask/bundle.h"
#include "ask/identity.h"
#include "utils/memutils.h"

/* The least max_inputs of which half is worth a request of its own. */
#define SPREAD_FROM		32

struct AiBundle
{
	dlist_node	node;			/* gathering */
	bool		gathering;
	AiCall	   *call;
	AiSite	   *site;
	AiJob	  **jobs;
	int			n_jobs;
	int			room;			/* of the array */
	int			held;
	uint8		digest[AI_DIGEST_SIZE]; /* of a kind's: all but the input */
	int			max_jobs;
	int			max_bytes;
	int64		bytes;
};

/* ---- inputs of embeddings ---- */

static int64
input_size(const AiCall *call, int number)
{
	return (int64) strlen(call->request.inputs[number]);
}

/* The array lives in the call's context, beside the texts, and doubles. */
static void
pack_input(AiCall *into, const AiCall *from, int number)
{
	AiRequest  *request = &into->request;
	int			n = request->n_inputs;
	const char **inputs = (const char **) request->inputs;

	if (n == 0)
		inputs = MemoryContextAlloc(into->context, sizeof(char *));
	else if ((n & (n - 1)) == 0)
		inputs = repalloc(inputs, sizeof(char *) * 2 * n);
	inputs[n] = MemoryContextStrdup(into->context, from->request.inputs[number]);
	request->inputs = inputs;
	request->n_inputs = n + 1;
}

const AiBundleKind ai_bundle_inputs = {
	.digest_from = 1,
	.limits = ai_call_limits,
	.size = input_size,
	.pack = pack_input,
};

/* ---- one bundle ---- */

static AiBundle *
new_bundle(AiJobTable *table, AiSite *site, AiCall *call)
{
	AiBundle   *bundle = MemoryContextAllocZero(table->context, sizeof(AiBundle));

	bundle->call = call;
	bundle->site = site;
	bundle->room = 1;
	bundle->jobs = MemoryContextAlloc(table->context, sizeof(AiJob *));
	bundle->max_jobs = 1;
	call->owner = bundle;
	return bundle;
}

AiBundle *
ai_bundle_of(const AiCall *call)
{
	return call->owner;
}

int
ai_bundle_n_jobs(const AiBundle *bundle)
{
	return bundle->n_jobs;
}

AiJob *
ai_bundle_nth(const AiBundle *bundle, int n)
{
	return bundle->jobs[n];
}

AiAnswer
ai_bundle_answer(const AiJob *job)
{
	return ai_answer_of(job->bundle->call, job->number);
}

void
ai_bundle_hold(AiBundle *bundle)
{
	bundle->held++;
}

void
ai_bundle_release(AiJobTable *table, AiBundle *bundle)
{
	if (--bundle->held > 0)
		return;
	if (bundle->gathering)
		dlist_delete(&bundle->node);
	ai_call_free(bundle->call);
	pfree(bundle->jobs);
	pfree(bundle);
}

static void
board(AiBundle *bundle, AiJob *job)
{
	if (bundle->n_jobs == bundle->room)
	{
		bundle->room *= 2;
		bundle->jobs = repalloc(bundle->jobs, sizeof(AiJob *) * bundle->room);
	}
	job->bundle = bundle;
	job->number = bundle->n_jobs;
	bundle->jobs[bundle->n_jobs++] = job;
	ai_bundle_hold(bundle);
}

static void
submit(AiBundle *bundle)
{
	if (bundle->gathering)
		dlist_delete(&bundle->node);
	bundle->gathering = false;
	for (int i = 0; i < bundle->n_jobs; i++)
		bundle->jobs[i]->state = AI_JOB_ASKED;
	ai_window_submit(bundle->call, bundle->site->place);
}

/* ---- gathering ---- */

/* The first ones are sent half full, but for small ones, which are full as soon. */
static bool
is_full(const AiJobTable *table, const AiBundle *bundle)
{
	bool		early = bundle->max_jobs >= SPREAD_FROM && table->n_gathered <= table->window->max_in_flight / 2;

	return bundle->n_jobs >= (early ? bundle->max_jobs / 2 : bundle->max_jobs);
}

/* One that gathers questions like this, and may carry so many bytes more. */
static AiBundle *
find_bundle(AiJobTable *table, const uint8 *digest, int64 bytes)
{
	dlist_iter	iter;

	dlist_foreach(iter, &table->gathering)
	{
		AiBundle   *bundle = dlist_container(AiBundle, node, iter.cur);

		if (memcmp(bundle->digest, digest, AI_DIGEST_SIZE) != 0)
			continue;
		if (bundle->max_bytes == 0 || bundle->bytes + bytes <= bundle->max_bytes)
			return bundle;
		submit(bundle);
		return NULL;
	}
	return NULL;
}

static void
gather(AiJobTable *table, AiSite *site, AiJob *job, AiCall *call)
{
	const AiBundleKind *kind = site->function->bundle;
	int64		bytes = kind->size(call, 0);
	uint8		digest[AI_DIGEST_SIZE];
	AiBundle   *bundle;

	ai_identify(site, kind->digest_from, digest);
	bundle = find_bundle(table, digest, bytes);
	if (bundle != NULL)
	{
		kind->pack(bundle->call, call, 0);
		ai_call_free(call);
	}
	else
	{
		bundle = new_bundle(table, site, call);
		memcpy(bundle->digest, digest, sizeof(digest));
		kind->limits(call, &bundle->max_jobs, &bundle->max_bytes);
		table->jobs_per_call = Max(table->jobs_per_call, bundle->max_jobs);
		bundle->gathering = true;
		table->n_gathered++;
		dlist_push_tail(&table->gathering, &bundle->node);
	}
	board(bundle, job);
	job->state = AI_JOB_GATHERING;
	bundle->bytes += bytes;
	if (is_full(table, bundle))
		submit(bundle);
}

void
ai_bundle_job(AiJobTable *table, AiSite *site, AiJob *job, AiCall *call)
{
	AiBundle   *bundle;

	if (call->state == AI_CALL_NEW && site->function->bundle != NULL)
	{
		gather(table, site, job, call);
		return;
	}
	bundle = new_bundle(table, site, call);
	board(bundle, job);
	if (call->state == AI_CALL_NEW)
		submit(bundle);
	else
		ai_jobs_arrived(table, bundle);
}

void
ai_bundles_flush(AiJobTable *table)
{
	while (!dlist_is_empty(&table->gathering))
		submit(dlist_container(AiBundle, node, dlist_head_node(&table->gathering)));
}

/* ---- the end ---- */

/* Was it refused for something that one of its jobs alone may be? */
static bool
is_splittable(const AiBundle *bundle)
{
	static const AiErrorKind kinds[] = {
		AI_ERROR_INVALID_REQUEST, AI_ERROR_CONTEXT_LENGTH, AI_ERROR_REQUEST_TOO_LARGE,
		AI_ERROR_CONTENT_FILTER, AI_ERROR_INVALID_REPLY,
	};

	if (!bundle->call->failed || bundle->n_jobs < 2)
		return false;
	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		if (bundle->call->failure.kind == kinds[i])
			return true;
	}
	return false;
}

/* Jobs [first, first + n) of a bundle go on in one of their own. */
static void
send_part(AiJobTable *table, const AiBundle *whole, int first, int n)
{
	AiCall	   *call = ai_call_like(whole->call);
	AiBundle   *part = new_bundle(table, whole->site, call);

	part->max_jobs = n;
	for (int i = first; i < first + n; i++)
	{
		whole->site->function->bundle->pack(call, whole->call, i);
		board(part, whole->jobs[i]);
	}
	submit(part);
}

bool
ai_bundle_split(AiJobTable *table, AiBundle *bundle)
{
	int			half = bundle->n_jobs / 2;

	if (!is_splittable(bundle))
		return false;
	send_part(table, bundle, 0, half);
	send_part(table, bundle, half, bundle->n_jobs - half);
	bundle->held = 1;
	ai_bundle_release(table, bundle);
	return true;
}

bool
ai_bundle_forget(AiJobTable *table, AiJob *job)
{
	AiBundle   *bundle = job->bundle;

	/* one of several stays with the request that they share */
	if (bundle->n_jobs > 1)
		return false;
	job->bundle = NULL;
	ai_bundle_release(table, bundle);
	return true;
}
