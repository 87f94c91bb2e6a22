/*
 * messages.h
 *	  The messages and tools of ai_chat, from JSON to AiMessage.  Pure.
 *
 * A message is {"role": "system" | "user" | "assistant" | "tool",
 * "content": string or [{"type": "text", "text": ...}], "tool_calls":
 * [{"id", "name", "arguments"}] of an assistant, "tool_call_id" of a tool}.
 * Tools are OpenAI's: [{"type": "function", "function": {"name", ...}}].
 */
#ifndef AI_MESSAGES_H
#define AI_MESSAGES_H

#include "provider/provider.h"

/*
 * Reads message number `position` (from 1) out of the tree, which it may
 * change: several parts of text become one string.  The message borrows from
 * the tree.
 */
extern bool ai_message_parse(cJSON *item, int position, AiMessage *message,
							 AiFailure *failure);

extern bool ai_tools_check(const cJSON *tools, AiFailure *failure);

#endif							/* AI_MESSAGES_H */
