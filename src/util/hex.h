/*
 * hex.h
 *	  A hexadecimal digit.
 */
#ifndef AI_HEX_H
#define AI_HEX_H

/* Its value in either case; -1 for what is none. */
static inline int
ai_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif							/* AI_HEX_H */
