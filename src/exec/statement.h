/*
 * statement.h
 *	  What the nodes of one statement share: its jobs, and how far each has come.
 */
#ifndef AI_STATEMENT_H
#define AI_STATEMENT_H

#include "postgres.h"

#include "ask/job.h"
#include "exec/pace.h"
#include "nodes/execnodes.h"

/*
 * Of the statement that an executor state runs; made when it is first asked for,
 * gone with the executor's memory.
 */
extern AiJobTable *ai_statement_jobs(EState *estate);

/* The pace of a node, for others whose rows are counted with its own; NULL = it has none. */
extern void ai_statement_add_pace(EState *estate, int plan_node_id, AiPace *pace);
extern AiPace *ai_statement_pace(EState *estate, int plan_node_id);

#endif							/* AI_STATEMENT_H */
