/*
 * modify.h
 *	  Calls in the actions of MERGE.
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

#endif							/* AI_MODIFY_H */
