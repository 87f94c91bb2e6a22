/*
 * function.c
 *	  Which functions of pg_proc are model calls (function.h).
 *
 * State: the list of functions, as registered; what is known of the functions
 * met in plans, by OID, forgotten when pg_proc changes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "ask/function.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "pg/guc.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"

typedef struct KnownFunction
{
	Oid			oid;			/* the key */
	const AiFunction *function; /* NULL = none of ours */
} KnownFunction;

static const AiFunction *const *functions = NULL;
static HTAB *known = NULL;

void
ai_functions_register(const AiFunction *const *all)
{
	functions = all;
}

bool
ai_function_is_null(const AiFunction *function, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < fcinfo->nargs; i++)
	{
		if ((function->required & (1U << i)) && fcinfo->args[i].isnull)
			return true;
	}
	return function->is_empty != NULL && function->is_empty(function, fcinfo);
}

bool
ai_function_raises(const AiFunction *function, const AiFailure *failure)
{
	switch (failure->fault)
	{
		case AI_FAULT_ARGUMENT:
			return true;
		case AI_FAULT_REFUSED:
			return !function->reports_failure;
		case AI_FAULT_CALL:
			break;
	}
	return !function->reports_failure && ai_guc_on_error != AI_ON_ERROR_NULL;
}

AiCall *
ai_function_call(const AiFunction *function, FunctionCallInfo fcinfo, AiWindow *window)
{
	AiCall	   *call = ai_call_new(window);
	const NullableDatum *model = &fcinfo->args[function->model];

	if (function->prepare(function, fcinfo, call, &call->failure))
		ai_call_resolve(call, model->isnull ? NULL : TextDatumGetCString(model->value));
	else
		ai_call_refuse(call);
	return call;
}

static void
forget(Datum argument, int cache, uint32 hash)
{
	HASH_SEQ_STATUS scan;
	KnownFunction *entry;

	hash_seq_init(&scan, known);
	while ((entry = hash_seq_search(&scan)) != NULL)
		hash_search(known, &entry->oid, HASH_REMOVE, NULL);
}

/* Is it a C function of this library, and called as any other? */
static bool
is_ours(HeapTuple tuple)
{
	Form_pg_proc procedure = (Form_pg_proc) GETSTRUCT(tuple);
	Datum		library;
	bool		isnull;
	char	   *path;
	char	   *name;

	if (procedure->prolang != ClanguageId || procedure->prosecdef ||
		!heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL) || FmgrHookIsNeeded(procedure->oid))
		return false;
	library = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_probin, &isnull);
	if (isnull)
		return false;
	path = TextDatumGetCString(library);
	name = strrchr(path, '/');
	return strncmp(name ? name + 1 : path, "ai_gateway", 10) == 0;
}

static char *
symbol_of(HeapTuple tuple)
{
	bool		isnull;
	Datum symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);

	return isnull || !is_ours(tuple) ? NULL : TextDatumGetCString(symbol);
}

char *
ai_function_symbol(Oid oid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	char	   *symbol;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	symbol = symbol_of(tuple);

	ReleaseSysCache(tuple);
	return symbol;
}

/* One with other arguments says so itself, where it is called. */
static const AiFunction *
look_up(Oid oid)
{
	const AiFunction *found = NULL;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc procedure;
	char	   *symbol;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	procedure = (Form_pg_proc) GETSTRUCT(tuple);
	symbol = procedure->proretset ? NULL : symbol_of(tuple);

	for (int i = 0; symbol !=NULL && functions[i] != NULL; i++)
	{
		if (strcmp(functions[i]->symbol, symbol) == 0 &&
			functions[i]->n_arguments == procedure->pronargs)
			found = functions[i];
	}
	ReleaseSysCache(tuple);
	return found;
}

const AiFunction *
ai_function_by_oid(Oid oid)
{
	KnownFunction *entry;
	const AiFunction *function;
	bool		found;

	if (oid < FirstNormalObjectId)
		return NULL;
	if (known == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(KnownFunction)};

		known = hash_create("ai_gateway functions", 64, &control, HASH_ELEM | HASH_BLOBS);
		CacheRegisterSyscacheCallback(PROCOID, forget, (Datum) 0);
	}
	entry = hash_search(known, &oid, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->function;
	function = look_up(oid);	/* may empty the table */
	entry = hash_search(known, &oid, HASH_ENTER, &found);
	entry->function = function;
	return function;
}
