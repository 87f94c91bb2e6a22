/*
 * model.h
 *	  Registrations of models: the tables ai_gateway.models and
 *	  ai_gateway.model_grants, read in C and cached in the backend.
 *
 * The story.  A call that is resolved (call/call.c) acquires its model by name.
 * Invalidations that have come are taken in; if one was of these tables the cache
 * is emptied.  A model that is not in it is read, by the row of models, the grants
 * on it and the profiles of its family (profile.h), with a fresh snapshot each, so
 * that a committed change is seen by the next call of every session.  It is kept
 * until the next relcache invalidation of one of the three tables, which their
 * statement triggers send.  Then ai_model_granted() is asked.  Keys are no part of a
 * model: they are found at each attempt (secret.h, call/target.c).
 *
 * Ownership: ai_model_acquire() returns a counted reference; every holder
 * calls ai_model_release(), which may be done from a reset callback.  A model
 * is never changed once it was read; a newer row becomes another AiModel.
 *
 * Who may throw: acquiring, what reading a table may.  Locks: AccessShareLock on
 * a table while it is read, and not longer; the cache is the backend's own.
 */
#ifndef AI_MODEL_H
#define AI_MODEL_H

#include "postgres.h"

#include "registry/profile.h"
#include "util/failure.h"
#include "util/json.h"
#include "util/money.h"

/*
 * In picodollars a token.  AI_MONEY_UNKNOWN where the row has none, or one that
 * cannot be kept exactly: the check of the row refuses such, a row that was
 * there before it still works.
 */
typedef struct AiPrices
{
	int64		input;
	int64		cached_input;
	int64		cache_write;
	int64		output;
} AiPrices;

typedef struct AiModel
{
	char	   *name;
	char	   *task;
	char	   *provider;
	char	   *protocol;		/* NULL = the provider's own */
	char	   *remote_model;
	char	   *endpoint;		/* NULL = the provider's */
	char	   *credential;		/* NULL = the provider's key */
	cJSON	   *settings;		/* an object or NULL */
	cJSON	   *options;		/* an object or NULL */
	bool		allow_extra;
	AiPrices	prices;
	int			max_in_flight;	/* 0 = no limit of its own */
	bool		enabled;
	List	   *profiles;		/* of AiModelProfile, the best fit first */
	Oid		   *grantees;		/* roles; InvalidOid = PUBLIC */
	int			n_grantees;
	int			references;
	bool		stale;			/* out of the cache; the last holder frees it */
	MemoryContext context;
} AiModel;

extern void ai_model_init(void);

/*
 * NULL with a fault if no such model is registered.  May raise what reading a
 * table may.
 */
extern AiModel *ai_model_acquire(const char *name, AiFailure *failure);
extern void ai_model_release(AiModel *model);

/* One more reference to a model that is held. */
extern AiModel *ai_model_hold(AiModel *model);

/* May the current effective user use it?  Checked anew at every call. */
extern bool ai_model_granted(const AiModel *model);

/* An AiModel of a row that a trigger was given; not in the cache, no grants. */
struct HeapTupleData;
struct TupleDescData;
extern AiModel *ai_model_of_tuple(struct HeapTupleData *tuple,
								  struct TupleDescData *descriptor);

/* Sends the invalidation for the table that a statement trigger fired on. */
extern void ai_model_invalidate(Oid relation);

#endif							/* AI_MODEL_H */
