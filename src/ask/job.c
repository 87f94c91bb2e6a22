/*
 * job.c
 *	  Jobs, from the question to the value (job.h).
 *
 * State: none but the tables, which belong to their drivers.
 */
#include "postgres.h"

#include "ask/bundle.h"
#include "ask/identity.h"
#include "ask/job.h"
#include "miscadmin.h"
#include "shared/activity.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct JobEntry
{
	uint8		key[AI_DIGEST_SIZE];
	AiJob	   *job;
} JobEntry;

/* ---- tables and sites ---- */

AiJobTable *
ai_jobs_create(MemoryContext parent, bool sharing)
{
	MemoryContext context = AllocSetContextCreate(parent, "ai_gateway jobs",
												  ALLOCSET_SMALL_SIZES);
	AiJobTable *table = MemoryContextAllocZero(context, sizeof(AiJobTable));
	HASHCTL		control = {.keysize = AI_DIGEST_SIZE,.entrysize = sizeof(JobEntry),.hcxt = context};

	table->context = context;
	table->window = ai_window_create(context);
	table->jobs_per_call = 1;
	if (sharing)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		table->jobs = hash_create("ai_gateway jobs", 256, &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		table->spill = ai_spill_create();
		MemoryContextSwitchTo(caller);
	}
	dlist_init(&table->gathering);
	dlist_init(&table->kept);
	return table;
}

void
ai_jobs_destroy(AiJobTable *table)
{
	MemoryContextDelete(table->context);
}

/*
 * Asks for one element of the array: the same arguments, with the element in
 * its place.
 */
static AiSite *
element_site(const AiSite *whole)
{
	FunctionCallInfo from = whole->fcinfo;
	AiSite	   *site = palloc0(sizeof(AiSite));

	site->function = whole->function->element;
	site->fcinfo = palloc0(SizeForFunctionCallInfo(from->nargs));
	InitFunctionCallInfoData(*site->fcinfo, from->flinfo, from->nargs, from->fncollation, NULL, NULL);
	site->place = whole->place;
	return site;
}

AiSite *
ai_site_create(const AiFunction *function, FunctionCallInfo fcinfo)
{
	AiSite	   *site = palloc0(sizeof(AiSite));

	site->function = function;
	site->fcinfo = fcinfo;
	site->place = palloc0(sizeof(AiPlace));
	if (function->element != NULL)
		site->element = element_site(site);
	return site;
}

/* ---- asking ---- */

/* Rare: nobody has taken the value of a question, or it raised. */
static void
forget_origins(AiJobTable *table, AiJob *job)
{
	HASH_SEQ_STATUS scan;
	JobEntry   *entry;

	hash_seq_init(&scan, table->jobs);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->job == job)
			hash_search(table->jobs, entry->key, HASH_REMOVE, NULL);
	}
}

static void
drop_job(AiJobTable *table, AiJob *job)
{
	if (job->shared)
		hash_search(table->jobs, job->key, HASH_REMOVE, NULL);
	if (job->has_origins)
		forget_origins(table, job);
	if (job->kept_size > 0)
		pfree(DatumGetPointer(job->kept));
	if (job->parts != NULL)
		pfree(job->parts);
	pfree(job);
}

static void
share(AiJobTable *table, AiJob *job, const uint8 *key)
{
	JobEntry   *entry = hash_search(table->jobs, key, HASH_ENTER, NULL);

	memcpy(job->key, key, AI_DIGEST_SIZE);
	entry->job = job;
	job->shared = true;
}

static void arrived(AiJobTable *table, AiJob *job);

static void
part_arrived(AiJobTable *table, AiJob *whole)
{
	if (--whole->n_awaited == 0)
		arrived(table, whole);
}

/*
 * A job for each element that is not NULL; false if one of them may not be shared,
 * and so neither may the whole.
 */
static bool
ask_parts(AiJobTable *table, AiSite *site, AiJob *whole)
{
	int			n_array = site->function->array;
	ArrayType  *array = DatumGetArrayTypeP(site->fcinfo->args[n_array].value);
	AiSite	   *element = site->element;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *values;
	bool	   *nulls;
	bool		shared = true;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &values, &nulls, &whole->n_parts);
	whole->parts = MemoryContextAllocZero(table->context, sizeof(AiWaiter) * Max(whole->n_parts, 1));
	whole->n_awaited = 1;		/* this function itself, until all are asked */
	for (int i = 0; i < whole->n_parts; i++)
	{
		AiWaiter   *part = &whole->parts[i];

		if (nulls[i])
			continue;
		/* detoasting and the parts' own reading may move them: each anew */
		memcpy(element->fcinfo->args, site->fcinfo->args, sizeof(NullableDatum) * site->fcinfo->nargs);
		element->fcinfo->args[n_array].value = values[i];
		part->whole = whole;
		shared = ai_job_ask(table, element, part)->shared && shared;
		whole->n_awaited += part->waits;
	}
	part_arrived(table, whole);
	return shared;
}

static AiJob *
new_job(AiJobTable *table, AiSite *site, const uint8 *key)
{
	AiCall	   *call = site->element != NULL ? NULL :
		ai_function_call(site->function, site->fcinfo, table->window);
	AiJob	   *job = MemoryContextAllocZero(table->context, sizeof(AiJob));

	job->site = site;
	job->users = 1;
	job->lasts = site->remembers;
	job->state = AI_JOB_ASKED;
	dlist_init(&job->waiters);
	if (call == NULL)
	{
		if (ask_parts(table, site, job))
			share(table, job, key);
	}
	else
	{
		if (table->jobs != NULL && call->state == AI_CALL_NEW && (site->remembers || ai_call_repeatable(call)))
			share(table, job, key);
		site->place->counts.distinct++;
		ai_activity.distinct++;
		ai_bundle_job(table, site, job, call);
	}
	return job;
}

/* A place that remembers has questions of its own. */
static void
identify(AiSite *site, uint8 key[AI_DIGEST_SIZE])
{
	ai_identify(site, 0, key);
	for (size_t i = 0; i < sizeof(site) && site->remembers; i++)
		key[i] ^= ((const uint8 *) &site)[i];
}

/* The place, and the row that it asks about. */
static void
identify_origin(const AiSite *site, uint8 key[AI_DIGEST_SIZE])
{
	StaticAssertStmt(sizeof(site) + AI_ORIGIN_SIZE + sizeof(uint32) <= AI_DIGEST_SIZE, "a key has room for place and origin");
	memset(key, 0, AI_DIGEST_SIZE);
	memcpy(key, &site, sizeof(site));
	memcpy(key + sizeof(site), site->origin, AI_ORIGIN_SIZE);
	memcpy(key + sizeof(site) + AI_ORIGIN_SIZE, &site->run, sizeof(site->run));
}

static AiJob *
find_job(AiJobTable *table, const uint8 *key)
{
	JobEntry   *entry = hash_search(table->jobs, key, HASH_FIND, NULL);
	AiJob	   *job = entry != NULL ? entry->job : NULL;

	if (job != NULL && job->users++ == 0 && job->state == AI_JOB_KEPT && !job->stays)
		dlist_delete(&job->node);
	return job;
}

/* The job of equal arguments, or a new one. */
static AiJob *
ask_equal(AiJobTable *table, AiSite *site)
{
	uint8		key[AI_DIGEST_SIZE];
	AiJob	   *job = NULL;

	if (table->jobs != NULL)
	{
		identify(site, key);
		job = find_job(table, key);
	}
	if (site->element == NULL)
		site->place->counts.shared += job != NULL;
	return job != NULL ? job : new_job(table, site, key);
}

/* The job of the same row, which may or may not be that of others. */
static AiJob *
ask_about_origin(AiJobTable *table, AiSite *site)
{
	uint8		key[AI_DIGEST_SIZE];
	AiJob	   *job;

	identify_origin(site, key);
	job = find_job(table, key);
	if (job != NULL)
	{
		site->place->counts.shared++;
		return job;
	}
	job = ask_equal(table, site);
	((JobEntry *) hash_search(table->jobs, key, HASH_ENTER, NULL))->job = job;
	job->has_origins = true;
	job->lasts = true;
	return job;
}

AiJob *
ai_job_ask(AiJobTable *table, AiSite *site, AiWaiter *waiter)
{
	AiJob	   *job;

	if (site->element == NULL)
	{
		site->place->counts.calls++;
		ai_activity.calls++;
	}
	job = site->has_origin ? ask_about_origin(table, site) : ask_equal(table, site);
	waiter->job = job;
	waiter->waits = job->state == AI_JOB_GATHERING || job->state == AI_JOB_ASKED;
	if (waiter->waits)
		dlist_push_tail(&job->waiters, &waiter->job_node);
	return job;
}

/* ---- arrival ---- */

static void
leave_parts(AiJobTable *table, AiJob *whole)
{
	for (int i = 0; i < whole->n_parts; i++)
	{
		if (whole->parts[i].job != NULL)
			ai_job_leave(table, &whole->parts[i]);
	}
	whole->n_parts = 0;
}

/* The job does not need what its answer is made of any more. */
static void
let_go(AiJobTable *table, AiJob *job)
{
	AiBundle   *bundle = job->bundle;

	job->bundle = NULL;
	if (bundle != NULL)
		ai_bundle_release(table, bundle);
	leave_parts(table, job);
}

/* Another row may come at any time that counts on it. */
static void
spill(AiJobTable *table, AiJob *job)
{
	job->stays = true;
	if (job->kept_size == 0)
		return;
	job->spilled = ai_spill_write(table->spill, DatumGetPointer(job->kept), job->kept_size);
	pfree(DatumGetPointer(job->kept));
	job->kept_size = 0;
}

/* Nobody waits for it: its value stays for those who ask later, or it goes. */
static void
retire(AiJobTable *table, AiJob *job)
{
	int64		budget = (int64) work_mem * 1024 / 2;

	if (job->state == AI_JOB_KEPT && job->stays)
		return;
	if (job->state != AI_JOB_KEPT)
	{
		let_go(table, job);
		if (!job->has_value)
		{
			drop_job(table, job);
			return;
		}
		job->state = AI_JOB_KEPT;
		table->kept_bytes += job->kept_size + sizeof(AiJob);
	}
	dlist_push_tail(&table->kept, &job->node);
	while (table->kept_bytes > budget && !dlist_is_empty(&table->kept))
	{
		AiJob	   *oldest = dlist_container(AiJob, node, dlist_pop_head_node(&table->kept));

		table->kept_bytes -= oldest->kept_size + sizeof(AiJob);
		if (oldest->lasts)
			spill(table, oldest);
		else
			drop_job(table, oldest);
	}
}

static void
arrived(AiJobTable *table, AiJob *job)
{
	job->state = AI_JOB_ARRIVED;
	while (!dlist_is_empty(&job->waiters))
	{
		AiWaiter   *waiter = dlist_container(AiWaiter, job_node, dlist_pop_head_node(&job->waiters));

		waiter->waits = false;
		if (waiter->whole != NULL)
			part_arrived(table, waiter->whole);
		else if (waiter->ready != NULL)
			dlist_push_tail(waiter->ready, &waiter->ready_node);
	}
	if (job->users == 0)
		retire(table, job);
}

void
ai_jobs_arrived(AiJobTable *table, AiBundle *bundle)
{
	int			n = ai_bundle_n_jobs(bundle);
	const AiJob *first = ai_bundle_nth(bundle, 0);

	ai_activity.answered += n;
	if (ai_bundle_answer(first).failure != NULL)
	{
		ai_activity.failed += n;
		first->site->place->counts.failed += n;
	}
	/* held: its last job may not need it any more */
	ai_bundle_hold(bundle);
	for (int i = 0; i < n; i++)
		arrived(table, ai_bundle_nth(bundle, i));
	ai_bundle_release(table, bundle);
}

static void
take(AiJobTable *table, AiCall *call)
{
	AiBundle   *bundle = ai_bundle_of(call);

	if (!ai_bundle_split(table, bundle))
		ai_jobs_arrived(table, bundle);
}

bool
ai_jobs_poll(AiJobTable *table)
{
	AiCall	   *call;
	bool		any = false;

	while ((call = ai_window_poll(table->window)) != NULL)
	{
		take(table, call);
		any = true;
	}
	return any;
}

void
ai_jobs_wait(AiJobTable *table, bool last)
{
	AiCall	   *call;

	if (last || ai_window_is_idle(table->window))
		ai_bundles_flush(table);
	call = ai_window_next(table->window);
	if (call == NULL)
		elog(ERROR, "ai_gateway waits for a call that nobody makes");
	take(table, call);
	ai_jobs_poll(table);
}

/* ---- values ---- */

bool
ai_job_raises(const AiJob *job)
{
	AiAnswer	answer;

	for (int i = 0; i < job->n_parts; i++)
	{
		if (job->parts[i].job != NULL && ai_job_raises(job->parts[i].job))
			return true;
	}
	if (job->state != AI_JOB_ARRIVED || job->bundle == NULL)
		return false;
	answer = ai_bundle_answer(job);
	return answer.failure != NULL && ai_function_raises(job->site->function, answer.failure);
}

/* Remembers a value for those who ask later. */
static void
keep(AiJobTable *table, AiJob *job, const AiSite *site, Datum value, bool isnull)
{
	MemoryContext caller = MemoryContextSwitchTo(table->context);

	if (!isnull)
		job->kept = datumCopy(value, site->typbyval, site->typlen);
	if (!isnull && !site->typbyval)
		job->kept_size = datumGetSize(job->kept, false, site->typlen);
	MemoryContextSwitchTo(caller);
	/* last: copying may raise, and the row's turn comes again */
	job->kept_null = isnull;
	job->has_value = true;
}

static Datum
join_parts(AiJobTable *table, AiJob *job, AiSite *site)
{
	Datum	   *values = palloc0(sizeof(Datum) * Max(job->n_parts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(job->n_parts, 1));

	for (int i = 0; i < job->n_parts; i++)
	{
		nulls[i] = job->parts[i].job == NULL;
		if (!nulls[i])
			values[i] = ai_job_value(table, job->parts[i].job, site->element, &nulls[i]);
	}
	return site->function->join(site->function, site->fcinfo, values, nulls, job->n_parts);
}

Datum
ai_job_value(AiJobTable *table, AiJob *job, AiSite *site, bool *isnull)
{
	FunctionCallInfo fcinfo = site->fcinfo;
	AiAnswer	answer;
	Datum		value;

	if (job->has_value)
	{
		*isnull = job->kept_null;
		if (job->spilled.size > 0)
			return PointerGetDatum(ai_spill_read(table->spill, &job->spilled));
		return *isnull ? (Datum) 0 : datumCopy(job->kept, site->typbyval, site->typlen);
	}
	fcinfo->isnull = false;
	if (site->element != NULL)
		value = join_parts(table, job, site);
	else
	{
		answer = ai_bundle_answer(job);
		value = site->function->result(site->function, fcinfo, &answer);
	}
	*isnull = fcinfo->isnull;
	if (job->shared || job->has_origins)
		keep(table, job, site, value, *isnull);
	return value;
}

void
ai_job_leave(AiJobTable *table, AiWaiter *waiter)
{
	AiJob	   *job = waiter->job;

	if (waiter->waits)
		dlist_delete(&waiter->job_node);
	waiter->waits = false;
	waiter->job = NULL;
	if (--job->users > 0)
		return;
	switch (job->state)
	{
		case AI_JOB_ARRIVED:
		case AI_JOB_KEPT:
			retire(table, job);
			break;
		case AI_JOB_GATHERING:
		case AI_JOB_ASKED:
			if (job->bundle == NULL)
			{
				leave_parts(table, job);
				drop_job(table, job);
			}
			else if (ai_bundle_forget(table, job))
				drop_job(table, job);
			break;
	}
}
