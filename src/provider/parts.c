/*
 * parts.c
 *	  What parts.h declares.
 */
#include "provider/parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
start_option(AiJsonWriter *writer, const AiTarget *target, const AiOptions *options,
			 AiOptionKey key, const char *name)
{
	const char *renamed = target->profile ?
		ai_json_string(target->profile->renames, ai_option_names[key]) : NULL;

	if (name == NULL || !ai_option_set(options, key))
		return false;
	ai_write_key(writer, renamed ? renamed : name);
	return true;
}

void
ai_write_options(AiJsonWriter *writer, const AiTarget *target, const AiOptions *options,
				 const AiSpelling *spelling)
{
	if (start_option(writer, target, options, AI_OPTION_MAX_TOKENS, spelling->max_tokens))
		ai_write_int(writer, options->max_tokens);
	if (start_option(writer, target, options, AI_OPTION_TEMPERATURE, spelling->temperature))
		ai_write_double(writer, options->temperature);
	if (start_option(writer, target, options, AI_OPTION_TOP_P, spelling->top_p))
		ai_write_double(writer, options->top_p);
	if (start_option(writer, target, options, AI_OPTION_STOP, spelling->stop))
		ai_write_tree(writer, options->stop);
	if (start_option(writer, target, options, AI_OPTION_SEED, spelling->seed))
		ai_write_int(writer, options->seed);
	if (start_option(writer, target, options, AI_OPTION_REASONING_EFFORT, spelling->reasoning_effort))
		ai_write_string(writer, options->reasoning_effort);
}

void
ai_write_pair(AiJsonWriter *writer, const char *name, const char *value,
			  const char *other_name, const char *other_value)
{
	ai_write_object(writer);
	ai_write_string_member(writer, name, value);
	ai_write_string_member(writer, other_name, other_value);
	ai_write_object_end(writer);
}

void
ai_write_data_url(AiJsonWriter *writer, const AiImage *image)
{
	AiBuffer	prefix = {0};

	ai_buffer_printf(&prefix, "data:%s;base64,", image->media_type);
	ai_write_base64(writer, prefix.data ? prefix.data : "", image->data, image->len);
	ai_buffer_free(&prefix);
}

void
ai_write_content(AiJsonWriter *writer, const AiMessage *message)
{
	ai_write_key(writer, "content");
	if (message->n_images == 0)
	{
		ai_write_string(writer, message->text ? message->text : "");
		return;
	}
	ai_write_array(writer);
	if (message->text != NULL && message->text[0] != '\0')
		ai_write_pair(writer, "type", "text", "text", message->text);
	for (int i = 0; i < message->n_images; i++)
	{
		ai_write_object(writer);
		ai_write_string_member(writer, "type", "image_url");
		ai_write_key(writer, "image_url");
		ai_write_object(writer);
		ai_write_key(writer, "url");
		ai_write_data_url(writer, &message->images[i]);
		ai_write_object_end(writer);
		ai_write_object_end(writer);
	}
	ai_write_array_end(writer);
}

void
ai_write_inputs(AiJsonWriter *writer, const char *name, const AiRequest *request)
{
	ai_write_key(writer, name);
	ai_write_array(writer);
	for (int i = 0; i < request->n_inputs; i++)
		ai_write_string(writer, request->inputs[i]);
	ai_write_array_end(writer);
}

void
ai_write_arguments_text(AiJsonWriter *writer, const cJSON *call)
{
	char	   *arguments = ai_json_text(ai_json_get(call, "arguments"));

	ai_write_string_member(writer, "arguments", arguments ? arguments : "{}");
	free(arguments);
}

bool
ai_write_rest(AiJsonWriter *writer, const AiTarget *target, const AiRequest *request,
			  AiFailure *failure)
{
	if (ai_option_set(&request->options, AI_OPTION_EXTRA) &&
		!ai_write_extra(writer, request->options.extra, failure))
		return false;
	if (request->task == AI_TASK_CHAT && target->profile != NULL)
		ai_write_missing(writer, target->profile->requires);
	return true;
}

static const AiFinishName broken_names[] = {
	{"error", AI_FINISH_ERROR},
	{"failed", AI_FINISH_ERROR},
	{"cancelled", AI_FINISH_ERROR},
	{"canceled", AI_FINISH_ERROR},
	{"abort", AI_FINISH_ERROR},
	{"timeout", AI_FINISH_ERROR},
	{NULL}
};

static const AiFinishName *
find_finish(const AiFinishName *names, const char *name)
{
	while (names->name != NULL && strcasecmp(names->name, name) != 0)
		names++;
	return names->name != NULL ? names : NULL;
}

AiFinishReason
ai_finish_by_name(const AiFinishName *names, const char *name, const AiReply *reply)
{
	bool		answers = (reply->text != NULL && reply->text[0] != '\0') || reply->tool_calls != NULL;
	const AiFinishName *known;
	AiFinishReason reason = AI_FINISH_STOP;

	if (name != NULL && name[0] != '\0')
	{
		known = find_finish(names, name);
		if (known == NULL)
			known = find_finish(broken_names, name);
		reason = known != NULL ? known->reason : answers ? AI_FINISH_STOP : AI_FINISH_ERROR;
	}
	return reason == AI_FINISH_STOP && reply->tool_calls != NULL ? AI_FINISH_TOOL_CALLS : reason;
}

/* What was thought goes to the reasoning unless that came by itself. */
static void
split_at(AiReply *reply, const char *thoughts, size_t len, const char *answer)
{
	char	   *rest = ai_strdup(answer + strspn(answer, "\r\n"));

	if (reply->reasoning == NULL)
		reply->reasoning = strndup(thoughts, len);
	free(reply->text);
	reply->text = rest;
}

/* "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>4" */
static bool
split_channels(AiReply *reply, const char *text)
{
	static const char final[] = "<|channel|>final<|message|>";
	static const char message[] = "<|message|>";
	const char *thoughts = strstr(text, message);
	const char *answer = strstr(text, final);
	char	   *end;

	if (strncmp(text, "<|channel|>", 11) != 0 && strncmp(text, "<|start|>", 9) != 0)
		return false;
	thoughts = thoughts != NULL ? thoughts + strlen(message) : text;
	if (answer != NULL && answer + strlen(final) == thoughts)
		split_at(reply, "", 0, thoughts);
	else if (answer != NULL)
		split_at(reply, thoughts, (size_t) (strstr(thoughts, "<|") - thoughts), answer + strlen(final));
	else
		split_at(reply, thoughts, strlen(thoughts), "");
	end = reply->text != NULL ? strstr(reply->text, "<|return|>") : NULL;
	if (end != NULL)
		*end = '\0';
	return true;
}

void
ai_reply_split_thinking(AiReply *reply)
{
	static const char *const tags[][2] = {{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"[THINK]", "[/THINK]"}};
	const char *text = reply->text;
	const char *close;

	if (text == NULL)
		return;
	text += strspn(text, " \t\r\n");
	if (split_channels(reply, text))
		return;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
	{
		size_t		len = strlen(tags[i][0]);

		if (strncmp(text, tags[i][0], len) != 0)
			continue;
		close = strstr(text, tags[i][1]);
		/* cut off while still thinking: there is no answer */
		if (close == NULL)
			split_at(reply, text + len, strlen(text + len), "");
		else
			split_at(reply, text + len, (size_t) (close - text) - len, close + strlen(tags[i][1]));
		return;
	}
	/* its start was in the prompt's template; in a sentence it is a word */
	close = strstr(text, "</think>");
	if (close != NULL && close > text && strstr(text, "<think>") == NULL &&
		(close[-1] == '\n' || close[strlen("</think>")] == '\n'))
		split_at(reply, text, (size_t) (close - text) - (close[-1] == '\n'), close + strlen("</think>"));
}

const char *
ai_setting(const AiTarget *target, const char *name)
{
	const char *value = ai_json_string(target->settings, name);

	if (value == NULL && target->default_setting != NULL)
		value = target->default_setting(target->provider->name, name);
	return value;
}

bool
ai_setting_true(const AiTarget *target, const char *name)
{
	const char *value = ai_setting(target, name);

	return cJSON_IsTrue(ai_json_get(target->settings, name)) ||
		(value != NULL && strcmp(value, "true") == 0);
}

const char *
ai_profile_rename(const AiTarget *target, const char *name)
{
	return target->profile ? ai_json_string(target->profile->renames, name) : NULL;
}

/* ---- schemas ---- */

static bool
is_limit(const char *name)
{
	static const char *const names[] = {
		"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* Members of these are schemas by name, and not keywords. */
static bool
holds_names(const char *name)
{
	return name != NULL && (strcmp(name, "properties") == 0 || strcmp(name, "$defs") == 0 ||
							strcmp(name, "definitions") == 0);
}

/* Values that only look like schemas. */
static bool
holds_values(const char *name)
{
	return name != NULL && (strcmp(name, "enum") == 0 || strcmp(name, "const") == 0 ||
							strcmp(name, "default") == 0 || strcmp(name, "examples") == 0);
}

static void
write_closed(AiJsonWriter *writer, const cJSON *item, bool names)
{
	const cJSON *child;

	if (cJSON_IsArray(item))
	{
		ai_write_array(writer);
		cJSON_ArrayForEach(child, item)
			write_closed(writer, child, false);
		ai_write_array_end(writer);
		return;
	}
	if (!cJSON_IsObject(item))
	{
		ai_write_tree(writer, item);
		return;
	}
	ai_write_object(writer);
	cJSON_ArrayForEach(child, item)
	{
		if (!names && is_limit(child->string))
			continue;
		ai_write_key(writer, child->string);
		if (!names && holds_values(child->string))
			ai_write_tree(writer, child);
		else
			write_closed(writer, child, !names && holds_names(child->string));
	}
	if (!names && ai_json_get(item, "properties") != NULL &&
		ai_json_get(item, "additionalProperties") == NULL)
	{
		ai_write_key(writer, "additionalProperties");
		ai_write_bool(writer, false);
	}
	ai_write_object_end(writer);
}

void
ai_write_closed_schema(AiJsonWriter *writer, const cJSON *schema)
{
	write_closed(writer, schema, false);
}

static bool
is_strict(const cJSON *item, bool names)
{
	const cJSON *properties = names ? NULL : ai_json_get(item, "properties");
	const cJSON *type = names ? NULL : ai_json_get(item, "type");
	const cJSON *child;

	if (cJSON_IsString(type) && strcmp(type->valuestring, "object") == 0 && properties == NULL)
		return false;
	if (properties != NULL)
	{
		const cJSON *required = ai_json_get(item, "required");

		if (!cJSON_IsFalse(ai_json_get(item, "additionalProperties")))
			return false;
		cJSON_ArrayForEach(child, properties)
		{
			const cJSON *name;
			bool		found = false;

			cJSON_ArrayForEach(name, required)
				found = found || (cJSON_IsString(name) && strcmp(name->valuestring, child->string) == 0);
			if (!found)
				return false;
		}
	}
	cJSON_ArrayForEach(child, item)
	{
		if (!names && child->string != NULL &&
			(holds_values(child->string) || strcmp(child->string, "required") == 0))
			continue;
		if (!names && child->string != NULL &&
			(strcmp(child->string, "allOf") == 0 || strcmp(child->string, "oneOf") == 0 ||
			 strcmp(child->string, "not") == 0 || strcmp(child->string, "uniqueItems") == 0))
			return false;
		if ((cJSON_IsObject(child) || cJSON_IsArray(child)) &&
			!is_strict(child, !names && holds_names(child->string)))
			return false;
	}
	return true;
}

bool
ai_schema_is_strict(const cJSON *schema)
{
	return ai_json_get(schema, "properties") != NULL && is_strict(schema, false);
}

void
ai_append_content(AiBuffer *text, const cJSON *content)
{
	const cJSON *part;

	if (cJSON_IsString(content))
		ai_buffer_append_string(text, content->valuestring);
	else if (cJSON_IsArray(content))
	{
		cJSON_ArrayForEach(part, content)
		{
			const char *type = ai_json_string(part, "type");
			const char *string = ai_json_string(part, "text");

			if (string != NULL && (type == NULL || strcmp(type, "text") == 0 ||
								   strcmp(type, "output_text") == 0))
				ai_buffer_append_string(text, string);
		}
	}
}

void
ai_write_stream(AiJsonWriter *writer)
{
	ai_write_key(writer, "stream");
	ai_write_bool(writer, true);
}
