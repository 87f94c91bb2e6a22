/*
 * statement.h
 *	  The calls of one statement: identical ones made once, embeddings sent
 *	  together, and no more under way than allowed.
 *
 * Words
 *	job			one distinct call of the statement, with all that wait for it.
 *	carrier		the AiCall that answers a job: its own, or one that carries the
 *				inputs of several.
 *
 * A job goes GATHERING (only where inputs travel together) -> QUEUED -> SENT ->
 * ARRIVED -> KEPT (its value is remembered) or gone.
 *
 * All nodes of a statement share it.  It belongs to the executor state: it is
 * made in es_query_cxt and ends with it, however that ends, and abandons what
 * is under way.
 *
 * A waiter is told by a flag and a list of its own, not by a callback: whoever
 * waits moves all calls, and nodes nest.
 */
#ifndef AI_STATEMENT_H
#define AI_STATEMENT_H

#include "postgres.h"

#include "ask/function.h"
#include "lib/ilist.h"
#include "nodes/execnodes.h"

typedef enum AiJobState
{
	AI_JOB_GATHERING,
	AI_JOB_QUEUED,
	AI_JOB_SENT,
	AI_JOB_ARRIVED,
	AI_JOB_KEPT,
} AiJobState;

/* What EXPLAIN tells of one place in the query that calls. */
typedef struct AiSiteCounts
{
	int64		calls;			/* as the query asks for them */
	int64		distinct;		/* of them: jobs */
	int64		cached;			/* of them: joined a job that was there */
	int64		requests;		/* sent, retries included */
	int64		retries;
	int64		failed;
	int64		input_tokens;
	int64		output_tokens;
	int64		cost;			/* picodollars, or AI_MONEY_UNKNOWN */
	int			in_flight;
	int			peak;
	int64		arrived;		/* requests that came back, and what they took */
	double		latency_ms;
} AiSiteCounts;

typedef struct AiStatement AiStatement;
typedef struct AiCarrier AiCarrier;

typedef struct AiSite
{
	const AiFunction *function;
	FunctionCallInfo fcinfo;	/* its arguments, for one call at a time */
	int16		typlen;			/* of the result */
	bool		typbyval;
	AiSiteCounts counts;
	AiCarrier  *lead;			/* under way; those that begin like it wait */
	bool		led;			/* one went ahead */
} AiSite;

typedef struct AiJob
{
	uint8		key[32];		/* of the hash table; first */
	AiJobState	state;
	bool		shared;			/* in the hash table */
	bool		has_value;		/* taken once: */
	bool		kept_null;
	Datum		kept;
	Size		kept_size;
	AiSite	   *site;			/* the first that asked */
	AiCarrier  *carrier;
	int			input;			/* which of the carrier's inputs it is */
	int			users;			/* references that were not given back */
	dlist_head	waiters;		/* AiWaiter.job_node */
	dlist_node	node;			/* queued, or kept, the oldest first */
} AiJob;

/* One step of one row that waits for a job. */
typedef struct AiWaiter
{
	dlist_node	job_node;
	AiJob	   *job;
	slist_head *ready;			/* where it goes when the job has arrived */
	slist_node	ready_node;
	void	   *owner;
	bool		waits;
} AiWaiter;

/* The statement that an executor state runs; made when it is first asked for. */
extern AiStatement *ai_statement_of(EState *estate);

/*
 * Asks for a call with the arguments in site->fcinfo.  The job has one more
 * user; unless it has arrived already, `waiter` hears of it.  Raises what is
 * the caller's fault.
 */
extern AiJob *ai_job_ask(AiStatement *statement, AiSite *site, AiWaiter *waiter);

/* Has it arrived, and would taking its value raise an error now? */
extern bool ai_job_raises(const AiJob *job);

/*
 * The value of a job that has arrived, in the current context, for a site that
 * asked for it.  Raises, or warns, as ai_gateway.on_error says.
 */
extern Datum ai_job_value(AiStatement *statement, AiJob *job, AiSite *site, bool *isnull);

/* Gives a reference back; the waiter, if it still waits, is forgotten. */
extern void ai_job_leave(AiStatement *statement, AiJob *job, AiWaiter *waiter);

/* May one more call be sent now? */
extern bool ai_statement_has_room(const AiStatement *statement);

/* Takes in what is done; returns whether anything was. */
extern bool ai_statement_poll(AiStatement *statement);

/*
 * Waits until something is done.  What is gathered is sent if nothing else is
 * under way, or if no more is to come for it (`last`).  Interrupts are served.
 */
extern void ai_statement_wait(AiStatement *statement, bool last);

/* Requests of all nodes under way. */
extern int	ai_statement_in_flight(const AiStatement *statement);

/* How many inputs the jobs of this site's kind travel by, as far as known. */
extern int	ai_statement_inputs_per_request(const AiStatement *statement);

#endif							/* AI_STATEMENT_H */
