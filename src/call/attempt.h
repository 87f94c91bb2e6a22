/*
 * attempt.h
 *	  One try at one target: the request is written and sent, the reply is read.
 *
 * The engine alone calls these.  They return what came of a step; the engine
 * changes the state of the call.  In order:
 *
 *	ai_attempt_start	finds the target and its key, writes the request, sends it.
 *						It may need a token or a descriptor first, and then
 *						nothing was sent; a provider that answers in process has
 *						its answer already, and a time when it "arrives".
 *	ai_attempt_act		its time has come: a stream that did not begin, or that the
 *						server holds open behind its last event, a reply that is
 *						late, an answer in process.
 *	ai_attempt_take		its transfer has finished: reads the reply.
 *	ai_attempt_ended	the one exit, however it ended.  There the transfer is
 *						released and the ticket settled, once; later this is where
 *						a row of the ledger is written.
 *
 * In between libcurl hands a stream's bytes on as they come (take_in); that may
 * only take them in and bring the attempt's time forward.
 *
 * Memory: what an attempt holds is malloc or libcurl's, and goes at its exit.
 * The reply is the call's, and stays.  Nothing throws; ai_attempt_ended() is
 * safe in reset callbacks.  Locks: none.
 */
#ifndef AI_ATTEMPT_H
#define AI_ATTEMPT_H

#include "postgres.h"

#include "call/admission.h"
#include "call/target.h"
#include "provider/stream.h"

typedef struct AiAttempt
{
	int			number;			/* from 1; 0 = none was begun */
	AiTarget	target;			/* who and how, without place and key */
	AiProfile	profile;		/* what target.profile points to */
	AiTicket	ticket;
	AiTransfer *transfer;		/* NULL = none, or it is over */
	AiReplyStream *stream;		/* takes in a reply that comes as events */
	double		begun_at;
	AiHttpSent	sent;			/* how far it got */
	bool		made;			/* it counts, once it has ended */
	bool		answered;		/* in process: reply or failure is there */
	uint64		token_serial;	/* of the token that it was sent with */
	char	   *token;			/* a copy of it, wiped when it ends */
	AiSecret	secret;			/* lent until it ends: what is said of it must
								 * not repeat that */
	bool		key_withheld;	/* a key is configured, but may not go there */
	AiUsage		usage;
	AiFailure	failure;
} AiAttempt;

typedef enum AiAttemptOutcome
{
	AI_ATTEMPT_UNDER_WAY,
	AI_ATTEMPT_NEEDS_TOKEN,		/* call->token_slot is fetching one */
	AI_ATTEMPT_NEEDS_ROOM,		/* no descriptor was to be had */
	AI_ATTEMPT_ANSWERED,		/* the call's reply holds it */
	AI_ATTEMPT_FAILED,			/* another may do better */
	AI_ATTEMPT_HOPELESS,		/* another would fail alike */
} AiAttemptOutcome;

typedef enum AiAttemptEnd
{
	AI_END_ANSWERED,
	AI_END_FAILED,
	AI_END_NOT_MADE,			/* nothing was sent, and nothing counts */
	AI_END_ABANDONED,
} AiAttemptEnd;

extern AiAttemptOutcome ai_attempt_start(struct AiCall *call);
extern AiAttemptOutcome ai_attempt_act(struct AiCall *call, double now);
extern AiAttemptOutcome ai_attempt_take(struct AiCall *call);
extern void ai_attempt_ended(struct AiCall *call, AiAttemptEnd how);

#endif							/* AI_ATTEMPT_H */
