/*
 * money.c
 *	  The arithmetic of money.h.
 *
 * Pure: no state, no memory, nothing throws.
 */
#include "util/money.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int64_t
ai_money_add(int64_t a, int64_t b)
{
	int64_t		sum;

	if (a == AI_MONEY_UNKNOWN || b == AI_MONEY_UNKNOWN || __builtin_add_overflow(a, b, &sum))
		return AI_MONEY_UNKNOWN;
	return sum;
}

int64_t
ai_money_of_tokens(int64_t tokens, int64_t price)
{
	int64_t		cost;

	if (tokens <= 0)
		return 0;
	if (price == AI_MONEY_UNKNOWN || __builtin_mul_overflow(tokens, price, &cost))
		return AI_MONEY_UNKNOWN;
	return cost;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Summed up below zero, where there is room for one more than above. */
static bool
append_digit(int64_t *negative, int digit)
{
	return !__builtin_mul_overflow(*negative, 10, negative) &&
		!__builtin_sub_overflow(*negative, digit, negative);
}

AiMoneyFault
ai_money_parse(const char *text, int decimals, int64_t *money)
{
	bool		minus = *text == '-';
	const char *p = text + minus;
	int64_t		negative = 0;
	bool		fits = true;
	bool		fine = false;

	*money = AI_MONEY_UNKNOWN;
	if (!is_digit(*p))
		return AI_MONEY_NOT_A_NUMBER;
	for (; is_digit(*p); p++)
		fits = fits && append_digit(&negative, *p - '0');
	if (*p == '.')
	{
		if (!is_digit(*++p))
			return AI_MONEY_NOT_A_NUMBER;
		for (; is_digit(*p); p++)
		{
			if (decimals > 0)
				fits = fits && append_digit(&negative, *p - '0');
			else
				fine = fine || *p != '0';
			decimals--;
		}
	}
	if (*p != '\0')
		return AI_MONEY_NOT_A_NUMBER;
	for (; decimals > 0; decimals--)
		fits = fits && append_digit(&negative, 0);
	/* the least number there is stands for unknown, and has no opposite */
	if (!fits || negative == AI_MONEY_UNKNOWN)
		return AI_MONEY_TOO_LARGE;
	if (fine)
		return AI_MONEY_TOO_FINE;
	*money = minus ? negative : -negative;
	return AI_MONEY_FITS;
}

const char *
ai_money_format(int64_t money, char space[AI_MONEY_TEXT])
{
	const uint64_t unit = UINT64_C(1000000000000);
	uint64_t	amount = money < 0 ? -(uint64_t) money : (uint64_t) money;
	size_t		len;

	if (money == AI_MONEY_UNKNOWN)
		return NULL;
	len = (size_t) snprintf(space, AI_MONEY_TEXT, "%s%" PRIu64 ".%012" PRIu64,
							money < 0 ? "-" : "", amount / unit, amount % unit);
	while (space[len - 1] == '0')
		len--;
	if (space[len - 1] == '.')
		len--;
	space[len] = '\0';
	return space;
}
