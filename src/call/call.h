/*
 * call.h
 *	  The engine: one state machine for one logical model call, and sets of
 *	  calls that are driven together.
 *
 * Words
 *	call	one question to one model and its outcome.
 *	attempt	one HTTP request for a call, or one answer of an in-process
 *			provider; a call makes one or more.
 *	set		the calls of one driver: a function that makes one, or a plan node
 *			that keeps many under way.  A set belongs to a memory context and
 *			ends with it, however that ends.
 *
 * States
 *
 *	NEW --submit--> ADMITTED -+-----------------> IN_FLIGHT --> DONE
 *	                   ^      +-> AUTHORIZING --->  |  |          ^
 *	                   +-- BACKOFF <----------------+--+----------+ gave up
 *
 *	NEW			made by ai_call_new(); the caller fills `request`.
 *	ADMITTED	passed the checks of the registration, may start an attempt.
 *	AUTHORIZING	waits for a token, which it or another call fetches (token.h).
 *	IN_FLIGHT	an attempt is under way.
 *	BACKOFF		the next attempt waits: for its time after one that failed, and
 *				for room among the model's calls.
 *	DONE		`failed` tells which of reply and failure holds.
 *
 * Who owns memory: a call and all that its caller puts into the request live
 * in call->context.  Replies are malloc memory that the call owns.
 * ai_call_free(), or the end of the set's context, frees both and abandons
 * what is under way.
 *
 * Who may throw: ai_call_resolve(), what reading a table may; ai_call_set_next(),
 * where the wait serves interrupts.  What goes wrong with a call is data,
 * call->failure, and so is what is the caller's fault (no such model, no grant,
 * a bad option).
 */
#ifndef AI_CALL_H
#define AI_CALL_H

#include "postgres.h"

#include "http/http.h"
#include "lib/ilist.h"
#include "provider/stream.h"
#include "registry/model.h"

typedef enum AiCallState
{
	AI_CALL_NEW,
	AI_CALL_ADMITTED,
	AI_CALL_AUTHORIZING,
	AI_CALL_IN_FLIGHT,
	AI_CALL_BACKOFF,
	AI_CALL_DONE,
} AiCallState;

typedef struct AiCallSet AiCallSet;

typedef struct AiCall
{
	/* the caller's side, filled before submitting */
	MemoryContext context;
	AiRequest	request;
	cJSON	   *call_options;	/* the call's own options, owned; may be NULL */
	cJSON	   *trees[2];		/* other trees that the request points to,
								 * owned */
	void	   *owner;			/* the driver's own use */

	/* the outcome, once DONE */
	AiCallState state;
	bool		failed;
	AiReply		reply;
	cJSON	   *json;			/* the answer, where the request has a schema */
	AiFailure	failure;
	const char *asked;			/* the model's name; NULL = there is no
								 * default */
	AiModel    *model;			/* NULL = there is none of that name */
	int			attempts;
	double		latency_ms;		/* from submit to done */

	/* the engine's own */
	AiCallSet  *set;
	AiTransfer *transfer;
	AiReplyStream *stream;		/* takes in a reply that comes as events */
	int			first_byte_ms;	/* until the first of them; 0 = no stream */
	struct AiLane *lane;		/* of the model's calls */
	bool		in_lane;
	double		entered_at;
	struct AiTokenSlot *token_slot; /* the token that it waits for or used */
	bool		token_arrived;	/* just now, for the attempt that comes next */
	bool		token_renewed;	/* after a refusal, once a call */
	bool		asked_again;	/* after an answer that the schema refused, */
	AiUsage		spent;			/* which took this */
	double		submitted_at;
	int			timeout_ms;
	double		deadline;		/* from the first attempt on */
	double		due_at;			/* BACKOFF, or an in-process answer on its way */
	int			max_retries;
	dlist_node	active_node;	/* among all calls of the backend */
	dlist_node	set_node;		/* in its set's pending or done list */
} AiCall;

/* Ends with `context`: calls of the set are then abandoned and freed. */
extern AiCallSet *ai_call_set_create(MemoryContext context);

/* Abandons and frees all calls of the set, and the set. */
extern void ai_call_set_destroy(AiCallSet *set);

extern AiCall *ai_call_new(AiCallSet *set);

/*
 * Resolves the model, checks grant and options.  NULL for `model` takes the
 * default for the request's task.  The call stays NEW, or is DONE with a fault;
 * then it returns false.
 */
extern bool ai_call_resolve(AiCall *call, const char *model);

/* Ends a NEW call with the fault that is in its failure. */
extern void ai_call_refuse(AiCall *call);

/*
 * Would an attempt of a resolved call start at once?  Not while as many calls
 * of its model are under way as the model may have, or the provider bears.
 */
extern bool ai_call_has_room(const AiCall *call);

/* Starts a call that is resolved. */
extern void ai_call_start(AiCall *call);

/* Both. */
extern void ai_call_submit(AiCall *call, const char *model);

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

/*
 * Waits until a call of the set is done and returns it, in the order of their
 * ends; NULL if none is pending.  The call stays the caller's until
 * ai_call_free().
 */
extern AiCall *ai_call_set_next(AiCallSet *set);

/* The same without waiting: NULL if none is done yet. */
extern AiCall *ai_call_set_poll(AiCallSet *set);

extern void ai_call_free(AiCall *call);

/*
 * How many inputs, and bytes of them (0 = no limit), one embedding request to
 * this model may carry; false with a fault if there is no such model.
 */
extern bool ai_call_embed_limits(const char *model, int *max_inputs, int *max_bytes,
								 AiFailure *failure);

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
