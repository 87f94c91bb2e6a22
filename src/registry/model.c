/*
 * model.c
 *	  Reading and caching registrations (model.h).
 *
 * Tables are read by systable scans as the backend itself, not as the caller:
 * who may use a model is decided by its grants alone, and the search_path of
 * the caller plays no part.  Attribute numbers are found by name, so that a
 * library newer than the SQL goes on working with an older table.
 *
 * Cache: a hash table by name in a context of its own.  An invalidation only
 * sets a flag, since it can come at any moment; the next lookup drops the
 * entries.  A dropped model that a call still holds is freed by its last
 * holder.  Keys that are kept (secret.h) are forgotten at once: the credential
 * of a model may not be named any more.
 *
 * State: the statics below, per backend.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/text.h"
#include "registry/model.h"
#include "registry/secret.h"
#include "registry/tuple.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define SCHEMA_NAME	"ai_gateway"

typedef struct CacheEntry
{
	char		name[NAMEDATALEN * 4];	/* key */
	AiModel    *model;
} CacheEntry;

static HTAB *cache = NULL;
static Oid	models_relation = InvalidOid;
static Oid	grants_relation = InvalidOid;
static Oid	profiles_relation = InvalidOid;
static bool cache_valid = false;

static void
relation_changed(Datum unused, Oid relation)
{
	if (relation == InvalidOid || relation == models_relation ||
		relation == grants_relation || relation == profiles_relation)
	{
		cache_valid = false;
		ai_secret_forget();
	}
}

void
ai_model_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

void
ai_model_invalidate(Oid relation)
{
	CacheInvalidateRelcacheByRelid(relation);
}

static void
free_model(AiModel *model)
{
	ListCell   *cell;

	foreach(cell, model->profiles)
	{
		AiModelProfile *profile = lfirst(cell);

		cJSON_Delete(profile->renames);
		cJSON_Delete(profile->requires);
	}
	cJSON_Delete(model->settings);
	cJSON_Delete(model->options);
	MemoryContextDelete(model->context);
}

void
ai_model_release(AiModel *model)
{
	Assert(model->references > 0);
	if (--model->references == 0 && model->stale)
		free_model(model);
}

AiModel *
ai_model_hold(AiModel *model)
{
	Assert(model->references > 0);
	model->references++;
	return model;
}

static void
empty_cache(void)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		AiModel    *model = entry->model;

		hash_search(cache, entry->name, HASH_REMOVE, NULL);
		model->stale = true;
		if (model->references == 0)
			free_model(model);
	}
}

/* False with a fault if there is none. */
static bool
find_relation(const char *name, Oid *relation, AiFailure *failure)
{
	Oid			schema = get_namespace_oid(SCHEMA_NAME, true);

	*relation = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
	if (OidIsValid(*relation))
		return true;
	ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_NOT_FOUND, "55000",
			 "table \"%s.%s\" does not exist", SCHEMA_NAME, name);
	ai_failure_detail(failure, "The extension is not installed in this database, or was damaged.");
	ai_failure_hint(failure, "CREATE EXTENSION ai_gateway;");
	return false;
}

/*
 * Empties the cache if it is stale, and finds the tables again; false with a
 * fault if they are not there.
 */
static bool
ready_cache(AiFailure *failure)
{
	if (cache == NULL)
	{
		HASHCTL		control = {
			.keysize = sizeof(((CacheEntry *) 0)->name),
			.entrysize = sizeof(CacheEntry),
			.hcxt = TopMemoryContext,
		};

		cache = hash_create("ai_gateway models", 32, &control,
							HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	ai_secret_init();

	/*
	 * Also in the middle of a statement, which locks no table for a lookup:
	 * what a DBA disables is disabled for the next row.
	 */
	AcceptInvalidationMessages();
	if (cache_valid)
		return true;
	empty_cache();
	if (!find_relation("models", &models_relation, failure) ||
		!find_relation("model_grants", &grants_relation, failure) ||
		!find_relation("model_profiles", &profiles_relation, failure))
		return false;

	/* set before reading: an invalidation while reading must not get lost */
	cache_valid = true;
	return true;
}

/* ---- one row into an AiModel ---- */

static cJSON *
parse_column(const char *document)
{
	const char *why;

	return document ? ai_json_parse(document, strlen(document), &why) : NULL;
}

AiModel *
ai_model_of_tuple(HeapTuple tuple, TupleDesc descriptor)
{
	AiTuple		row = {tuple, descriptor};
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "ai_gateway model",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller;
	AiModel    *model;
	char	   *settings;
	char	   *options;
	bool		isnull;

	/* until it is whole it belongs to the caller's context, and dies with it */
	MemoryContextSetParent(context, CurrentMemoryContext);
	caller = MemoryContextSwitchTo(context);
	model = palloc0(sizeof(AiModel));
	model->context = context;
	model->name = ai_tuple_text(&row, "name");
	model->task = ai_tuple_text(&row, "task");
	model->provider = ai_tuple_text(&row, "provider");
	model->protocol = ai_tuple_text(&row, "protocol");
	model->remote_model = ai_tuple_text(&row, "remote_model");
	model->endpoint = ai_tuple_text(&row, "endpoint");
	model->credential = ai_tuple_text(&row, "credential");
	model->allow_extra = ai_tuple_bool(&row, "allow_extra", false);
	model->enabled = ai_tuple_bool(&row, "enabled", true);
	model->max_in_flight = DatumGetInt32(ai_tuple_column(&row, "max_in_flight", &isnull));
	if (isnull)
		model->max_in_flight = 0;
	ai_tuple_price(&row, "input_price", &model->prices.input);
	ai_tuple_price(&row, "cached_input_price", &model->prices.cached_input);
	ai_tuple_price(&row, "cache_write_price", &model->prices.cache_write);
	ai_tuple_price(&row, "output_price", &model->prices.output);
	settings = ai_tuple_json(&row, "settings");
	options = ai_tuple_json(&row, "options");
	MemoryContextSwitchTo(caller);

	/* nothing throws from here on */
	MemoryContextSetParent(context, TopMemoryContext);
	model->settings = parse_column(settings);
	model->options = parse_column(options);
	model->references = 1;
	model->stale = true;
	return model;
}

/* The roles that have a grant on a model. */
static List *
read_grantees(const char *model)
{
	Relation	relation = table_open(grants_relation, AccessShareLock);
	Oid			index = AI_PRIMARY_KEY_INDEX(relation);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	List	   *roles = NIL;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(model));
	key.sk_collation = C_COLLATION_OID;
	scan = systable_beginscan(relation, index, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		AiTuple		row = {tuple, RelationGetDescr(relation)};
		bool		isnull;

		roles = lappend_oid(roles, DatumGetObjectId(ai_tuple_column(&row, "role", &isnull)));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return roles;
}

static AiModel *
read_model(const char *name)
{
	Relation	relation = table_open(models_relation, AccessShareLock);
	Oid			index = AI_PRIMARY_KEY_INDEX(relation);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	AiModel    *model = NULL;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	key.sk_collation = C_COLLATION_OID;
	scan = systable_beginscan(relation, index, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		model = ai_model_of_tuple(tuple, RelationGetDescr(relation));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return model;
}

/* A model that an error leaves behind here is freed with the transaction. */
static void
read_profiles(AiModel *model)
{
	const char *family = ai_json_string(model->settings, "family");
	MemoryContext caller;
	ListCell   *cell;

	MemoryContextSetParent(model->context, CurrentMemoryContext);
	caller = MemoryContextSwitchTo(model->context);
	model->profiles = ai_profiles_read(profiles_relation,
									   ai_family_name(family ? family : model->remote_model));
	MemoryContextSwitchTo(caller);
	/* nothing throws from here on */
	MemoryContextSetParent(model->context, TopMemoryContext);
	foreach(cell, model->profiles)
	{
		AiModelProfile *profile = lfirst(cell);

		profile->renames = parse_column(profile->renames_text);
		profile->requires = parse_column(profile->requires_text);
	}
}

static AiModel *acquire(const char *name);

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* "a", "b" of the models that the current user may use. */
static char *
model_names(void)
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	StringInfoData names;
	List	   *all = NIL;
	ListCell   *cell;

	initStringInfo(&names);
	relation = table_open(models_relation, AccessShareLock);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)) && list_length(all) < 1000)
	{
		AiTuple		row = {tuple, RelationGetDescr(relation)};

		all = lappend(all, ai_tuple_text(&row, "name"));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	list_sort(all, compare_names);
	foreach(cell, all)
	{
		AiModel    *model = acquire(lfirst(cell));

		if (model == NULL)
			continue;
		if (model->enabled && ai_model_granted(model))
			appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", model->name);
		ai_model_release(model);
		if (names.len > 200)
		{
			appendStringInfoString(&names, " and others");
			break;
		}
	}
	return names.data;
}

/* As the table's constraint has it. */
#define MAX_NAME_BYTES	200

/* Of a text that is no name of a model. */
#define SHOWN_BYTES		20

/* What there is; the name may be a mistake for one of them. */
static bool
fail_unknown(const char *name, AiFailure *failure)
{
	char	   *names = ai_name_to_utf8(model_names());
	int			len = (int) strlen(name);
	bool		possible = len <= MAX_NAME_BYTES;

	/* what is no name may be a prompt in the wrong place */
	if (!possible)
		name = psprintf("%.*s...", pg_mbcliplen(name, len, SHOWN_BYTES), name);
	ai_fault(failure, AI_FAULT_REFUSED, AI_ERROR_NOT_FOUND, "42704",
			 "model \"%s\" is not registered", ai_name_to_utf8(name));
	if (names[0] != '\0')
		ai_failure_detail(failure, "You may use %s.", names);
	if (possible)
		ai_failure_hint(failure, "INSERT INTO ai_gateway.models (name, task, provider, remote_model) VALUES (%s, ...);",
						ai_name_to_utf8(quote_literal_cstr(name)));
	return false;
}

static AiModel *
acquire(const char *name)
{
	CacheEntry *entry;
	AiModel    *model;
	List	   *grantees;
	ListCell   *cell;
	bool		found;

	if (strlen(name) >= sizeof(entry->name))
		return NULL;
	entry = hash_search(cache, name, HASH_FIND, NULL);
	if (entry != NULL)
	{
		entry->model->references++;
		return entry->model;
	}

	/* the grants first: a model must not be left behind by an error */
	grantees = read_grantees(name);
	model = read_model(name);
	if (model == NULL)
		return NULL;
	read_profiles(model);
	if (grantees != NIL)
		model->grantees = MemoryContextAlloc(model->context,
											 list_length(grantees) * sizeof(Oid));
	foreach(cell, grantees)
		model->grantees[model->n_grantees++] = lfirst_oid(cell);
	list_free(grantees);

	/* an invalidation that came meanwhile makes it good for this call alone */
	if (cache_valid)
	{
		entry = hash_search(cache, name, HASH_ENTER, &found);
		if (!found)
		{
			entry->model = model;
			model->stale = false;
		}
	}
	return model;
}

AiModel *
ai_model_acquire(const char *name, AiFailure *failure)
{
	AiModel    *model = NULL;

	if (!ready_cache(failure))
		return NULL;
	model = acquire(name);
	if (model == NULL)
		fail_unknown(name, failure);
	return model;
}

bool
ai_model_granted(const AiModel *model)
{
	Oid			user = GetUserId();

	if (superuser_arg(user))
		return true;
	for (int i = 0; i < model->n_grantees; i++)
	{
		if (model->grantees[i] == InvalidOid ||
			has_privs_of_role(user, model->grantees[i]))
			return true;
	}
	return false;
}
