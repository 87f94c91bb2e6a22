/*
 * retry.c
 *	  The decision of retry.h.
 */
#include "call/retry.h"

bool
ai_retry_allowed(const AiFailure *failure)
{
	/* the server knows best, but cannot make a wrong request right */
	if (failure->should_retry == 0)
		return false;
	if (failure->should_retry == 1 &&
		(failure->http_status >= 500 || failure->http_status == 409 ||
		 failure->http_status == 408 || failure->http_status == 429 ||
		 failure->kind == AI_ERROR_INVALID_REPLY))
		return failure->kind != AI_ERROR_QUOTA;
	return ai_error_kinds[failure->kind].retry;
}

double
ai_retry_delay(const AiRetryInput *input)
{
	const AiFailure *failure = input->failure;
	double		delay;

	if (!ai_retry_allowed(failure) || input->attempts > input->max_retries)
		return -1;

	if (failure->retry_after_ms > 0)
	{
		if (failure->retry_after_ms > AI_RETRY_HINT_CAP_MS)
			return -1;
		delay = failure->retry_after_ms * (1 + 0.1 * input->random);
	}
	else
	{
		double		ceiling = AI_RETRY_BASE_MS;

		for (int i = 1; i < input->attempts && ceiling < AI_RETRY_CAP_MS; i++)
			ceiling *= 2;
		if (ceiling > AI_RETRY_CAP_MS)
			ceiling = AI_RETRY_CAP_MS;
		delay = ceiling * input->random;
	}
	return delay < input->left_ms ? delay : -1;
}
