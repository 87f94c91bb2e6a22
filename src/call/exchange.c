/*
 * exchange.c
 *	  Round trips that are no model calls (exchange.h).
 *
 * State: none but the exchanges themselves.
 */
#include "postgres.h"

#include "call/exchange.h"

struct AiExchange
{
	AiTransfer *transfer;
	AiExchangeEnded ended;
	void	   *owner;
};

static void
finished(void *owner, AiTransfer *transfer)
{
	AiExchange *exchange = owner;
	AiFailure	failure;
	bool		good;

	ai_failure_clear(&failure);
	good = ai_http_result(transfer, &failure);
	exchange->ended(exchange->owner, good ? ai_http_reply(transfer) : NULL, &failure);
	ai_http_release(transfer);
	free(exchange);
}

AiExchange *
ai_exchange_start(AiHttpRequest *http, AiReach reach, const AiHttpLimits *limits,
				  AiExchangeEnded ended, void *owner, AiFailure *failure)
{
	AiExchange *exchange = calloc(1, sizeof(AiExchange));
	AiHttpListener listener = {.finished = finished,.owner = exchange};

	if (exchange == NULL)
	{
		ai_http_request_free(http);
		ai_fail(failure, AI_ERROR_CONNECTION, "memory ran out");
		return NULL;
	}
	exchange->ended = ended;
	exchange->owner = owner;
	exchange->transfer = ai_http_start(http, reach, limits, &listener, failure);
	if (exchange->transfer == NULL)
	{
		free(exchange);
		return NULL;
	}
	return exchange;
}

void
ai_exchange_abandon(AiExchange *exchange)
{
	ai_http_release(exchange->transfer);
	free(exchange);
}
