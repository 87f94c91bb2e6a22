/*
 * row.h
 *	  Columns of a row, found by name: a library newer than the SQL goes on
 *	  working with an older table.
 */
#ifndef AI_ROW_H
#define AI_ROW_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "utils/numeric.h"

typedef struct AiRow
{
	HeapTuple	tuple;
	TupleDesc	descriptor;
} AiRow;

/* NULL where the table has no such column. */
extern Datum ai_row_column(const AiRow *row, const char *name, bool *isnull);

/* In the current context; NULL for NULL. */
extern char *ai_row_text(const AiRow *row, const char *name);
extern Numeric ai_row_numeric(const AiRow *row, const char *name);
extern bool ai_row_bool(const AiRow *row, const char *name, bool otherwise);

/* The text of a jsonb column as UTF-8. */
extern char *ai_row_json(const AiRow *row, const char *name);

#endif							/* AI_ROW_H */
