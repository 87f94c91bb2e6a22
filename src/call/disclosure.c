/*
 * disclosure.c
 *	  Takes keys and prompts out of failures (disclosure.h).
 *
 * State: none.
 */
#include "postgres.h"

#include "call/call.h"
#include "call/disclosure.h"
#include "call/token.h"
#include "util/redact.h"

#define MAX_SECRETS		14

/* Whatever of the secret's fields may be one: all but names and places. */
static int
collect_secrets(const AiSecret *secret, const char **secrets)
{
	const cJSON *field;
	int			n = 0;

	if (secret == NULL)
		return 0;
	if (secret->key != NULL)
		secrets[n++] = secret->key;
	cJSON_ArrayForEach(field, secret->fields)
	{
		if (cJSON_IsString(field) && n < MAX_SECRETS &&
			(strstr(field->string, "secret") || strstr(field->string, "key") ||
			 strstr(field->string, "token")))
			secrets[n++] = field->valuestring;
	}
	return n;
}

static int
collect_texts(const AiRequest *request, const char **texts)
{
	int			n = 0;

	for (int i = 0; i < request->n_messages; i++)
	{
		if (request->messages[i].text != NULL)
			texts[n++] = request->messages[i].text;
	}
	for (int i = 0; i < request->n_inputs; i++)
		texts[n++] = request->inputs[i];
	if (request->query != NULL)
		texts[n++] = request->query;
	return n;
}

void
ai_redact_failure(const AiCall *call, const AiSecret *secret, AiFailure *failure)
{
	const AiRequest *request = &call->request;
	const char *secrets[MAX_SECRETS + 1];
	int			n_secrets = collect_secrets(secret, secrets);
	const char **texts = malloc(sizeof(char *) * (size_t) (request->n_messages + request->n_inputs + 1));

	if (texts == NULL)
	{
		failure->message[0] = '\0';
		return;
	}
	if (call->token_slot != NULL && call->token_slot->token != NULL)
		secrets[n_secrets++] = call->token_slot->token;
	ai_redact(failure->message, sizeof(failure->message), secrets, n_secrets,
			  texts, collect_texts(request, texts));
	free(texts);
}

void
ai_explain_refusal(const AiCall *call, AiFailure *failure)
{
	AiResolvedTarget resolved;
	AiFailure	ignored;

	ai_target_resolve(call->model, &resolved, &ignored);
	ai_redact_failure(call, &resolved.secret, failure);
	ai_secret_release(&resolved.secret);
	if (resolved.key_withheld && failure->kind == AI_ERROR_AUTHENTICATION)
		ai_failure_hint(failure,
						"No key was sent: the key of provider \"%s\" may not go to the endpoint of model \"%s\". Name its host in \"hosts\" of the key's file.",
						call->model->provider, call->model->name);
}
