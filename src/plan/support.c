/*
 * support.c
 *	  ai_gateway.ai_support(): what the planner should know of a model call.
 *
 * Cost: a network call dwarfs everything else in a plan, so a call is priced
 * far above any other function.  The planner then tests cheap predicates
 * first, and evaluates calls in a target list after sorting and limiting.
 *
 * Sets: "ai_rerank(q, d.passages)", which waits for each row of d by itself,
 * becomes "open_ranked(rerank_array(q, d.passages))": the same rows, and the
 * call is an argument of a function that returns a set, which lower.h
 * keeps under way.  As where core inlines a function, whoever plans must be
 * allowed to execute it, and the plan depends on it.
 */
#include "postgres.h"

#include "ask/function.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "plan/rewrite.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

AI_SQL_FUNCTION(ai_support_0_1);

/* A set, by the symbol of its function, and what stands for it. */
static const struct
{
	const char *set;
	const char *array;			/* names in schema ai_gateway */
	const char *opener;
	const char *opener_symbol;
}			sets[] = {
	{"ai_rerank_0_1", "rerank_array", "open_ranked", "ai_open_ranked_0_1"},
	{"ai_embed_rows_0_1", "embed_array", "open_embeddings", "ai_open_embeddings_0_1"},
};

static Oid
find_function(const char *name, const Oid *types, int n)
{
	Oid			schema = get_namespace_oid("ai_gateway", true);

	if (!OidIsValid(schema))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, n)), ObjectIdGetDatum(schema));
}

/* The function of the array, with a set's arguments; InvalidOid if it is not what it should be. */
static Oid
find_array(const char *name, Oid set)
{
	Oid		   *types;
	int			n;
	Oid			function;

	(void) get_func_signature(set, &types, &n);
	function = find_function(name, types, n);
	return OidIsValid(function) && ai_function_by_oid(function) != NULL &&
		AI_MAY_EXECUTE(function) ? function : InvalidOid;
}

static Oid
find_opener(const char *name, const char *symbol, Oid argument, Oid result)
{
	Oid			function = find_function(name, &argument, 1);
	const char *found = OidIsValid(function) ? ai_function_symbol(function) : NULL;

	return found != NULL && strcmp(found, symbol) == 0 && get_func_rettype(function) == result &&
		AI_MAY_EXECUTE(function) ? function : InvalidOid;
}

/* Is there a row that it is asked for?  Of one set alone, nothing is beside it. */
static bool
depends_on_rows(PlannerInfo *root, List *arguments)
{
	int			level = 0;

	for (; root != NULL; root = root->parent_root)
	{
		if (contain_vars_of_level((Node *) arguments, level++))
			return true;
	}
	return false;
}

static Node *
open_array(PlannerInfo *root, FuncExpr *set)
{
	const char *symbol = ai_function_symbol(set->funcid);
	FuncExpr   *call;
	FuncExpr   *opened;
	Oid			array = InvalidOid;
	Oid			opener = InvalidOid;

	for (int i = 0; i < (int) lengthof(sets) && symbol !=NULL; i++)
	{
		if (strcmp(sets[i].set, symbol) != 0)
			continue;
		array = find_array(sets[i].array, set->funcid);
		if (OidIsValid(array))
			opener = find_opener(sets[i].opener, sets[i].opener_symbol,
								 get_func_rettype(array), set->funcresulttype);
	}
	if (!OidIsValid(opener) || !AI_MAY_EXECUTE(set->funcid))
		return NULL;
	/* who may execute it is looked at now, and the plan may be kept */
	record_plan_function_dependency(root, set->funcid);
	root->glob->dependsOnRole = true;
	call = makeFuncExpr(array, get_func_rettype(array), set->args, InvalidOid, set->inputcollid,
						COERCE_EXPLICIT_CALL);
	opened = makeFuncExpr(opener, set->funcresulttype, list_make1(call), set->funccollid, InvalidOid,
						  COERCE_EXPLICIT_CALL);
	opened->funcretset = true;
	call->location = opened->location = set->location;
	return (Node *) opened;
}

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
	if (IsA(request, SupportRequestSimplify) && ai_guc_concurrent)
	{
		SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;

		if (simplify->root != NULL && simplify->fcall->funcretset &&
			depends_on_rows(simplify->root, simplify->fcall->args))
			PG_RETURN_POINTER(open_array(simplify->root, simplify->fcall));
	}
	PG_RETURN_POINTER(NULL);
}
