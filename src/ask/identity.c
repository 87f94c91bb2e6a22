/*
 * identity.c
 *	  The digest of a question (identity.h).
 *
 * In it: the function, the types of result and arguments and the collation,
 * since a polymorphic function answers differently for each; the effective role,
 * whose grants decide; the default model, where none is named; and the value of
 * each argument.  Two values whose bytes differ are two questions, even if their
 * type calls them equal: then both are asked, which changes no answer.
 *
 * State: none.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "ask/identity.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/openssl.h"
#include "utils/lsyscache.h"

static void
set_type(AiArgumentType *type, Oid oid)
{
	type->oid = oid;
	get_typlenbyval(oid, &type->typlen, &type->typbyval);
}

/* As the call's expression has them, else as they are declared. */
static void
find_types(AiSite *site)
{
	FmgrInfo   *flinfo = site->fcinfo->flinfo;
	int			n = site->fcinfo->nargs;
	Oid		   *declared = NULL;
	int			n_declared = 0;

	site->types = MemoryContextAlloc(GetMemoryChunkContext(site), sizeof(AiArgumentType) * Max(n, 1));
	site->result = get_fn_expr_rettype(flinfo);
	if (flinfo->fn_expr == NULL)
		site->result = get_func_signature(flinfo->fn_oid, &declared, &n_declared);
	get_typlenbyval(site->result, &site->typlen, &site->typbyval);
	for (int i = 0; i < n; i++)
		set_type(&site->types[i], i < n_declared ? declared[i] : get_fn_expr_argtype(flinfo, i));
	if (site->element == NULL)
		return;

	/* the element's function has the same, but for the element */
	site->element->types = MemoryContextAlloc(GetMemoryChunkContext(site), sizeof(AiArgumentType) * n);
	memcpy(site->element->types, site->types, sizeof(AiArgumentType) * n);
	set_type(&site->element->types[site->function->array],
			 get_element_type(site->types[site->function->array].oid));
	site->element->typlen = -1;
}

static void
append_bytes(StringInfo out, const void *data, Size size)
{
	appendBinaryStringInfo(out, (const char *) &size, sizeof(size));
	appendBinaryStringInfo(out, data, size);
}

static void
append_argument(StringInfo out, NullableDatum *argument, const AiArgumentType *type)
{
	appendBinaryStringInfo(out, (const char *) &type->oid, sizeof(type->oid));
	appendStringInfoChar(out, argument->isnull ? 'n' : 'v');
	if (argument->isnull)
		return;
	if (type->typbyval)
		appendBinaryStringInfo(out, (const char *) &argument->value, sizeof(Datum));
	else if (type->typlen == -1)
	{
		struct varlena *value = PG_DETOAST_DATUM_PACKED(argument->value);

		argument->value = PointerGetDatum(value);
		append_bytes(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	}
	else if (type->typlen == -2)
		append_bytes(out, DatumGetCString(argument->value), strlen(DatumGetCString(argument->value)));
	else
		append_bytes(out, DatumGetPointer(argument->value), type->typlen);
}

void
ai_identify(AiSite *site, int first, uint8 digest[AI_DIGEST_SIZE])
{
	FunctionCallInfo fcinfo = site->fcinfo;
	const AiFunction *function = site->function;
	Oid			who[] = {GetUserId(), 0, fcinfo->fncollation};
	StringInfoData described;

	if (site->types == NULL)
		find_types(site);
	who[1] = site->result;
	initStringInfo(&described);
	appendStringInfoString(&described, function->symbol);
	appendBinaryStringInfo(&described, (const char *) who, sizeof(who));
	if (function->model >= 0 && fcinfo->args[function->model].isnull)
		appendStringInfoString(&described, ai_call_default_model(function->task));
	for (int i = first; i < fcinfo->nargs; i++)
		append_argument(&described, &fcinfo->args[i], &site->types[i]);
	if (!ai_crypto.sha256(described.data, described.len, digest))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("SHA-256 is not available")));
	pfree(described.data);
}
