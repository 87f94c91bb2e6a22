/*
 * support.c
 *	  ai_gateway.ai_support(): what the planner should know of a model call.
 *
 * Cost: a network call dwarfs everything else in a plan, so a call is priced
 * far above any other function.  The planner then tests cheap predicates
 * first, and evaluates calls in a target list after sorting and limiting.  The
 * figure stays in the tens of thousands of operators: higher ones only push
 * plans over the thresholds of JIT compilation, which gains nothing here.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"

PG_FUNCTION_INFO_V1(ai_support);

#define CALL_OPERATORS	20000

Datum
ai_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestCost))
	{
		SupportRequestCost *cost = (SupportRequestCost *) request;

		cost->startup = 0;
		cost->per_tuple = CALL_OPERATORS * cpu_operator_cost;
		PG_RETURN_POINTER(cost);
	}
	PG_RETURN_POINTER(NULL);
}
