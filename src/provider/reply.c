/*
 * reply.c
 *	  Replies: their parts as they are put together, and whether a finished one
 *	  holds an answer.
 */
#include "provider/provider.h"

#include <stdlib.h>
#include <string.h>

#define MORE_TOKENS	"Give a larger max_tokens, or a lower reasoning_effort, in the options."

void
ai_reply_init(AiReply *reply)
{
	memset(reply, 0, sizeof(*reply));
	ai_usage_clear(&reply->usage);
}

void
ai_reply_free(AiReply *reply)
{
	free(reply->text);
	free(reply->reasoning);
	free(reply->scores);
	cJSON_Delete(reply->moderation);
	free(reply->refusal);
	free(reply->model);
	free(reply->vectors);
	cJSON_Delete(reply->tool_calls);
	ai_reply_init(reply);
}

bool
ai_reply_add_tool_call(AiReply *reply, const char *id, const char *name,
					   const char *arguments_text, const cJSON *arguments,
					   AiFailure *failure)
{
	cJSON	   *call = cJSON_CreateObject();
	cJSON	   *tree = NULL;
	const char *why;

	if (arguments != NULL && !cJSON_IsNull(arguments))
		tree = cJSON_Duplicate(arguments, true);
	else if (arguments_text != NULL && arguments_text[0] != '\0')
		tree = ai_json_parse(arguments_text, strlen(arguments_text), &why);
	else
		tree = cJSON_CreateObject();
	if (cJSON_IsNull(tree))
	{
		cJSON_Delete(tree);
		tree = cJSON_CreateObject();
	}
	if (reply->tool_calls == NULL)
		reply->tool_calls = cJSON_CreateArray();
	if (call == NULL || reply->tool_calls == NULL)
	{
		cJSON_Delete(call);
		cJSON_Delete(tree);
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	}
	if (tree == NULL || name == NULL)
	{
		cJSON_Delete(call);
		cJSON_Delete(tree);
		reply->unreadable_call = true;
		return true;
	}
	if (id != NULL)
		cJSON_AddStringToObject(call, "id", id);
	else
		cJSON_AddNullToObject(call, "id");
	cJSON_AddStringToObject(call, "name", name);
	cJSON_AddItemToObject(call, "arguments", tree);
	cJSON_AddItemToArray(reply->tool_calls, call);
	return true;
}

bool
ai_reply_add_score(AiReply *reply, int n_documents, int64_t index, double score,
				   AiFailure *failure)
{
	if (reply->scores == NULL)
		reply->scores = calloc((size_t) n_documents, sizeof(AiScore));
	if (reply->scores == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
	if (index < 0 || index >= n_documents || reply->n_scores >= n_documents)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply ranks document %lld of %d", (long long) index, n_documents);
	for (int i = 0; i < reply->n_scores; i++)
	{
		if (reply->scores[i].index == index)
			return ai_fail(failure, AI_ERROR_INVALID_REPLY,
						   "the reply ranks document %lld twice", (long long) index);
	}
	reply->scores[reply->n_scores++] = (AiScore)
	{
		(int) index, score
	};
	return true;
}

bool
ai_reply_make_vectors(AiReply *reply, int count, int dimensions, AiFailure *failure)
{
	size_t		bytes = (size_t) count * (size_t) dimensions * sizeof(float);

	if (dimensions <= 0 || dimensions > AI_MAX_DIMENSIONS)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has an embedding of %d dimensions", dimensions);
	reply->vectors = malloc(bytes);
	if (reply->vectors == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "memory ran out for %d embeddings of %d dimensions", count, dimensions);
	reply->n_vectors = count;
	reply->dimensions = dimensions;
	return true;
}

bool
ai_reply_check(AiReply *reply, AiFailure *failure)
{
	bool		empty = reply->text == NULL || reply->text[0] == '\0';

	if (reply->unreadable_call)
	{
		ai_fail(failure, AI_ERROR_INVALID_REPLY, reply->finish == AI_FINISH_LENGTH ?
				"all output tokens were used in the middle of a tool call" :
				"the reply has a tool call whose name or arguments cannot be read");
		if (reply->finish == AI_FINISH_LENGTH)
			ai_failure_hint(failure, MORE_TOKENS);
		return false;
	}
	switch (reply->finish)
	{
		case AI_FINISH_REFUSAL:
			ai_fail(failure, AI_ERROR_REFUSAL, "%s",
					reply->refusal ? reply->refusal : "the model gave no reason");
			break;
		case AI_FINISH_CONTENT_FILTER:
			ai_fail(failure, AI_ERROR_CONTENT_FILTER, "the provider withheld the answer%s%s",
					reply->refusal ? ": " : "", reply->refusal ? reply->refusal : "");
			break;
		case AI_FINISH_ERROR:

			/*
			 * a whole call of a tool that nobody declared is the caller's to
			 * judge
			 */
			if (reply->tool_calls != NULL)
				return true;
			ai_fail(failure, AI_ERROR_SERVER, "the provider ended the answer with an error");
			break;
		case AI_FINISH_LENGTH:
			if (!empty)
				return true;
			ai_fail(failure, AI_ERROR_INVALID_REPLY,
					"all output tokens were used before the first word of an answer");
			ai_failure_hint(failure, MORE_TOKENS);
			break;
		case AI_FINISH_NONE:
		case AI_FINISH_STOP:
		case AI_FINISH_TOOL_CALLS:
			if (reply->text != NULL || reply->tool_calls != NULL)
				return true;
			ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply holds no answer");
			break;
	}
	return false;
}
