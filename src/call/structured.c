/*
 * structured.c
 *	  Structured answers (structured.h).
 *
 * Whatever a provider promises, the answer is validated here.  An answer that
 * is not valid goes back once, with the fault, as the next turn of the same
 * conversation; both answers are paid for, and counted.
 */
#include "postgres.h"

#include "call/structured.h"
#include "lib/stringinfo.h"
#include "pg/regexp.h"
#include "util/schema.h"
#include "utils/builtins.h"

/* PostgreSQL's regular expressions understand those of JSON Schema. */
static const char *
check_pattern(const char *pattern, void *failed)
{
	const char *why = ai_regexp_fault(pattern);

	*(bool *) failed = why != NULL;
	return why;
}

bool
ai_structured_check(const cJSON *schema, AiFailure *failure)
{
	AiBuffer	fault = {0};
	bool		of_pattern = false;
	bool		good = ai_schema_check(schema, check_pattern, &of_pattern, &fault);

	if (!good)
	{
		ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, of_pattern ? "2201B" : "22023",
				 "the schema %s", fault.data ? fault.data : "cannot be read");
		if (!of_pattern)
			ai_failure_detail(failure, "A keyword that is not supported would not be checked, so it is refused.");
	}
	ai_buffer_free(&fault);
	return good;
}

/* The document, out of the fence that models like to put around it. */
static cJSON *
read_document(const char *answer, const char **why)
{
	size_t		len;

	answer += strspn(answer, " \t\r\n");
	if (strncmp(answer, "```", 3) == 0)
	{
		const char *line = strchr(answer, '\n');
		const char *end = line ? strstr(line, "\n```") : NULL;

		if (line != NULL)
		{
			len = end ? (size_t) (end - line) : strlen(line);
			return ai_json_parse(line, len, why);
		}
	}
	return ai_json_parse(answer, strlen(answer), why);
}

static void
ask_again(AiCall *call, const char *fault)
{
	AiRequest  *request = &call->request;
	AiMessage  *messages = MemoryContextAllocZero(call->context,
												  (request->n_messages + 2) * sizeof(AiMessage));
	StringInfoData request_text;
	MemoryContext caller = MemoryContextSwitchTo(call->context);

	initStringInfo(&request_text);
	appendStringInfo(&request_text, "That answer cannot be used: %s. Answer again, with the JSON document alone.", fault);
	memcpy(messages, request->messages, request->n_messages * sizeof(AiMessage));
	messages[request->n_messages].role = AI_ROLE_ASSISTANT;
	messages[request->n_messages].text = pstrdup(call->reply.text);
	messages[request->n_messages + 1].role = AI_ROLE_USER;
	messages[request->n_messages + 1].text = request_text.data;
	MemoryContextSwitchTo(caller);
	request->messages = messages;
	request->n_messages += 2;
	call->asked_again = true;
	call->spent = call->reply.usage;
	ai_reply_free(&call->reply);
}

AiReview
ai_structured_review(AiCall *call)
{
	const char *why = "it is empty";
	const char *answer = call->reply.text;
	AiBuffer	fault = {0};
	char		reason[400];

	call->json = answer && answer[0] ? read_document(answer, &why) : NULL;
	if (call->json != NULL && ai_schema_validate(call->request.schema, call->json, ai_regexp_matches, &fault))
		return AI_REVIEW_GOOD;
	if (call->json == NULL)
		snprintf(reason, sizeof(reason), "%s", why);
	else
		snprintf(reason, sizeof(reason), "%s", fault.data ? fault.data : "it is not valid");
	ai_buffer_free(&fault);
	cJSON_Delete(call->json);
	call->json = NULL;
	if (!call->asked_again && answer != NULL && answer[0] != '\0' && call->reply.finish != AI_FINISH_LENGTH)
	{
		ask_again(call, reason);
		return AI_REVIEW_ASK_AGAIN;
	}
	ai_fail(&call->attempt.failure, AI_ERROR_INVALID_REPLY, "the answer does not fit the schema: %s", reason);
	if (call->reply.finish == AI_FINISH_LENGTH)
		ai_failure_hint(&call->attempt.failure, "The answer was cut off: give a larger max_tokens in the options.");
	else
		ai_failure_hint(&call->attempt.failure, "Make the schema or the prompt simpler, or take another model.");
	return AI_REVIEW_BAD;
}
