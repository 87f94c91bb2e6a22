/*
 * above.h
 *	  What the reader of a plan node's rows will do with them.
 *
 * A node may work ahead only as far as its rows are wanted, and who wants how many
 * is known above it: LIMIT, FETCH, EXISTS, a join that ends with its other side.
 * What a node's own reader says is composed of what that one's reader says, down
 * from the top:
 *
 *	counted		the limits, and the executor's row count, that count these very
 *				rows, for each node between hands its rows on one by one. They are
 *				caps: no more rows are ever read
 *	far			those whose rows are other ones, since a node between makes several
 *				of one, or drops some.  They say that the reader may stop, and not
 *				where
 *	early end	the reader may stop at any row for reasons of its own
 *
 * A row asked for ahead is sure to be wanted where there is no early end and
 * nothing far that counts, and it is within the caps.
 */
#ifndef AI_ABOVE_H
#define AI_ABOVE_H

#include "postgres.h"

#include "exec/node.h"
#include "nodes/plannodes.h"

typedef struct AiAbove
{
	List	   *counted;		/* Limits, the nearest first */
	bool		ties;			/* one of them is WITH TIES */
	List	   *far;
	AiPaceRun	run;			/* the executor's row count */
	bool		early_end;
	List	   *before;			/* integers: our nodes whose rows come before
								 * these in an Append, and are counted with
								 * them */
	const char *alone;			/* why rows must be read one at a time */
} AiAbove;

/* The reader of the main plan's rows, and of a subplan's. */
extern AiAbove ai_above_top(void);
extern AiAbove ai_above_subplan(SubLinkType kind);

/* The reader of a node's outer and of its inner child, given the node's own. */
extern AiAbove ai_above_outer(const Plan *plan, AiAbove above);
extern AiAbove ai_above_inner(const Plan *plan, AiAbove above);

/*
 * The reader of the part of an Append behind those that are given, which were
 * rewritten, for the reader of the first one.
 */
extern AiAbove ai_above_next_part(AiAbove above, List *parts);

#endif							/* AI_ABOVE_H */
