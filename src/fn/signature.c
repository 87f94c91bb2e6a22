/*
 * signature.c
 *	  Arguments and row types against what the library expects (signature.h).
 */
#include "postgres.h"

#include "fn/signature.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

void
ai_signature_mismatch(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("function \"%s\" of the installed extension version does not match the library", function),
			 errdetail("The library is version %s.", AI_GATEWAY_VERSION),
			 errhint("ALTER EXTENSION ai_gateway UPDATE;")));
}

static void
check_row(const AiRowType *type, TupleDesc descriptor)
{
	if (descriptor->natts != type->n_columns)
		ai_signature_mismatch(type->function);
	for (int i = 0; i < type->n_columns; i++)
	{
		if (TupleDescAttr(descriptor, i)->atttypid != type->columns[i])
			ai_signature_mismatch(type->function);
	}
}

/* Remembers it for the calls to come. */
static TupleDesc
remember(FmgrInfo *flinfo, TupleDesc descriptor)
{
	MemoryContext caller = MemoryContextSwitchTo(flinfo->fn_mcxt);

	flinfo->fn_extra = BlessTupleDesc(CreateTupleDescCopy(descriptor));
	MemoryContextSwitchTo(caller);
	return flinfo->fn_extra;
}

TupleDesc
ai_signature_row(FunctionCallInfo fcinfo, const AiRowType *type)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	TupleDesc	descriptor;

	if (flinfo->fn_extra != NULL)
		return flinfo->fn_extra;
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		ai_signature_mismatch(type->function);
	check_row(type, descriptor);
	return remember(flinfo, descriptor);
}

static TupleDesc
row_type(Oid oid, const AiRowType *type)
{
	TupleDesc	descriptor = OidIsValid(oid) ? lookup_rowtype_tupdesc_noerror(oid, -1, true) : NULL;

	if (descriptor == NULL)
		ai_signature_mismatch(type->function);
	check_row(type, descriptor);
	return descriptor;
}

TupleDesc
ai_signature_elements(FunctionCallInfo fcinfo, const AiRowType *type)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	TupleDesc	descriptor;

	if (flinfo->fn_extra != NULL)
		return flinfo->fn_extra;
	descriptor = row_type(get_element_type(get_func_rettype(flinfo->fn_oid)), type);
	remember(flinfo, descriptor);
	ReleaseTupleDesc(descriptor);
	return flinfo->fn_extra;
}

void
ai_signature_check_elements(const ArrayType *array, const AiRowType *type)
{
	TupleDesc	descriptor = row_type(ARR_ELEMTYPE(array), type);

	ReleaseTupleDesc(descriptor);
}

void
ai_signature_set(FunctionCallInfo fcinfo, int n_arguments, const AiRowType *type)
{
	ai_signature_check(type->function, fcinfo, n_arguments);
	InitMaterializedSRF(fcinfo, 0);
	check_row(type, ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc);
}
