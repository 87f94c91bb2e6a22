/*
 * job.h
 *	  Distinct questions of SQL: identical ones asked once, each with its value
 *	  and those who wait for it.
 *
 * Words
 *	site	a place in the query that asks: a function and room for the
 *			arguments of one call at a time.
 *	job		one distinct question.
 *	bundle	one call that answers one job or several (bundle.h).
 *	table	the jobs of one driver: of all nodes of a statement, or of one call of
 *			a function.
 *
 * The story of a question.
 *	1. A driver (fn/ for a function called alone, exec/ for a plan node) puts the
 *	   arguments into site->fcinfo and asks (ai_job_ask).
 *	2. Where questions are shared its key is looked up: a job that is there gains a
 *	   user, and nothing else happens.
 *	3. Else the function makes a call of the arguments, which is resolved
 *	   (ai_function_call); the job is made, and finds a bundle, which submits the
 *	   call to the table's window when it is full (bundle.c).
 *	4. The driver polls or waits.  Calls that are DONE are taken from the window:
 *	   one that was refused for one of its jobs is split, of any other all jobs have
 *	   ARRIVED, and those who wait for them are told.
 *	5. The driver takes the value (ai_job_value), which the function reads out of
 *	   the reply; an error is raised here.  A shared job keeps a copy, and the
 *	   function is not asked for it again.
 *	6. Each user gives its reference back (ai_job_leave).  After the last one the job
 *	   is KEPT or gone; one that did not arrive is given up, unless its call carries
 *	   others.
 *
 * States of a job
 *
 *	GATHERING -> ASKED -> ARRIVED -> KEPT or gone
 *
 *	GATHERING	its bundle still takes in others.
 *	ASKED		its call is the window's (window.h).
 *	ARRIVED		the call is DONE, and is held as long as the job has users.  A job
 *				whose arguments are at fault is there at once, with the fault.
 *	KEPT		nobody uses it; its value is remembered for who asks later.
 *
 * A job of a function over an array (AiFunction.element) has parts: one job for
 * each element, which others may share.  It is ASKED until all have ARRIVED.
 *
 * Identity.  A job's key is a SHA-256 of what the answer depends on (identity.h):
 * the texts themselves need not be kept, and nobody can make two that collide.
 *
 * Who is told.  A waiter is told by a flag and by a list of its driver's, in the
 * order of arrival, not by a call: whoever waits gives all calls of the backend
 * a turn, and drivers nest.
 *
 * Memory.  A table lives in a context and ends with it, however that ends, and
 * abandons what is under way.  Jobs are in that context; sites and waiters are
 * their drivers', and must live as long as jobs that they asked for.  Values that
 * nobody uses any more are kept up to half of work_mem, the least recently used
 * leave first.  Where a plan counts on a value (AiSite.remembers, has_origin), it
 * goes into a file then (spill.h), and only the job stays.
 *
 * Who may throw: all of it, but for what it says of abandoning.  Locks: none.
 */
#ifndef AI_JOB_H
#define AI_JOB_H

#include "postgres.h"

#include "ask/function.h"
#include "ask/spill.h"
#include "call/window.h"
#include "lib/ilist.h"
#include "utils/hsearch.h"

typedef enum AiJobState
{
	AI_JOB_GATHERING,
	AI_JOB_ASKED,
	AI_JOB_ARRIVED,
	AI_JOB_KEPT,
} AiJobState;

/* What the identity of a job needs to know of an argument's type. */
typedef struct AiArgumentType
{
	Oid			oid;
	int16		typlen;
	bool		typbyval;
} AiArgumentType;

/* A row of a table: its place, and which table of several. */
#define AI_ORIGIN_SIZE	20

typedef struct AiSite
{
	const AiFunction *function;
	FunctionCallInfo fcinfo;	/* its arguments, for one call at a time */
	AiArgumentType *types;		/* of them; made when first needed */
	Oid			result;			/* type */
	int16		typlen;			/* of the result */
	bool		typbyval;
	AiPlace    *place;			/* counts */
	struct AiSite *element;		/* that asks for an array's elements */
	bool		remembers;		/* equal questions of this place are one,
								 * whatever their call says of sharing, and
								 * their value is not lost */

	/*
	 * Of a question that is asked for several rows made of one: which one. It
	 * is asked once for that, and its value is not lost
	 */
	uint8		origin[AI_ORIGIN_SIZE];
	uint32		run;			/* of the plan below, which may begin anew */
	bool		has_origin;
} AiSite;

typedef struct AiBundle AiBundle;
typedef struct AiJobTable AiJobTable;
typedef struct AiWaiter AiWaiter;

typedef struct AiJob
{
	uint8		key[32];		/* of the hash table; first */
	AiJobState	state;
	bool		shared;			/* in the hash table */
	bool		has_value;		/* taken once: */
	bool		kept_null;
	Datum		kept;
	Size		kept_size;
	bool		has_origins;	/* in the hash table for the rows it answers */
	bool		lasts;			/* its value is not lost: without room for it */
	bool		stays;			/* it leaves the kept */
	AiSpillPlace spilled;		/* for a place in a file */
	AiSite	   *site;			/* the first that asked */
	AiBundle   *bundle;			/* holds the answer; NULL = has parts, or does
								 * not need it any more */
	int			number;			/* which of the bundle's jobs it is */
	int			users;			/* references that were not given back */
	dlist_head	waiters;		/* AiWaiter.job_node */
	dlist_node	node;			/* kept, the oldest first */
	AiWaiter   *parts;			/* one an element; its job NULL = NULL */
	int			n_parts;
	int			n_awaited;		/* of them: not yet there */
} AiJob;

/* Who waits for a job: one step of one row, or a job that it is a part of. */
struct AiWaiter
{
	dlist_node	job_node;
	AiJob	   *job;
	dlist_head *ready;			/* where it goes when the job has arrived */
	dlist_node	ready_node;
	void	   *owner;
	AiJob	   *whole;			/* the job that has it as a part */
	bool		waits;
};

struct AiJobTable
{
	MemoryContext context;
	AiWindow   *window;
	HTAB	   *jobs;			/* NULL = nothing is shared */
	dlist_head	gathering;		/* bundles */
	dlist_head	kept;
	int64		kept_bytes;
	AiSpill    *spill;
	int			jobs_per_call;	/* the most that one of its bundles may carry */
	int			n_gathered;		/* bundles that others were let into */
};

/*
 * `sharing`: equal questions are asked once.  Without it, for a driver that asks
 * one alone, nothing is spent on finding out.
 */
extern AiJobTable *ai_jobs_create(MemoryContext parent, bool sharing);
extern void ai_jobs_destroy(AiJobTable *table);

/* A site for calls through `fcinfo`, in the current memory context. */
extern AiSite *ai_site_create(const AiFunction *function, FunctionCallInfo fcinfo);

/*
 * Asks with the arguments in site->fcinfo, none of which is NULL that must not
 * be.  The job has one more user; unless it has arrived already, `waiter` hears
 * of it.
 */
extern AiJob *ai_job_ask(AiJobTable *table, AiSite *site, AiWaiter *waiter);

/* Has it arrived, and would taking its value raise an error now? */
extern bool ai_job_raises(const AiJob *job);

/*
 * The value of a job that has arrived, in the current context, for a site that
 * asked for it.  Raises, or warns, as ai_gateway.on_error says.
 */
extern Datum ai_job_value(AiJobTable *table, AiJob *job, AiSite *site, bool *isnull);

/* Gives a reference back; the waiter, if it still waits, is forgotten. */
extern void ai_job_leave(AiJobTable *table, AiWaiter *waiter);

/* Takes in what is done; returns whether anything was. */
extern bool ai_jobs_poll(AiJobTable *table);

/*
 * Waits until something is done.  What is gathered is sent if nothing else is
 * under way, or if no more is to come for it (`last`).  Interrupts are served.
 */
extern void ai_jobs_wait(AiJobTable *table, bool last);

/* ---- for bundle.c ---- */

/* The bundle's call is DONE, or its jobs have their fault: they have arrived. */
extern void ai_jobs_arrived(AiJobTable *table, AiBundle *bundle);

#endif							/* AI_JOB_H */
