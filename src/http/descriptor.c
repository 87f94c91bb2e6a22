/*
 * descriptor.c
 *	  How many file descriptors transfers can have, and need.
 *
 * PostgreSQL lets what is not of its own opening have a third of a backend's
 * descriptors, all extensions together; each socket is asked for.  A transfer
 * has none while libcurl has not looked at it, then perhaps two in the resolver,
 * then one for its connection, unless it shares one or takes over an idle one:
 *
 *		EXPECTED -> (RESOLVING ->) PLACED
 *
 * The resolver's are there for a moment; PostgreSQL is told of them, so that it
 * closes files of its own in time, but not asked.
 *
 * Idle connections are no reason to wait: libcurl closes the oldest of them
 * where all together reach CURLMOPT_MAX_TOTAL_CONNECTIONS, which is the bound.
 * A start without a place it would keep waiting, its clock running; therefore
 * ai_http_has_room() holds starts back before.
 *
 * Others (dblink, foreign servers) come and go, and tell nobody.  A part of the
 * third is left to them, and the bound is the rest until a descriptor is
 * refused.  From then on it is
 * what we held at that moment; or if libcurl was at the bound already, and had
 * nothing idle to close, what was in use.  That is forgotten after a while:
 * then a few transfers end without a descriptor, and are started again by
 * their callers.
 *
 * The callbacks of libcurl come here: no palloc, no ereport.
 *
 * State: the counters below, for the life of a backend.
 */
#include "postgres.h"

#include <unistd.h>

#include "http/poller.h"
#include "http/transfer.h"
#include "storage/fd.h"

/*
 * What is no connection: the poller, the WaitEventSet, two of the multi handle;
 * and PostgreSQL's own: its sets to wait with, signals, the postmaster's pipe.
 */
#define OTHER_DESCRIPTORS	(4 + 5)

/* Of how many one is left to others. */
#define OTHERS_PART			8

/* What one lookup of libcurl takes: a pair of sockets (8.x: one). */
#define RESOLVER_DESCRIPTORS	2

#define LEARNED_FOR_MS		5000

static int	n_expected = 0;		/* transfers that are EXPECTED */
static int	n_resolving = 0;	/* ... and RESOLVING */
static int	learned = -1;		/* the bound, as a refusal taught; -1 = none */
static double learned_at;
static int	total_in_force = INT_MAX;	/* that libcurl was told */

int
ai_descriptors_bound(void)
{
	int			allowed = max_safe_fds / 3;

	if (learned >= 0 && ai_now_ms() - learned_at > LEARNED_FOR_MS)
		learned = -1;
	return Max(learned >= 0 ? learned : allowed - allowed / OTHERS_PART - OTHER_DESCRIPTORS, 1);
}

bool
ai_descriptors_suffice(void)
{
	return ai_sockets_in_use() + (n_expected + n_resolving) * RESOLVER_DESCRIPTORS <
		ai_descriptors_bound();
}

int
ai_descriptors_total(void)
{
	/* those that are under way already must not come to wait within libcurl */
	total_in_force = Max(ai_descriptors_bound(),
						 ai_sockets_in_use() + n_expected + n_resolving);
	return total_in_force;
}

static void
learn(void)
{
	int			n_held = ai_sockets_in_use() + ai_sockets_idle();

	learned = n_held + n_resolving < total_in_force ? n_held : ai_sockets_in_use();
	learned_at = ai_now_ms();
}

/* Tells PostgreSQL of so many more or fewer that are not asked for. */
void
ai_descriptors_report(int more)
{
	for (; more > 0; more--)
		ReserveExternalFD();
	for (; more < 0; more++)
		ReleaseExternalFD();
}

static bool
acquire_beside_resolver(void)
{
	bool		acquired = AcquireExternalFD();

	if (!acquired && n_resolving > 0)
	{
		ai_descriptors_report(-n_resolving * RESOLVER_DESCRIPTORS);
		acquired = AcquireExternalFD();
		ai_descriptors_report(n_resolving * RESOLVER_DESCRIPTORS);
	}
	return acquired;
}

bool
ai_descriptor_acquire(void)
{
	if (acquire_beside_resolver())
		return true;
	ai_sockets_settle(NULL);
	if (acquire_beside_resolver())
		return true;
	learn();
	return false;
}

bool
ai_descriptor_exists(void)
{
	int			fd = ai_poller_create();

	if (fd >= 0)
		close(fd);
	else
		learn();
	return fd >= 0;
}

void
ai_descriptor_expect(AiTransfer *transfer)
{
	transfer->descriptor = AI_DESCRIPTOR_EXPECTED;
	n_expected++;
}

void
ai_descriptor_resolve(AiTransfer *transfer)
{
	if (transfer->descriptor != AI_DESCRIPTOR_EXPECTED)
		return;
	transfer->descriptor = AI_DESCRIPTOR_RESOLVING;
	n_expected--;
	n_resolving++;
	ai_descriptors_report(RESOLVER_DESCRIPTORS);
}

void
ai_descriptor_place(AiTransfer *transfer)
{
	switch (transfer->descriptor)
	{
		case AI_DESCRIPTOR_EXPECTED:
			n_expected--;
			break;
		case AI_DESCRIPTOR_RESOLVING:
			n_resolving--;
			ai_descriptors_report(-RESOLVER_DESCRIPTORS);
			break;
		case AI_DESCRIPTOR_PLACED:
			break;
	}
	transfer->descriptor = AI_DESCRIPTOR_PLACED;
}
