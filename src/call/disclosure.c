/*
 * disclosure.c
 *	  Takes keys and prompts out of outcomes (disclosure.h).
 *
 * Secrets are those that the attempt was made with: it has its key lent and its
 * token copied until it ends, so that one that was rotated meanwhile is known still.
 * Texts are all strings of the request that a user wrote: messages, inputs, and what
 * stands in tools, schemas, arguments, "stop" and extra options, but for the words of
 * JSON Schema and names.
 *
 * Memory: malloc, for the call's time.  State: none.  Nothing throws.
 */
#include "postgres.h"

#include "call/call.h"
#include "call/disclosure.h"
#include "util/redact.h"

#define MAX_SECRETS		16

/* ---- secrets ---- */

static int
add_secret(const char **secrets, int n, const char *secret)
{
	if (secret != NULL && secret[0] != '\0' && n < MAX_SECRETS)
		secrets[n++] = secret;
	return n;
}

/* Whatever of the fields may be one: all but names and places. */
static int
collect_secrets(const AiAttempt *attempt, const char **secrets)
{
	static const char *const words[] = {"secret", "key", "token", "password"};
	const cJSON *field;
	int			n = add_secret(secrets, 0, attempt->token);

	n = add_secret(secrets, n, attempt->secret.key);
	cJSON_ArrayForEach(field, attempt->secret.fields)
	{
		for (int i = 0; i < (int) lengthof(words); i++)
		{
			if (cJSON_IsString(field) && strstr(field->string, words[i]) != NULL)
			{
				n = add_secret(secrets, n, field->valuestring);
				break;
			}
		}
	}
	return n;
}

/* ---- texts ---- */

typedef struct Texts
{
	const char **items;
	int			n;
	int			room;
	bool		failed;
} Texts;

static void
add_text(Texts *texts, const char *string)
{
	if (string == NULL || string[0] == '\0')
		return;
	if (texts->n == texts->room)
	{
		int			room = texts->room > 0 ? 2 * texts->room : 16;
		const char **items = realloc(texts->items, sizeof(char *) * (size_t) room);

		texts->failed = texts->failed || items == NULL;
		if (items == NULL)
			return;
		texts->items = items;
		texts->room = room;
	}
	texts->items[texts->n++] = string;
}

/* Words that a document has of others, and that users must read to mend it. */
static bool
is_vocabulary(const cJSON *item)
{
	static const char *const names[] = {"type", "format", "role", "name", "$ref", "$schema"};

	for (int i = 0; i < (int) lengthof(names) && item->string != NULL; i++)
	{
		if (strcmp(item->string, names[i]) == 0)
			return true;
	}
	return false;
}

static void
add_document(Texts *texts, const cJSON *document)
{
	const cJSON *item;

	if (cJSON_IsString(document) && !is_vocabulary(document))
		add_text(texts, document->valuestring);
	cJSON_ArrayForEach(item, document)
		add_document(texts, item);
}

static void
collect_texts(const AiRequest *request, Texts *texts)
{
	for (int i = 0; i < request->n_messages; i++)
	{
		add_text(texts, request->messages[i].text);
		add_document(texts, request->messages[i].tool_calls);
	}
	for (int i = 0; i < request->n_inputs; i++)
		add_text(texts, request->inputs[i]);
	add_text(texts, request->query);
	add_document(texts, request->tools);
	add_document(texts, request->schema);
	add_document(texts, request->options.stop);
	add_document(texts, request->options.extra);
}

/* ---- outcomes ---- */

/* A code or an id, of letters, digits and what stands between them; else it is emptied. */
static void
keep_identifier(char *word)
{
	for (const char *p = word; *p != '\0'; p++)
	{
		if (!isalnum((unsigned char) *p) && strchr("_.:+/=@~-[]<>", *p) == NULL)
		{
			word[0] = '\0';
			return;
		}
	}
}

static void
redact(AiCall *call, AiFailure *failure)
{
	const char *secrets[MAX_SECRETS];
	Texts		texts = {0};

	/* a hint is a command: with a part of it missing it is none */
	const AiRedactString strings[] = {
		{failure->message, sizeof(failure->message), true},
		{failure->hint, sizeof(failure->hint), false},
		{failure->code, sizeof(failure->code), false},
		{failure->parameter, sizeof(failure->parameter), false},
		{failure->request_id, sizeof(failure->request_id), false},
	};
	AiPrivate	what = {.secrets = secrets,.n_secrets = collect_secrets(&call->attempt, secrets)};

	collect_texts(&call->request, &texts);
	what.texts = texts.items;
	what.n_texts = texts.n;
	keep_identifier(failure->code);
	keep_identifier(failure->parameter);
	keep_identifier(failure->request_id);
	ai_redact(strings, (int) lengthof(strings), &what);
	/* what cannot be compared is not shown */
	if (texts.failed)
		failure->message[0] = failure->hint[0] = failure->code[0] = failure->parameter[0] = failure->request_id[0] = '\0';
	free(texts.items);
}

void
ai_redact_failure(AiCall *call)
{
	AiAttempt  *attempt = &call->attempt;
	AiFailure  *failure = &attempt->failure;

	redact(call, failure);
	if (attempt->key_withheld && failure->kind == AI_ERROR_AUTHENTICATION)
		ai_failure_hint(failure,
						"No key was sent: the key of provider \"%s\" may not go to the endpoint of model \"%s\". Name its host in \"hosts\" of the key's file.",
						call->model->provider, call->model->name);
}

void
ai_redact_reply(AiCall *call)
{
	const char *secrets[MAX_SECRETS];
	const AiPrivate what = {.secrets = secrets,.n_secrets = collect_secrets(&call->attempt, secrets)};
	char	   *id = call->reply.request_id;

	keep_identifier(id);
	if (ai_repeats_secret(id, &what))
		id[0] = '\0';
}
