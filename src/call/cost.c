/*
 * cost.c
 *	  What a call cost, from its tokens and the prices of its registration.
 *
 * A price that is needed and unknown makes the cost unknown: NULL in SQL,
 * never 0.  Reasoning tokens are billed as output; cached input without a price
 * of its own is unknown too, since providers differ in what they charge for it.
 */
#include "postgres.h"

#include "call/call.h"

int64
ai_call_cost(const AiCall *call)
{
	const AiUsage *usage = &call->reply.usage;
	const AiPrices *prices = &call->model->prices;
	bool		output = call->request.task == AI_TASK_CHAT || call->request.task == AI_TASK_TRANSCRIBE;
	int64		cache_read = usage->cache_read;
	int64		cache_write = usage->cache_write;
	int64		cost;

	if (usage->uncached_input < 0 || (output && ai_usage_output(usage) < 0) ||
		prices->input == AI_MONEY_UNKNOWN || (output && prices->output == AI_MONEY_UNKNOWN))
		return AI_MONEY_UNKNOWN;
	/* what is told of the whole holds against a part: usage.h */
	if (usage->all_input >= 0 && cache_read > usage->all_input)
		cache_read = usage->all_input;
	if (usage->all_input >= 0 && cache_write > usage->all_input - ai_not_below_zero(cache_read))
		cache_write = usage->all_input - ai_not_below_zero(cache_read);
	cost = ai_money_of_tokens(usage->uncached_input, prices->input);
	cost = ai_money_add(cost, ai_money_of_tokens(cache_read, prices->cached_input));
	cost = ai_money_add(cost, ai_money_of_tokens(cache_write, prices->cache_write));
	return ai_money_add(cost, ai_money_of_tokens(ai_usage_output(usage), prices->output));
}
