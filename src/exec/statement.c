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

typedef struct NodePace
{
	int			plan_node_id;
	AiPace	   *pace;
} NodePace;

typedef struct Statement
{
	EState	   *estate;
	AiJobTable *jobs;
	List	   *paces;			/* of NodePace */
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

static Statement *
statement_of(EState *estate)
{
	Statement  *statement;

	for (statement = statements; statement != NULL; statement = statement->next)
	{
		if (statement->estate == estate)
			return statement;
	}
	statement = MemoryContextAllocZero(estate->es_query_cxt, sizeof(Statement));
	statement->estate = estate;
	statement->next = statements;
	statements = statement;
	statement->callback.func = forget;
	statement->callback.arg = statement;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &statement->callback);
	return statement;
}

AiJobTable *
ai_statement_jobs(EState *estate)
{
	Statement  *statement = statement_of(estate);

	if (statement->jobs == NULL)
		statement->jobs = ai_jobs_create(estate->es_query_cxt, true);
	return statement->jobs;
}

void
ai_statement_add_pace(EState *estate, int plan_node_id, AiPace *pace)
{
	Statement  *statement = statement_of(estate);
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
	NodePace   *entry = palloc(sizeof(NodePace));

	entry->plan_node_id = plan_node_id;
	entry->pace = pace;
	statement->paces = lappend(statement->paces, entry);
	MemoryContextSwitchTo(caller);
}

AiPace *
ai_statement_pace(EState *estate, int plan_node_id)
{
	ListCell   *cell;

	foreach(cell, statement_of(estate)->paces)
	{
		NodePace   *entry = lfirst(cell);

		if (entry->plan_node_id == plan_node_id)
			return entry->pace;
	}
	return NULL;
}
