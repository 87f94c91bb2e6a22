/*
 * append.h
 *	  Calls in the parts of an Append.
 */
#ifndef AI_APPEND_H
#define AI_APPEND_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * In the whole plan: where all parts of an Append or MergeAppend evaluate the
 * same expressions with calls, a projection above it does.
 * `last_id` is that of plan nodes.
 */
extern void ai_unite_parts(Plan **plan, int *last_id);

#endif							/* AI_APPEND_H */
