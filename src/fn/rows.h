/*
 * rows.h
 *	  The rows of a function that returns a set, as what SQL reads at once or as
 *	  one value: an array of a composite type.
 *
 * The plan node keeps calls under way that give one value a row.  So a set is
 * asked for by a scalar function that returns such an array, and opened by one
 * that calls nothing (plan/support.c); executed where no node is, the set comes
 * row by row.
 */
#ifndef AI_ROWS_H
#define AI_ROWS_H

#include "fn/signature.h"

typedef struct AiRows AiRows;

/* Collects in the current memory context; a set after ai_signature_set(). */
extern AiRows *ai_rows_begin(FunctionCallInfo fcinfo, const AiRowType *type);
extern void ai_rows_add(AiRows *rows, const Datum *values, const bool *nulls);

/* The array; nothing of a set. */
extern Datum ai_rows_end(AiRows *rows);

/* SETOF the rows of the array that is argument 0. */
extern void ai_rows_open(FunctionCallInfo fcinfo, const AiRowType *type);

#endif							/* AI_ROWS_H */
