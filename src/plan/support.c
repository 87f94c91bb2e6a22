/*
 * support.c
 *	  ai_gateway.ai_support(): what the planner should know of a model call.
 *
 * Cost: a network call dwarfs everything else in a plan, so a call is priced
 * far above any other function.  The planner then tests cheap predicates
 * first, and evaluates calls in a target list after sorting and limiting.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "plan/rewrite.h"

PG_FUNCTION_INFO_V1(ai_support_0_1);

Datum
ai_support_0_1(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestCost))
	{
		SupportRequestCost *cost = (SupportRequestCost *) request;

		cost->startup = 0;
		cost->per_tuple = AI_CALL_OPERATORS * cpu_operator_cost;
		PG_RETURN_POINTER(cost);
	}
	PG_RETURN_POINTER(NULL);
}
