/*
 * bundle.h
 *	  One call that answers one job or several: the inputs of embeddings now,
 *	  later rows that share a prompt.
 *
 * The story.  A job comes with a call of its own (job.c).  Where its function has
 * no kind, or the call is at fault, the bundle is that call alone, and is
 * submitted, or has arrived, at once.  Else the job joins a bundle that gathers
 * questions like it: its input is packed into that one's call, and its own call
 * is freed; or its own call begins to gather.
 *
 * A bundle gathers until it is full, or until its driver waits and nothing else
 * is under way or to come (ai_bundles_flush).  It is full when its call may carry
 * no more; the first ones, as many as half of the window has places, at half of
 * that, so that a statement of few rows is spread over the places there are (but
 * not where a whole one is small).
 *
 * Splitting.  A call of several jobs that is refused for what it carries is cut
 * in two, and so on, until the job that is at fault stands alone.  The parts are
 * resolved as the whole was.
 *
 * Memory: the table's.  A bundle is held by its jobs, and goes with its call
 * when the last one does not need it any more.  A job that is wanted no more
 * stays in a bundle of several until that has arrived.
 *
 * Who may throw: for want of memory, and where submitting a call may (window.h).
 */
#ifndef AI_BUNDLE_H
#define AI_BUNDLE_H

#include "postgres.h"

#include "ask/job.h"

/* How several questions travel in one call; those of equal digests may. */
typedef struct AiBundleKind
{
	int			digest_from;	/* the first argument that must be equal */

	/* how many, and how many bytes of them (0 = no limit), a call may carry */
	void		(*limits) (const AiCall *call, int *max_jobs, int *max_bytes);
	int64		(*size) (const AiCall *call, int number);

	/* question `number` of one call joins another, behind those there are */
	void		(*pack) (AiCall *into, const AiCall *from, int number);
} AiBundleKind;

/* Inputs of an embedding request; argument 0 is the input. */
extern const AiBundleKind ai_bundle_inputs;

/* A job and its call, which is NEW or has a fault, find a bundle. */
extern void ai_bundle_job(AiJobTable *table, AiSite *site, AiJob *job, AiCall *call);

/* Sends what is gathered although more would fit. */
extern void ai_bundles_flush(AiJobTable *table);

/*
 * The call is DONE: true if its jobs went on in smaller ones, and the bundle is
 * gone.
 */
extern bool ai_bundle_split(AiJobTable *table, AiBundle *bundle);

extern AiBundle *ai_bundle_of(const AiCall *call);
extern int	ai_bundle_n_jobs(const AiBundle *bundle);
extern AiJob *ai_bundle_nth(const AiBundle *bundle, int n);

/* What came of a job's question; its call is DONE. */
extern AiAnswer ai_bundle_answer(const AiJob *job);

/* One more holder; one less: then the bundle and its call may be gone. */
extern void ai_bundle_hold(AiBundle *bundle);
extern void ai_bundle_release(AiJobTable *table, AiBundle *bundle);

/*
 * A job that has not arrived is wanted no more: true if its call was given up;
 * false where that carries others too, and the answer is to come.
 */
extern bool ai_bundle_forget(AiJobTable *table, AiJob *job);

#endif							/* AI_BUNDLE_H */
