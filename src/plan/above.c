/*
 * above.c
 *	  What the reader of a plan node's rows will do (above.h).
 *
 * Memory: the planner's.  State: none.
 */
#include "postgres.h"

#include "plan/above.h"
#include "plan/capability.h"

/* How a node reads its outer child for a reader of its own. */
typedef enum Reading
{
	READS_ONE_BY_ONE,			/* a row for a row */
	READS_ON,					/* until it has a row to give */
	READS_AT_WILL,				/* and may leave rows that nobody has asked to
								 * leave */
	READS_ALL,					/* before it gives the first */
} Reading;

AiAbove
ai_above_top(void)
{
	AiAbove		above = {.run = AI_RUN_COUNTED};

	return above;
}

AiAbove
ai_above_subplan(SubLinkType kind)
{
	AiAbove		above = {0};

	switch (kind)
	{
		case ARRAY_SUBLINK:
		case MULTIEXPR_SUBLINK:
			break;
		case EXISTS_SUBLINK:
		case ALL_SUBLINK:
		case ANY_SUBLINK:
		case ROWCOMPARE_SUBLINK:
		case EXPR_SUBLINK:
		case CTE_SUBLINK:
			above.early_end = true;
			break;
	}
	return above;
}

/* The rows are other ones from here on. */
static AiAbove
read_on(AiAbove above)
{
	above.far = list_concat_copy(above.far, above.counted);
	above.counted = NIL;
	above.ties = false;
	above.before = NIL;
	if (above.run == AI_RUN_COUNTED)
		above.run = AI_RUN_FAR;
	return above;
}

static AiAbove
read_at_will(AiAbove above)
{
	above = read_on(above);
	above.early_end = true;
	return above;
}

static Reading
reading_of(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Material:
		case T_Memoize:
		case T_Append:
		case T_Gather:
			return READS_ONE_BY_ONE;
		case T_SubqueryScan:
		case T_Result:
			return plan->qual == NIL ? READS_ONE_BY_ONE : READS_ON;
		case T_Limit:
			return ai_capability_counts((const Limit *) plan) ? READS_ONE_BY_ONE : READS_AT_WILL;
		case T_Sort:
		case T_Hash:
		case T_ModifyTable:
			return READS_ALL;
		case T_Agg:
			return ((const Agg *) plan)->aggstrategy == AGG_SORTED ? READS_ON : READS_ALL;
		case T_SetOp:
			return ((const SetOp *) plan)->strategy == SETOP_SORTED ? READS_ON : READS_ALL;
		case T_WindowAgg:
			return ((const WindowAgg *) plan)->runCondition == NIL ? READS_ON : READS_AT_WILL;
		case T_HashJoin:		/* it may look at one row before it knows that
								 * there is no other side */
		case T_MergeJoin:
		case T_ForeignScan:
		case T_CustomScan:
			return READS_AT_WILL;
		default:
			return READS_ON;
	}
}

AiAbove
ai_above_outer(const Plan *plan, AiAbove above)
{
	const AiAbove all = {.alone = above.alone};

	if (IsA(plan, LockRows))
		above.alone = "FOR UPDATE or FOR SHARE may check a row again";
	switch (reading_of(plan))
	{
		case READS_ONE_BY_ONE:
			if (IsA(plan, Limit))
			{
				above.counted = lcons((void *) plan, list_copy(above.counted));
				above.ties = above.ties || ((const Limit *) plan)->limitOption == LIMIT_OPTION_WITH_TIES;
				above.before = NIL;
			}
			return above;
		case READS_ON:
			return read_on(above);
		case READS_AT_WILL:
			return read_at_will(above);
		case READS_ALL:
			return all;
	}
	return above;
}

AiAbove
ai_above_inner(const Plan *plan, AiAbove above)
{
	const Join *join = (const Join *) plan;

	if (IsA(plan, MergeJoin) || IsA(plan, HashJoin))
		return read_at_will(above);
	if (IsA(plan, NestLoop) &&
		(join->inner_unique || join->jointype == JOIN_SEMI || join->jointype == JOIN_ANTI))
		return read_at_will(above);
	return read_on(above);
}

/* The node of ours that a part's rows come from, one by one; 0 = none. */
static int
counting_node(const Plan *part)
{
	switch (nodeTag(part))
	{
		case T_CustomScan:
			return ((const CustomScan *) part)->methods == &ai_node_methods ? part->plan_node_id : 0;
		case T_Result:
			return part->qual == NIL && part->lefttree != NULL ? counting_node(part->lefttree) : 0;
		case T_SubqueryScan:
			return part->qual == NIL ? counting_node(((const SubqueryScan *) part)->subplan) : 0;
		default:
			return 0;
	}
}

AiAbove
ai_above_next_part(AiAbove above, List *parts)
{
	ListCell   *cell;
	AiAbove		next = above;

	foreach(cell, parts)
	{
		int			node = counting_node(lfirst(cell));

		if (node == 0)
			return read_on(above);
		next.before = lappend_int(list_copy(next.before), node);
	}
	return next;
}
