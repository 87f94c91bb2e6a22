/*
 * number.h
 *	  JSON's numbers as they are written.  Pure.
 *
 * A double has 53 bits: of 1234567890123456789 it keeps ...6800, and of 1e400
 * nothing.  So where a number's text says more than its double, the text goes along
 * (json.h), and is what is written and compared.
 */
#ifndef AI_NUMBER_H
#define AI_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Is it a number by the grammar of JSON (RFC 8259)? */
extern bool ai_number_valid(const char *text, size_t len);

/* Have two of them, each ended by a NUL, one value?  1.50 and 15e-1 have. */
extern bool ai_number_equal(const char *a, const char *b);

#endif							/* AI_NUMBER_H */
