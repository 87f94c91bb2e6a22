/*
 * provider.h
 *	  The provider layer: a neutral request in, an HTTP request out; an HTTP
 *	  reply in, a neutral reply or a failure out.
 *
 * Everything in provider/ is pure: no I/O, no catalog, no palloc, no ereport,
 * no PostgreSQL header.  It is plain C and cJSON, unit-tested and fuzzed
 * without a server.
 *
 * Words
 *	provider	who answers: openai, anthropic, ...  One row of ai_providers[]:
 *				its hosts, its endpoint, how it wants its key.
 *	protocol	how it is spoken: openai-chat, anthropic-messages, ...  One file
 *				and one row of ai_protocols[]: what it can do, build, parse.
 *	target		one resolved registration: provider, protocol, endpoint,
 *				remote model, key.
 *
 * Ownership
 *	AiRequest and AiTarget borrow everything; the caller keeps it alive during
 *	the call.  An AiReply owns malloc memory, freed by ai_reply_free(); a
 *	failed parse leaves nothing in it.  Functions that can fail return false
 *	and fill the AiFailure.
 *
 * All text is UTF-8 without U+0000, in both directions.
 */
#ifndef AI_PROVIDER_H
#define AI_PROVIDER_H

#include "provider/options.h"
#include "util/failure.h"
#include "util/json.h"
#include "util/wire.h"

typedef enum AiTask
{
	AI_TASK_CHAT,
	AI_TASK_EMBED,
	AI_TASK_RERANK,
	AI_TASK_MODERATE,
	AI_TASK_TRANSCRIBE,
} AiTask;

#define AI_TASKS	(AI_TASK_TRANSCRIBE + 1)

extern const char *const ai_task_names[AI_TASKS];

typedef enum AiProtocolId
{
	AI_PROTOCOL_NONE = 0,
	AI_PROTOCOL_OPENAI_CHAT,
	AI_PROTOCOL_ANTHROPIC_MESSAGES,
	AI_PROTOCOL_OLLAMA,
	AI_PROTOCOL_MOCK,
} AiProtocolId;

#define AI_PROTOCOLS	(AI_PROTOCOL_MOCK + 1)

typedef enum AiAuth
{
	AI_AUTH_NONE,				/* takes no key */
	AI_AUTH_BEARER,				/* Authorization: Bearer */
	AI_AUTH_X_API_KEY,			/* x-api-key */
} AiAuth;

typedef struct AiProvider
{
	const char *name;
	AiProtocolId protocol;		/* its own, where a model row names none */
	AiAuth		auth;
	bool		key_required;	/* its own hosts refuse a call without a key */
	bool		in_process;		/* answers by itself, without a network */
	const char *endpoint;		/* NULL = the model or the GUC must give one */
	const char *hosts;			/* its own hosts, as a list of
								 * ai_host_listed() */
	const char *key_variable;	/* the environment variable its users know */
	const char *const *settings;	/* keys that models.settings may have;
									 * NULL-ended */
	const char *description;
} AiProvider;

typedef struct AiTarget
{
	const AiProvider *provider;
	AiProtocolId protocol;
	const char *endpoint;		/* no slash at the end */
	const char *remote_model;
	const char *api_key;		/* NULL = send none */
	const cJSON *settings;		/* an object, or NULL */
} AiTarget;

typedef enum AiRole
{
	AI_ROLE_SYSTEM,
	AI_ROLE_USER,
	AI_ROLE_ASSISTANT,
	AI_ROLE_TOOL,
} AiRole;

typedef struct AiImage
{
	const char *media_type;		/* image/png ... */
	const unsigned char *data;
	size_t		len;
} AiImage;

typedef struct AiMessage
{
	AiRole		role;
	const char *text;			/* may be NULL if it has tool calls or images */
	const AiImage *images;
	int			n_images;
	const cJSON *tool_calls;	/* assistant: [{id, name, arguments}] or NULL */
	const char *tool_call_id;	/* tool: which call this answers */
} AiMessage;

typedef struct AiRequest
{
	AiTask		task;
	const AiMessage *messages;	/* chat */
	int			n_messages;
	const cJSON *tools;			/* OpenAI's form: [{type, function: {...}}] or
								 * NULL */
	const char *const *inputs;	/* embed */
	int			n_inputs;
	int			dimensions;		/* embed; 0 = the model's own */
	AiOptions	options;
} AiRequest;

typedef enum AiFinishReason
{
	AI_FINISH_NONE,
	AI_FINISH_STOP,
	AI_FINISH_LENGTH,
	AI_FINISH_TOOL_CALLS,
	AI_FINISH_CONTENT_FILTER,
	AI_FINISH_REFUSAL,
	AI_FINISH_ERROR,
} AiFinishReason;

#define AI_FINISH_REASONS	(AI_FINISH_ERROR + 1)

extern const char *const ai_finish_reason_names[AI_FINISH_REASONS];

/*
 * Tokens, disjoint: input = uncached_input + cache_read + cache_write, output
 * = visible_output + reasoning.  -1 = the provider did not say.
 */
typedef struct AiUsage
{
	int64_t		uncached_input;
	int64_t		cache_read;
	int64_t		cache_write;
	int64_t		visible_output;
	int64_t		reasoning;
} AiUsage;

typedef struct AiReply
{
	char	   *text;			/* chat; NULL if there is none */
	char	   *refusal;		/* what the model said when it refused */
	cJSON	   *tool_calls;		/* [{id, name, arguments: object}] or NULL */
	AiFinishReason finish;
	char	   *model;			/* what the provider says it ran */
	char		request_id[128];
	AiUsage		usage;
	float	   *vectors;		/* embed: n_vectors x dimensions, in input
								 * order */
	int			n_vectors;
	int			dimensions;
} AiReply;

/*
 * One protocol.  `options` says which options it can carry for each task (a
 * set of AI_OPTION bits, 0 = it does not serve the task).
 *
 * build	appends to an empty request: URL, headers (without the key) and
 *			body.
 * parse	reads a reply with a 2xx status.
 * classify reads any other reply into a failure: kind, code, message.  NULL =
 *			the common reader of provider.c is enough.
 * respond	for a provider that answers in process: fills the reply or the
 *			failure; *latency_ms says when it would have arrived.
 */
typedef struct AiProtocol
{
	const char *name;
	uint32_t	options[AI_TASKS];
	int			max_inputs;		/* embedding inputs a request may carry */
	int			max_input_bytes;	/* and their bytes together; 0 = no limit */
	bool		images;
	bool		tools;
	bool		(*build) (const AiTarget *target, const AiRequest *request,
						  AiHttpRequest *http, AiFailure *failure);
	bool		(*parse) (const AiTarget *target, const AiRequest *request,
						  const AiHttpReply *http, AiReply *reply,
						  AiFailure *failure);
	void		(*classify) (const AiTarget *target, const AiHttpReply *http,
							 const cJSON *body, AiFailure *failure);
	bool		(*respond) (const AiTarget *target, const AiRequest *request,
							int attempt, AiReply *reply, AiFailure *failure,
							double *latency_ms);
} AiProtocol;

extern const AiProvider ai_providers[];
extern const int ai_n_providers;
extern const AiProtocol *const ai_protocols[AI_PROTOCOLS];

extern const AiProvider *ai_provider_by_name(const char *name);
extern AiProtocolId ai_protocol_by_name(const char *name);
extern bool ai_provider_speaks(const AiProvider *provider, AiProtocolId protocol);

/* "a, b, c" of all names, for errors. */
extern void ai_provider_names(AiBuffer *out);

/*
 * Checks the request against what the protocol can carry, then builds it and
 * adds the key.  With drop_unsupported, options that the protocol cannot carry
 * are left out; without it they are failures that name them.
 */
extern bool ai_provider_build(const AiTarget *target, const AiRequest *request,
							  bool drop_unsupported, AiHttpRequest *http,
							  AiFailure *failure);

/* Reads a reply of any status. `now` is seconds since 1970, for Retry-After. */
extern bool ai_provider_parse(const AiTarget *target, const AiRequest *request,
							  const AiHttpReply *http, int64_t now,
							  AiReply *reply, AiFailure *failure);

/*
 * Checks and drops as ai_provider_build() does, for a provider in process;
 * `effective` receives the request with the dropped options taken out.
 */
extern bool ai_provider_check(const AiTarget *target, const AiRequest *request,
							  bool drop_unsupported, AiRequest *effective,
							  AiFailure *failure);

extern void ai_reply_init(AiReply *reply);
extern void ai_reply_free(AiReply *reply);

/* ---- what protocols share; see provider.c ---- */

/* endpoint + path, where the endpoint may already end in /v1 or not. */
extern void ai_put_url(AiHttpRequest *http, const char *endpoint, const char *path);
extern void ai_put_header(AiHttpRequest *http, const char *name, const char *value);

/* Collects the text of all system messages, joined by blank lines. */
extern char *ai_system_text(const AiRequest *request);

/* Adds {id, name, arguments} to reply->tool_calls; arguments as text or tree. */
extern bool ai_reply_add_tool_call(AiReply *reply, const char *id, const char *name,
								   const char *arguments_text,
								   const cJSON *arguments, AiFailure *failure);

/* Room for count x dimensions floats in the reply; checks the product. */
extern bool ai_reply_make_vectors(AiReply *reply, int count, int dimensions,
								  AiFailure *failure);

/*
 * A finished chat reply becomes a failure when it holds no answer: refusals,
 * filtered content, and output cut off before its first word.
 */
extern bool ai_reply_check(AiReply *reply, AiFailure *failure);

#endif							/* AI_PROVIDER_H */
