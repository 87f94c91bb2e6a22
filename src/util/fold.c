/*
 * fold.c
 *	  The folding of fold.h.
 */
#include "util/fold.h"

#include <string.h>

#include "util/hex.h"

/* So many hexadecimal digits; -1 = they are not there. */
static int
hex_number(const char *p, const char *end, int digits)
{
	int			value = 0;

	if (end - p < digits)
		return -1;
	for (int i = 0; i < digits; i++)
	{
		if (ai_hex_digit(p[i]) < 0)
			return -1;
		value = value * 16 + ai_hex_digit(p[i]);
	}
	return value;
}

/* A byte that stays, in lower case. */
static AiFoldUnit
byte(unsigned char c, size_t len)
{
	AiFoldUnit	unit = {.len = len};

	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
		unit.bytes[unit.n++] = c;
	return unit;
}

/* A character of its number; half of a pair of surrogates goes. */
static AiFoldUnit
character(unsigned int c, size_t len)
{
	AiFoldUnit	unit = {.len = len};

	if (c < 0x80)
		return byte((unsigned char) c, len);
	if (c >= 0xd800 && c <= 0xdfff)
		return unit;
	if (c < 0x800)
		unit.bytes[unit.n++] = (unsigned char) (0xc0 | c >> 6);
	else
	{
		unit.bytes[unit.n++] = (unsigned char) (0xe0 | c >> 12);
		unit.bytes[unit.n++] = (unsigned char) (0x80 | (c >> 6 & 0x3f));
	}
	unit.bytes[unit.n++] = (unsigned char) (0x80 | (c & 0x3f));
	return unit;
}

static AiFoldUnit
backslash(const char *p, const char *end)
{
	int			value = end - p >= 6 && p[1] == 'u' ? hex_number(p + 2, end, 4) : -1;

	if (value >= 0)
		return character((unsigned int) value, 6);
	if (end - p >= 2 && strchr("nrtbf\"\\/", p[1]) != NULL && p[1] != '\0')
		return (AiFoldUnit)
	{
		.len = 2
	};
	return (AiFoldUnit)
	{
		.len = 1
	};
}

/* "&quot;" and "&#39;" stand for punctuation, mostly. */
static AiFoldUnit
entity(const char *p, const char *end)
{
	size_t		n = 1;

	while (p + n < end && n < 8 && (ai_hex_digit(p[n]) >= 0 || p[n] == '#' || (p[n] >= 'a' && p[n] <= 'z')))
		n++;
	return (AiFoldUnit)
	{
		.len = n > 2 && p + n < end && p[n] == ';' ? n + 1 : 1
	};
}

AiFoldUnit
ai_fold(const char *p, const char *end)
{
	int			value;

	switch (*p)
	{
		case '\\':
			return backslash(p, end);
		case '&':
			return entity(p, end);
		case '%':
			value = hex_number(p + 1, end, 2);
			return value >= 0 ? byte((unsigned char) value, 3) : (AiFoldUnit)
			{
				.len = 1
			};
		default:
			return byte((unsigned char) *p, 1);
	}
}
