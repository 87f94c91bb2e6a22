/*
 * cost.c
 *	  What a call cost, from its tokens and the prices of its registration.
 *
 * Numeric arithmetic throughout: a sum of a million calls must add up.  A
 * price that is needed and unknown makes the cost unknown: NULL, never 0.
 * Reasoning tokens are billed as output; cached input without a price of its
 * own is unknown too, since providers differ in what they charge for it.
 */
#include "postgres.h"

#include "call/call.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/* Adds tokens x price to the sum; false if that cannot be known. */
static bool
add_part(Numeric *sum, int64 tokens, Numeric price)
{
	bool		failed = false;
	Numeric		part;

	if (tokens <= 0)
		return true;
	if (price == NULL)
		return false;
	part = numeric_mul_opt_error(int64_to_numeric(tokens), price, &failed);
	*sum = numeric_add_opt_error(*sum, part, &failed);
	return !failed;
}

Numeric
ai_call_cost(const AiCall *call)
{
	const AiUsage *usage = &call->reply.usage;
	const AiPrices *prices = &call->model->prices;
	bool		output = call->request.task == AI_TASK_CHAT || call->request.task == AI_TASK_TRANSCRIBE;
	int64		cache_read = usage->cache_read;
	Numeric		sum = int64_to_numeric(0);
	bool		failed = false;

	if (usage->uncached_input < 0 || (output && usage->visible_output < 0) ||
		prices->input == NULL || (output && prices->output == NULL))
		return NULL;
	/* some report more that was cached than was sent */
	if (usage->all_input >= 0 && cache_read > usage->all_input)
		cache_read = usage->all_input;
	if (!add_part(&sum, usage->uncached_input, prices->input) ||
		!add_part(&sum, cache_read, prices->cached_input) ||
		!add_part(&sum, usage->cache_write, prices->cache_write) ||
		!add_part(&sum, usage->visible_output, prices->output) ||
		!add_part(&sum, usage->reasoning, prices->output))
		return NULL;
	sum = numeric_div_opt_error(sum, int64_to_numeric(1000000), &failed);
	return failed ? NULL : DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(sum)));
}
