/*
 * explain.c
 *	  What EXPLAIN shows (explain.h).
 *
 * A line for each place in the query that calls, and one for each reason why
 * some are made one by one.  With ANALYZE: how many calls the query asked for,
 * how many of them were distinct, what was sent, and what it cost.
 */
#include "postgres.h"

#include "exec/explain.h"
#include "pg/compat.h"
#include "pg/guc.h"

/* NULL where nothing came back, or the cost of something that did is unknown. */
static const char *
cost_text(const AiCallCounts *counts, char space[AI_MONEY_TEXT])
{
	return counts->arrived > 0 ? ai_money_format(counts->cost, space) : NULL;
}

static void
explain_counts(const AiCallCounts *counts, ExplainState *es)
{
	char		cost[AI_MONEY_TEXT];

	ExplainPropertyInteger("Calls", NULL, counts->calls, es);
	ExplainPropertyInteger("Distinct", NULL, counts->distinct, es);
	ExplainPropertyInteger("Shared", NULL, counts->shared, es);
	ExplainPropertyInteger("Requests", NULL, counts->requests, es);
	ExplainPropertyInteger("Retries", NULL, counts->retries, es);
	ExplainPropertyInteger("Failed", NULL, counts->failed, es);
	ExplainPropertyInteger("Input Tokens", NULL, counts->input_tokens, es);
	ExplainPropertyInteger("Output Tokens", NULL, counts->output_tokens, es);
	if (cost_text(counts, cost) != NULL)
		ExplainPropertyText("Cost", cost, es);
	ExplainPropertyInteger("Peak In Flight", NULL, counts->peak, es);
	if (es->timing)
		ExplainPropertyFloat("Mean Latency", "ms", counts->arrived ? counts->latency_ms / counts->arrived : 0, 1, es);
}

static void
append_counts(StringInfo out, const AiCallCounts *counts, bool timing)
{
	char		cost[AI_MONEY_TEXT];

	appendStringInfo(out, " (calls=" INT64_FORMAT " distinct=" INT64_FORMAT, counts->calls, counts->distinct);
	if (counts->shared > 0)
		appendStringInfo(out, " shared=" INT64_FORMAT, counts->shared);
	appendStringInfo(out, " requests=" INT64_FORMAT, counts->requests);
	if (counts->retries > 0)
		appendStringInfo(out, " retries=" INT64_FORMAT, counts->retries);
	if (counts->failed > 0)
		appendStringInfo(out, " failed=" INT64_FORMAT, counts->failed);
	appendStringInfo(out, " tokens=" INT64_FORMAT "+" INT64_FORMAT,
					 counts->input_tokens, counts->output_tokens);
	if (cost_text(counts, cost) != NULL)
		appendStringInfo(out, " cost=%s", cost);
	appendStringInfo(out, " peak=%d", counts->peak);
	if (timing && counts->arrived > 0)
		appendStringInfo(out, " latency=%.1f ms", counts->latency_ms / counts->arrived);
	appendStringInfoChar(out, ')');
}

static void
explain_site(const AiSite *site, ExplainState *es)
{
	StringInfoData line;

	if (es->format != EXPLAIN_FORMAT_TEXT)
	{
		ExplainOpenGroup("Call", NULL, true, es);
		ExplainPropertyText("Function", site->function->name, es);
		if (es->analyze)
			explain_counts(&site->place->counts, es);
		ExplainCloseGroup("Call", NULL, true, es);
		return;
	}
	initStringInfo(&line);
	appendStringInfoString(&line, site->function->name);
	if (es->analyze)
		append_counts(&line, &site->place->counts, es->timing);
	ExplainPropertyText("Call", line.data, es);
}

void
ai_explain(AiNodeState *node, ExplainState *es)
{
	ListCell   *cell;

	if (es->analyze && es->timing)
		ExplainPropertyFloat("Waiting", "ms", node->waited_ms, 1, es);
	if (node->pace.alone)
		ExplainPropertyInteger("Rows Ahead", NULL, 0, es);
	ExplainOpenGroup("Model Calls", "Model Calls", false, es);
	for (int i = 0; i < node->n_steps; i++)
	{
		if (node->steps[i].kind == AI_STEP_CALL)
			explain_site(node->steps[i].site, es);
	}
	ExplainCloseGroup("Model Calls", "Model Calls", false, es);
	if (es->format != EXPLAIN_FORMAT_TEXT)
	{
		List	   *texts = NIL;

		foreach(cell, node->reasons)
			texts = lappend(texts, strVal(lfirst(cell)));
		if (texts != NIL)
			ExplainPropertyList("One By One", texts, es);
		return;
	}
	foreach(cell, node->reasons)
		ExplainPropertyText("One By One", strVal(lfirst(cell)), es);
}
