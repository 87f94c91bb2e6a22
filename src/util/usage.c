/*
 * usage.c
 *	  The sums of usage.h.
 *
 * Pure: no state, no memory, nothing throws.  Counts come from outside, so
 * that no sum may overflow.
 */
#include "util/usage.h"

#include <stdlib.h>
#include <string.h>

void
ai_usage_clear(AiUsage *usage)
{
	memset(usage, 0, sizeof(*usage));
	usage->uncached_input = usage->cache_read = usage->cache_write = -1;
	usage->visible_output = usage->reasoning = -1;
	usage->all_input = usage->all_output = -1;
}

int64_t
ai_not_below_zero(int64_t value)
{
	return value > 0 ? value : 0;
}

void
ai_usage_split(int64_t input, int64_t output, AiUsage *usage)
{
	usage->all_input = input;
	usage->all_output = output;
	if (input >= 0)
		usage->uncached_input = ai_not_below_zero(input - ai_not_below_zero(usage->cache_read) -
												  ai_not_below_zero(usage->cache_write));
	if (output >= 0)
		usage->visible_output = ai_not_below_zero(output - ai_not_below_zero(usage->reasoning));
}

/* Unknown if either is, or if the sum is beyond all counts. */
static int64_t
both(int64_t a, int64_t b)
{
	int64_t		sum;

	return a < 0 || b < 0 || __builtin_add_overflow(a, b, &sum) ? -1 : sum;
}

/* Unknown only if both are. */
static int64_t
either(int64_t a, int64_t b)
{
	return a < 0 && b < 0 ? -1 : both(ai_not_below_zero(a), ai_not_below_zero(b));
}

int64_t
ai_usage_input(const AiUsage *usage)
{
	if (usage->all_input >= 0)
		return usage->all_input;
	return both(usage->uncached_input,
				both(ai_not_below_zero(usage->cache_read), ai_not_below_zero(usage->cache_write)));
}

int64_t
ai_usage_output(const AiUsage *usage)
{
	if (usage->all_output >= 0)
		return usage->all_output;
	return both(usage->visible_output, ai_not_below_zero(usage->reasoning));
}

void
ai_usage_add(AiUsage *sum, const AiUsage *usage)
{
	int64_t		input = both(ai_usage_input(sum), ai_usage_input(usage));
	int64_t		output = both(ai_usage_output(sum), ai_usage_output(usage));

	sum->uncached_input = both(sum->uncached_input, usage->uncached_input);
	sum->cache_read = either(sum->cache_read, usage->cache_read);
	sum->cache_write = either(sum->cache_write, usage->cache_write);
	sum->visible_output = both(sum->visible_output, usage->visible_output);
	sum->reasoning = either(sum->reasoning, usage->reasoning);
	sum->all_input = input;
	sum->all_output = output;
}

int64_t
ai_tokens_of_text(const char *text)
{
	size_t		digits = strspn(text, "0123456789");

	return digits == 0 || digits > 15 ? -1 : strtoll(text, NULL, 10);
}
