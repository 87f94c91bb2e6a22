/*
 * rows.c
 *	  Rows as a set or as an array, and the one out of the other (rows.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fn/rows.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "pg/compat.h"
#include "utils/array.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

struct AiRows
{
	const AiRowType *type;
	ReturnSetInfo *set;			/* NULL = an array is made */
	TupleDesc	descriptor;
	Datum	   *rows;
	int			n;
	int			room;
	Size		bytes;
};

AiRows *
ai_rows_begin(FunctionCallInfo fcinfo, const AiRowType *type)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	AiRows	   *rows = palloc0(sizeof(AiRows));

	rows->type = type;
	/* one value in FROM is told of sets too, but made none of */
	if (set != NULL && IsA(set, ReturnSetInfo) && set->setResult != NULL)
		rows->set = set;
	rows->descriptor = rows->set ? rows->set->setDesc : ai_signature_elements(fcinfo, type);
	return rows;
}

static void
check_size(const AiRows *rows)
{
	if (rows->bytes + ARR_OVERHEAD_NONULLS(1) <= MaxAllocSize)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the rows of function \"%s\" are too large for one value", rows->type->function),
			 errhint("Give it fewer at a time, or SET ai_gateway.concurrent = off.")));
}

void
ai_rows_add(AiRows *rows, const Datum *values, const bool *nulls)
{
	HeapTuple	tuple;

	if (rows->set != NULL)
	{
		tuplestore_putvalues(rows->set->setResult, rows->descriptor, unconstify(Datum *, values),
							 unconstify(bool *, nulls));
		return;
	}
	if (rows->n == rows->room)
	{
		rows->room = Max(rows->room * 2, 16);
		rows->rows = rows->rows ? repalloc(rows->rows, rows->room * sizeof(Datum)) : palloc(rows->room * sizeof(Datum));
	}
	tuple = heap_form_tuple(rows->descriptor, unconstify(Datum *, values), unconstify(bool *, nulls));
	rows->bytes += MAXALIGN(tuple->t_len);
	check_size(rows);
	rows->rows[rows->n++] = HeapTupleGetDatum(tuple);
}

Datum
ai_rows_end(AiRows *rows)
{
	if (rows->set != NULL)
		return (Datum) 0;
	return PointerGetDatum(construct_array(rows->rows, rows->n, rows->descriptor->tdtypeid,
										   -1, false, TYPALIGN_DOUBLE));
}

void
ai_rows_open(FunctionCallInfo fcinfo, const AiRowType *type)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	ArrayType  *array;
	Datum	   *elements;
	bool	   *is_null;
	int			n;

	ai_signature_set(fcinfo, 1, type);
	if (PG_ARGISNULL(0))
		return;
	array = PG_GETARG_ARRAYTYPE_P(0);
	ai_signature_check_elements(array, type);
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &is_null, &n);
	for (int i = 0; i < n; i++)
	{
		HeapTupleHeader header = is_null[i] ? NULL : DatumGetHeapTupleHeader(elements[i]);
		HeapTupleData tuple = {0};

		if (header == NULL)
			continue;
		tuple.t_data = header;
		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		ItemPointerSetInvalid(&tuple.t_self);
		tuplestore_puttuple(set->setResult, &tuple);
	}
}
