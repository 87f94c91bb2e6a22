/*
 * ahead.h
 *	  Evaluating an expression of a row before its turn: an error is not raised,
 *	  for the reader may never want the row.
 *
 * What it takes to go on after an error depends on what an expression may have
 * done before it raised.  Each step of a program knows its risk, found once from
 * its expression:
 *
 *	NONE	it cannot raise: columns, constants, and functions that PostgreSQL
 *			marks leakproof, which is a promise to raise no error that depends on
 *			a value.  Evaluated as it is.
 *	PURE	PostgreSQL's own immutable functions over plain types.  They read no
 *			table and take no lock, so that of an aborted one nothing is left but
 *			memory and what a resource owner holds; the owner is one of ours.
 *	ANY		any other function: in a subtransaction, as PL/pgSQL's EXCEPTION does.
 *	PLAN	a plan of its own, which an error would leave in the middle and which
 *			could not be run again.  Never evaluated under a net.
 *
 * Where there is no net (PLAN; ANY while a parallel plan runs, when there can be
 * no subtransaction), the expression is evaluated before its turn only if the
 * reader takes all rows: then its error would come anyway.  Else it waits.  So
 * does one that is volatile, for what it does for a row that nobody reads stays
 * done: nextval() would leave a gap.
 *
 * An expression that raised is evaluated anew when its row has its turn.  Its
 * executable form may not be used again, for nobody else goes on with one after
 * an error: a function in SQL keeps its half-run query there.  Who evaluates
 * makes it anew.
 */
#ifndef AI_AHEAD_H
#define AI_AHEAD_H

#include "postgres.h"

#include "nodes/execnodes.h"

typedef enum AiRiskLevel
{
	AI_RISK_NONE,
	AI_RISK_PURE,
	AI_RISK_ANY,
	AI_RISK_PLAN,
} AiRiskLevel;

typedef struct AiRisk
{
	AiRiskLevel level;
	bool		is_volatile;	/* it may do more than to give a value */
	Bitmapset  *parameters;		/* of PARAM_EXEC: each may stand for a plan
								 * that was not run yet */
} AiRisk;

/* Adds the risk of an expression. */
extern void ai_risk_add(AiRisk *risk, Node *expression);

typedef void (*AiAheadBody) (void *argument);

typedef enum AiAheadOutcome
{
	AI_AHEAD_DONE,
	AI_AHEAD_RAISED,			/* the error is forgotten */
	AI_AHEAD_NOT_RUN,
} AiAheadOutcome;

/*
 * Runs the body, which evaluates an expression of that risk.  Cancelling is no
 * error of the row's: it is raised, with all undone that the body has begun.
 */
extern AiAheadOutcome ai_evaluate_ahead(const AiRisk *risk, ExprContext *econtext, bool reader_takes_all,
										AiAheadBody body, void *argument);

#endif							/* AI_AHEAD_H */
