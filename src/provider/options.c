/*
 * options.c
 *	  Reading and checking the neutral options of a call (options.h).
 */
#include "provider/options.h"

#include <math.h>
#include <string.h>

const char *const ai_option_names[AI_OPTION_KEYS] = {
	[AI_OPTION_TEMPERATURE] = "temperature",
	[AI_OPTION_MAX_TOKENS] = "max_tokens",
	[AI_OPTION_TOP_P] = "top_p",
	[AI_OPTION_STOP] = "stop",
	[AI_OPTION_SEED] = "seed",
	[AI_OPTION_REASONING_EFFORT] = "reasoning_effort",
	[AI_OPTION_TOOL_CHOICE] = "tool_choice",
	[AI_OPTION_TIMEOUT_MS] = "timeout_ms",
	[AI_OPTION_MAX_RETRIES] = "max_retries",
	[AI_OPTION_CACHE] = "cache",
	[AI_OPTION_EXTRA] = "extra",
	[AI_OPTION_MOCK] = "mock",
};

void
ai_option_list(AiBuffer *out)
{
	for (int key = 0; key < AI_OPTION_KEYS; key++)
		ai_buffer_printf(out, "%s%s", key > 0 ? ", " : "", ai_option_names[key]);
}

static bool
bad(AiFailure *failure, AiOptionKey key, const char *must_be)
{
	return ai_fail(failure, AI_ERROR_INVALID_REQUEST,
				   "option \"%s\" must be %s", ai_option_names[key], must_be);
}

static bool
whole_number(const cJSON *item, double low, double high, double *value)
{
	if (!cJSON_IsNumber(item) || floor(item->valuedouble) != item->valuedouble ||
		item->valuedouble < low || item->valuedouble > high)
		return false;
	*value = item->valuedouble;
	return true;
}

static bool
is_stop_list(const cJSON *item)
{
	const cJSON *each;

	if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) == 0)
		return false;
	cJSON_ArrayForEach(each, item)
	{
		if (!cJSON_IsString(each) || each->valuestring[0] == '\0')
			return false;
	}
	return true;
}

static bool
is_tool_choice(const cJSON *item)
{
	const char *name = cJSON_GetStringValue(item);

	if (name != NULL)
		return strcmp(name, "auto") == 0 || strcmp(name, "none") == 0 ||
			strcmp(name, "required") == 0;
	return cJSON_IsObject(item) && ai_json_string(item, "name") != NULL;
}

static bool
parse_one(AiOptionKey key, const cJSON *item, AiOptions *options, AiFailure *failure)
{
	double		number;

	switch (key)
	{
		case AI_OPTION_TEMPERATURE:
			if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 2))
				return bad(failure, key, "a number between 0 and 2");
			options->temperature = item->valuedouble;
			break;
		case AI_OPTION_MAX_TOKENS:
			if (!whole_number(item, 1, 10e6, &number))
				return bad(failure, key, "a whole number from 1 to 10000000");
			options->max_tokens = (int) number;
			break;
		case AI_OPTION_TOP_P:
			if (!cJSON_IsNumber(item) || !(item->valuedouble > 0 && item->valuedouble <= 1))
				return bad(failure, key, "a number above 0 and at most 1");
			options->top_p = item->valuedouble;
			break;
		case AI_OPTION_STOP:
			if (!is_stop_list(item))
				return bad(failure, key, "a non-empty array of non-empty strings");
			options->stop = item;
			break;
		case AI_OPTION_SEED:
			if (!whole_number(item, -9007199254740991.0, 9007199254740991.0, &number))
				return bad(failure, key, "a whole number");
			options->seed = (int64_t) number;
			break;
		case AI_OPTION_REASONING_EFFORT:
			if (!cJSON_IsString(item) || item->valuestring[0] == '\0')
				return bad(failure, key, "a string such as \"low\"");
			options->reasoning_effort = item->valuestring;
			break;
		case AI_OPTION_TOOL_CHOICE:
			if (!is_tool_choice(item))
				return bad(failure, key,
						   "\"auto\", \"none\", \"required\" or {\"name\": \"...\"}");
			options->tool_choice = item;
			break;
		case AI_OPTION_TIMEOUT_MS:
			if (!whole_number(item, 1, 86400000, &number))
				return bad(failure, key, "a whole number of milliseconds from 1 to 86400000");
			options->timeout_ms = (int) number;
			break;
		case AI_OPTION_MAX_RETRIES:
			if (!whole_number(item, 0, 100, &number))
				return bad(failure, key, "a whole number from 0 to 100");
			options->max_retries = (int) number;
			break;
		case AI_OPTION_CACHE:
			if (!cJSON_IsBool(item))
				return bad(failure, key, "true or false");
			options->cache = cJSON_IsTrue(item);
			break;
		case AI_OPTION_EXTRA:
			if (!cJSON_IsObject(item))
				return bad(failure, key, "an object");
			options->extra = item;
			break;
		case AI_OPTION_MOCK:
			if (!cJSON_IsObject(item))
				return bad(failure, key, "an object");
			options->mock = item;
			break;
	}
	options->set |= AI_OPTION_BIT(key);
	return true;
}

bool
ai_options_parse(const cJSON *object, AiOptions *options, AiFailure *failure)
{
	const cJSON *item;

	if (!cJSON_IsObject(object))
		return ai_fail(failure, AI_ERROR_INVALID_REQUEST, "options must be a JSON object");
	cJSON_ArrayForEach(item, object)
	{
		int			key;

		for (key = 0; key < AI_OPTION_KEYS; key++)
		{
			if (strcmp(item->string, ai_option_names[key]) == 0)
				break;
		}
		if (key == AI_OPTION_KEYS)
		{
			AiBuffer	names = {0};

			ai_option_list(&names);
			ai_fail(failure, AI_ERROR_INVALID_REQUEST,
					"there is no option \"%s\"; the options are %s",
					item->string, names.data ? names.data : "");
			ai_buffer_free(&names);
			return false;
		}
		if (cJSON_IsNull(item))
			options->set &= ~AI_OPTION_BIT(key);
		else if (!parse_one((AiOptionKey) key, item, options, failure))
			return false;
	}
	return true;
}
