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

/* The parts of an Append do what a stage above it does. */
extern Plan *ai_divide_stage(AiRewrite *rewrite, Plan *stage);

#endif							/* AI_APPEND_H */
