/*
 * append.c
 *	  Calls in the parts of an Append (append.h).
 *
 * The planner evaluates a target list and a filter in each part of a
 * partitioned table or of a UNION ALL.  Parts are read one after the other:
 * with a few rows in each, no more calls than that would be under way at once,
 * and the first row of a MergeAppend would wait for a row of every part.
 *
 * Where the parts do the same, it is done above them: a part emits the columns
 * that it is done with, and tests what stands before the first call of its
 * filter, which need not be the same in all.  Parts that do not do the same,
 * such as those with rows of types of their own, stay as they are.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/append.h"
#include "plan/build.h"
#include "plan/expression.h"
#include "plan/lift.h"
#include "plan/walk.h"

/* What a part does, over the columns that it is to emit. */
typedef struct Part
{
	Plan	   *plan;
	AiLift		columns;		/* for its leaves */
	List	   *kept;			/* of its filter, as it is */
	List	   *filter;			/* the rest */
	List	   *targets;		/* expressions of the target list */
} Part;

static bool
describe(Part *part)
{
	Plan	   *plan = part->plan;
	List	   *targets = NIL;
	ListCell   *cell;

	if (!ai_is_host(plan) || plan->initPlan != NIL || expression_returns_set((Node *) plan->targetlist))
		return false;
	part->kept = plan->qual;
	part->filter = ai_split_filter(&part->kept, false);
	foreach(cell, plan->targetlist)
		targets = lappend(targets, lfirst_node(TargetEntry, cell)->expr);
	ai_lift_leaves(&part->columns, (Node *) part->filter);
	ai_lift_leaves(&part->columns, (Node *) targets);
	part->filter = (List *) ai_lift_over_leaves(&part->columns, (Node *) part->filter);
	part->targets = (List *) ai_lift_over_leaves(&part->columns, (Node *) targets);
	return part->filter != NIL || ai_contains_call((Node *) part->targets);
}

static bool
do_the_same(Part *parts, List *plans)
{
	ListCell   *cell;

	foreach(cell, plans)
	{
		Part	   *part = &parts[foreach_current_index(cell)];

		part->plan = lfirst(cell);
		if (!describe(part) || !equal(part->filter, parts->filter) || !equal(part->targets, parts->targets))
			return false;
	}
	return list_length(plans) > 1;
}

/*
 * The columns that rows are merged by, as columns of the parts; false if one is
 * computed.
 */
static bool
merge_by_columns(MergeAppend *append, List *targets)
{
	for (int i = 0; i < append->numCols; i++)
	{
		if (!IsA(list_nth(targets, append->sortColIdx[i] - 1), Var))
			return false;
	}
	for (int i = 0; i < append->numCols; i++)
		append->sortColIdx[i] = list_nth_node(Var, targets, append->sortColIdx[i] - 1)->varattno;
	return true;
}

static Plan *
unite(Plan *append, Part *parts, int n, int *last_id)
{
	List	   *names = append->targetlist;
	Plan	   *projection;
	ListCell   *name;
	ListCell   *cell;

	for (Part *part = parts; part < parts + n; part++)
	{
		part->plan->qual = part->kept;
		part->plan->targetlist = NIL;
		foreach(cell, part->columns.leaves)
			part->plan->targetlist = lappend(part->plan->targetlist,
											 makeTargetEntry(lfirst(cell), foreach_current_index(cell) + 1, NULL, false));
	}
	append->targetlist = NIL;
	foreach(cell, parts->columns.leaves)
	{
		Node	   *leaf = lfirst(cell);
		int			column = foreach_current_index(cell) + 1;

		append->targetlist = lappend(append->targetlist,
									 makeTargetEntry((Expr *) makeVar(OUTER_VAR, column, exprType(leaf), exprTypmod(leaf), exprCollation(leaf), 0),
													 column, NULL, false));
	}
	projection = ai_build_projection(last_id, append, append);
	projection->qual = parts->filter;
	projection->targetlist = NIL;
	forboth(name, names, cell, parts->targets)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, name));

		entry->expr = lfirst(cell);
		projection->targetlist = lappend(projection->targetlist, entry);
	}
	return projection;
}

static void
unite_parts(Plan **plan, void *last_id)
{
	List	   *plans = NIL;
	Part	   *parts;

	ai_plan_children(*plan, unite_parts, last_id);
	if (IsA(*plan, Append))
		plans = ((Append *) *plan)->appendplans;
	else if (IsA(*plan, MergeAppend))
		plans = ((MergeAppend *) *plan)->mergeplans;
	else
		return;
	parts = palloc0(list_length(plans) * sizeof(Part));
	if (do_the_same(parts, plans) &&
		(!IsA(*plan, MergeAppend) || merge_by_columns((MergeAppend *) *plan, parts->targets)))
		*plan = unite(*plan, parts, list_length(plans), last_id);
}

void
ai_unite_parts(Plan **plan, int *last_id)
{
	unite_parts(plan, last_id);
}
