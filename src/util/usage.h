/*
 * usage.h
 *	  Tokens of a reply, and the one way to sum them.
 *
 * The parts are disjoint: input = uncached_input + cache_read + cache_write,
 * output = visible_output + reasoning.  -1 = the provider did not say, which
 * is never 0: a sum with something unknown in it is unknown.
 *
 * Some providers count less of the whole than of a part (more tokens read from
 * the cache than were sent, more of reasoning than of output).  What they bill
 * is the whole, so that where it is told it holds, for every reader.
 */
#ifndef AI_USAGE_H
#define AI_USAGE_H

#include <stdint.h>

typedef struct AiUsage
{
	int64_t		uncached_input;
	int64_t		cache_read;
	int64_t		cache_write;
	int64_t		visible_output;
	int64_t		reasoning;
	int64_t		all_input;		/* as the provider counts them, where it does */
	int64_t		all_output;
} AiUsage;

/* Nothing is known. */
extern void ai_usage_clear(AiUsage *usage);

/*
 * For a provider whose counts (-1 = not said) include their parts, which are
 * set already: fills in what is left of them.
 */
extern void ai_usage_split(int64_t input, int64_t output, AiUsage *usage);

/* All tokens of the input, or of the output; -1 = not known. */
extern int64_t ai_usage_input(const AiUsage *usage);
extern int64_t ai_usage_output(const AiUsage *usage);

/*
 * Adds what another request of the same call took.  A detail that one of them
 * does not tell (cached, reasoning) counts as none of it.
 */
extern void ai_usage_add(AiUsage *sum, const AiUsage *usage);

/* A count that may be unknown as one that can be added. */
extern int64_t ai_not_below_zero(int64_t value);

/* The count in a header; -1 if it is none. */
extern int64_t ai_tokens_of_text(const char *text);

#endif							/* AI_USAGE_H */
