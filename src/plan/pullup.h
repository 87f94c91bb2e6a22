/*
 * pullup.h
 *	  Filters and columns that call models, moved above inner joins.
 */
#ifndef AI_PULLUP_H
#define AI_PULLUP_H

#include "postgres.h"

#include "plan/build.h"

/*
 * Moves filters of scans and joins above the inner joins that read them, where
 * that can only lower the number of calls.  The plan stays a valid one.
 */
extern void ai_pull_up_filters(Plan *plan);

/*
 * Columns of a plan's subqueries that call are computed as late as possible:
 * above the joins that drop rows and above the sort of a LIMIT; those that
 * nobody reads are not.
 */
extern void ai_pull_up_columns(AiRewrite *rewrite, Plan **plan);

#endif							/* AI_PULLUP_H */
