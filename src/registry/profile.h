/*
 * profile.h
 *	  What families of models refuse, rename or require: the table
 *	  ai_gateway.model_profiles, read in C.
 *
 * A pattern is matched against the name of the family: the setting "family" of
 * a model, else its remote model, without what providers put around a name
 * ("us.anthropic.claude-x", "models/gemini-x", "openai/gpt-x").  A star stands
 * for anything; case plays no part.  The longest pattern wins; of two as long,
 * the one for a protocol.
 */
#ifndef AI_PROFILE_H
#define AI_PROFILE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "util/json.h"
#include "utils/relcache.h"

typedef struct AiModelProfile
{
	char	   *pattern;
	char	   *protocol;		/* NULL = any */
	List	   *refuses;		/* of char *: what the registry's words are */
	char	   *renames_text;	/* JSON as UTF-8, or NULL */
	char	   *requires_text;
	cJSON	   *renames;		/* parsed by the one who keeps it */
	cJSON	   *requires;
} AiModelProfile;

/* The words that "refuses" may hold beside the names of options. */
#define AI_REFUSES_TOOLS		"tools"
#define AI_REFUSES_IMAGES		"images"
#define AI_REFUSES_SCHEMA		"schema"
#define AI_REFUSES_DIMENSIONS	"dimensions"
#define AI_REFUSES_FORCED_TOOLS "forced_tools"

/*
 * The profiles that fit a family's name, the best first, in the current
 * context.  Raises what reading a table may.
 */
extern List *ai_profiles_read(Oid relation, const char *family);

/* Deletes the builtin row with that key, if there is one. */
extern void ai_profile_displace(Relation relation, const char *pattern, const char *protocol);

/* "us.anthropic.claude-x" -> "claude-x"; palloc. */
extern char *ai_family_name(const char *remote_model);

/* Does the pattern, whose stars stand for anything, match? */
extern bool ai_pattern_matches(const char *pattern, const char *name);

#endif							/* AI_PROFILE_H */
