/*
 * ahead.c
 *	  Expressions of rows before their turn (ahead.h).
 *
 * State: a resource owner for expressions of risk PURE.  It holds nothing between
 * two of them: one that succeeds has given back what it took, and after one that
 * raised the owner is released and made anew.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "exec/ahead.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

static ResourceOwner pure_owner = NULL;

/* ---- how much a net must hold ---- */

static void
raise_level(AiRisk *risk, AiRiskLevel level)
{
	risk->level = Max(risk->level, level);
}

/* A type whose values are handled by functions that are not known here. */
static bool
is_open_type(Oid type)
{
	return get_typtype(type) == TYPTYPE_PSEUDO || type >= FirstGenbkiObjectId;
}

static bool
has_open_arguments(Form_pg_proc procedure)
{
	for (int i = 0; i < procedure->pronargs; i++)
	{
		Oid			type = procedure->proargtypes.values[i];

		if (type != CSTRINGOID && is_open_type(type))
			return true;
	}
	return false;
}

static AiRiskLevel
risk_of_function(Oid oid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc procedure;
	AiRiskLevel level = AI_RISK_ANY;

	if (!HeapTupleIsValid(tuple))
		return AI_RISK_ANY;
	procedure = (Form_pg_proc) GETSTRUCT(tuple);
	if (procedure->proleakproof)
		level = AI_RISK_NONE;
	else if (oid < FirstGenbkiObjectId && procedure->prolang == INTERNALlanguageId &&
			 procedure->provolatile == PROVOLATILE_IMMUTABLE && !has_open_arguments(procedure))
		level = AI_RISK_PURE;
	ReleaseSysCache(tuple);
	return level;
}

static bool
add_function(Oid oid, void *context)
{
	AiRisk	   *risk = context;

	raise_level(risk, risk_of_function(oid));
	risk->is_volatile = risk->is_volatile || func_volatile(oid) == PROVOLATILE_VOLATILE;
	return false;
}

static bool
add_risk(Node *node, AiRisk *risk)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_RelabelType:
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_ArrayExpr:
		case T_TargetEntry:
		case T_List:
			break;
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_CoerceViaIO:
		case T_Aggref:
		case T_WindowFunc:
			check_functions_in_node(node, add_function, risk);
			break;
		case T_Param:
			if (((Param *) node)->paramkind == PARAM_EXEC)
				risk->parameters = bms_add_member(risk->parameters, ((Param *) node)->paramid);
			break;
		case T_SubPlan:
		case T_AlternativeSubPlan:
			raise_level(risk, AI_RISK_PLAN);
			break;
		default:
			raise_level(risk, AI_RISK_ANY);
			check_functions_in_node(node, add_function, risk);
			break;
	}
	return expression_tree_walker(node, add_risk, risk);
}

void
ai_risk_add(AiRisk *risk, Node *expression)
{
	add_risk(expression, risk);
}

/* ---- nets ---- */

/* There are no locks: an owner without a parent could not have its own released. */
static void
release(ResourceOwner owner)
{
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, false, false);
	ResourceOwnerDelete(owner);
}

/* Whoever cancels means the statement, not the row. */
static bool
is_for_the_row(void)
{
	return geterrcode() != ERRCODE_QUERY_CANCELED;
}

static bool
evaluate_pure(AiAheadBody body, void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool good = true;

	if (pure_owner == NULL)
		pure_owner = ResourceOwnerCreate(NULL, "ai_gateway expressions");
	CurrentResourceOwner = pure_owner;
	PG_TRY();
	{
		body(argument);
	}
	PG_CATCH();
	{
		ResourceOwner used = pure_owner;

		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		pure_owner = NULL;
		release(used);
		if (!is_for_the_row())
			PG_RE_THROW();
		FlushErrorState();
		good = false;
	}
	PG_END_TRY();
	CurrentResourceOwner = owner;
	return good;
}

static bool
evaluate_in_subtransaction(AiAheadBody body, void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile cancelled = NULL;
	volatile bool good = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		body(argument);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		if (!is_for_the_row())
			cancelled = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		good = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	/* whoever catches this ends the subtransaction that is current: his own */
	if (cancelled != NULL)
		ReThrowError(cancelled);
	return good;
}

/* A parameter that stands for a plan which was not run yet runs it when read. */
static bool
would_run_plan(const AiRisk *risk, ExprContext *econtext)
{
	int			id = -1;

	while ((id = bms_next_member(risk->parameters, id)) >= 0)
	{
		if (econtext->ecxt_param_exec_vals[id].execPlan != NULL)
			return true;
	}
	return false;
}

AiAheadOutcome
ai_evaluate_ahead(const AiRisk *risk, ExprContext *econtext, bool reader_takes_all,
				  AiAheadBody body, void *argument)
{
	AiRiskLevel level = would_run_plan(risk, econtext) ? AI_RISK_PLAN : risk->level;

	switch (level)
	{
		case AI_RISK_NONE:
			body(argument);
			return AI_AHEAD_DONE;
		case AI_RISK_PURE:
			return evaluate_pure(body, argument) ? AI_AHEAD_DONE : AI_AHEAD_RAISED;
		case AI_RISK_ANY:
			if (!IsInParallelMode() && (reader_takes_all || !risk->is_volatile))
				return evaluate_in_subtransaction(body, argument) ? AI_AHEAD_DONE : AI_AHEAD_RAISED;
			break;
		case AI_RISK_PLAN:
			break;
	}
	if (!reader_takes_all)
		return AI_AHEAD_NOT_RUN;
	body(argument);
	return AI_AHEAD_DONE;
}
