/*
 * openai.h
 *	  What the two protocols of OpenAI share: URLs, headers, and the tasks
 *	  beside chat (openai_tasks.c).  Pure.
 */
#ifndef AI_OPENAI_H
#define AI_OPENAI_H

#include "provider/protocol/protocols.h"

/* Rows of AiProtocol.options for the tasks that openai_tasks.c serves. */
#define AI_OPENAI_TASKS \
		[AI_TASK_EMBED] = AI_OPTION_BIT(AI_OPTION_EXTRA), \
		[AI_TASK_RERANK] = AI_OPTION_BIT(AI_OPTION_EXTRA), \
		[AI_TASK_MODERATE] = AI_OPTION_BIT(AI_OPTION_EXTRA), \
		[AI_TASK_TRANSCRIBE] = AI_OPTION_BIT(AI_OPTION_TEMPERATURE) | AI_OPTION_BIT(AI_OPTION_EXTRA),

/*
 * As ai_put_url(), with Azure's forms: by deployment, and with api-version.
 */
extern bool ai_put_openai_url(AiHttpRequest *http, const AiTarget *target, const char *path,
							  AiFailure *failure);

extern void ai_put_openai_headers(const AiTarget *target, AiHttpRequest *http);

/* Embed, rerank, moderate and transcribe. */
extern bool ai_openai_task_build(const AiTarget *target, const AiRequest *request,
								 AiHttpRequest *http, AiFailure *failure);
extern bool ai_openai_task_parse(const AiTarget *target, const AiRequest *request,
								 const AiHttpReply *http, AiReply *reply, AiFailure *failure);

#endif							/* AI_OPENAI_H */
