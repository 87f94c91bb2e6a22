/* Sums of tokens: what the whole is, and what is not known. */
#include "tap.h"
#include "util/usage.h"

static AiUsage
parts(int64_t uncached, int64_t read, int64_t written, int64_t visible, int64_t reasoning)
{
	AiUsage		usage;

	ai_usage_clear(&usage);
	usage.uncached_input = uncached;
	usage.cache_read = read;
	usage.cache_write = written;
	usage.visible_output = visible;
	usage.reasoning = reasoning;
	return usage;
}

/* As an OpenAI-style provider tells it: wholes that include their parts. */
static AiUsage
wholes(int64_t input, int64_t read, int64_t output, int64_t reasoning)
{
	AiUsage		usage = parts(-1, read, -1, -1, reasoning);

	ai_usage_split(input, output, &usage);
	return usage;
}

static void
is_sum(AiUsage usage, int64_t input, int64_t output, const char *name)
{
	is_number((double) ai_usage_input(&usage), (double) input, name);
	is_number((double) ai_usage_output(&usage), (double) output, name);
}

static AiUsage
added(AiUsage a, AiUsage b)
{
	ai_usage_add(&a, &b);
	return a;
}

static void
test_sums(void)
{
	AiUsage		sum;

	is_sum(parts(10, 5, 3, 7, 2), 18, 9, "disjoint parts");
	is_sum(parts(10, -1, -1, 7, -1), 10, 7, "details that are not told count as none");
	is_sum(parts(-1, 5, 3, -1, 2), -1, -1, "a detail alone is not the whole");
	is_sum(parts(0, 0, 0, 0, 0), 0, 0, "0 is known");
	is_sum(wholes(100, 64, 50, 40), 100, 50, "wholes that include their parts");
	is_sum(wholes(10, 1000, 50, 60), 10, 50, "a part that is more than the whole: the whole holds");
	is_sum(wholes(-1, -1, -1, -1), -1, -1, "nothing is told");
	is_sum(parts(INT64_MAX, 1, 0, INT64_MAX, 1), -1, -1, "nothing wraps");

	is_sum(added(parts(10, -1, -1, 7, -1), parts(1, 2, 3, 4, 5)), 16, 16, "two of disjoint parts");
	is_sum(added(wholes(10, 1000, 50, 60), wholes(10, 2, 50, 3)), 20, 100, "two of wholes");
	is_sum(added(wholes(10, 4, 50, 60), parts(1, 2, 3, 4, 5)), 16, 59, "one of each");
	is_sum(added(parts(10, 0, 0, 7, 0), parts(-1, -1, -1, -1, -1)), -1, -1, "known and unknown are unknown");
	is_sum(added(parts(-1, -1, -1, -1, -1), parts(10, 0, 0, 7, 0)), -1, -1, "either way round");
	is_sum(added(parts(10, -1, -1, -1, -1), parts(5, -1, -1, -1, -1)), 15, -1, "no output, as of embeddings");
	is_sum(added(parts(INT64_MAX, -1, -1, INT64_MAX, -1), parts(1, -1, -1, 1, -1)), -1, -1, "beyond all counts");
	sum = added(parts(10, -1, 3, 7, -1), parts(1, 2, -1, 4, -1));
	is_number((double) sum.uncached_input, 11, "input that was not cached");
	is_number((double) sum.cache_read, 2, "cache reads of one of them");
	is_number((double) sum.cache_write, 3, "cache writes of the other");
	is_number((double) sum.visible_output, 11, "visible output");
	is_number((double) sum.reasoning, -1, "reasoning that neither tells");
}

static void
test_texts(void)
{
	is_number((double) ai_tokens_of_text("12"), 12, "a count in a header");
	is_number((double) ai_tokens_of_text("999999999999999"), 999999999999999, "a large one");
	is_number((double) ai_tokens_of_text("9999999999999999999999"), -1, "one that is beyond all counts");
	is_number((double) ai_tokens_of_text("-3"), -1, "one below zero");
	is_number((double) ai_tokens_of_text(""), -1, "none");
	is_number((double) ai_tokens_of_text("many"), -1, "a word");
}

int
main(void)
{
	test_sums();
	test_texts();
	return done_testing();
}
