/*
 * options.h
 *	  The `options` of a call: one neutral vocabulary for all providers.  Pure.
 *
 * The same keys are taken in the last argument of every ai_* function and in
 * models.options, whose values are defaults under the call's.  Each protocol
 * file says how it spells a key; a key that it cannot spell is a failure that
 * names it, unless ai_gateway.drop_unsupported is on.
 */
#ifndef AI_OPTIONS_H
#define AI_OPTIONS_H

#include "util/failure.h"
#include "util/json.h"

typedef enum AiOptionKey
{
	AI_OPTION_TEMPERATURE,
	AI_OPTION_MAX_TOKENS,
	AI_OPTION_TOP_P,
	AI_OPTION_STOP,
	AI_OPTION_SEED,
	AI_OPTION_REASONING_EFFORT,
	AI_OPTION_TOOL_CHOICE,
	AI_OPTION_TIMEOUT_MS,
	AI_OPTION_MAX_RETRIES,
	AI_OPTION_CACHE,
	AI_OPTION_EXTRA,
	AI_OPTION_MOCK,
} AiOptionKey;

#define AI_OPTION_KEYS		(AI_OPTION_MOCK + 1)
#define AI_OPTION_BIT(key)	(UINT32_C(1) << (key))

/* Keys that the engine itself honours, whatever the provider. */
#define AI_OPTIONS_ENGINE \
	(AI_OPTION_BIT(AI_OPTION_TIMEOUT_MS) | AI_OPTION_BIT(AI_OPTION_MAX_RETRIES) | \
	 AI_OPTION_BIT(AI_OPTION_CACHE))

/* Keys that are never dropped silently, even with drop_unsupported. */
#define AI_OPTIONS_NEVER_DROPPED \
	(AI_OPTION_BIT(AI_OPTION_SEED) | AI_OPTION_BIT(AI_OPTION_TOOL_CHOICE) | \
	 AI_OPTION_BIT(AI_OPTION_EXTRA))

/* Pointers are borrowed from the tree that was parsed. */
typedef struct AiOptions
{
	uint32_t	set;			/* AI_OPTION_BITs that were given */
	double		temperature;
	int			max_tokens;
	double		top_p;
	const cJSON *stop;			/* an array of strings */
	int64_t		seed;
	const char *reasoning_effort;
	const cJSON *tool_choice;	/* "auto", "none", "required", or {"name":
								 * ...} */
	int			timeout_ms;
	int			max_retries;
	bool		cache;
	const cJSON *extra;			/* an object */
	const cJSON *mock;			/* an object */
} AiOptions;

extern const char *const ai_option_names[AI_OPTION_KEYS];

/* "temperature, max_tokens, ..." */
extern void ai_option_list(AiBuffer *out);

/*
 * Reads an options object over what is in *options already (so: the model's
 * first, then the call's).  A JSON null takes the model's default away.  On
 * false the failure's message completes the sentence.
 */
extern bool ai_options_parse(const cJSON *object, AiOptions *options,
							 AiFailure *failure);

static inline bool
ai_option_set(const AiOptions *options, AiOptionKey key)
{
	return (options->set & AI_OPTION_BIT(key)) != 0;
}

#endif							/* AI_OPTIONS_H */
