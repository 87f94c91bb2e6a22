/*
 * explain.h
 *	  What EXPLAIN shows of a node that keeps model calls under way.
 */
#ifndef AI_EXPLAIN_H
#define AI_EXPLAIN_H

#include "postgres.h"

#include "commands/explain.h"
#include "exec/program.h"

extern void ai_explain(AiNodeState *node, ExplainState *es);

#endif							/* AI_EXPLAIN_H */
