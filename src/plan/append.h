/*
 * append.h
 *	  Calls in the parts of an Append.
 */
#ifndef AI_APPEND_H
#define AI_APPEND_H

#include "postgres.h"

#include "plan/build.h"

/*
 * Where all parts of an Append or MergeAppend evaluate the same expressions with
 * calls, a stage above it does.  Returns what stands in its place.
 */
extern Plan *ai_unite_parts(AiRewrite *rewrite, Plan *append);

#endif							/* AI_APPEND_H */
