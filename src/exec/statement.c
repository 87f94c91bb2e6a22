/*
 * statement.c
 *	  Which jobs belong to which statement (statement.h).
 *
 * The table belongs to the executor state: it is made in es_query_cxt and ends
 * with it, however that ends, and abandons what is under way.
 *
 * State: the list of statements that run in this backend.
 */
#include "postgres.h"

#include "exec/statement.h"
#include "utils/memutils.h"

typedef struct Statement
{
	EState	   *estate;
	AiJobTable *jobs;
	struct Statement *next;
	MemoryContextCallback callback;
} Statement;

static Statement *statements = NULL;

static void
forget(void *argument)
{
	for (Statement **link = &statements; *link != NULL; link = &(*link)->next)
	{
		if (*link == argument)
		{
			*link = (*link)->next;
			break;
		}
	}
}

AiJobTable *
ai_statement_jobs(EState *estate)
{
	Statement  *statement;

	for (statement = statements; statement != NULL; statement = statement->next)
	{
		if (statement->estate == estate)
			return statement->jobs;
	}
	statement = MemoryContextAllocZero(estate->es_query_cxt, sizeof(Statement));
	statement->estate = estate;
	statement->jobs = ai_jobs_create(estate->es_query_cxt, true);
	statement->next = statements;
	statements = statement;
	statement->callback.func = forget;
	statement->callback.arg = statement;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &statement->callback);
	return statement->jobs;
}
