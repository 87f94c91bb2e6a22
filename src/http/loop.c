/*
 * loop.c
 *	  The loop: one curl_multi, one poller, one WaitEventSet for the life of a
 *	  backend.
 *
 * How it turns.  libcurl tells through socket_changed() which sockets it waits
 * for, and through timer_changed() when it wants to be called although nothing
 * happened.  The sockets are kept in a poller, whose single descriptor sits in
 * a WaitEventSet with the latch and the death of the postmaster.  When the
 * wait returns, the latch is reset and interrupts are served first; then each
 * ready socket and the timer are handed to curl_multi_socket_action(), and
 * transfers that ended are put on the list of finished ones, for
 * ai_http_deliver().  Starting a transfer only sets the timer: whoever started
 * some and does not wait leaves them unsent, and what has come for others unread.
 *
 * Because the wait is the backend's ordinary one, everything else that comes
 * by latch is served within it: cancel, terminate, statement_timeout, barriers
 * (DROP DATABASE in another session), catch-up invalidations.
 *
 * Signals.  libcurl resolves names in threads.  A thread takes over the signal
 * mask of its maker, so all signals are blocked around calls that can start one
 * (those that act; adding a transfer only sets the timer); else a SIGINT could
 * be handled in a thread that has no idea of latches.
 *
 * Forking.  Nothing is made before the first call of a process, least of all
 * in the postmaster.
 *
 * Errors.  Callbacks do not throw.  When libcurl itself reports an error of
 * the multi handle, that is logged, and each transfer in it ends at its own
 * timeout, or its attempt's behind that (attempt.c).
 *
 * State: the statics below, per backend.
 */
#include "postgres.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#include "http/poller.h"
#include "http/transfer.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "storage/fd.h"

/*
 * Connections kept open, where descriptors allow, and libcurl handles kept for
 * reuse: as many as there may be calls under way (ai_gateway.max_in_flight).
 */
#define KEPT_CONNECTIONS	1024
#define KEPT_HANDLES		1024

/* What a multi handle opens for curl_multi_wakeup(): a pair of sockets. */
#define MULTI_DESCRIPTORS	2

/*
 * For who is busy elsewhere: often enough for a timeout, and seldom enough that
 * many replies are read at a time.
 */
#define PROGRESS_EVERY_MS	10

/* At 64 sockets each, enough for all that there may be. */
#define READY_ROUNDS	32

static CURLM *multi = NULL;
static int	poller = -1;
static WaitEventSet *wait_set = NULL;
static uint32 wait_event = 0;
static double acted_at = 0;		/* when sockets were looked at last */
static double timer_due = -1;	/* when libcurl wants to be called; < 0 =
								 * never */
static int	n_started = 0;		/* transfers in the multi handle */
static int	generation = 0;		/* of the network parameters it was made with */
static long kept_in_force = 0;	/* what the multi handle was told */
static long total_in_force = 0;
static dlist_head finished = DLIST_STATIC_INIT(finished);
static CURL *kept_handles[KEPT_HANDLES];
static int	n_kept_handles = 0;

double
ai_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void
block_signals(sigset_t *saved)
{
	sigprocmask(SIG_SETMASK, &BlockSig, saved);
}

static void
restore_signals(const sigset_t *saved)
{
	sigprocmask(SIG_SETMASK, saved, NULL);
}

static int
socket_changed(CURL *easy, curl_socket_t fd, int what, void *clientp, void *socketp)
{
	AiTransfer *transfer = NULL;

	(void) clientp;
	(void) socketp;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &transfer);
	ai_socket_watched(fd, what != CURL_POLL_REMOVE, transfer != NULL && transfer->connected);
	ai_poller_watch(poller, fd,
					what == CURL_POLL_IN || what == CURL_POLL_INOUT,
					what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
	return 0;
}

static int
timer_changed(CURLM *handle, long timeout_ms, void *clientp)
{
	(void) handle;
	(void) clientp;
	/* most of them say "at once", which needs no clock */
	timer_due = timeout_ms <= 0 ? (double) timeout_ms : ai_now_ms() + timeout_ms;
	return 0;
}

/* Out of the multi handle.  One under way is cut off: its connection closes. */
static void
take_out(AiTransfer *transfer)
{
	curl_multi_remove_handle(multi, transfer->easy);
	ai_descriptor_place(transfer);
	n_started--;
}

/*
 * Did it end for want of a descriptor, and can it be tried again?  Where
 * nothing is under way, and nothing idle can be closed, there is nothing to
 * wait for.  The resolver says only that there is no such host.
 */
static bool
lacked_descriptor(AiTransfer *transfer)
{
	switch ((int) transfer->code)
	{
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
			transfer->descriptor_refused = !ai_descriptor_exists();
			break;
		case CURLE_COULDNT_CONNECT:
			break;
		default:
			return false;
	}
	return transfer->descriptor_refused && (n_started > 0 || ai_sockets_idle() > 0);
}

static void
put_finished(AiTransfer *transfer, CURLcode code)
{
	take_out(transfer);
	transfer->state = AI_TRANSFER_FINISHED;
	transfer->code = code;
	transfer->lacked_descriptor = lacked_descriptor(transfer);
	dlist_push_tail(&finished, &transfer->finished_node);
}

/* Moves what libcurl finished to our list. */
static void
collect(void)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		AiTransfer *transfer = NULL;
		CURLcode	code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &transfer);
		put_finished(transfer, code);
	}
}

static bool
make_poller(void)
{
	if (poller >= 0)
		return true;
	if (!AcquireExternalFD())
		return false;
	poller = ai_poller_create();
	if (poller < 0)
		ReleaseExternalFD();
	return poller >= 0;
}

/* Is there a descriptor for one?  CreateWaitEventSet() throws where not. */
static bool
can_make_wait_set(void)
{
	if (!AcquireExternalFD())
		return false;
	ReleaseExternalFD();
	return ai_descriptor_exists();
}

static bool
make_wait_set(void)
{
	if (wait_set != NULL)
		return true;
	if (!make_poller() || !can_make_wait_set())
		return false;
	wait_set = ai_create_wait_event_set(3);
	AddWaitEventToSet(wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	if (IsUnderPostmaster)		/* a stand-alone backend has none that may die */
		AddWaitEventToSet(wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(wait_set, WL_SOCKET_READABLE, poller, NULL, NULL);
	return true;
}

static bool
make_multi(AiFailure *failure)
{
	static bool library_ready = false;

	if (!library_ready)
	{
		if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
			return ai_fail(failure, AI_ERROR_CONNECTION, "the HTTP library cannot be initialised");
		library_ready = true;
	}
	multi = curl_multi_init();
	if (multi == NULL)
		return ai_fail(failure, AI_ERROR_CONNECTION, "memory ran out in the HTTP library");
	ai_descriptors_report(MULTI_DESCRIPTORS);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_changed);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);

	/*
	 * HTTP/2: libcurl opens a connection for each request above 100, whatever
	 * the server bears; so the server's own number counts
	 */
	curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1024L);
	generation = ai_guc_network_generation;
	kept_in_force = 0;
	total_in_force = 0;
	timer_due = -1;
	return true;
}

/*
 * Tells libcurl how many connections there may be.  Those to keep it counts
 * with the ones in use: below what is under way, each would be closed after its
 * reply and opened anew.
 */
static void
set_limits(void)
{
	long		total = ai_descriptors_total();
	long		kept = Min(KEPT_CONNECTIONS, ai_descriptors_bound());

	if (total != total_in_force)
		curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, total);
	if (kept != kept_in_force)
		curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kept);
	total_in_force = total;
	kept_in_force = kept;
}

/* Gives up the multi handle and its connections; nothing is under way. */
static void
drop_multi(void)
{
	if (multi == NULL)
		return;
	curl_multi_cleanup(multi);
	ai_descriptors_report(-MULTI_DESCRIPTORS);
	multi = NULL;
	timer_due = -1;
}

/*
 * With nothing under way, idle connections can be given up at once: for other
 * network parameters, or for their descriptors.
 */
static void
renew_multi(void)
{
	if (multi == NULL || n_started > 0)
		return;
	if (generation != ai_guc_network_generation)
		drop_multi();
	else if (ai_sockets_idle() > 0)
	{
		if (AcquireExternalFD())
			ReleaseExternalFD();
		else
			drop_multi();
	}
}

static CURL *
take_handle(void)
{
	return n_kept_handles > 0 ? kept_handles[--n_kept_handles] : curl_easy_init();
}

static void
keep_handle(CURL *easy)
{
	if (n_kept_handles < KEPT_HANDLES)
	{
		/* this forgets all options, so no pointer into a transfer stays */
		curl_easy_reset(easy);
		kept_handles[n_kept_handles++] = easy;
	}
	else
		curl_easy_cleanup(easy);
}

AiTransfer *
ai_http_start(AiHttpRequest *request, AiReach reach, const AiHttpLimits *limits,
			  const AiHttpListener *listener, AiFailure *failure)
{
	AiTransfer *transfer;
	CURLMcode	rc;

	renew_multi();
	if (!make_wait_set())
	{
		ai_http_request_free(request);
		ai_fail_descriptors(failure);
		return NULL;
	}
	if (multi == NULL && !make_multi(failure))
	{
		ai_http_request_free(request);
		return NULL;
	}
	transfer = calloc(1, sizeof(AiTransfer));
	if (transfer == NULL)
	{
		ai_http_request_free(request);
		ai_fail(failure, AI_ERROR_CONNECTION, "memory ran out");
		return NULL;
	}
	transfer->request = *request;
	memset(request, 0, sizeof(*request));
	transfer->reach = reach;
	transfer->limits = *limits;
	transfer->listener = *listener;
	transfer->easy = take_handle();
	if (transfer->easy == NULL || !ai_transfer_setup(transfer))
	{
		if (transfer->easy != NULL)
			curl_easy_cleanup(transfer->easy);
		ai_transfer_free(transfer);
		ai_fail(failure, AI_ERROR_CONNECTION, "the HTTP library refused the request");
		return NULL;
	}
	rc = curl_multi_add_handle(multi, transfer->easy);
	if (rc != CURLM_OK)
	{
		curl_easy_cleanup(transfer->easy);
		ai_transfer_free(transfer);
		ai_fail(failure, AI_ERROR_CONNECTION, "the HTTP library refused the request: %s",
				curl_multi_strerror(rc));
		return NULL;
	}
	n_started++;
	ai_descriptor_expect(transfer);
	return transfer;
}

void
ai_http_stop(AiTransfer *transfer)
{
	if (transfer->state != AI_TRANSFER_STARTED)
		return;
	put_finished(transfer, CURLE_OK);
}

int
ai_http_deliver(void)
{
	int			n = 0;

	/* from the head each time: a listener may have changed the list */
	while (!dlist_is_empty(&finished))
	{
		AiTransfer *transfer = dlist_head_element(AiTransfer, finished_node, &finished);

		dlist_delete(&transfer->finished_node);
		transfer->state = AI_TRANSFER_TOLD;
		n++;
		transfer->listener.finished(transfer->listener.owner, transfer);
	}
	return n;
}

bool
ai_http_has_room(void)
{
	return n_started == 0 || ai_descriptors_suffice();
}

bool
ai_http_lacked_descriptor(const AiTransfer *transfer)
{
	return transfer->lacked_descriptor;
}

AiHttpSent
ai_http_sent(const AiTransfer *transfer)
{
	if (transfer->reply_began)
		return AI_HTTP_REPLY_BEGAN;
	return transfer->connected ? AI_HTTP_CONNECTED : AI_HTTP_NOT_SENT;
}

size_t
ai_http_received(const AiTransfer *transfer)
{
	return transfer->reply.body.len + transfer->sunk;
}

const AiHttpReply *
ai_http_reply(const AiTransfer *transfer)
{
	return &transfer->reply;
}

bool
ai_http_result(AiTransfer *transfer, AiFailure *failure)
{
	long		status = 0;

	Assert(transfer->state != AI_TRANSFER_STARTED);
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	transfer->reply.status = (int) status;
	if (transfer->code == CURLE_OK || transfer->stopped)
		return true;
	ai_transfer_explain(transfer, failure);
	return false;
}

void
ai_http_release(AiTransfer *transfer)
{
	CURL	   *easy = transfer->easy;

	if (transfer->state == AI_TRANSFER_STARTED)
		take_out(transfer);
	else if (transfer->state == AI_TRANSFER_FINISHED)
		dlist_delete(&transfer->finished_node);
	if (transfer->connecting)
		ai_sockets_settle(transfer);
	keep_handle(easy);
	ai_transfer_free(transfer);
}

/* Lets libcurl act on one socket, or on its timer; signals are blocked. */
static void
act(curl_socket_t fd, int flags)
{
	int			running;
	CURLMcode	rc = curl_multi_socket_action(multi, fd, flags, &running);

	if (rc != CURLM_OK)
		ereport(LOG,
				(errmsg_internal("ai_gateway: HTTP library: %s", curl_multi_strerror(rc))));
}

/* Those ready now, of which the poller tells some at a time. */
static void
act_on_ready_sockets(void)
{
	AiPollerEvent ready[64];
	sigset_t	saved;
	int			n = lengthof(ready);

	block_signals(&saved);
	for (int round = 0; round < READY_ROUNDS && n == lengthof(ready); round++)
	{
		n = ai_poller_ready(poller, ready, lengthof(ready));
		for (int i = 0; i < n; i++)
			act(ready[i].fd,
				(ready[i].readable ? CURL_CSELECT_IN : 0) |
				(ready[i].writable ? CURL_CSELECT_OUT : 0) |
				(ready[i].error ? CURL_CSELECT_ERR : 0));
	}
	restore_signals(&saved);
}

static void
act_on_timer(void)
{
	if (timer_due >= 0 && timer_due <= ai_now_ms())
	{
		sigset_t	saved;

		timer_due = -1;
		block_signals(&saved);
		act(CURL_SOCKET_TIMEOUT, 0);
		restore_signals(&saved);
	}
}

/* When libcurl has to be called, or the limit, if sooner; < 0 = never. */
static double
sooner_of_timer(double limit)
{
	double		left;

	if (!dlist_is_empty(&finished))
		return 0;
	if (multi == NULL || timer_due < 0)
		return limit;
	left = timer_due - ai_now_ms();
	left = Max(left, 0);
	return limit < 0 ? left : Min(limit, left);
}

/* Sleeps; is a socket ready? */
static bool
sleep_until(double limit)
{
	long		timeout = limit < 0 ? -1L : (long) ceil(limit);
	uint32		event = ai_wait_event(&wait_event, "AiGatewayModelCall");
	WaitEvent	events[3];
	bool		ready = false;
	int			n;

	if (wait_set == NULL)
	{
		/* no descriptor was left for it, so there is no transfer either */
		WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout < 0 ? 0 : WL_TIMEOUT),
				  timeout, event);
		ResetLatch(MyLatch);
		return false;
	}
	n = WaitEventSetWait(wait_set, timeout, events, lengthof(events), event);
	for (int i = 0; i < n; i++)
	{
		if (events[i].events & WL_LATCH_SET)
			ResetLatch(MyLatch);
		if (events[i].events & WL_SOCKET_READABLE)
			ready = true;
	}
	return ready;
}

void
ai_http_wait(double timeout_ms)
{
	bool		sockets_ready;

	CHECK_FOR_INTERRUPTS();
	sockets_ready = sleep_until(sooner_of_timer(timeout_ms));
	CHECK_FOR_INTERRUPTS();
	if (multi == NULL)
		return;
	set_limits();
	if (sockets_ready)
		act_on_ready_sockets();
	act_on_timer();
	collect();
	acted_at = ai_now_ms();
}

bool
ai_http_progress(void)
{
	if (n_started == 0 || ai_now_ms() - acted_at < PROGRESS_EVERY_MS)
		return false;
	ai_http_wait(0);
	return true;
}

const char *
ai_http_library(void)
{
	return curl_version();
}
