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
 *
 * For a cursor it is the other way round: WHERE CURRENT OF looks for the scan of a
 * table below the Append, where a node of ours must say which row it has given.  So
 * what stands above a table with its children is done in each part; that is no copy,
 * for a row is of one part.
 *
 * Memory: the planner's.  State: none.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/append.h"
#include "plan/expression.h"
#include "plan/stage.h"
#include "plan/walk.h"

/* A part, what it was, and what it does over the columns that it emits. */
typedef struct Part
{
	Plan	   *plan;
	Plan		was;
	Plan	   *stage;
} Part;

static bool
may_split(const Plan *plan)
{
	return ai_plan_is(plan, AI_IS_HOST) && !IsA(plan, WindowAgg) && plan->initPlan == NIL &&
		!expression_returns_set((Node *) plan->targetlist);
}

static bool
do_alike(const Plan *stage, const Plan *other)
{
	ListCell   *one;
	ListCell   *two;

	if (!equal(stage->qual, other->qual) || list_length(stage->targetlist) != list_length(other->targetlist))
		return false;
	forboth(one, stage->targetlist, two, other->targetlist)
	{
		if (!equal(lfirst_node(TargetEntry, one)->expr, lfirst_node(TargetEntry, two)->expr))
			return false;
	}
	return true;
}

/* Splits the parts; false if what their stages do is not the same, or nothing that calls. */
static bool
split_parts(AiRewrite *rewrite, Part *parts, int *n, List *plans)
{
	ListCell   *cell;

	foreach(cell, plans)
	{
		Part	   *part = &parts[*n];
		List	   *filters;

		part->plan = lfirst(cell);
		if (!may_split(part->plan))
			return false;
		part->was = *part->plan;
		filters = ai_split_filter(&part->plan->qual, false);
		if (filters == NIL && !ai_contains_call((Node *) part->plan->targetlist))
			return false;
		part->stage = ai_split(rewrite, part->plan, filters);
		(*n)++;
		if (!do_alike(part->stage, parts->stage))
			return false;
	}
	return *n > 1;
}

/*
 * The columns that rows are merged by, as columns of the parts; false if one is
 * computed.
 */
static bool
merge_by_columns(MergeAppend *append, const Plan *stage)
{
	for (int i = 0; i < append->numCols; i++)
	{
		if (!IsA(list_nth_node(TargetEntry, stage->targetlist, append->sortColIdx[i] - 1)->expr, Var))
			return false;
	}
	for (int i = 0; i < append->numCols; i++)
		append->sortColIdx[i] = castNode(Var, list_nth_node(TargetEntry, stage->targetlist, append->sortColIdx[i] - 1)->expr)->varattno;
	return true;
}

/* The stage of one part over all of them. */
static Plan *
unite(AiRewrite *rewrite, Plan *append, Part *part)
{
	Plan	   *stage;
	List	   *names = append->targetlist;
	ListCell   *name;
	ListCell   *cell;

	append->targetlist = ai_pass_columns(part->plan);
	stage = ai_build_projection(&rewrite->last_id, append, append);
	stage->qual = part->stage->qual;
	stage->targetlist = NIL;
	forboth(name, names, cell, part->stage->targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, name));

		entry->expr = lfirst_node(TargetEntry, cell)->expr;
		stage->targetlist = lappend(stage->targetlist, entry);
	}
	return stage;
}

Plan *
ai_unite_parts(AiRewrite *rewrite, Plan *append)
{
	List	   *plans = IsA(append, Append) ? ((Append *) append)->appendplans : ((MergeAppend *) append)->mergeplans;
	Part	   *parts = palloc0(list_length(plans) * sizeof(Part));
	int			n = 0;

	if (split_parts(rewrite, parts, &n, plans) &&
		(!IsA(append, MergeAppend) || merge_by_columns((MergeAppend *) append, parts->stage)))
		return unite(rewrite, append, parts);
	for (int i = 0; i < n; i++)
		*parts[i].plan = parts[i].was;
	return append;
}

/* ---- for WHERE CURRENT OF ---- */

Plan *
ai_divide_stage(AiRewrite *rewrite, Plan *stage)
{
	Plan	   *append = stage->lefttree;
	ListCell   *cell;

	if (!ai_is_stage(stage) || !IsA(append, Append) || !ai_contains_call((Node *) stage->targetlist))
		return stage;
	foreach(cell, ((Append *) append)->appendplans)
	{
		Plan	   *part = ai_build_projection(&rewrite->last_id, lfirst(cell), lfirst(cell));

		part->targetlist = copyObject(stage->targetlist);
		part->qual = copyObject(stage->qual);
		lfirst(cell) = part;
	}
	append->targetlist = ai_pass_columns(stage);
	append->initPlan = list_concat(stage->initPlan, append->initPlan);
	return append;
}
