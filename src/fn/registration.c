/*
 * registration.c
 *	  Checks one row of ai_gateway.models, for its validation trigger.
 *
 * A row is judged by itself: what refers to other tables is checked when it is
 * used, so that a dump can be restored in any order.  Every error names the
 * column and says what may stand there.
 */
#include "postgres.h"

#include "call/target.h"
#include "fn/registration.h"
#include "lib/stringinfo.h"
#include "pg/errors.h"
#include "pg/guc.h"
#include "pg/text.h"
#include "util/url.h"
#include "utils/builtins.h"

static void
check_provider(const AiModel *model)
{
	const AiProvider *provider = ai_provider_by_name(model->provider);
	AiProtocolId protocol;

	if (provider == NULL)
	{
		AiBuffer	names = {0};
		char	   *list;

		ai_provider_names(&names);
		list = pstrdup(names.data ? names.data : "");
		ai_buffer_free(&names);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("provider \"%s\" of model \"%s\" is not known", model->provider, model->name),
				 errdetail("The providers are %s.", list),
				 errhint("Use \"openai_compatible\" with an endpoint for a server that speaks OpenAI's protocol.")));
	}
	protocol = ai_model_protocol(model);
	if (protocol == AI_PROTOCOL_NONE)
	{
		StringInfoData names;

		initStringInfo(&names);
		for (int i = AI_PROTOCOL_NONE + 1; i < AI_PROTOCOLS; i++)
			appendStringInfo(&names, "%s%s", names.len ? ", " : "", ai_protocols[i]->name);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("protocol \"%s\" of model \"%s\" is not known", model->protocol, model->name),
				 errdetail("The protocols are %s.", names.data),
				 errhint("Leave protocol NULL for the provider's own, \"%s\".",
						 ai_protocols[provider->protocol]->name)));
	}
	if (!ai_provider_speaks(provider, protocol))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("provider \"%s\" of model \"%s\" does not speak protocol \"%s\"",
						model->provider, model->name, model->protocol),
				 errhint("Leave protocol NULL for the provider's own, \"%s\".",
						 ai_protocols[provider->protocol]->name)));
}

static void
check_task(const AiModel *model)
{
	const AiProvider *provider = ai_provider_by_name(model->provider);
	AiProtocolId protocol = ai_model_protocol(model);
	AiTask		task;

	if (!ai_task_by_name(model->task, &task))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("task \"%s\" of model \"%s\" is not known", model->task, model->name),
				 errdetail("The tasks are chat, embed, rerank, moderate and transcribe.")));
	if (ai_provider_serves(provider, protocol, task))
		return;
	if (ai_protocols[protocol]->options[task] == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("protocol \"%s\" of model \"%s\" cannot serve task \"%s\"",
						ai_protocols[protocol]->name, model->name, model->task)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("provider \"%s\" of model \"%s\" cannot serve task \"%s\"",
					model->provider, model->name, model->task)));
}

static void
check_endpoint(const AiModel *model)
{
	const AiProvider *provider = ai_provider_by_name(model->provider);
	AiUrl		url;
	const char *why;

	if (model->endpoint == NULL)
	{
		if (!provider->in_process && provider->endpoint == NULL &&
			ai_guc_provider_endpoint(provider->name) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("model \"%s\" needs an endpoint", model->name),
					 errdetail("Provider \"%s\" has none of its own.", provider->name),
					 errhint("Give the column endpoint a base URL such as 'http://127.0.0.1:8080/v1', or set ai_gateway.%s_endpoint.",
							 provider->name)));
		return;
	}
	if (provider->in_process)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" of provider \"%s\" takes no endpoint", model->name, provider->name)));
	if (!ai_url_parse(model->endpoint, &url, &why))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("endpoint of model \"%s\" is not usable", model->name),
				 errdetail("It %s.", why),
				 errhint("Give a base URL such as 'https://host/v1'.")));
}

/* Whether the place is allowed; the key itself is looked at when it is used. */
static void
check_capability(const AiModel *model)
{
	const AiProvider *provider = ai_provider_by_name(model->provider);
	AiUrl		url;
	const char *why;

	if (model->endpoint == NULL || !ai_url_parse(model->endpoint, &url, &why))
		return;
	if (ai_host_is_loopback(url.host) ||
		ai_host_listed(ai_guc_allowed_hosts, url.host, url.port))
		return;
	if (!url.https)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("model \"%s\" may not be called by plain http at host \"%s\"",
						model->name, url.host),
				 errhint("Use https, or add '%s' to ai_gateway.allowed_hosts and reload the configuration.",
						 url.host)));
	if (provider->hosts == NULL || !ai_host_listed(provider->hosts, url.host, url.port))
	{
		AiUrl		prefix;
		const char *configured = ai_guc_provider_endpoint(provider->name);

		if (configured && ai_url_parse(configured, &prefix, &why) && ai_url_within(&url, &prefix))
			return;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("model \"%s\" may not be called at host \"%s\"", model->name, url.host),
				 errdetail("It is neither a host of provider \"%s\" nor listed in ai_gateway.allowed_hosts, so it would get no key and no call.",
						   provider->name),
				 errhint("Add '%s' to ai_gateway.allowed_hosts and reload the configuration.", url.host)));
	}
}

static void
check_credential(const AiModel *model)
{
	if (model->credential == NULL)
		return;
	if (ai_provider_by_name(model->provider)->auth == AI_AUTH_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" of provider \"%s\" takes no credential",
						model->name, model->provider)));
	if (!ai_secret_valid_name(model->credential))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("credential of model \"%s\" is not a plain file name", model->name),
				 errdetail("It names a file in ai_gateway.credentials_directory: letters, digits, \"_\", \"-\" and dots, and no path."),
				 errhint("Put the key into such a file, and its name into the column credential.")));
}

static void
check_first_byte(const AiModel *model, const cJSON *item)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 86400000))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" of model \"%s\" must be a number of milliseconds from 0 to 86400000",
						item->string, model->name)));
}

static void
check_max_inputs(const AiModel *model, const cJSON *item)
{
	double		inputs = cJSON_IsNumber(item) ? item->valuedouble : 0;

	if (strcmp(model->task, ai_task_names[AI_TASK_EMBED]) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" of model \"%s\" is for task \"embed\" only", item->string, model->name),
				 errdetail("It says how many texts an embedding request carries.")));
	if (!(inputs >= 1 && inputs <= PG_INT32_MAX) || inputs != (int) inputs)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" of model \"%s\" must be a whole number of at least 1",
						item->string, model->name)));
}

static void
check_settings(const AiModel *model)
{
	const char *const *known = ai_provider_by_name(model->provider)->settings;
	const cJSON *item;

	cJSON_ArrayForEach(item, model->settings)
	{
		StringInfoData names;
		int			i;

		if (strcmp(item->string, AI_SETTING_FIRST_BYTE) == 0)
		{
			check_first_byte(model, item);
			continue;
		}
		if (strcmp(item->string, AI_SETTING_MAX_INPUTS) == 0)
		{
			check_max_inputs(model, item);
			continue;
		}
		if (strcmp(item->string, AI_SETTING_HTTP2) == 0 && cJSON_IsBool(item))
			continue;
		for (i = 0; known[i] != NULL; i++)
		{
			if (strcmp(known[i], item->string) == 0)
				break;
		}
		if (known[i] != NULL && (cJSON_IsString(item) || cJSON_IsNumber(item) || cJSON_IsBool(item)))
		{
			/* settings end up in headers and URLs */
			if (cJSON_IsString(item) && strpbrk(item->valuestring, "\r\n") != NULL)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("setting \"%s\" of model \"%s\" holds a line break",
								ai_message_from_utf8(item->string), model->name)));
			continue;
		}
		initStringInfo(&names);
		for (int k = 0; known[k] != NULL; k++)
			appendStringInfo(&names, "%s, ", known[k]);
		appendStringInfoString(&names, AI_SETTING_FIRST_BYTE ", " AI_SETTING_MAX_INPUTS ", " AI_SETTING_HTTP2);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 known[i] != NULL
				 ? errmsg("setting \"%s\" of model \"%s\" must be a string, a number or a boolean",
						  item->string, model->name)
				 : errmsg("setting \"%s\" of model \"%s\" is not known",
						  ai_message_from_utf8(item->string), model->name),
				 errdetail("The settings of provider \"%s\" are %s.", model->provider, names.data)));
	}
}

static char *
capitalised(char *message)
{
	message[0] = pg_toupper((unsigned char) message[0]);
	return message;
}

static void
check_options(const AiModel *model)
{
	AiOptions	options = {0};
	AiFailure	failure;
	const AiProtocol *protocol = ai_protocols[ai_model_protocol(model)];

	if (model->options == NULL)
		return;
	if (!ai_options_parse(model->options, &options, &failure))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of model \"%s\" are not valid", model->name),
				 errdetail("%s.", capitalised(ai_failure_text(&failure)))));
	if (ai_option_set(&options, AI_OPTION_MOCK) && protocol->respond == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"mock\" of model \"%s\" is for provider \"mock\" only", model->name)));
}

/*
 * What is no price at all the constraints of the table refuse; what cannot be
 * kept to the last digit would make a cost unknown that the DBA thinks known.
 */
static void
check_price(const AiModel *model, const AiTuple *row, const char *column)
{
	int64		price;

	switch (ai_tuple_price(row, column, &price))
	{
		case AI_MONEY_FITS:
		case AI_MONEY_NOT_A_NUMBER:
			break;
		case AI_MONEY_TOO_FINE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s of model \"%s\" has more than %d decimals",
							column, model->name, AI_PRICE_DECIMALS),
					 errdetail("A price is in USD per million tokens, and kept as whole picodollars a token."),
					 errhint("Round it to %d decimals: round(%s, %d).", AI_PRICE_DECIMALS, column, AI_PRICE_DECIMALS)));
			break;
		case AI_MONEY_TOO_LARGE:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s of model \"%s\" is too large", column, model->name),
					 errdetail("A price is in USD per million tokens, and can be 9223372036854.775807 at most."),
					 errhint("Give the price of a million tokens, or NULL if it is not known.")));
			break;
	}
}

static void
check_prices(const AiModel *model, const AiTuple *row)
{
	check_price(model, row, "input_price");
	check_price(model, row, "cached_input_price");
	check_price(model, row, "cache_write_price");
	check_price(model, row, "output_price");
}

void
ai_registration_check(const AiModel *model, const AiTuple *row)
{
	check_provider(model);
	check_task(model);
	check_endpoint(model);
	check_capability(model);
	check_credential(model);
	check_settings(model);
	check_options(model);
	check_prices(model, row);
}
