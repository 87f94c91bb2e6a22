/*
 * fold.h
 *	  Text reduced to what it says, whatever form it is in.  Pure.
 *
 * Letters and digits stay, in lower case where they are ASCII, and so do bytes
 * outside of ASCII.  Blanks, punctuation and control characters go, and so do the
 * escapes of JSON ("\n", "\u00e9"), of URLs ("%20") and of HTML ("&quot;"), but for
 * what they stand for.  Two texts that say the same fold to the same bytes, be one
 * of them quoted in the other's error message.
 */
#ifndef AI_FOLD_H
#define AI_FOLD_H

#include <stdbool.h>
#include <stddef.h>

/* What stands at one place of a text. */
typedef struct AiFoldUnit
{
	unsigned char bytes[4];		/* folded */
	int			n;				/* 0 = it goes */
	size_t		len;			/* how much of the text it is, at least 1 */
} AiFoldUnit;

extern AiFoldUnit ai_fold(const char *p, const char *end);

#endif							/* AI_FOLD_H */
