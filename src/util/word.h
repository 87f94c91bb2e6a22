/*
 * word.h
 *	  Eight bytes of text looked at together, for passes over long texts in
 *	  which few bytes matter.
 *
 * Each function answers for all eight bytes at once: not 0 if any of them is
 * so.  Which one it is must be found byte by byte, since a borrow may mark the
 * byte above one that is marked rightly.  Nothing depends on the order of bytes
 * in a word, nor on how the text is aligned.
 */
#ifndef AI_WORD_H
#define AI_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AI_WORD_OF(c)	(UINT64_C(0x0101010101010101) * (unsigned char) (c))
#define AI_WORD_TOPS	AI_WORD_OF(0x80)

static inline uint64_t
ai_word(const char *text)
{
	uint64_t	word;

	memcpy(&word, text, sizeof(word));
	return word;
}

/* Is a byte below c, which is at most 0x80? */
static inline uint64_t
ai_word_below(uint64_t word, unsigned char c)
{
	return (word - AI_WORD_OF(c)) & ~word & AI_WORD_TOPS;
}

/* Is a byte c? */
static inline uint64_t
ai_word_has(uint64_t word, unsigned char c)
{
	return ai_word_below(word ^ AI_WORD_OF(c), 1);
}

/* Is a byte outside of ASCII? */
static inline uint64_t
ai_word_above_ascii(uint64_t word)
{
	return word & AI_WORD_TOPS;
}

#endif							/* AI_WORD_H */
