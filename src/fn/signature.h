/*
 * signature.h
 *	  Is what SQL declares what the library was written for?
 *
 * SQL of another version of the extension, or a function that somebody made by
 * hand over one of our symbols, may have other arguments and columns.  It gets
 * a clear error (55000) instead of reads of what is not there.
 *
 * A row type is compared once for each FmgrInfo, which remembers it in
 * fn_extra: that is of no other use in this library.
 */
#ifndef AI_SIGNATURE_H
#define AI_SIGNATURE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/array.h"

/* The columns of a function's rows. */
typedef struct AiRowType
{
	const char *function;		/* its name in SQL */
	int			n_columns;
	const Oid  *columns;		/* their types */
} AiRowType;

extern void ai_signature_mismatch(const char *function) __attribute__((noreturn));

static inline void
ai_signature_check(const char *function, FunctionCallInfo fcinfo, int n_arguments)
{
	if (fcinfo->nargs != n_arguments)
		ai_signature_mismatch(function);
}

/* The descriptor of a function that returns one row. */
extern TupleDesc ai_signature_row(FunctionCallInfo fcinfo, const AiRowType *type);

/* That of the elements, for one that returns an array of a composite type. */
extern TupleDesc ai_signature_elements(FunctionCallInfo fcinfo, const AiRowType *type);

/* Are the elements of an array such rows? */
extern void ai_signature_check_elements(const ArrayType *array, const AiRowType *type);

/* InitMaterializedSRF() for a function that returns a set of rows. */
extern void ai_signature_set(FunctionCallInfo fcinfo, int n_arguments, const AiRowType *type);

#endif							/* AI_SIGNATURE_H */
