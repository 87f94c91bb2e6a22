/*
 * utf8.c
 *	  UTF-8 validity and encoding, after RFC 3629 section 4.
 */
#include "util/utf8.h"

size_t
ai_utf8_sequence(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *) s;
	size_t		need;
	unsigned char low = 0x80;
	unsigned char high = 0xbf;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	if (p[0] < 0xe0)
		need = 2;
	else if (p[0] < 0xf0)
	{
		need = 3;
		if (p[0] == 0xe0)
			low = 0xa0;			/* overlong */
		else if (p[0] == 0xed)
			high = 0x9f;		/* surrogates */
	}
	else
	{
		need = 4;
		if (p[0] == 0xf0)
			low = 0x90;			/* overlong */
		else if (p[0] == 0xf4)
			high = 0x8f;		/* above U+10FFFF */
	}
	if (len < need || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
	{
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return need;
}

bool
ai_utf8_valid(const char *s, size_t len)
{
	size_t		i = 0;

	while (i < len)
	{
		size_t		step = ai_utf8_sequence(s + i, len - i);

		if (step == 0 || s[i] == '\0')
			return false;
		i += step;
	}
	return true;
}

void
ai_utf8_append(AiBuffer *out, uint32_t c)
{
	char		bytes[4];
	size_t		len;

	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80)
	{
		bytes[0] = (char) c;
		len = 1;
	}
	else if (c < 0x800)
	{
		bytes[0] = (char) (0xc0 | (c >> 6));
		bytes[1] = (char) (0x80 | (c & 0x3f));
		len = 2;
	}
	else if (c < 0x10000)
	{
		bytes[0] = (char) (0xe0 | (c >> 12));
		bytes[1] = (char) (0x80 | ((c >> 6) & 0x3f));
		bytes[2] = (char) (0x80 | (c & 0x3f));
		len = 3;
	}
	else
	{
		bytes[0] = (char) (0xf0 | (c >> 18));
		bytes[1] = (char) (0x80 | ((c >> 12) & 0x3f));
		bytes[2] = (char) (0x80 | ((c >> 6) & 0x3f));
		bytes[3] = (char) (0x80 | (c & 0x3f));
		len = 4;
	}
	ai_buffer_append(out, bytes, len);
}
