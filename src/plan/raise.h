/*
 * raise.h
 *	  Filters and columns that call models, moved above what drops rows.
 */
#ifndef AI_RAISE_H
#define AI_RAISE_H

#include "postgres.h"

#include "plan/build.h"

/*
 * Each looks at one plan node, whose children are done, and returns what stands in
 * its place.  The plan stays a valid one, and makes no more calls.
 */

/* A SELECT's subquery, without the name that it has. */
extern Plan *ai_read_subquery(AiRewrite *rewrite, SubqueryScan *scan);

/* What a node reads of a child's columns with calls, it computes; a join, a projection. */
extern Plan *ai_raise_columns(AiRewrite *rewrite, Plan *plan);

/* The same above a Sort whose reader wants but some of its rows, or what locks rows. */
extern Plan *ai_raise_above(AiRewrite *rewrite, Plan *plan);

/* A join tests what filters of its sides ask a model. */
extern void ai_raise_filters(const AiRewrite *rewrite, Plan *join);

#endif							/* AI_RAISE_H */
