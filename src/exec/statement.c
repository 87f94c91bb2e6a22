/*
 * statement.c
 *	  Jobs, carriers and their way to the engine (statement.h).
 *
 * Identity.  A job's key is the SHA-256 of the function and its arguments: the
 * texts themselves need not be kept, and nobody can make two that collide.
 *
 * Sending.  What is asked for goes to a queue; the queue is emptied into the
 * engine while fewer than ai_gateway.max_in_flight requests of the statement
 * are under way, and as long as the models have room (lane.h).  Inputs that may
 * travel together gather in a carrier first, which joins the queue when it is
 * full, or when its node has nothing better to do than wait.  The first call of
 * a site goes ahead of those that share a long prefix with it where that is
 * billed for less the second time (prefix.h).
 *
 * Splitting.  A carrier of several inputs that is refused for what it carries
 * is cut in two, and so on, until the input that is at fault stands alone.
 *
 * Memory.  Values of shared jobs that nobody waits for any more are kept up to
 * half of work_mem, the least recently used leave first.
 *
 * State: the list of statements that run in this backend.
 */
#include "postgres.h"

#include "exec/prefix.h"
#include "exec/statement.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/openssl.h"
#include "shared/activity.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

struct AiCarrier
{
	dlist_node	node;			/* gathering or queued */
	AiCall	   *call;
	AiSite	   *site;
	AiJob	  **jobs;
	int			n_jobs;
	int			room;			/* of the arrays */
	int			held;			/* jobs that still need the call */
	bool		sent;
	uint8		kind[32];		/* of a gathering one: all but the input */
	int			max_inputs;
	int			max_bytes;
	int64		bytes;
};

struct AiStatement
{
	EState	   *estate;
	MemoryContext context;
	AiCallSet  *set;
	HTAB	   *jobs;
	dlist_head	gathering;
	dlist_head	queue;
	dlist_head	kept;
	int64		kept_bytes;
	int			in_flight;
	int			inputs_per_request;
	double		told_at;		/* the last NOTICE of progress */
	AiStatement *next;
	MemoryContextCallback callback;
};

typedef struct JobEntry
{
	uint8		key[32];
	AiJob	   *job;
} JobEntry;

/* Between two NOTICEs of progress. */
#define TOLD_EVERY_MS	3000

static AiStatement *statements = NULL;

static void
forget(void *argument)
{
	for (AiStatement **link = &statements; *link != NULL; link = &(*link)->next)
	{
		if (*link == argument)
		{
			*link = (*link)->next;
			break;
		}
	}
	if (statements == NULL)
		ai_activity_end();
}

AiStatement *
ai_statement_of(EState *estate)
{
	AiStatement *statement;
	HASHCTL		control = {.keysize = 32,.entrysize = sizeof(JobEntry)};

	for (statement = statements; statement != NULL; statement = statement->next)
	{
		if (statement->estate == estate)
			return statement;
	}
	statement = MemoryContextAllocZero(estate->es_query_cxt, sizeof(AiStatement));
	statement->estate = estate;
	statement->context = AllocSetContextCreate(estate->es_query_cxt, "ai_gateway statement",
											   ALLOCSET_DEFAULT_SIZES);
	statement->set = ai_call_set_create(estate->es_query_cxt);
	control.hcxt = statement->context;
	statement->jobs = hash_create("ai_gateway jobs", 256, &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	statement->inputs_per_request = 1;
	dlist_init(&statement->gathering);
	dlist_init(&statement->queue);
	dlist_init(&statement->kept);
	if (statements == NULL)
		ai_activity_begin();
	statement->next = statements;
	statement->told_at = ai_now_ms();
	statements = statement;
	statement->callback.func = forget;
	statement->callback.arg = statement;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &statement->callback);
	return statement;
}

int
ai_statement_in_flight(const AiStatement *statement)
{
	return statement->in_flight;
}

int
ai_statement_inputs_per_request(const AiStatement *statement)
{
	return statement->inputs_per_request;
}

bool
ai_statement_has_room(const AiStatement *statement)
{
	return dlist_is_empty((dlist_head *) &statement->queue) &&
		statement->in_flight < ai_guc_max_in_flight;
}

/* ---- identity ---- */

static void
append_argument(StringInfo out, FunctionCallInfo fcinfo, int n)
{
	NullableDatum *argument = &fcinfo->args[n];
	int16		typlen;
	bool		typbyval;

	appendStringInfoChar(out, argument->isnull ? 'n' : 'v');
	if (argument->isnull)
		return;
	get_typlenbyval(get_fn_expr_argtype(fcinfo->flinfo, n), &typlen, &typbyval);
	if (typbyval)
		appendBinaryStringInfo(out, (char *) &argument->value, sizeof(Datum));
	else
	{
		struct varlena *value = PG_DETOAST_DATUM_PACKED(argument->value);
		Size		size = VARSIZE_ANY_EXHDR(value);

		Assert(typlen == -1);
		argument->value = PointerGetDatum(value);
		appendBinaryStringInfo(out, (char *) &size, sizeof(size));
		appendBinaryStringInfo(out, VARDATA_ANY(value), size);
	}
}

/* The digest of the function and its arguments from number `first` on. */
static void
identify(const AiSite *site, int first, uint8 key[32])
{
	StringInfoData described;

	initStringInfo(&described);
	appendStringInfoString(&described, site->function->symbol);
	for (int i = first; i < site->fcinfo->nargs; i++)
		append_argument(&described, site->fcinfo, i);
	if (!ai_crypto.sha256(described.data, described.len, key))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("SHA-256 is not available")));
	pfree(described.data);
}

/* ---- carriers ---- */

static AiCarrier *
new_carrier(AiStatement *statement, AiCall *call, AiSite *site)
{
	AiCarrier  *carrier = MemoryContextAllocZero(statement->context, sizeof(AiCarrier));

	carrier->call = call;
	carrier->site = site;
	carrier->room = 1;
	carrier->jobs = MemoryContextAlloc(statement->context, sizeof(AiJob *));
	carrier->max_inputs = 1;
	call->owner = carrier;
	return carrier;
}

static void
free_carrier(AiStatement *statement, AiCarrier *carrier)
{
	if (carrier->site->lead == carrier)
		carrier->site->lead = NULL;
	ai_call_free(carrier->call);
	pfree(carrier->jobs);
	pfree(carrier);
}

/* The arrays of the request live in the call's context, beside the texts. */
static void
board(AiCarrier *carrier, AiJob *job, const char *input)
{
	if (carrier->n_jobs == carrier->room)
	{
		carrier->room = Min(carrier->room * 2, carrier->max_inputs);
		carrier->jobs = repalloc(carrier->jobs, sizeof(AiJob *) * carrier->room);
		if (input != NULL)
			carrier->call->request.inputs = repalloc((void *) carrier->call->request.inputs,
													 sizeof(char *) * carrier->room);
	}
	if (input != NULL)
	{
		((const char **) carrier->call->request.inputs)[carrier->n_jobs] = input;
		carrier->call->request.n_inputs = carrier->n_jobs + 1;
		carrier->bytes += strlen(input);
	}
	job->carrier = carrier;
	job->input = carrier->n_jobs;
	carrier->jobs[carrier->n_jobs++] = job;
	carrier->held++;
}

static void
enqueue(AiStatement *statement, AiCarrier *carrier)
{
	for (int i = 0; i < carrier->n_jobs; i++)
		carrier->jobs[i]->state = AI_JOB_QUEUED;
	dlist_push_tail(&statement->queue, &carrier->node);
}

/* Is one under way whose prefix it will find cached? */
static bool
follows(const AiCarrier *carrier)
{
	const AiCarrier *lead = carrier->site->lead;

	return lead != NULL && ai_prefix_is_shared(lead->call, carrier->call);
}

/*
 * The next carrier to send: the first whose model has room.  Where nothing of
 * the statement is under way there is always one, which the engine lets wait.
 */
static AiCarrier *
next_carrier(AiStatement *statement)
{
	dlist_iter	iter;

	if (statement->in_flight >= ai_guc_max_in_flight)
		return NULL;
	dlist_foreach(iter, &statement->queue)
	{
		AiCarrier  *carrier = dlist_container(AiCarrier, node, iter.cur);

		if (statement->in_flight == 0 || (ai_call_has_room(carrier->call) && !follows(carrier)))
			return carrier;
	}
	return NULL;
}

static void
pump(AiStatement *statement)
{
	AiCarrier  *carrier;

	while ((carrier = next_carrier(statement)) != NULL)
	{
		AiSiteCounts *counts = &carrier->site->counts;

		dlist_delete(&carrier->node);
		for (int i = 0; i < carrier->n_jobs; i++)
			carrier->jobs[i]->state = AI_JOB_SENT;
		carrier->sent = true;
		if (!carrier->site->led && carrier->site->lead == NULL && ai_prefix_pays(carrier->call))
			carrier->site->lead = carrier;
		statement->in_flight++;
		counts->in_flight++;
		ai_activity.in_flight++;
		counts->peak = Max(counts->peak, counts->in_flight);
		ai_call_start(carrier->call);
	}
}

/* Sends what is gathered although more would fit. */
static void
flush(AiStatement *statement)
{
	while (!dlist_is_empty(&statement->gathering))
		enqueue(statement, dlist_container(AiCarrier, node, dlist_pop_head_node(&statement->gathering)));
	pump(statement);
}

/* A job whose inputs travel with others of its kind. */
static void
gather(AiStatement *statement, AiSite *site, AiJob *job, AiCall *call)
{
	uint8		kind[32];
	int64		bytes = strlen(call->request.inputs[0]);
	AiCarrier  *carrier;
	dlist_mutable_iter iter;

	identify(site, 1, kind);
	dlist_foreach_modify(iter, &statement->gathering)
	{
		carrier = dlist_container(AiCarrier, node, iter.cur);
		if (memcmp(carrier->kind, kind, sizeof(kind)) != 0)
			continue;
		if (carrier->max_bytes > 0 && carrier->bytes + bytes > carrier->max_bytes)
		{
			dlist_delete(&carrier->node);
			enqueue(statement, carrier);
			break;
		}
		board(carrier, job, MemoryContextStrdup(carrier->call->context, call->request.inputs[0]));
		job->state = AI_JOB_GATHERING;
		ai_call_free(call);
		if (carrier->n_jobs == carrier->max_inputs)
		{
			dlist_delete(&carrier->node);
			enqueue(statement, carrier);
		}
		return;
	}
	carrier = new_carrier(statement, call, site);
	memcpy(carrier->kind, kind, sizeof(kind));
	ai_call_limits(call, &carrier->max_inputs, &carrier->max_bytes);
	statement->inputs_per_request = Max(statement->inputs_per_request, carrier->max_inputs);
	board(carrier, job, call->request.inputs[0]);
	job->state = AI_JOB_GATHERING;
	if (carrier->max_inputs > 1)
		dlist_push_tail(&statement->gathering, &carrier->node);
	else
		enqueue(statement, carrier);
}

/* ---- asking ---- */

static AiJob *
new_job(AiStatement *statement, AiSite *site, const uint8 *key)
{
	AiJob	   *job;
	AiCall	   *call = ai_function_call(site->function, site->fcinfo, statement->set);

	job = MemoryContextAllocZero(statement->context, sizeof(AiJob));
	memcpy(job->key, key, sizeof(job->key));
	job->site = site;
	dlist_init(&job->waiters);
	job->shared = call->state == AI_CALL_NEW && ai_call_repeatable(call);
	if (job->shared)
	{
		JobEntry   *entry = hash_search(statement->jobs, key, HASH_ENTER, NULL);

		entry->job = job;
	}
	site->counts.distinct++;
	ai_activity.distinct++;
	if (call->state == AI_CALL_DONE)
	{
		/*
		 * the caller's fault: the answer is there, and waits for its row's
		 * turn
		 */
		board(new_carrier(statement, call, site), job, NULL);
		job->state = AI_JOB_ARRIVED;
	}
	else if (site->function->shares_request)
		gather(statement, site, job, call);
	else
	{
		AiCarrier  *carrier = new_carrier(statement, call, site);

		board(carrier, job, NULL);
		enqueue(statement, carrier);
	}
	return job;
}

AiJob *
ai_job_ask(AiStatement *statement, AiSite *site, AiWaiter *waiter)
{
	uint8		key[32];
	JobEntry   *entry;
	AiJob	   *job;

	identify(site, 0, key);
	entry = hash_search(statement->jobs, key, HASH_FIND, NULL);
	job = entry != NULL ? entry->job : new_job(statement, site, key);
	site->counts.calls++;
	if (entry != NULL)
		site->counts.cached++;
	ai_activity.calls++;
	if (job->users++ == 0 && job->state == AI_JOB_KEPT)
		dlist_delete(&job->node);
	waiter->job = job;
	waiter->waits = job->state != AI_JOB_ARRIVED && job->state != AI_JOB_KEPT;
	if (waiter->waits)
		dlist_push_tail(&job->waiters, &waiter->job_node);
	pump(statement);
	return job;
}

/* ---- arrival ---- */

static void
count_outcome(AiStatement *statement, AiCarrier *carrier)
{
	AiCall	   *call = carrier->call;
	AiSiteCounts *counts = &carrier->site->counts;
	const AiUsage *usage = &call->reply.usage;
	int64		input_tokens = ai_not_below_zero(ai_usage_input(usage));
	int64		output_tokens = ai_not_below_zero(ai_usage_output(usage));

	ai_activity.requests += call->attempts;
	ai_activity.answered += carrier->n_jobs;
	if (call->failed)
		ai_activity.failed += carrier->n_jobs;
	ai_activity.input_tokens += input_tokens;
	ai_activity.output_tokens += output_tokens;
	counts->requests += call->attempts;
	counts->arrived++;
	counts->latency_ms += call->latency_ms;
	counts->retries += Max(call->attempts - 1, 0);
	if (call->failed)
		counts->failed += carrier->n_jobs;
	if (!statement->estate->es_instrument)
		return;
	counts->input_tokens += input_tokens;
	counts->output_tokens += output_tokens;
	counts->cost = ai_money_add(counts->cost, ai_call_cost(call));
}

/* Was the request refused for something that one of its inputs alone may be? */
static bool
is_splittable(const AiCarrier *carrier)
{
	static const AiErrorKind kinds[] = {
		AI_ERROR_INVALID_REQUEST, AI_ERROR_CONTEXT_LENGTH, AI_ERROR_REQUEST_TOO_LARGE,
		AI_ERROR_CONTENT_FILTER, AI_ERROR_INVALID_REPLY,
	};

	if (!carrier->call->failed || carrier->n_jobs < 2)
		return false;
	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		if (carrier->call->failure.kind == kinds[i])
			return true;
	}
	return false;
}

/* Jobs [first, first + n) of a carrier go on in one of their own. */
static void
send_part(AiStatement *statement, AiCarrier *whole, int first, int n)
{
	AiCall	   *call = ai_call_new(statement->set);
	AiCarrier  *part = new_carrier(statement, call, whole->site);

	part->max_inputs = n;
	call->request.task = whole->call->request.task;
	call->request.dimensions = whole->call->request.dimensions;
	call->request.inputs = MemoryContextAlloc(call->context, sizeof(char *));
	call->call_options = cJSON_Duplicate(whole->call->call_options, true);
	for (int i = first; i < first + n; i++)
		board(part, whole->jobs[i], MemoryContextStrdup(call->context, whole->call->request.inputs[i]));
	ai_call_resolve(call, whole->call->model->name);
	enqueue(statement, part);
}

static void
drop_job(AiStatement *statement, AiJob *job)
{
	if (job->shared)
		hash_search(statement->jobs, job->key, HASH_REMOVE, NULL);
	if (job->kept_size > 0)
		pfree(DatumGetPointer(job->kept));
	pfree(job);
}

/* The job does not need its call any more. */
static void
let_go(AiStatement *statement, AiJob *job)
{
	AiCarrier  *carrier = job->carrier;

	job->carrier = NULL;
	if (carrier != NULL && --carrier->held == 0)
		free_carrier(statement, carrier);
}

/* Nobody waits for it: its value stays for those who ask later, or it goes. */
static void
retire(AiStatement *statement, AiJob *job)
{
	int64		budget = (int64) work_mem * 1024 / 2;

	if (job->state != AI_JOB_KEPT)
	{
		let_go(statement, job);
		if (!job->has_value)
		{
			drop_job(statement, job);
			return;
		}
		job->state = AI_JOB_KEPT;
		statement->kept_bytes += job->kept_size + sizeof(AiJob);
	}
	dlist_push_tail(&statement->kept, &job->node);
	while (statement->kept_bytes > budget && !dlist_is_empty(&statement->kept))
	{
		AiJob	   *oldest = dlist_container(AiJob, node, dlist_pop_head_node(&statement->kept));

		statement->kept_bytes -= oldest->kept_size + sizeof(AiJob);
		drop_job(statement, oldest);
	}
}

static void
arrive(AiStatement *statement, AiCarrier *carrier)
{
	bool		split = is_splittable(carrier);

	if (carrier->site->lead == carrier)
	{
		carrier->site->lead = NULL;
		carrier->site->led = true;
	}
	statement->in_flight--;
	carrier->site->counts.in_flight--;
	ai_activity.in_flight--;
	count_outcome(statement, carrier);
	if (split)
	{
		int			half = carrier->n_jobs / 2;

		carrier->site->counts.failed -= carrier->n_jobs;
		ai_activity.failed -= carrier->n_jobs;
		ai_activity.answered -= carrier->n_jobs;
		send_part(statement, carrier, 0, half);
		send_part(statement, carrier, half, carrier->n_jobs - half);
		free_carrier(statement, carrier);
		return;
	}
	for (int i = 0; i < carrier->n_jobs; i++)
	{
		AiJob	   *job = carrier->jobs[i];
		bool		last = i == carrier->n_jobs - 1;

		job->state = AI_JOB_ARRIVED;
		while (!dlist_is_empty(&job->waiters))
		{
			AiWaiter   *waiter = dlist_container(AiWaiter, job_node, dlist_pop_head_node(&job->waiters));

			waiter->waits = false;
			slist_push_head(waiter->ready, &waiter->ready_node);
		}
		if (job->users == 0)
			retire(statement, job);
		if (last)
			break;				/* the carrier may be gone */
	}
}

bool
ai_statement_poll(AiStatement *statement)
{
	AiCall	   *call;
	bool		any = false;

	while ((call = ai_call_set_poll(statement->set)) != NULL)
	{
		arrive(statement, call->owner);
		any = true;
	}
	pump(statement);
	return any;
}

/* For ai_gateway.stat_activity, and for who asked to be told. */
static void
tell_progress(AiStatement *statement)
{
	double		now = ai_now_ms();

	ai_activity_publish();
	if (!ai_guc_progress || now - statement->told_at < TOLD_EVERY_MS)
		return;
	statement->told_at = now;
	ereport(NOTICE,
			(errmsg("model calls: " INT64_FORMAT " answered, " INT64_FORMAT " under way, " INT64_FORMAT " failed",
					ai_activity.answered, ai_activity.in_flight, ai_activity.failed)));
}

void
ai_statement_wait(AiStatement *statement, bool last)
{
	AiCall	   *call;

	tell_progress(statement);

	if (last || statement->in_flight == 0)
		flush(statement);
	call = ai_call_set_next(statement->set);
	if (call == NULL)
		elog(ERROR, "ai_gateway waits for a call that nobody makes");
	arrive(statement, call->owner);
	ai_statement_poll(statement);
}

/* ---- values ---- */

bool
ai_job_raises(const AiJob *job)
{
	return job->state == AI_JOB_ARRIVED && job->carrier != NULL && job->carrier->call->failed &&
		ai_function_raises(job->site->function, &job->carrier->call->failure);
}

/* Remembers a value for those who ask later. */
static void
keep(AiStatement *statement, AiJob *job, const AiSite *site, Datum value, bool isnull)
{
	MemoryContext caller;

	job->has_value = true;
	job->kept_null = isnull;
	if (isnull)
		return;
	if (site->typbyval)
	{
		job->kept = value;
		return;
	}
	caller = MemoryContextSwitchTo(statement->context);
	job->kept = datumCopy(value, false, site->typlen);
	job->kept_size = datumGetSize(job->kept, false, site->typlen);
	MemoryContextSwitchTo(caller);
}

Datum
ai_job_value(AiStatement *statement, AiJob *job, AiSite *site, bool *isnull)
{
	AiAnswer	answer;
	Datum		value;

	if (job->has_value)
	{
		*isnull = job->kept_null;
		return *isnull ? (Datum) 0 : datumCopy(job->kept, site->typbyval, site->typlen);
	}
	site->fcinfo->isnull = false;
	answer = ai_answer_of(job->carrier->call, job->input);
	value = site->function->result(site->function, site->fcinfo, &answer);
	*isnull = site->fcinfo->isnull;
	if (job->shared)
		keep(statement, job, site, value, *isnull);
	return value;
}

void
ai_job_leave(AiStatement *statement, AiJob *job, AiWaiter *waiter)
{
	AiCarrier  *carrier = job->carrier;

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
			retire(statement, job);
			break;
		case AI_JOB_GATHERING:
		case AI_JOB_QUEUED:
		case AI_JOB_SENT:
			/* one of several stays: the others still want the request */
			if (carrier->n_jobs > 1)
				break;
			if (carrier->sent)
			{
				statement->in_flight--;
				carrier->site->counts.in_flight--;
				ai_activity.in_flight--;
			}
			else
				dlist_delete(&carrier->node);
			let_go(statement, job);
			drop_job(statement, job);
			break;
	}
}
