/*
 * money.h
 *	  Amounts of money: int64 picodollars, 10^-12 USD.
 *
 * A price in USD per million tokens, times 10^6, is picodollars a token, so
 * that tokens x price is an amount without any division, and a sum of a
 * million calls adds up to the last digit.  There are 63 bits: 9.2 million USD.
 *
 * What is not known, or does not fit, is AI_MONEY_UNKNOWN, and stays so
 * through every sum: never 0, never wrapped.  Doubles have no part in it.
 */
#ifndef AI_MONEY_H
#define AI_MONEY_H

#include <stdint.h>

#define AI_MONEY_UNKNOWN	INT64_MIN

/* Decimals of an amount in USD, and of a price in USD per million tokens. */
#define AI_MONEY_DECIMALS	12
#define AI_PRICE_DECIMALS	6

/* Room for the text of any amount. */
#define AI_MONEY_TEXT		32

typedef enum AiMoneyFault
{
	AI_MONEY_FITS,
	AI_MONEY_NOT_A_NUMBER,
	AI_MONEY_TOO_FINE,			/* has digits behind the last decimal */
	AI_MONEY_TOO_LARGE,
} AiMoneyFault;

extern int64_t ai_money_add(int64_t a, int64_t b);

/* No tokens cost nothing, whatever a token costs. */
extern int64_t ai_money_of_tokens(int64_t tokens, int64_t price);

/*
 * "-12.5" with so many decimals as a whole number of the last one;
 * AI_MONEY_UNKNOWN with any fault.
 */
extern AiMoneyFault ai_money_parse(const char *text, int decimals, int64_t *money);

/* An amount in USD, no zero at its end; NULL for AI_MONEY_UNKNOWN. */
extern const char *ai_money_format(int64_t money, char space[AI_MONEY_TEXT]);

#endif							/* AI_MONEY_H */
