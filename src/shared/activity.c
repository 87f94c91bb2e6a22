/*
 * activity.c
 *	  The slots of activity.h.
 *
 * State: this backend's counts; a pointer to all slots, in shared memory.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/compat.h"
#include "port/atomics.h"
#include "shared/activity.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

typedef struct Slot
{
	int			changes;		/* odd while the owner writes */
	AiActivity	activity;
} Slot;

AiActivity	ai_activity;

static Slot *slots = NULL;
static shmem_request_hook_type previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;

static int
n_slots(void)
{
	return MaxBackends + NUM_AUXILIARY_PROCS;
}

static void
request_memory(void)
{
	if (previous_request)
		previous_request();
	RequestAddinShmemSpace(mul_size(sizeof(Slot), n_slots()));
}

static void
find_memory(void)
{
	bool		found;

	if (previous_startup)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	slots = ShmemInitStruct("ai_gateway activity", mul_size(sizeof(Slot), n_slots()), &found);
	if (!found)
		memset(slots, 0, mul_size(sizeof(Slot), n_slots()));
	LWLockRelease(AddinShmemInitLock);
}

void
ai_activity_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_request = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = find_memory;
}

void
ai_activity_publish(void)
{
	Slot	   *slot;

	if (slots == NULL || MyProc == NULL)
		return;
	slot = &slots[AI_PROC_NUMBER];
	slot->changes++;
	pg_write_barrier();
	slot->activity = ai_activity;
	pg_write_barrier();
	slot->changes++;
}

void
ai_activity_begin(void)
{
	memset(&ai_activity, 0, sizeof(ai_activity));
	ai_activity.pid = MyProcPid;
	ai_activity.role = GetUserId();
	ai_activity.started = GetCurrentTimestamp();
	ai_activity_publish();
}

void
ai_activity_end(void)
{
	ai_activity.pid = 0;
	ai_activity_publish();
}

bool
ai_activity_read(int n, AiActivity *activity, bool *more)
{
	volatile Slot *slot;

	*more = slots != NULL && n < n_slots();
	if (!*more)
		return false;
	slot = &slots[n];
	for (;;)
	{
		int			before = slot->changes;

		pg_read_barrier();
		*activity = ((Slot *) slot)->activity;
		pg_read_barrier();
		if (before == slot->changes && (before & 1) == 0)
			break;
		CHECK_FOR_INTERRUPTS();
	}
	return activity->pid != 0;
}
