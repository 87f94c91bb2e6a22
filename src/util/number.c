/*
 * number.c
 *	  Numbers of JSON (number.h).
 */
#include "util/number.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static size_t
digits(const char *p, const char *end)
{
	size_t		n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

bool
ai_number_valid(const char *text, size_t len)
{
	const char *p = text;
	const char *end = text + len;
	size_t		n;

	p += p < end && *p == '-';
	n = digits(p, end);
	if (n == 0 || (n > 1 && *p == '0'))
		return false;
	p += n;
	if (p < end && *p == '.')
	{
		n = digits(++p, end);
		if (n == 0)
			return false;
		p += n;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		p++;
		p += p < end && (*p == '+' || *p == '-');
		n = digits(p, end);
		if (n == 0)
			return false;
		p += n;
	}
	return p == end;
}

/* 0.d1d2d3... times ten to the exponent, the first digit none of 0. */
typedef struct Decimal
{
	bool		negative;
	const char *p;				/* its digits, with a point among them */
	const char *end;
	long		exponent;
} Decimal;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static Decimal
decimal(const char *text)
{
	Decimal		number = {.negative = *text == '-'};
	const char *point;
	const char *mantissa_end;

	text += number.negative;
	mantissa_end = text + strcspn(text, "eE");
	if (*mantissa_end != '\0')
		number.exponent = strtol(mantissa_end + 1, NULL, 10);
	/* room for the digits before the point, which a document has fewer of */
	if (number.exponent > LONG_MAX / 2)
		number.exponent = LONG_MAX / 2;
	else if (number.exponent < LONG_MIN / 2)
		number.exponent = LONG_MIN / 2;
	point = memchr(text, '.', (size_t) (mantissa_end - text));
	if (point == NULL)
		point = mantissa_end;
	number.p = text;
	while (number.p < mantissa_end && (*number.p == '0' || *number.p == '.'))
		number.p++;
	number.end = mantissa_end;
	while (number.end > number.p && (number.end[-1] == '0' || number.end[-1] == '.'))
		number.end--;
	number.exponent += number.p < point ? point - number.p : point + 1 - number.p;
	return number;
}

static char
next_digit(Decimal *number)
{
	while (number->p < number->end && !is_digit(*number->p))
		number->p++;
	/* zeros at the end of a whole number were cut off */
	return number->p < number->end ? *number->p++ : '0';
}

bool
ai_number_equal(const char *a, const char *b)
{
	Decimal		one = decimal(a);
	Decimal		two = decimal(b);
	bool		zero = one.p == one.end;

	if (zero || two.p == two.end)
		return zero && two.p == two.end;
	if (one.negative != two.negative || one.exponent != two.exponent)
		return false;
	while (one.p < one.end || two.p < two.end)
	{
		if (next_digit(&one) != next_digit(&two))
			return false;
	}
	return true;
}
