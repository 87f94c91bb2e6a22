/*
 * build.c
 *	  Making the node of exec/ out of what was lifted (build.h).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/node.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "plan/build.h"
#include "plan/capability.h"
#include "plan/rewrite.h"
#include "plan/walk.h"

/* ---- building the node ---- */

/* Counts and offsets of Limits, NULL for what there is not. */
static List *
limit_expressions(List *limits)
{
	List	   *expressions = NIL;
	ListCell   *cell;

	foreach(cell, limits)
	{
		Limit	   *limit = lfirst(cell);
		Node	   *parts[] = {limit->limitCount, limit->limitOffset};

		for (int i = 0; i < (int) lengthof(parts); i++)
			expressions = lappend(expressions, parts[i] ? copyObject(parts[i]) :
								  (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), (Datum) 0, true, FLOAT8PASSBYVAL));
	}
	return expressions;
}

Plan *
ai_build_node(AiRewrite *rewrite, AiLift *lift, Plan *like, Plan *child, List *targetlist, List *qual,
			  int n_filters, const AiAbove *above)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan	   *plan = &scan->scan.plan;
	List	   *pace;
	List	   *columns = lift->positions;

	if (columns == NIL)
	{
		for (int i = 1; i <= list_length(lift->leaves); i++)
			columns = lappend_int(columns, i);
	}
	if (above->alone)
		ai_lift_reason(lift, above->alone);
	pace = list_make4_int(n_filters, above->early_end, above->run, above->alone != NULL);
	pace = lappend_int(pace, list_length(above->counted));
	pace = lappend_int(pace, list_length(above->far));
	pace = lappend_int(pace, above->ties);
	pace = lappend_int(pace, lift->joins);
	pace = lappend_int(pace, rewrite->reorders && lift->reorders);

	ai_capability_take_over(scan, like, child);
	plan->plan_node_id = ++rewrite->last_id;
	plan->targetlist = targetlist;
	plan->qual = qual;
	scan->custom_scan_tlist = ai_lift_scan_tlist(lift);
	scan->custom_exprs = list_concat(list_concat_copy(lift->expressions, limit_expressions(above->counted)),
									 limit_expressions(above->far));
	scan->custom_private = list_make5(lift->steps, columns, pace, lift->reasons, lift->origins);
	scan->custom_private = lappend(scan->custom_private, above->before);
	scan->methods = &ai_node_methods;
	rewrite->n_nodes++;
	rewrite->waiting += like->plan_rows * lift->n_calls * AI_CALL_OPERATORS * cpu_operator_cost;
	return plan;
}

Plan *
ai_build_note(AiRewrite *rewrite, Plan *child, const char *reason, const AiAbove *above)
{
	AiLift		lift = {0};
	List	   *columns = NIL;
	List	   *targetlist = NIL;
	ListCell   *cell;

	ai_lift_reason(&lift, reason);
	if (IsA(child, CustomScan) && ((CustomScan *) child)->methods == &ai_node_methods)
	{
		ListCell   *reasons = list_nth_cell(((CustomScan *) child)->custom_private, 3);

		lfirst(reasons) = list_concat_unique(lfirst(reasons), lift.reasons);
		return child;
	}
	foreach(cell, child->targetlist)
	{
		Node	   *expression = (Node *) lfirst_node(TargetEntry, cell)->expr;

		columns = lappend(columns, makeVar(OUTER_VAR, foreach_current_index(cell) + 1, exprType(expression),
										   exprTypmod(expression), exprCollation(expression), 0));
		lift.positions = lappend_int(lift.positions, foreach_current_index(cell) + 1);
	}
	ai_lift_leaves(&lift, (Node *) columns);
	foreach(cell, columns)
	{
		TargetEntry *entry = flatCopyTargetEntry(list_nth_node(TargetEntry, child->targetlist,
															   foreach_current_index(cell)));

		entry->expr = (Expr *) ai_lift_expression(&lift, lfirst(cell));
		targetlist = lappend(targetlist, entry);
	}
	return ai_build_node(rewrite, &lift, child, child, targetlist, NIL, 0, above);
}

/* ---- projections ---- */

Plan *
ai_build_projection(int *last_id, const Plan *parent, Plan *child)
{
	Result	   *result = makeNode(Result);

	ai_capability_project(&result->plan, parent, child);
	result->plan.plan_node_id = ++*last_id;
	result->plan.targetlist = ai_pass_columns(child);
	return &result->plan;
}

Var *
ai_add_column(Plan *projection, Node *expression)
{
	int			n = list_length(projection->targetlist) + 1;

	projection->targetlist = lappend(projection->targetlist,
									 makeTargetEntry((Expr *) expression, n, NULL, false));
	return makeVar(OUTER_VAR, n, exprType(expression), exprTypmod(expression), exprCollation(expression), 0);
}

Param *
ai_new_parameter(AiRewrite *rewrite, const Node *value)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXEC;
	param->paramid = list_length(rewrite->stmt->paramExecTypes);
	param->paramtype = exprType(value);
	param->paramtypmod = exprTypmod(value);
	param->paramcollid = exprCollation(value);
	param->location = -1;
	rewrite->stmt->paramExecTypes = lappend_oid(rewrite->stmt->paramExecTypes, param->paramtype);
	return param;
}
