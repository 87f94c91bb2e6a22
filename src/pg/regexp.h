/*
 * regexp.h
 *	  Regular expressions of PostgreSQL without an error: what is wrong with one
 *	  is data, for whoever judges the answers of several rows.
 *
 * Patterns and texts are UTF-8.  Who may throw: want of memory, and a cancel.
 */
#ifndef AI_REGEXP_H
#define AI_REGEXP_H

#include "postgres.h"

/* NULL if it can be used, else why not, until the next call. */
extern const char *ai_regexp_fault(const char *pattern);

/* False also if the pattern cannot be used, or matching it takes too much. */
extern bool ai_regexp_matches(const char *pattern, const char *string);

#endif							/* AI_REGEXP_H */
