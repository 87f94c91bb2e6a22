/*
 * compat.h
 *	  Every difference between PostgreSQL 15, 16, 17 and 18 and between
 *	  versions of libcurl.  No other file mentions a version number; make lint
 *	  proves it.
 */
#ifndef AI_COMPAT_H
#define AI_COMPAT_H

#include "postgres.h"

#include "fmgr.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 150000
#error "ai_gateway needs PostgreSQL 15 or later"
#endif

/* 16 moved the varlena macros to a header of their own. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 moved WaitEventSet to a header of its own. */
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

/* 16 asks for privileges on all kinds of objects by one function. */
#if PG_VERSION_NUM >= 160000
#define AI_MAY_EXECUTE(function) \
	(object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)
#else
#define AI_MAY_EXECUTE(function) \
	(pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* 18 moved what writes EXPLAIN's output out of commands/explain.h. */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 18 can record the name and the version of a module. */
#if PG_VERSION_NUM >= 180000
#define AI_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "ai_gateway", .version = AI_GATEWAY_VERSION)
#else
#define AI_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* Makes a symbol one that SQL may name; 15 does not export the function itself. */
#define AI_SQL_FUNCTION(symbol) \
	extern PGDLLEXPORT Datum symbol(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(symbol)

/* 18 asks whether a deferrable primary key will do; so did 15 to 17, tacitly not. */
#if PG_VERSION_NUM >= 180000
#define AI_PRIMARY_KEY_INDEX(relation) RelationGetPrimaryKeyIndex(relation, false)
#else
#define AI_PRIMARY_KEY_INDEX(relation) RelationGetPrimaryKeyIndex(relation)
#endif

/*
 * A WaitEventSet for the life of the backend.  17 tracks sets by resource
 * owner where one is given, and allocates in TopMemoryContext by itself.
 */
static inline WaitEventSet *
ai_create_wait_event_set(int n_events)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, n_events);
#else
	return CreateWaitEventSet(TopMemoryContext, n_events);
#endif
}

/* 17 lets an extension name its wait events; it must be asked for lazily. */
static inline uint32
ai_wait_event(uint32 *cached, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*cached == 0)
		*cached = WaitEventExtensionNew(name);
	return *cached;
#else
	(void) name;
	*cached = PG_WAIT_EXTENSION;
	return *cached;
#endif
}

/* 16 gave GUC extras an allocator of their own; before, they are plain malloc. */
static inline void *
ai_guc_malloc(size_t size)
{
#if PG_VERSION_NUM >= 160000
	return guc_malloc(LOG, size);
#else
	return malloc(size);
#endif
}

static inline void
ai_guc_free(void *pointer)
{
#if PG_VERSION_NUM >= 160000
	guc_free(pointer);
#else
	free(pointer);
#endif
}

/* 17 numbers the slots of processes by a variable of its own. */
#if PG_VERSION_NUM >= 170000
#define AI_PROC_NUMBER MyProcNumber
#else
#define AI_PROC_NUMBER (MyProc->pgprocno)
#endif

/* 18 has RETURNING old.x beside new.x: two columns of one number. */
#if PG_VERSION_NUM >= 180000
#define AI_SAME_RETURNING(a, b) ((a)->varreturningtype == (b)->varreturningtype)
#else
#define AI_SAME_RETURNING(a, b) true
#endif

/* 17 has actions of MERGE for rows of the target that no source row matches. */
#if PG_VERSION_NUM >= 170000
#define AI_MERGE_MATCHED(action) ((action)->matchKind == MERGE_WHEN_MATCHED)
#define AI_MERGE_OF_SOURCE(action) ((action)->matchKind == MERGE_WHEN_NOT_MATCHED_BY_SOURCE)
#else
#define AI_MERGE_MATCHED(action) ((action)->matched)
#define AI_MERGE_OF_SOURCE(action) false
#endif

/* 18 took execute_once away from the signature of ExecutorRun_hook. */
#if PG_VERSION_NUM >= 180000
#define AI_EXECUTOR_RUN(name) \
	name(QueryDesc *queryDesc, ScanDirection direction, uint64 count)
#define AI_CALL_EXECUTOR_RUN(function) function(queryDesc, direction, count)
#else
#define AI_EXECUTOR_RUN(name) \
	name(QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once)
#define AI_CALL_EXECUTOR_RUN(function) function(queryDesc, direction, count, execute_once)
#endif

#endif							/* AI_COMPAT_H */
