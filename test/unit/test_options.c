/* The options of a call: what they may be, and how a call's lie over a model's. */
#include <stdlib.h>

#include "provider/messages.h"
#include "provider/options.h"
#include "provider/provider.h"
#include "tap.h"

static void
takes(const char *text, const char *complaint)
{
	const char *why;
	cJSON	   *tree = ai_json_parse(text, strlen(text), &why);
	AiOptions	options = {0};
	AiFailure	failure;
	bool		good = ai_options_parse(tree, &options, &failure);

	if (complaint == NULL)
		ok(good, "%s is taken", text);
	else
		ok(!good && strstr(failure.message, complaint) != NULL, "%s is refused: %s", text, good ? "no" : failure.message);
	cJSON_Delete(tree);
}

/* Each row is found by its name, whatever was asked for before. */
static void
test_names(void)
{
	int			wrong = 0;

	for (int i = 0; i < ai_n_providers; i++)
	{
		for (int k = 0; k < ai_n_providers; k++)
		{
			wrong += ai_provider_by_name(ai_providers[i].name) != &ai_providers[i];
			wrong += ai_provider_by_name(ai_providers[k].name) != &ai_providers[k];
			wrong += ai_provider_by_name("nobody") != NULL;
		}
	}
	ok(wrong == 0, "providers are found by name, in any order");
}

int
main(void)
{
	AiOptions	options = {0};
	AiFailure	failure;
	const char *why;
	const char *model = "{\"temperature\":0.5,\"seed\":7,\"max_tokens\":10}";
	const char *call = "{\"temperature\":null,\"max_tokens\":20}";
	cJSON	   *first = ai_json_parse(model, strlen(model), &why);
	cJSON	   *second = ai_json_parse(call, strlen(call), &why);

	test_names();
	takes("{}", NULL);
	takes("{\"temperature\":2}", NULL);
	takes("{\"temperature\":2.1}", "\"temperature\"");
	takes("{\"temperature\":\"1\"}", "\"temperature\"");
	takes("{\"top_p\":0}", "\"top_p\"");
	takes("{\"top_p\":1.01}", "\"top_p\"");
	takes("{\"max_tokens\":1}", NULL);
	takes("{\"max_tokens\":-1}", "\"max_tokens\"");
	takes("{\"stop\":\"x\"}", "\"stop\"");
	takes("{\"stop\":[\"a\",\"b\"]}", NULL);
	takes("{\"stop\":[]}", "\"stop\"");
	takes("{\"stop\":\"\"}", "\"stop\"");
	takes("{\"seed\":9007199254740991}", NULL);
	takes("{\"seed\":1.5}", "\"seed\"");
	takes("{\"tool_choice\":\"required\"}", NULL);
	takes("{\"tool_choice\":{\"name\":\"f\"}}", NULL);
	takes("{\"tool_choice\":{}}", "\"tool_choice\"");
	takes("{\"extra\":[]}", "\"extra\"");
	takes("{\"reasoning_effort\":5}", "\"reasoning_effort\"");
	takes("{\"reasoning_effort\":\"\"}", "\"reasoning_effort\"");
	takes("{\"max_retries\":101}", "\"max_retries\"");
	takes("{\"max_retries\":0}", NULL);
	takes("{\"timeout_ms\":0}", "\"timeout_ms\"");
	takes("{\"mock\":5}", "\"mock\"");
	takes("{\"Temperature\":1}", "temperature, max_tokens");
	takes("[]", "object");

	ok(ai_options_parse(first, &options, &failure) && ai_options_parse(second, &options, &failure), "two sets, one over the other");
	ok(!ai_option_set(&options, AI_OPTION_TEMPERATURE), "null takes a default away");
	ok(options.seed == 7 && ai_option_set(&options, AI_OPTION_SEED), "what the call does not name stays");
	ok(options.max_tokens == 20, "what it names is its own");
	cJSON_Delete(first);
	cJSON_Delete(second);

	return done_testing();
}
