/*
 * providers.c
 *	  The tables of providers and protocols.
 *
 * A new provider is one row here; a new protocol is one file, one row in
 * ai_protocols[] and one AiProtocolId.  What a row says about a provider is
 * from its API reference; what a family of models wants is not here but in
 * ai_gateway.model_profiles.
 *
 * State: the provider that was asked for last.
 */
#include <string.h>

#include "provider/protocol/protocols.h"

#define CHAT		AI_TASK_BIT(AI_TASK_CHAT)
#define EMBED		AI_TASK_BIT(AI_TASK_EMBED)
#define RERANK		AI_TASK_BIT(AI_TASK_RERANK)
#define MODERATE	AI_TASK_BIT(AI_TASK_MODERATE)
#define TRANSCRIBE	AI_TASK_BIT(AI_TASK_TRANSCRIBE)

#define SPEAKS_CHAT			AI_PROTOCOL_BIT(AI_PROTOCOL_OPENAI_CHAT)
#define SPEAKS_RESPONSES	AI_PROTOCOL_BIT(AI_PROTOCOL_OPENAI_RESPONSES)
#define SPEAKS_ANTHROPIC	AI_PROTOCOL_BIT(AI_PROTOCOL_ANTHROPIC_MESSAGES)

static const char *const no_settings[] = {NULL};
static const char *const openai_settings[] = {"organization", "project", "store", NULL};
static const char *const azure_settings[] = {
	"api_version", "tenant_id", "client_id", "scope", "managed_identity", "family",
	"anthropic_version", "anthropic_beta", "cache_control", "severity", "store", NULL
};
static const char *const anthropic_settings[] = {
	"anthropic_version", "anthropic_beta", "cache_control", NULL
};
static const char *const bedrock_settings[] = {
	"region", "family", "input_type", "truncate", "guardrail_id", "guardrail_version",
	"anthropic_version", "cache_control", "store", NULL
};
static const char *const gemini_settings[] = {"task_type", "store", NULL};
static const char *const vertex_settings[] = {
	"project", "location", "task_type", "anthropic_version", "cache_control", NULL
};
static const char *const ollama_settings[] = {"keep_alive", "num_ctx", NULL};
static const char *const cohere_settings[] = {"input_type", "truncate", NULL};
static const char *const voyage_settings[] = {"input_type", NULL};
static const char *const tei_settings[] = {"prompt_name", NULL};
static const char *const store_settings[] = {"store", NULL};

/*
 * What stands in the configuration for all models of a provider.  Where a
 * secret is sent is said here alone, and never in a row of models.
 */
static const char *const openai_parameters[] = {"organization", "project", NULL};
static const char *const azure_parameters[] = {
	"tenant_id", "client_id", "api_version", "scope", "managed_identity",
	"login_endpoint", "identity_endpoint", NULL
};
static const char *const bedrock_parameters[] = {"region", NULL};
static const char *const vertex_parameters[] = {"project", "location", "token_endpoint", NULL};

const AiProvider ai_providers[] = {
	{
		.name = "openai",
		.protocol = AI_PROTOCOL_OPENAI_RESPONSES,
		.protocols = SPEAKS_CHAT,
		.tasks = CHAT | EMBED | MODERATE | TRANSCRIBE,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.openai.com/v1",
		.hosts = "api.openai.com, eu.api.openai.com, us.api.openai.com",
		.settings = openai_settings,
		.parameters = openai_parameters,
		.dialect = {.max_tokens = "max_completion_tokens",.base64 = true},
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "OpenAI",
	},
	{
		.name = "openai_compatible",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.auth = AI_AUTH_BEARER,
		.settings = store_settings,
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "any server that speaks OpenAI's chat completions",
	},
	{
		.name = "azure",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.task_protocols = {[AI_TASK_MODERATE] = AI_PROTOCOL_CONTENT_SAFETY},
		.tasks = CHAT | EMBED | MODERATE | TRANSCRIBE,
		.auth = AI_AUTH_AZURE,
		.settings = azure_settings,
		.parameters = azure_parameters,
		.dialect = {.base64 = true},
		.bases = {
			{AI_PROTOCOL_OPENAI_CHAT, "/openai/v1"},
			{AI_PROTOCOL_OPENAI_RESPONSES, "/openai/v1"},
			{AI_PROTOCOL_ANTHROPIC_MESSAGES, "/anthropic"},
		},
		.description = "Azure OpenAI and Azure AI Foundry",
	},
	{
		.name = "anthropic",
		.protocol = AI_PROTOCOL_ANTHROPIC_MESSAGES,
		.auth = AI_AUTH_X_API_KEY,
		.key_required = true,
		.endpoint = "https://api.anthropic.com",
		.hosts = "api.anthropic.com",
		.settings = anthropic_settings,
		.description = "Anthropic",
	},
	{
		.name = "bedrock",
		.protocol = AI_PROTOCOL_BEDROCK_CONVERSE,
		.protocols = SPEAKS_CHAT | SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.task_protocols = {
			[AI_TASK_EMBED] = AI_PROTOCOL_BEDROCK_INVOKE,
			[AI_TASK_RERANK] = AI_PROTOCOL_BEDROCK_INVOKE,
		},
		.tasks = CHAT | EMBED | RERANK,
		.auth = AI_AUTH_AWS,
		.key_required = true,
		.endpoint = "https://bedrock-runtime.{region}.amazonaws.com",
		.hosts = "bedrock-runtime.*.amazonaws.com, bedrock-runtime-fips.*.amazonaws.com, bedrock-mantle.*.api.aws",
		.settings = bedrock_settings,
		.parameters = bedrock_parameters,
		.bases = {
			{AI_PROTOCOL_OPENAI_CHAT, "/openai/v1"},
			{AI_PROTOCOL_OPENAI_RESPONSES, "/openai/v1"},
		},
		.description = "Amazon Bedrock",
	},
	{
		.name = "gemini",
		.protocol = AI_PROTOCOL_GEMINI,
		.protocols = AI_PROTOCOL_BIT(AI_PROTOCOL_GEMINI_INTERACTIONS) | SPEAKS_CHAT,
		.tasks = CHAT | EMBED,
		.auth = AI_AUTH_X_GOOG_API_KEY,
		.key_required = true,
		.endpoint = "https://generativelanguage.googleapis.com",
		.hosts = "generativelanguage.googleapis.com",
		.settings = gemini_settings,
		.bases = {
			{AI_PROTOCOL_GEMINI, "/v1beta"},
			{AI_PROTOCOL_GEMINI_INTERACTIONS, "/v1beta"},
			{AI_PROTOCOL_OPENAI_CHAT, "/v1beta/openai"},
		},
		.description = "Google's Gemini API",
	},
	{
		.name = "vertex",
		.protocol = AI_PROTOCOL_GEMINI,
		.protocols = SPEAKS_CHAT | SPEAKS_ANTHROPIC,
		.task_protocols = {[AI_TASK_EMBED] = AI_PROTOCOL_VERTEX_PREDICT},
		.tasks = CHAT | EMBED,
		.auth = AI_AUTH_GOOGLE,
		.key_required = true,
		.endpoint = "https://{location}-aiplatform.googleapis.com",
		.hosts = "aiplatform.googleapis.com, *-aiplatform.googleapis.com",
		.settings = vertex_settings,
		.parameters = vertex_parameters,
		.bases = {
			{AI_PROTOCOL_GEMINI, "/v1/projects/{project}/locations/{location}/publishers/google"},
			{AI_PROTOCOL_VERTEX_PREDICT, "/v1/projects/{project}/locations/{location}/publishers/google"},
			{AI_PROTOCOL_ANTHROPIC_MESSAGES, "/v1/projects/{project}/locations/{location}/publishers/anthropic"},
			{AI_PROTOCOL_OPENAI_CHAT, "/v1/projects/{project}/locations/{location}/endpoints/openapi"},
		},
		.description = "Google's Vertex AI",
	},
	{
		.name = "ollama",
		.protocol = AI_PROTOCOL_OLLAMA,
		.protocols = SPEAKS_CHAT | SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.tasks = CHAT | EMBED,
		.auth = AI_AUTH_BEARER,
		.endpoint = "http://127.0.0.1:11434",
		.hosts = "ollama.com",
		.settings = ollama_settings,
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "Ollama",
	},
	{
		.name = "llamacpp",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.tasks = CHAT | EMBED | RERANK,
		.auth = AI_AUTH_BEARER,
		.endpoint = "http://127.0.0.1:8080/v1",
		.settings = no_settings,
		.max_inputs = 512,
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "llama.cpp's server",
	},
	{
		.name = "vllm",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.tasks = CHAT | EMBED | RERANK | TRANSCRIBE,
		.auth = AI_AUTH_BEARER,
		.endpoint = "http://127.0.0.1:8000/v1",
		.settings = store_settings,
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "vLLM",
	},
	{
		.name = "lmstudio",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.tasks = CHAT | EMBED,
		.auth = AI_AUTH_BEARER,
		.endpoint = "http://127.0.0.1:1234/v1",
		.settings = store_settings,
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "LM Studio",
	},
	{
		.name = "tei",
		.protocol = AI_PROTOCOL_TEI,
		.protocols = SPEAKS_CHAT,
		.tasks = EMBED | RERANK,
		.auth = AI_AUTH_BEARER,
		.settings = tei_settings,
		.bases = {{AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "Text Embeddings Inference",
	},
	{
		.name = "cohere",
		.protocol = AI_PROTOCOL_COHERE,
		.protocols = SPEAKS_CHAT,
		.tasks = CHAT | EMBED | RERANK,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.cohere.com",
		.hosts = "api.cohere.com, api.cohere.ai",
		.settings = cohere_settings,
		.bases = {{AI_PROTOCOL_COHERE, "/v2"}, {AI_PROTOCOL_OPENAI_CHAT, "/compatibility/v1"}},
		.description = "Cohere",
	},
	{
		.name = "mistral",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.tasks = CHAT | EMBED | MODERATE | TRANSCRIBE,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.mistral.ai/v1",
		.hosts = "api.mistral.ai",
		.settings = no_settings,
		.max_inputs = 512,
		.max_input_bytes = 45000,	/* about 16,000 tokens a request */
		.dialect = {.seed = "random_seed",.dimensions = "output_dimension",.no_stream_options = true},
		.bases = {{AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "Mistral",
	},
	{
		.name = "voyage",
		.protocol = AI_PROTOCOL_VOYAGE,
		.tasks = EMBED | RERANK,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.voyageai.com/v1",
		.hosts = "api.voyageai.com, ai.mongodb.com",
		.settings = voyage_settings,
		.bases = {{AI_PROTOCOL_VOYAGE, "/v1"}},
		.description = "Voyage",
	},
	{
		.name = "jina",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.tasks = EMBED | RERANK,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.jina.ai/v1",
		.hosts = "api.jina.ai",
		.settings = no_settings,
		.max_inputs = 512,
		.bases = {{AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "Jina",
	},
	{
		.name = "openrouter",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES,
		.tasks = CHAT | EMBED,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://openrouter.ai/api/v1",
		.hosts = "openrouter.ai",
		.settings = store_settings,
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/api/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/api/v1"}},
		.description = "OpenRouter",
	},
	{
		.name = "groq",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES,
		.tasks = CHAT | TRANSCRIBE,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.groq.com/openai/v1",
		.hosts = "api.groq.com",
		.settings = store_settings,
		.dialect = {.max_tokens = "max_completion_tokens"},
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/openai/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/openai/v1"}},
		.description = "Groq",
	},
	{
		.name = "together",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.tasks = CHAT | EMBED | RERANK | TRANSCRIBE,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.together.xyz/v1",
		.hosts = "api.together.xyz, api.together.ai",
		.settings = no_settings,
		.bases = {{AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "Together",
	},
	{
		.name = "deepseek",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_ANTHROPIC,
		.tasks = CHAT,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.deepseek.com",
		.hosts = "api.deepseek.com",
		.settings = no_settings,
		.dialect = {.json_object_only = true},
		.bases = {{AI_PROTOCOL_ANTHROPIC_MESSAGES, "/anthropic"}},
		.description = "DeepSeek",
	},
	{
		.name = "xai",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.protocols = SPEAKS_RESPONSES | SPEAKS_ANTHROPIC,
		.tasks = CHAT,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.x.ai/v1",
		.hosts = "api.x.ai, us-east-1.api.x.ai, eu-west-1.api.x.ai",
		.settings = store_settings,
		.dialect = {.reasoning_beside = true},
		.bases = {{AI_PROTOCOL_OPENAI_RESPONSES, "/v1"}, {AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "xAI",
	},
	{
		.name = "perplexity",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.tasks = CHAT,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://api.perplexity.ai",
		.hosts = "api.perplexity.ai",
		.settings = no_settings,
		.description = "Perplexity",
	},
	{
		.name = "huggingface",
		.protocol = AI_PROTOCOL_OPENAI_CHAT,
		.tasks = CHAT,
		.auth = AI_AUTH_BEARER,
		.key_required = true,
		.endpoint = "https://router.huggingface.co/v1",
		.hosts = "router.huggingface.co",
		.settings = no_settings,
		.bases = {{AI_PROTOCOL_OPENAI_CHAT, "/v1"}},
		.description = "Hugging Face's router",
	},
	{
		.name = "mock",
		.protocol = AI_PROTOCOL_MOCK,
		.auth = AI_AUTH_NONE,
		.in_process = true,
		.settings = no_settings,
		.description = "answers in process, for testing one's own SQL",
	},
};

const int	ai_n_providers = sizeof(ai_providers) / sizeof(ai_providers[0]);

const AiProtocol *const ai_protocols[AI_PROTOCOLS] = {
	[AI_PROTOCOL_OPENAI_CHAT] = &ai_protocol_openai_chat,
	[AI_PROTOCOL_OPENAI_RESPONSES] = &ai_protocol_openai_responses,
	[AI_PROTOCOL_ANTHROPIC_MESSAGES] = &ai_protocol_anthropic_messages,
	[AI_PROTOCOL_BEDROCK_CONVERSE] = &ai_protocol_bedrock_converse,
	[AI_PROTOCOL_BEDROCK_INVOKE] = &ai_protocol_bedrock_invoke,
	[AI_PROTOCOL_GEMINI] = &ai_protocol_gemini,
	[AI_PROTOCOL_GEMINI_INTERACTIONS] = &ai_protocol_gemini_interactions,
	[AI_PROTOCOL_VERTEX_PREDICT] = &ai_protocol_vertex_predict,
	[AI_PROTOCOL_OLLAMA] = &ai_protocol_ollama,
	[AI_PROTOCOL_COHERE] = &ai_protocol_cohere,
	[AI_PROTOCOL_VOYAGE] = &ai_protocol_voyage,
	[AI_PROTOCOL_TEI] = &ai_protocol_tei,
	[AI_PROTOCOL_CONTENT_SAFETY] = &ai_protocol_content_safety,
	[AI_PROTOCOL_MOCK] = &ai_protocol_mock,
};

/* Many calls in a row ask for the same one, each of them several times. */
const AiProvider *
ai_provider_by_name(const char *name)
{
	static const AiProvider *last = &ai_providers[0];

	if (strcmp(last->name, name) == 0)
		return last;
	for (int i = 0; i < ai_n_providers; i++)
	{
		if (strcmp(ai_providers[i].name, name) == 0)
			return last = &ai_providers[i];
	}
	return NULL;
}

bool
ai_task_by_name(const char *name, AiTask *task)
{
	for (int i = 0; i < AI_TASKS; i++)
	{
		if (strcmp(ai_task_names[i], name) == 0)
		{
			*task = (AiTask) i;
			return true;
		}
	}
	return false;
}

AiProtocolId
ai_protocol_by_name(const char *name)
{
	for (int i = AI_PROTOCOL_NONE + 1; i < AI_PROTOCOLS; i++)
	{
		if (strcmp(ai_protocols[i]->name, name) == 0)
			return (AiProtocolId) i;
	}
	return AI_PROTOCOL_NONE;
}

AiProtocolId
ai_provider_protocol(const AiProvider *provider, AiTask task)
{
	return provider->task_protocols[task] != AI_PROTOCOL_NONE
		? provider->task_protocols[task] : provider->protocol;
}

bool
ai_provider_speaks(const AiProvider *provider, AiProtocolId protocol)
{
	for (int task = 0; task < AI_TASKS; task++)
	{
		if (ai_provider_protocol(provider, (AiTask) task) == protocol)
			return true;
	}
	return protocol == provider->protocol || (provider->protocols & AI_PROTOCOL_BIT(protocol)) != 0;
}

bool
ai_provider_serves(const AiProvider *provider, AiProtocolId protocol, AiTask task)
{
	return ai_protocols[protocol]->options[task] != 0 &&
		(provider->tasks == 0 || (provider->tasks & AI_TASK_BIT(task)) != 0);
}

void
ai_provider_names(AiBuffer *out)
{
	for (int i = 0; i < ai_n_providers; i++)
		ai_buffer_printf(out, "%s%s", i > 0 ? ", " : "", ai_providers[i].name);
}

void
ai_provider_limits(const AiTarget *target, int *max_inputs, int *max_bytes)
{
	const AiProvider *provider = target->provider;
	const AiProtocol *protocol = ai_protocols[target->protocol];

	int			most = protocol->limit ? protocol->limit(target)
		: provider->max_inputs ? provider->max_inputs : protocol->max_inputs;
	int64_t		wanted = ai_json_int64(target->settings, AI_SETTING_MAX_INPUTS);

	if (wanted < 1)
		wanted = AI_MOST_INPUTS;
	*max_inputs = wanted < most ? (int) wanted : most;
	if (*max_inputs < 1)
		*max_inputs = 1;
	*max_bytes = provider->max_input_bytes ? provider->max_input_bytes : protocol->max_input_bytes;
}
