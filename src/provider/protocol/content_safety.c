/*
 * content_safety.c
 *	  Protocol azure-content-safety: Azure AI Content Safety, for moderation.
 *
 * Format: https://learn.microsoft.com/rest/api/contentsafety/text-operations/analyze-text.
 *
 * Each category has a severity of 0, 2, 4 or 6; a category counts as found
 * from the setting severity (default 4, medium) on, and its score is
 * severity / 6.  A text of more than 10,000 characters is refused there.
 */
#include "provider/protocol/protocols.h"

#include <stdio.h>
#include <stdlib.h>

#include "provider/parts.h"
#include "provider/place.h"

#define DEFAULT_VERSION		"2024-09-01"
#define DEFAULT_SEVERITY	4

static bool
content_safety_build(const AiTarget *target, const AiRequest *request,
					 AiHttpRequest *http, AiFailure *failure)
{
	const char *version = ai_setting(target, "api_version");
	AiJsonWriter writer;
	bool		good;

	if (!ai_put_url(http, target, "/contentsafety/text:analyze?api-version=", failure))
		return false;
	ai_buffer_append_url_segment(&http->url, version ? version : DEFAULT_VERSION);
	ai_write_start(&writer, &http->body);
	ai_write_object(&writer);
	ai_write_string_member(&writer, "text", request->inputs[0]);
	ai_write_string_member(&writer, "outputType", "FourSeverityLevels");
	good = ai_write_rest(&writer, target, request, failure);
	ai_write_object_end(&writer);
	ai_write_end(&writer);
	return good;
}

static bool
content_safety_parse(const AiTarget *target, const AiRequest *request,
					 const AiHttpReply *http, AiReply *reply, AiFailure *failure)
{
	const char *why;
	cJSON	   *body = ai_json_parse(http->body.data, http->body.len, &why);
	const cJSON *analysis = ai_json_get(body, "categoriesAnalysis");
	const cJSON *item;
	const cJSON *setting = ai_json_get(target->settings, "severity");
	double		threshold = cJSON_IsNumber(setting) ? setting->valuedouble : DEFAULT_SEVERITY;
	cJSON	   *categories;
	cJSON	   *scores;
	bool		any = cJSON_GetArraySize(ai_json_get(body, "blocklistsMatch")) > 0;

	(void) request;
	if (!cJSON_IsArray(analysis))
	{
		cJSON_Delete(body);
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no \"categoriesAnalysis\"");
	}
	categories = cJSON_CreateObject();
	scores = cJSON_CreateObject();
	cJSON_ArrayForEach(item, analysis)
	{
		const char *name = ai_json_string(item, "category");
		const cJSON *severity = ai_json_get(item, "severity");

		if (name == NULL || !cJSON_IsNumber(severity))
			continue;
		cJSON_AddBoolToObject(categories, name, severity->valuedouble >= threshold);
		cJSON_AddNumberToObject(scores, name, severity->valuedouble / 6);
		any = any || severity->valuedouble >= threshold;
	}
	reply->moderation = cJSON_CreateObject();
	cJSON_AddBoolToObject(reply->moderation, "flagged", any);
	cJSON_AddItemToObject(reply->moderation, "categories", categories);
	cJSON_AddItemToObject(reply->moderation, "scores", scores);
	reply->model = ai_strdup(target->remote_model);
	cJSON_Delete(body);
	return true;
}

const AiProtocol ai_protocol_content_safety = {
	.name = "azure-content-safety",
	.options = {
		[AI_TASK_MODERATE] = AI_OPTION_BIT(AI_OPTION_EXTRA),
	},
	.build = content_safety_build,
	.parse = content_safety_parse,
};
