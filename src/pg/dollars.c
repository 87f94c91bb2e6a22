/*
 * dollars.c
 *	  Money at the border to SQL (dollars.h).
 *
 * By way of decimal text, which loses nothing in either direction.
 */
#include "postgres.h"

#include "fmgr.h"
#include "pg/dollars.h"
#include "utils/fmgrprotos.h"

Numeric
ai_dollars_of_money(int64 money)
{
	char		space[AI_MONEY_TEXT];
	const char *string = ai_money_format(money, space);

	if (string == NULL)
		return NULL;
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(string),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

AiMoneyFault
ai_price_of_dollars(Numeric dollars, int64 *price)
{
	AiMoneyFault fault;
	char	   *string;

	*price = AI_MONEY_UNKNOWN;
	if (dollars == NULL)
		return AI_MONEY_FITS;
	string = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(dollars)));
	fault = ai_money_parse(string, AI_PRICE_DECIMALS, price);
	pfree(string);
	return fault;
}
