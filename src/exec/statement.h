/*
 * statement.h
 *	  The jobs of one statement, which all its nodes share.
 */
#ifndef AI_STATEMENT_H
#define AI_STATEMENT_H

#include "postgres.h"

#include "ask/job.h"
#include "nodes/execnodes.h"

/*
 * Of the statement that an executor state runs; made when it is first asked for,
 * gone with the executor's memory.
 */
extern AiJobTable *ai_statement_jobs(EState *estate);

#endif							/* AI_STATEMENT_H */
