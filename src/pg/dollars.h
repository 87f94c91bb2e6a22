/*
 * dollars.h
 *	  Between SQL's numeric, in USD, and picodollars: exact both ways.
 */
#ifndef AI_DOLLARS_H
#define AI_DOLLARS_H

#include "postgres.h"

#include "util/money.h"
#include "utils/numeric.h"

/* USD, in the current memory context; NULL for AI_MONEY_UNKNOWN. */
extern Numeric ai_dollars_of_money(int64 money);

/*
 * A price in USD per million tokens as picodollars a token; NULL, and what
 * cannot be kept exactly, is AI_MONEY_UNKNOWN.
 */
extern AiMoneyFault ai_price_of_dollars(Numeric dollars, int64 *price);

#endif							/* AI_DOLLARS_H */
