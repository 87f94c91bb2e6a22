/*
 * schema.h
 *	  JSON Schema: which schemas are understood, and whether a document is valid
 *	  against one.  Pure.
 *
 * Source: JSON Schema draft 2020-12, https://json-schema.org/draft/2020-12.  A
 * schema with a keyword that is not in the list of schema.c is refused rather
 * than taken for one that says less.  $ref leads into the same document only.
 */
#ifndef AI_SCHEMA_H
#define AI_SCHEMA_H

#include "util/buffer.h"
#include "util/json.h"

/*
 * Does the text match the regular expression?  Both are UTF-8.  NULL = no
 * matcher is at hand, and "pattern" is refused.
 */
typedef bool (*AiPatternMatcher) (const char *pattern, const char *text);

/* Can it be matched against?  NULL = yes, else why not. */
typedef const char *(*AiPatternChecker) (const char *pattern, void *argument);

/*
 * Is the whole schema understood?  On false, *fault completes "the schema ..."
 * and names the place.  Without a checker "pattern" is refused.
 */
extern bool ai_schema_check(const cJSON *schema, AiPatternChecker checker, void *argument,
							AiBuffer *fault);

/*
 * Is the document valid?  `schema` passed ai_schema_check().  On false, *fault
 * says where and why, without repeating the document's text.
 */
extern bool ai_schema_validate(const cJSON *schema, const cJSON *document,
							   AiPatternMatcher matcher, AiBuffer *fault);

#endif							/* AI_SCHEMA_H */
