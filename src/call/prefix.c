/*
 * prefix.c
 *	  Calls whose prompts begin alike (prefix.h).
 */
#include "postgres.h"

#include "call/prefix.h"

static Size
text_length(const AiMessage *message)
{
	return message->text == NULL ? 0 : strlen(message->text);
}

bool
ai_prefix_pays(const AiCall *call)
{
	const AiPrices *prices = &call->model->prices;
	Size		bytes = 0;

	if (call->request.task != AI_TASK_CHAT || prices->input == AI_MONEY_UNKNOWN ||
		prices->cached_input == AI_MONEY_UNKNOWN || prices->cached_input >= prices->input)
		return false;
	for (int i = 0; i < call->request.n_messages; i++)
		bytes += text_length(&call->request.messages[i]);
	return bytes >= AI_PREFIX_BYTES;
}

/* How long the texts are alike from their start on. */
static Size
alike(const char *a, const char *b)
{
	Size		n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

bool
ai_prefix_is_shared(const AiCall *a, const AiCall *b)
{
	Size		bytes = 0;

	if (strcmp(a->model->name, b->model->name) != 0)
		return false;
	for (int i = 0; i < Min(a->request.n_messages, b->request.n_messages); i++)
	{
		const AiMessage *one = &a->request.messages[i];
		const AiMessage *other = &b->request.messages[i];
		Size		n;

		if (one->role != other->role || one->text == NULL || other->text == NULL)
			break;
		n = alike(one->text, other->text);
		bytes += n;
		if (one->text[n] != other->text[n] || one->n_images > 0 || other->n_images > 0)
			break;
	}
	return bytes >= AI_PREFIX_BYTES;
}
