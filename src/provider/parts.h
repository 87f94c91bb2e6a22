/*
 * parts.h
 *	  Small parts that the protocols share: writing options and content,
 *	  reading finish reasons and text.  Pure.
 */
#ifndef AI_PARTS_H
#define AI_PARTS_H

#include "provider/provider.h"

/*
 * How a protocol spells the options whose value needs no translation; NULL =
 * it writes that one itself, or has none.  A profile's "renames" come first.
 */
typedef struct AiSpelling
{
	const char *temperature;
	const char *max_tokens;
	const char *top_p;
	const char *stop;
	const char *seed;
	const char *reasoning_effort;
} AiSpelling;

/* Writes those that are set, as members of the open object. */
extern void ai_write_options(AiJsonWriter *writer, const AiTarget *target,
							 const AiOptions *options, const AiSpelling *spelling);

/* {"type": "text", "text": ...}: an object of two members. */
extern void ai_write_pair(AiJsonWriter *writer, const char *name, const char *value,
						  const char *other_name, const char *other_value);

/* "data:image/png;base64,..." as a value. */
extern void ai_write_data_url(AiJsonWriter *writer, const AiImage *image);

/*
 * "content" as OpenAI has it: the text, or parts of it and of images.
 */
extern void ai_write_content(AiJsonWriter *writer, const AiMessage *message);

/* "name": [inputs...] */
extern void ai_write_inputs(AiJsonWriter *writer, const char *name, const AiRequest *request);

/* The arguments of a neutral tool call as the text that OpenAI's form holds. */
extern void ai_write_arguments_text(AiJsonWriter *writer, const cJSON *call);

/* Ends the body: the call's extra, then what the profile requires. */
extern bool ai_write_rest(AiJsonWriter *writer, const AiTarget *target,
						  const AiRequest *request, AiFailure *failure);

/*
 * A finish reason by the provider's name, in any case; the table ends with a NULL
 * name.  No name, and one that nobody knows at the end of an answer, is the end of
 * it; a name that stands for a broken answer is an error in every protocol.
 */
typedef struct AiFinishName
{
	const char *name;
	AiFinishReason reason;
} AiFinishName;

extern AiFinishReason ai_finish_by_name(const AiFinishName *names, const char *name,
										const AiReply *reply);

/*
 * Local servers leave what a model thinks in its text.  It moves to
 * reply->reasoning: "<think>...</think>", "<thinking>" or "[THINK]" at the beginning, what
 * stands before a </think> whose start was in the prompt's template, and the
 * channels of gpt-oss ("<|channel|>analysis<|message|>...") before the final one.
 */
extern void ai_reply_split_thinking(AiReply *reply);

/* A setting of the target as text, its provider's where it has none; or NULL. */
extern const char *ai_setting(const AiTarget *target, const char *name);

/* Is it true, or "true"? */
extern bool ai_setting_true(const AiTarget *target, const char *name);

/* The name that the model's profile gives to an option, or NULL. */
extern const char *ai_profile_rename(const AiTarget *target, const char *name);

/*
 * The schema as a provider takes it that wants every object closed and knows
 * no limits of numbers and lengths: "additionalProperties": false is added,
 * the limits are left out.  What comes back is checked against the whole.
 */
extern void ai_write_closed_schema(AiJsonWriter *writer, const cJSON *schema);

/* Would OpenAI's strict mode take it: objects closed, all properties required? */
extern bool ai_schema_is_strict(const cJSON *schema);

/* Appends the text of the parts of an array that are of type "text", or a string. */
extern void ai_append_content(AiBuffer *text, const cJSON *content);

/* "stream": true */
extern void ai_write_stream(AiJsonWriter *writer);

/* The name that a schema travels under. */
#define AI_SCHEMA_NAME	"answer"

#endif							/* AI_PARTS_H */
