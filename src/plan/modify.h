/*
 * modify.h
 *	  Calls that INSERT, UPDATE, DELETE and MERGE make themselves: in RETURNING
 *	  and in the actions of MERGE.
 */
#ifndef AI_MODIFY_H
#define AI_MODIFY_H

#include "postgres.h"

#include "plan/build.h"

/*
 * Before the children are looked at: what the actions of MERGE call becomes
 * columns of what is below.  Returns why calls are left where they are, or NULL.
 */
extern const char *ai_lift_actions(AiRewrite *rewrite, ModifyTable *host);

/*
 * After it: the host, or the node above it that makes the calls of RETURNING.
 * `above` is what reads it.
 */
extern Plan *ai_rewrite_returning(AiRewrite *rewrite, ModifyTable *host, const AiAbove *above);

#endif							/* AI_MODIFY_H */
