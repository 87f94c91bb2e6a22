/*
 * stage.c
 *	  Chains of stages as one node (stage.h).
 *
 * From the bottom: the filters of a level, then what the level above reads of its
 * columns.  A column that is read once is evaluated where it is read, under the
 * guards there; one that is read more often is evaluated before, without any,
 * as it would have been where it stood.  Its steps belong to the first filter that
 * reads it, for a row works on the filters one after the other, or else to the
 * target list.  What a Memoize kept for equal rows is asked once for them.  One that nobody reads is not evaluated, unless it does more than to
 * call, or the level above reads nothing at all: rows that are only counted are there
 * for their calls.
 *
 * Sound because each level reads the one below it alone, row by row, and a filter
 * of a level stands before those of the levels above.  What would break it: a
 * level that gives several rows for one or none (a set, a constant filter), or
 * that has initplans, which are run with the top: such is no stage, and a chain
 * ends above it.
 *
 * Memory: the planner's.  State: none.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/capability.h"
#include "plan/expression.h"
#include "plan/stage.h"
#include "plan/walk.h"

typedef struct Level
{
	Plan	   *plan;
	List	   *filters;
	Node	  **registers;		/* of the columns; NULL = not lifted */
	bool		memoized;		/* equal questions of it are one */
} Level;

typedef struct Chain
{
	AiLift		lift;
	Level	   *levels;			/* the bottom first */
	int			n;
	int			n_filters;
} Chain;

/* ---- what a chain is ---- */

bool
ai_is_stage(const Plan *plan)
{
	return IsA(plan, Result) && plan->lefttree != NULL && ((const Result *) plan)->resconstantqual == NULL &&
		!expression_returns_set((Node *) plan->targetlist);
}

static bool
has_work(const Plan *plan)
{
	return ai_node_calls(plan) || (ai_is_stage(plan) && plan->qual != NIL);
}

/* One row alone has no others to wait beside. */
bool
ai_takes_stage(const Plan *below)
{
	return ai_plan_is(below, AI_IS_HOST) && below->initPlan == NIL && has_work(below) &&
		!expression_returns_set((Node *) below->targetlist) &&
		!(IsA(below, Result) && below->lefttree == NULL);
}

Plan *
ai_chain_bottom(Plan *top)
{
	Plan	   *bottom = has_work(top) && ai_plan_is(top, AI_IS_HOST) ? top : NULL;
	Plan	   *plan = top;

	if (expression_returns_set((Node *) top->targetlist))
		return NULL;
	while (ai_is_stage(plan) && (ai_takes_stage(plan->lefttree) || ai_is_stage(plan->lefttree)))
	{
		plan = plan->lefttree;
		if (ai_takes_stage(plan) || (bottom != NULL && ai_is_stage(plan) && plan->initPlan == NIL))
			bottom = plan;
		else if (plan->initPlan != NIL)
			break;
	}
	return bottom;
}

/* ---- columns ---- */

/* How often a level reads a column of the one below it. */
static int
count_reads(const Level *level, int column)
{
	return ai_count_reads((Node *) level->plan->targetlist, OUTER_VAR, column) +
		ai_count_reads((Node *) level->filters, OUTER_VAR, column);
}

typedef struct Reading
{
	Chain	   *chain;
	int			level;			/* that reads */
	bool		in_place;		/* a column that is read once, where it is
								 * read */
} Reading;

static Node *over_scan(Chain *chain, int level, Node *expression);

/* The expression over the scan tuple, its calls lifted without guards. */
static Node *
make_register(Chain *chain, int level, Node *expression)
{
	List	   *guards = chain->lift.guards;
	Node	   *lifted = over_scan(chain, level, expression);

	chain->lift.guards = NIL;
	chain->lift.remembers = chain->levels[level].memoized;
	lifted = ai_lift_calls(&chain->lift, lifted);
	chain->lift.remembers = false;
	if (!IsA(lifted, Const))
		lifted = (Node *) ai_lift_register(&chain->lift, lifted);
	chain->lift.guards = guards;
	return lifted;
}

static Node *
read_column(Node *node, void *context)
{
	Reading    *reading = context;
	Level	   *below = &reading->chain->levels[reading->level - 1];
	int			column;
	Node	   *expression;

	if (!IsA(node, Var) || ((Var *) node)->varno != OUTER_VAR)
		return NULL;
	column = ((Var *) node)->varattno;
	expression = (Node *) list_nth_node(TargetEntry, below->plan->targetlist, column - 1)->expr;
	if (below->registers[column - 1] == NULL &&
		((reading->in_place && !below->memoized) || !ai_contains_call(expression)) &&
		count_reads(&reading->chain->levels[reading->level], column) == 1)
		return over_scan(reading->chain, reading->level - 1, expression);
	if (below->registers[column - 1] == NULL)
		below->registers[column - 1] = make_register(reading->chain, reading->level - 1, expression);
	return copyObject(below->registers[column - 1]);
}

/*
 * A level's expression over the scan tuple, its calls where they are.  Where one
 * could not be lifted out of it, it reads registers.
 */
static Node *
over_scan(Chain *chain, int level, Node *expression)
{
	Reading		reading = {.chain = chain,.level = level,.in_place = !chain->levels[level].memoized};
	Node	   *over;

	if (level == 0)
		return ai_lift_over_scan(&chain->lift, expression);
	over = ai_replace(expression, read_column, &reading);
	if (ai_lift_takes_all(over))
		return over;
	reading.in_place = false;
	return ai_replace(expression, read_column, &reading);
}

/* ---- one stage of two, two nodes of one ---- */

static Node *
column_below(Node *node, void *below)
{
	if (!IsA(node, Var) || ((Var *) node)->varno != OUTER_VAR)
		return NULL;
	return (Node *) copyObject(list_nth_node(TargetEntry, ((Plan *) below)->targetlist, ((Var *) node)->varattno - 1)->expr);
}

/* May a column's expression stand where it is read, and nowhere else? */
static bool
merges(const Plan *top, Node *expression, int column)
{
	int			n = ai_count_reads((Node *) list_make2(top->targetlist, top->qual), OUTER_VAR, column);

	if (IsA(expression, Var) || IsA(expression, Const))
		return true;
	return n == 1 || (n == 0 && !ai_is_volatile(expression));
}

/*
 * The stage's target list and filter over what its child reads; false if something
 * would be read twice for that, or less be lifted.
 */
static bool
merge_lists(Plan *top)
{
	Plan	   *below = top->lefttree;
	List	   *targetlist;
	List	   *qual;
	ListCell   *cell;

	if (ai_count_reads((Node *) list_make2(top->targetlist, top->qual), OUTER_VAR, AI_ANY_COLUMN) == 0)
		return false;
	foreach(cell, below->targetlist)
	{
		if (!merges(top, (Node *) lfirst_node(TargetEntry, cell)->expr, foreach_current_index(cell) + 1))
			return false;
	}
	targetlist = (List *) ai_replace((Node *) top->targetlist, column_below, below);
	foreach(cell, targetlist)
	{
		if (!ai_lift_takes_all((Node *) lfirst_node(TargetEntry, cell)->expr))
			return false;
	}
	qual = (List *) ai_replace((Node *) top->qual, column_below, below);
	if (!ai_lift_takes_all((Node *) qual))
		return false;
	top->targetlist = targetlist;
	top->qual = qual;
	return true;
}

Plan *
ai_merge_stages(const AiRewrite *rewrite, Plan *top)
{
	Plan	   *below = top->lefttree;

	if (list_member_ptr(rewrite->memoized, below) || !ai_is_stage(top) || below == NULL || !ai_is_stage(below) ||
		below->initPlan != NIL || !merge_lists(top))
		return top;
	top->qual = list_concat(below->qual, top->qual);
	top->lefttree = below->lefttree;
	return ai_merge_stages(rewrite, top);
}

/* The host emits the columns that the rest is made of. */
static void
emit_leaves(Plan *host, List *leaves)
{
	ListCell   *cell;

	ai_capability_columns_move(host, leaves);
	host->targetlist = NIL;
	foreach(cell, leaves)
		host->targetlist = lappend(host->targetlist,
								   makeTargetEntry(lfirst(cell), foreach_current_index(cell) + 1, NULL, false));
}

Plan *
ai_split(AiRewrite *rewrite, Plan *host, List *filters)
{
	AiLift		lift = {0};
	Plan	   *stage = ai_build_projection(&rewrite->last_id, host, host);

	ai_lift_leaves(&lift, (Node *) host->targetlist);
	ai_lift_leaves(&lift, (Node *) filters);
	stage->initPlan = host->initPlan;
	host->initPlan = NIL;
	stage->targetlist = (List *) ai_lift_over_leaves(&lift, (Node *) host->targetlist);
	stage->qual = (List *) ai_lift_over_leaves(&lift, (Node *) filters);
	emit_leaves(host, lift.leaves);
	return stage;
}

AiMoved *
ai_moved(int varno, int column, Node *value)
{
	AiMoved    *moved = palloc(sizeof(AiMoved));

	*moved = (AiMoved)
	{
		.varno = varno,.column = column,.value = value
	};
	return moved;
}

static const AiMoved *
moved_column(List *moved, const Node *node)
{
	ListCell   *cell;

	foreach(cell, moved)
	{
		const AiMoved *column = lfirst(cell);

		if (IsA(node, Var) && ((const Var *) node)->varno == column->varno && ((const Var *) node)->varattno == column->column)
			return column;
	}
	return NULL;
}

/* Cuts the conjuncts from the first that reads one of these columns on off a filter. */
static List *
take_readers(List **qual, List *moved)
{
	List	   *kept = NIL;
	List	   *readers = NIL;
	ListCell   *cell;
	ListCell   *column;

	foreach(cell, *qual)
	{
		bool		reads = readers != NIL;

		foreach(column, moved)
			reads = reads || ai_count_reads(lfirst(cell), ((AiMoved *) lfirst(column))->varno, ((AiMoved *) lfirst(column))->column) > 0;
		if (reads)
			readers = lappend(readers, lfirst(cell));
		else
			kept = lappend(kept, lfirst(cell));
	}
	*qual = kept;
	return readers;
}

Plan *
ai_evaluate(AiRewrite *rewrite, Plan *host, List *moved)
{
	List	   *filters = ai_plan_is(host, AI_IS_JOIN) ? take_readers(&((Join *) host)->joinqual, moved) : NIL;
	Plan	   *stage;
	ListCell   *cell;

	if (filters == NIL)
		filters = take_readers(&host->qual, moved);
	else
	{
		filters = list_concat(filters, host->qual);
		host->qual = NIL;
	}
	stage = ai_split(rewrite, host, filters);
	foreach(cell, host->targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		const AiMoved *column = moved_column(moved, (Node *) entry->expr);

		if (column != NULL)
			entry->expr = (Expr *) copyObject(column->value);
	}
	if (!merge_lists(stage))
		return stage;
	host->targetlist = stage->targetlist;
	host->qual = list_concat(host->qual, stage->qual);
	host->initPlan = stage->initPlan;
	return host;
}

/* ---- filters ---- */

static bool
may_prove(List *conditions)
{
	ListCell   *cell;

	foreach(cell, conditions)
	{
		if (ai_may_prove(lfirst(cell)))
			return true;
	}
	return false;
}

static List *
take_conditions(Join *join, AiLift *lift, bool cautious)
{
	List	   *moved = ai_split_filter(&join->joinqual, cautious);

	if (!join->inner_unique || !may_prove(moved))
		return moved;
	join->joinqual = list_concat(join->joinqual, moved);
	if (cautious)
		return take_conditions(join, lift, false);
	ai_lift_reason(lift, "the join stops at the one partner that a condition behind it proves");
	return NIL;
}

/*
 * The filters of a host that move up, in the order in which they are tested.
 * An inner join may test its join condition above itself as well; an outer
 * one may not, and neither may a semijoin.  Where the planner has proved that a row
 * has but one partner, behind which the join stops, what the proof may rest on
 * stays.
 */
static List *
take_filters(Plan *host, AiLift *lift, bool cautious)
{
	List	   *moved = NIL;

	if (ai_is_stage(host))
		return host->qual;
	if (ai_plan_is(host, AI_IS_JOIN))
	{
		Join	   *join = (Join *) host;

		if (ai_contains_call((Node *) join->joinqual))
		{
			if (join->jointype == JOIN_INNER)
				moved = take_conditions(join, lift, cautious);
			else
				ai_lift_reason(lift, "the condition of an outer join or of a semijoin");
		}
	}
	if (moved != NIL)
	{
		moved = list_concat(moved, host->qual);
		host->qual = NIL;
		return moved;
	}
	return ai_split_filter(&host->qual, cautious);
}

/*
 * May the node take rows from its host that its reader never comes to?  Then the
 * host's own conjuncts are not tested on these either, where that may raise an
 * error, but wait for their row's turn with the rest.
 */
static bool
reads_ahead_of_reader(const AiRewrite *rewrite, const Chain *chain, const AiAbove *above)
{
	const Plan *host = chain->levels[0].plan;
	bool		drops = ai_contains_call((Node *) host->qual) ||
		(ai_plan_is(host, AI_IS_JOIN) && ai_contains_call((Node *) ((const Join *) host)->joinqual));

	for (int i = 1; i < chain->n; i++)
		drops = drops || chain->levels[i].filters != NIL;
	if (above->alone != NULL)
		return false;
	return above->early_end || above->far != NIL ||
		(drops && above->counted != NIL) ||
		(rewrite->for_cursor && (above->run == AI_RUN_FAR || (drops && above->run == AI_RUN_COUNTED)));
}

/*
 * What does more than to call is evaluated for each row that comes so far, read or
 * not.
 */
static void
lift_volatile(Chain *chain, int level)
{
	ListCell   *cell;

	chain->lift.group = chain->n_filters;
	foreach(cell, chain->levels[level].plan->targetlist)
	{
		Node	   *expression = (Node *) lfirst_node(TargetEntry, cell)->expr;

		if (ai_is_volatile(expression))
			chain->levels[level].registers[foreach_current_index(cell)] = make_register(chain, level, expression);
	}
}

/*
 * Filters may be tested in any order if they are sure to be alike: each calls, and
 * none reads what another has computed.
 */
static List *
lift_filters(Chain *chain)
{
	List	   *quals = NIL;

	chain->lift.reorders = chain->n == 1 && chain->levels[0].filters != NIL;
	for (int i = 0; i < chain->n; i++)
	{
		ListCell   *cell;

		foreach(cell, chain->levels[i].filters)
		{
			Node	   *filter = lfirst(cell);

			chain->lift.reorders = chain->lift.reorders && ai_contains_call(filter) && ai_lift_takes_all(filter);
			chain->lift.group = chain->n_filters++;
			filter = over_scan(chain, i, filter);
			chain->lift.remembers = chain->levels[i].memoized;
			quals = lappend(quals, ai_lift_filter(&chain->lift, filter));
			chain->lift.remembers = false;
		}
		if (i < chain->n - 1)
			lift_volatile(chain, i);
	}
	chain->lift.group = chain->n_filters;
	return quals;
}

/* ---- target lists ---- */

/* Where the level above reads nothing, the rows are counted: there for their calls. */
static void
lift_unread(Chain *chain)
{
	for (int i = 0; i < chain->n - 1; i++)
	{
		ListCell   *cell;

		if (count_reads(&chain->levels[i + 1], AI_ANY_COLUMN) > 0)
			continue;
		foreach(cell, chain->levels[i].plan->targetlist)
		{
			Node	   *expression = (Node *) lfirst_node(TargetEntry, cell)->expr;

			if (ai_contains_call(over_scan(chain, i, expression)))
				(void) make_register(chain, i, expression);
		}
	}
}

/* Is what does more than to give a value done in what a call is asked? */
static bool
asks_for_volatile(List *targetlist)
{
	ListCell   *cell;

	foreach(cell, targetlist)
	{
		if (ai_contains_call(lfirst(cell)) && ai_is_volatile(lfirst(cell)))
			return true;
	}
	return false;
}

/*
 * Rows are asked about before their turn.  If that does more than to give a value,
 * such as nextval(), what does so beside it is evaluated with it, which keeps the
 * order of the rows.
 */
static List *
lift_target_list(Chain *chain)
{
	List	   *targetlist = chain->levels[chain->n - 1].plan->targetlist;
	bool		in_order = asks_for_volatile(targetlist);
	List	   *lifted = NIL;
	ListCell   *cell;

	foreach(cell, targetlist)
	{
		TargetEntry *entry = flatCopyTargetEntry(lfirst_node(TargetEntry, cell));
		bool		beside = in_order && !ai_contains_call((Node *) entry->expr) && ai_is_volatile((Node *) entry->expr);

		entry->expr = (Expr *) ai_lift_calls(&chain->lift, over_scan(chain, chain->n - 1, (Node *) entry->expr));
		if (beside)
			entry->expr = (Expr *) ai_lift_register(&chain->lift, (Node *) entry->expr);
		lifted = lappend(lifted, entry);
	}
	return lifted;
}

/* Why a host's calls are made where they stand, if none of them is lifted. */
static const char *
why_none(const Plan *host)
{
	switch (nodeTag(host))
	{
		case T_ValuesScan:
			return "rows of VALUES that are not alike";
		case T_FunctionScan:
			return "a function in FROM evaluates it by itself";
		default:
			return "an aggregate or a window function calls it by itself";
	}
}

/* ---- the chain ---- */

static void
find_levels(const AiRewrite *rewrite, Chain *chain, Plan *top)
{
	Plan	   *bottom = ai_chain_bottom(top);
	Plan	   *plan;

	chain->n = 1;
	for (plan = top; plan != bottom; plan = plan->lefttree)
		chain->n++;
	chain->levels = palloc0(sizeof(Level) * chain->n);
	plan = top;
	for (int i = chain->n - 1; i >= 0; i--, plan = plan->lefttree)
	{
		chain->levels[i].plan = plan;
		chain->levels[i].filters = i > 0 ? plan->qual : NIL;
		chain->levels[i].memoized = list_member_ptr(rewrite->memoized, plan);
		chain->levels[i].registers = palloc0(sizeof(Node *) * (list_length(plan->targetlist) + 1));
	}
}

/* Rows that are locked as they are read: no more than the reader is sure to want. */
static AiAbove
reader_of_locked(const Chain *chain, AiAbove above)
{
	if (above.early_end || above.far != NIL || above.ties || above.run == AI_RUN_FAR || chain->n_filters > 0)
		above.alone = "rows are locked as they are read";
	return above;
}

Plan *
ai_collapse_chain(AiRewrite *rewrite, Plan *top, const AiAbove *above)
{
	Chain		chain = {.n = 0};
	AiAbove		reader = *above;
	AiLift	   *lift = &chain.lift;
	Plan	   *host;
	Plan	   *child;
	List	   *quals;
	List	   *targetlist;
	ListCell   *cell;

	find_levels(rewrite, &chain, top);
	host = child = chain.levels[0].plan;
	chain.levels[0].filters = take_filters(host, lift, reads_ahead_of_reader(rewrite, &chain, above));
	ai_lift_leaves(lift, (Node *) chain.levels[0].filters);
	ai_lift_leaves(lift, (Node *) host->targetlist);
	if (ai_is_stage(host))
	{
		child = host->lefttree;
		foreach(cell, lift->leaves)
			lift->positions = lappend_int(lift->positions, lfirst_node(Var, cell)->varattno);
	}
	for (int i = 0; i < chain.n; i++)
		lift->joins = lift->joins || list_member_ptr(rewrite->joins, chain.levels[i].plan);
	quals = lift_filters(&chain);
	lift_unread(&chain);
	targetlist = lift_target_list(&chain);
	if (lift->n_calls == 0 && lift->reasons == NIL)
		ai_lift_reason(lift, why_none(host));
	if (child == host)
		emit_leaves(host, lift->leaves);
	if (IsA(child, LockRows))
		reader = reader_of_locked(&chain, reader);
	return ai_build_node(rewrite, lift, top, child, targetlist, quals, chain.n_filters, &reader);
}
