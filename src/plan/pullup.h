/*
 * pullup.h
 *	  Filters that call models, moved above inner joins.
 */
#ifndef AI_PULLUP_H
#define AI_PULLUP_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * Moves filters of scans and joins above the inner joins that read them, where
 * that can only lower the number of calls.  The plan stays a valid one.
 */
extern void ai_pull_up_filters(Plan *plan);

#endif							/* AI_PULLUP_H */
