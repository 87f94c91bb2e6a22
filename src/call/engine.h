/*
 * engine.h
 *	  What call.c and engine.c share.
 */
#ifndef AI_CALL_ENGINE_H
#define AI_CALL_ENGINE_H

#include "call/call.h"

struct AiCallSet
{
	MemoryContext context;
	dlist_head	idle;			/* NEW, or DONE and handed out */
	dlist_head	pending;		/* submitted and not done */
	dlist_head	done;			/* DONE and not yet handed out */
	MemoryContextCallback callback;
};

/* NEW -> ADMITTED, and on as far as it goes without waiting. */
extern void ai_call_admit(AiCall *call);

/*
 * Gives up what is under way and frees what is not palloc'd.  Does not throw,
 * and leaves the set's lists alone: it runs in reset callbacks.
 */
extern void ai_call_abandon(AiCall *call);

#endif							/* AI_CALL_ENGINE_H */
