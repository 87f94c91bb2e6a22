/*
 * call.h
 *	  One logical model call: what is asked, who asks, and its outcome.
 *
 * Words
 *	call	one question to one model and its outcome.
 *	attempt	one try at one target for a call (attempt.h); a call makes one or
 *			more, one after the other.
 *	window	the calls of one driver (window.h): a function that makes one, or a
 *			plan node that keeps many under way.
 *	place	where in the query calls are asked for, with its counts; also what an
 *			attempt needs among the calls to its model (admission.h).
 *
 * The files of this folder, in the order in which a call meets them: call.c
 * resolves it, window.c queues and counts it, engine.c changes its state,
 * admission.c and lane.c give it a place, attempt.c makes an attempt, target.c
 * finds where it goes and with which key, token.c and exchange.c get a token,
 * structured.c judges the answer, retry.c says whether and when it is tried again,
 * disclosure.c what a failure may not repeat, cost.c what it cost.
 *
 * States
 *
 *	NEW --started by its window--> WAITING <--> IN_FLIGHT --> DONE
 *
 *	NEW			made by ai_call_new(); its driver fills `request`, and
 *				ai_call_resolve() finds out who asks, with which settings, of
 *				which model.  No table is read after that: an attempt may start
 *				under another driver, another user, or outside of a transaction.
 *				Where the configuration has its endpoint and its key is looked
 *				up at each attempt, and the key's file looked at.
 *	WAITING		no attempt is under way; `waits_for` says what must come first.
 *				Nothing waits for AI_WAIT_RATE and AI_WAIT_TWIN yet.
 *	IN_FLIGHT	an attempt is.
 *	DONE		`failed` tells which of reply and failure holds.  A call whose
 *				resolution found a fault of the caller's goes there at once.
 *
 * Clocks.  `deadline` is set once, when the call first has a place.  Attempts,
 * back-off and waiting for a token count; waiting for a place does not: such a
 * wait between two attempts moves the deadline by its length, so that our own
 * pacing never times a call out.
 *
 * Who owns memory: all that its driver puts into the request lives in
 * call->context; the call itself in the window's, whose end it must see.
 * Replies and trees of JSON are malloc memory that the call owns.
 * ai_call_free(), or the end of the window's context, frees all of it and
 * abandons what is under way.
 *
 * Who may throw: ai_call_resolve(), what reading a table may; ai_call_new() and
 * ai_call_like(), for want of memory.  What goes wrong with a call is data,
 * call->failure, and so is what is the caller's fault (no such model, no grant, a
 * bad option).
 *
 * Locks: none, a call is its backend's own.
 */
#ifndef AI_CALL_H
#define AI_CALL_H

#include "postgres.h"

#include "call/attempt.h"
#include "lib/ilist.h"
#include "registry/model.h"

typedef enum AiCallState
{
	AI_CALL_NEW,
	AI_CALL_WAITING,
	AI_CALL_IN_FLIGHT,
	AI_CALL_DONE,
} AiCallState;

/* What a WAITING call waits for. */
typedef enum AiCallWait
{
	AI_WAIT_NONE,
	AI_WAIT_ROOM,				/* a place among the model's calls, or a
								 * descriptor */
	AI_WAIT_RATE,				/* its turn under a rate limit */
	AI_WAIT_TOKEN,				/* a token that is being fetched */
	AI_WAIT_TWIN,				/* the same call of another backend */
	AI_WAIT_BACK_OFF,			/* the time after an attempt that failed */
} AiCallWait;

typedef struct AiWho
{
	Oid			role;			/* the effective one, whose grants count */
	Oid			session_role;
	Oid			database;
} AiWho;

/* The configuration parameters that a call obeys, as they were. */
typedef struct AiCallSettings
{
	int			timeout_ms;
	int			connect_timeout_ms;
	int			first_byte_ms;	/* until the answer begins; 0 = no stream */
	int			max_retries;
	int			max_response_kb;
	bool		drop_unsupported;
} AiCallSettings;

typedef struct AiWindow AiWindow;
typedef struct AiPlace AiPlace;

typedef struct AiCall
{
	/* the driver's side, filled before it is resolved */
	MemoryContext context;
	AiRequest	request;
	cJSON	   *call_options;	/* the call's own options, owned; may be NULL */
	cJSON	   *trees[2];		/* other trees that the request points to,
								 * owned */
	const void *prepared;		/* what the function's `prepare` keeps for its
								 * `result`, in this context */
	void	   *owner;			/* the driver's own use */

	/* as resolved */
	const char *asked;			/* the model's name; NULL = there is no
								 * default */
	AiModel    *model;			/* NULL = there is none of that name */
	AiWho		who;
	AiCallSettings settings;
	struct AiLane *lane;		/* of the model's calls */

	/* the outcome, once DONE */
	AiCallState state;
	AiCallWait	waits_for;
	bool		failed;
	bool		maybe_billed;	/* an attempt was sent whose answer was not
								 * had */
	AiReply		reply;
	cJSON	   *json;			/* the answer, where the request has a schema */
	AiFailure	failure;
	int			attempts;
	double		latency_ms;		/* from start to done */

	/* the engine's own */
	AiAttempt	attempt;		/* the one under way, or the last */
	double		started_at;
	double		deadline;		/* 0 = it had no place yet */
	double		waiting_since;	/* for room */
	double		due_at;			/* when something is to be done about it */
	struct AiTokenSlot *token_slot; /* the token that it waits for or used */
	bool		token_arrived;	/* just now, for the attempt that comes next */
	bool		token_renewed;	/* after a refusal, once a call */
	bool		asked_again;	/* after an answer that the schema refused, */
	AiUsage		spent;			/* which took this */
	dlist_node	active_node;	/* among all started calls of the backend */

	/* the window's own */
	AiWindow   *window;
	AiPlace    *place;			/* where in the query it is asked; may be NULL */
	Size		counted;		/* of its memory, in the window's bytes */
	dlist_node	window_node;	/* in one of its window's lists */
	bool		queued;
	bool		under_way;		/* counted among the window's calls in flight */
} AiCall;

extern AiCall *ai_call_new(AiWindow *window);

/*
 * Resolves the model, checks grant and options, takes the settings down.  NULL
 * for `model` takes the default for the request's task.  The call stays NEW, or
 * is DONE with a fault; then it returns false.
 */
extern bool ai_call_resolve(AiCall *call, const char *model);

/* The default of the session for a task; empty if there is none. */
extern const char *ai_call_default_model(AiTask task);

/*
 * A NEW call of the same window, resolved as that one was: nothing is looked up
 * or checked again.  The request is the driver's to fill, but for task, options
 * and dimensions.
 */
extern AiCall *ai_call_like(const AiCall *call);

/* Ends a NEW call with the fault that is in its failure. */
extern void ai_call_refuse(AiCall *call);

/*
 * May another call of the same arguments be answered by this one?  Not where
 * option cache is false, or a temperature above 0 is set and no seed.
 */
extern bool ai_call_repeatable(const AiCall *call);

/*
 * How many inputs, and bytes of them (0 = no limit), one request of a resolved
 * call may carry.
 */
extern void ai_call_limits(const AiCall *call, int *max_inputs, int *max_bytes);

extern void ai_call_free(AiCall *call);

/* What the last call of this backend that ended was; task -1 = none yet. */
typedef struct AiLastCall
{
	int			task;			/* AiTask */
	bool		failed;
	char		model[201];
	char		provider[64];
	char		served_by[200]; /* what the provider says it ran */
	AiFinishReason finish;
	AiUsage		usage;
	AiFailure	failure;
	char		request_id[128];
	int			attempts;
	double		latency_ms;
} AiLastCall;

extern AiLastCall ai_last_call;

/* Calls that this backend has started so far. */
extern int64 ai_calls_started;

/* The cost in picodollars; AI_MONEY_UNKNOWN if any price needed is. */
extern int64 ai_call_cost(const AiCall *call);

#endif							/* AI_CALL_H */
