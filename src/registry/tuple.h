/*
 * tuple.h
 *	  Columns of a row, found by name: a library newer than the SQL goes on
 *	  working with an older table.
 */
#ifndef AI_TUPLE_H
#define AI_TUPLE_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "util/money.h"

typedef struct AiTuple
{
	HeapTuple	tuple;
	TupleDesc	descriptor;
} AiTuple;

/* NULL where the table has no such column. */
extern Datum ai_tuple_column(const AiTuple *row, const char *name, bool *isnull);

/* In the current context; NULL for NULL. */
extern char *ai_tuple_text(const AiTuple *row, const char *name);
extern bool ai_tuple_bool(const AiTuple *row, const char *name, bool otherwise);

/* A column in USD per million tokens as picodollars a token. */
extern AiMoneyFault ai_tuple_price(const AiTuple *row, const char *name, int64 *price);

/* The text of a jsonb column as UTF-8. */
extern char *ai_tuple_json(const AiTuple *row, const char *name);

#endif							/* AI_TUPLE_H */
