/*
 * query.h
 *	  What is changed in a query before it is planned: in place, and only what can
 *	  be.
 */
#ifndef AI_QUERY_H
#define AI_QUERY_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/*
 * An ai_embed() whose arguments read no column becomes a subquery of its own, which
 * is run once, when it is first needed; the plan may use it as a constant, and so an
 * index.  Other calls are not: ten rows of "tell a joke" are ten jokes.
 */
extern void ai_prepare_query(Query *query);

#endif							/* AI_QUERY_H */
