/*
 * modify.c
 *	  Calls in the actions of MERGE (modify.h).
 *
 * MERGE evaluates an action's expressions when the row's turn has come and it
 * has found out which action it is.  Which one that is can mostly be told from
 * the joined row: two projections are put below,
 *
 *	1. which := the number of the action: by whether there is a target row, and
 *	   the first whose condition is true; 0 where that cannot be told here
 *	2. for each expression e with calls of action i: CASE WHEN which = i THEN e END
 *
 * and the action reads "CASE WHEN same AND which = i THEN column ELSE e END".
 * `same` is that the target row is the one the join has seen (its ctid is the
 * same, or there is none): another session may have changed or deleted it
 * meanwhile, and then the action calls by itself, about the new one.
 *
 * ON CONFLICT DO UPDATE knows whether there is a conflict only once it inserts.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "pg/compat.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/modify.h"
#include "plan/walk.h"
#include "utils/fmgroids.h"

typedef struct Merge
{
	ModifyTable *host;
	Index		target;
	Plan	   *child;
	AttrNumber	row_id;			/* the child's column with the target's ctid */
	bool		failed;			/* an expression is not to be had below */
} Merge;

/* ---- expressions ---- */

static Node *
number(int n)
{
	return (Node *) makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(n), false, true);
}

static Node *
is_number(Var *which, int n)
{
	OpExpr	   *equals = (OpExpr *) make_opclause(Int4EqualOperator, BOOLOID, false, (Expr *) copyObject(which),
												  (Expr *) number(n), InvalidOid, InvalidOid);

	equals->opfuncid = F_INT4EQ;
	return (Node *) equals;
}

static Node *
is_null(Node *node)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = (Expr *) node;
	test->nulltesttype = IS_NULL;
	test->location = -1;
	return (Node *) test;
}

/* CASE WHEN condition THEN value ELSE otherwise END, or more of them on top of it. */
static CaseExpr *
make_case(Node *otherwise)
{
	CaseExpr   *result = makeNode(CaseExpr);

	result->casetype = exprType(otherwise);
	result->casecollid = exprCollation(otherwise);
	result->defresult = (Expr *) otherwise;
	result->location = -1;
	return result;
}

static Node *
add_when(CaseExpr *expression, Node *condition, Node *value)
{
	CaseWhen   *when = makeNode(CaseWhen);

	when->expr = (Expr *) condition;
	when->result = (Expr *) value;
	when->location = -1;
	expression->args = lappend(expression->args, when);
	return (Node *) expression;
}

static Var *
row_id_column(const Merge *merge, int varno)
{
	return makeVar(varno, merge->row_id, TIDOID, -1, InvalidOid, 0);
}

/* Is the target row that the action is about the one that the join has seen? */
static Node *
same_target(const Merge *merge, bool matched)
{
	OpExpr	   *equals;

	if (!matched)
		return is_null((Node *) row_id_column(merge, INNER_VAR));
	equals = (OpExpr *) make_opclause(TIDEqualOperator, BOOLOID, false, (Expr *) row_id_column(merge, INNER_VAR),
									  (Expr *) makeVar(merge->target, SelfItemPointerAttributeNumber, TIDOID, -1, InvalidOid, 0),
									  InvalidOid, InvalidOid);
	equals->opfuncid = F_TIDEQ;
	return (Node *) equals;
}

/* ---- an action's expression over the columns below ---- */

static Node *
column_below(Node *node, void *context)
{
	Merge	   *merge = context;
	Var		   *var;

	if (!IsA(node, Var))
		return NULL;
	var = copyObject((Var *) node);
	if (var->varno == (int) merge->target)
		var->varattno = var->varattno > 0 ? ai_expose(merge->child, (Var *) node) : 0;
	else if (var->varno != INNER_VAR)
		var->varattno = 0;
	merge->failed = merge->failed || var->varattno == 0;
	var->varno = OUTER_VAR;
	return (Node *) var;
}

/* NULL = it cannot be evaluated there. */
static Node *
below(Merge *merge, Node *expression)
{
	Node	   *result;

	if (ai_is_bound(expression) || !ai_lift_takes_all(expression))
		return NULL;
	merge->failed = false;
	result = ai_replace(expression, column_below, merge);
	return merge->failed ? NULL : result;
}

static bool
action_calls(const MergeAction *action)
{
	return ai_contains_call((Node *) action->targetList) || ai_contains_call(action->qual);
}

/*
 * An action's condition as one expression.  A list of conditions stops at the
 * first that is not true, AND only at the first that is false.
 */
static Node *
all_true(const List *conditions)
{
	List	   *tests = NIL;
	ListCell   *cell;

	foreach(cell, conditions)
	{
		Expr	   *condition = lfirst(cell);

		if (lnext(conditions, cell) != NULL)
		{
			BooleanTest *test = makeNode(BooleanTest);

			test->arg = condition;
			test->booltesttype = IS_TRUE;
			test->location = -1;
			condition = (Expr *) test;
		}
		tests = lappend(tests, condition);
	}
	return (Node *) make_ands_explicit(tests);
}

/*
 * The number of the action for a row that has, or has not, a target; up to the
 * last with calls.  NULL = it cannot be told.
 */
static Node *
which_action(Merge *merge, List *actions, bool matched)
{
	CaseExpr   *chain = make_case(number(0));
	int			last = 0;
	ListCell   *cell;

	foreach(cell, actions)
	{
		if (AI_MERGE_MATCHED(lfirst_node(MergeAction, cell)) == matched && action_calls(lfirst(cell)))
			last = foreach_current_index(cell) + 1;
	}
	foreach(cell, actions)
	{
		MergeAction *action = lfirst_node(MergeAction, cell);
		int			n = foreach_current_index(cell) + 1;
		Node	   *condition;

		if (AI_MERGE_MATCHED(action) != matched || n > last)
			continue;
		if (action->qual == NULL)
		{
			chain->defresult = (Expr *) number(n);
			break;
		}
		condition = below(merge, all_true((List *) action->qual));
		if (condition == NULL)
			return NULL;
		add_when(chain, condition, number(n));
	}
	return chain->args != NIL ? (Node *) chain : (Node *) chain->defresult;
}

/* ---- the actions ---- */

/* An action's expressions read columns of the projection; false if some do not. */
static bool
lift_action(Merge *merge, Plan *projection, MergeAction *action, Var *which, int n)
{
	bool		matched = AI_MERGE_MATCHED(action);
	bool		all = true;
	Var		   *which_read = copyObject(which);
	ListCell   *cell;

	which_read->varno = INNER_VAR;
	if (ai_contains_call(action->qual))
		action->qual = (Node *) list_make1(add_when(make_case(all_true((List *) action->qual)),
													same_target(merge, matched), is_number(which_read, n)));
	foreach(cell, action->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		Node	   *expression = (Node *) entry->expr;
		Node	   *moved;
		Var		   *column;

		if (!ai_contains_call(expression))
			continue;
		moved = below(merge, expression);
		if (moved == NULL)
		{
			all = false;
			continue;
		}
		moved = add_when(make_case((Node *) ai_null_of(expression)), is_number(which, n), moved);
		column = ai_add_column(projection, moved);
		llast_node(TargetEntry, projection->targetlist)->resjunk = true;
		column->varno = INNER_VAR;
		entry->expr = (Expr *) add_when(make_case(expression),
										(Node *) make_ands_explicit(list_make2(same_target(merge, matched),
																			   is_number(which_read, n))),
										(Node *) column);
	}
	return all;
}

/* A plan that finds its target row by ctid: which column that is, or 0. */
static AttrNumber
find_row_id(const Plan *plan)
{
	ListCell   *cell;

	foreach(cell, plan->targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (entry->resjunk && entry->resname != NULL && strcmp(entry->resname, "ctid") == 0 &&
			exprType((Node *) entry->expr) == TIDOID)
			return entry->resno;
	}
	return 0;
}

static const char *
lift_merge(AiRewrite *rewrite, ModifyTable *host)
{
	Merge		merge = {.host = host,.target = linitial_int(host->resultRelations),.child = host->plan.lefttree};
	List	   *actions = linitial(host->mergeActionLists);
	Node	   *matched;
	Node	   *unmatched;
	Plan	   *projection;
	Var		   *which;
	bool		all = true;
	ListCell   *cell;

	if (list_length(host->mergeActionLists) != 1)
		return "actions of MERGE on several tables";
	foreach(cell, actions)
	{
		if (AI_MERGE_OF_SOURCE(lfirst_node(MergeAction, cell)))
			return "MERGE has actions for rows without a source";
	}
	if (!rewrite->reorders)
		return "a row security policy comes before actions of MERGE";
	merge.row_id = find_row_id(merge.child);
	if (merge.row_id == 0)
		return "actions of MERGE on what is no table";

	matched = which_action(&merge, actions, true);
	unmatched = which_action(&merge, actions, false);
	all = matched != NULL && unmatched != NULL;
	/* the columns that they read must be there before there is a projection */
	foreach(cell, actions)
	{
		ListCell   *entry;

		foreach(entry, lfirst_node(MergeAction, cell)->targetList)
		{
			if (ai_contains_call(lfirst(entry)))
				below(&merge, (Node *) lfirst_node(TargetEntry, entry)->expr);
		}
	}
	projection = ai_build_projection(&rewrite->last_id, merge.child, merge.child);
	which = ai_add_column(projection, add_when(make_case(matched ? matched : number(0)),
											   is_null((Node *) row_id_column(&merge, OUTER_VAR)),
											   unmatched ? unmatched : number(0)));
	llast_node(TargetEntry, projection->targetlist)->resjunk = true;
	host->plan.lefttree = projection;
	projection = ai_build_projection(&rewrite->last_id, projection, projection);
	foreach(cell, actions)
	{
		MergeAction *action = lfirst_node(MergeAction, cell);

		if (action_calls(action) && (AI_MERGE_MATCHED(action) ? matched : unmatched) != NULL)
			all = lift_action(&merge, projection, action, which, foreach_current_index(cell) + 1) && all;
	}
	host->plan.lefttree = projection;
	return all ? NULL : "a call in an action of MERGE depends on more than the row";
}

const char *
ai_lift_actions(AiRewrite *rewrite, ModifyTable *host)
{
	if (ai_contains_call((Node *) host->onConflictSet) || ai_contains_call(host->onConflictWhere))
		return "whether there is a conflict is known when the row is there";
	if (ai_contains_call((Node *) host->mergeActionLists))
		return lift_merge(rewrite, host);
	return NULL;
}
