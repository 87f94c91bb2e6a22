/*
 * provider.h
 *	  The provider layer: a neutral request in, an HTTP request out; an HTTP
 *	  reply in, a neutral reply or a failure out.
 *
 * Everything in provider/ is pure: no I/O, no catalog, no palloc, no ereport,
 * no PostgreSQL header.  It is plain C and cJSON, unit-tested and fuzzed
 * without a server.
 *
 * The story, as call/attempt.c has it.  A target is described (call/target.c):
 * who, how, where, with which key or token (auth.h).  ai_provider_build() checks
 * what the request wants against what protocol, provider and profile can carry,
 * has the protocol write it, and adds the key or the signature.  http/ carries it.
 * A reply that comes as events is taken in meanwhile (stream.h).  Then
 * ai_provider_parse() reads it: with status 2xx by the protocol, else what kind of
 * failure it is and when to try again (classify.h).  A provider that answers in
 * process is checked alike, and responds in place of all that.
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
 *	the call.  An AiReply owns malloc memory, freed by ai_reply_free(); one that
 *	cannot be read leaves nothing in it but a request id, one that holds no answer
 *	(refused, filtered, cut off) what came and its usage.  Functions that can fail
 *	return false and fill the AiFailure; nothing throws.
 *
 * All text is UTF-8 without U+0000, in both directions.
 */
#ifndef AI_PROVIDER_H
#define AI_PROVIDER_H

#include "provider/options.h"
#include "util/crypto.h"
#include "util/failure.h"
#include "util/json.h"
#include "util/usage.h"
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
#define AI_TASK_BIT(task)	(UINT32_C(1) << (task))

extern const char *const ai_task_names[AI_TASKS];

typedef enum AiProtocolId
{
	AI_PROTOCOL_NONE = 0,
	AI_PROTOCOL_OPENAI_CHAT,
	AI_PROTOCOL_OPENAI_RESPONSES,
	AI_PROTOCOL_ANTHROPIC_MESSAGES,
	AI_PROTOCOL_BEDROCK_CONVERSE,
	AI_PROTOCOL_BEDROCK_INVOKE,
	AI_PROTOCOL_GEMINI,
	AI_PROTOCOL_GEMINI_INTERACTIONS,
	AI_PROTOCOL_VERTEX_PREDICT,
	AI_PROTOCOL_OLLAMA,
	AI_PROTOCOL_COHERE,
	AI_PROTOCOL_VOYAGE,
	AI_PROTOCOL_TEI,
	AI_PROTOCOL_CONTENT_SAFETY,
	AI_PROTOCOL_MOCK,
} AiProtocolId;

#define AI_PROTOCOLS	(AI_PROTOCOL_MOCK + 1)
#define AI_PROTOCOL_BIT(id)	(UINT32_C(1) << (id))

typedef enum AiAuth
{
	AI_AUTH_NONE,				/* takes no key */
	AI_AUTH_BEARER,				/* Authorization: Bearer */
	AI_AUTH_X_API_KEY,			/* x-api-key */
	AI_AUTH_X_GOOG_API_KEY,		/* x-goog-api-key */
	AI_AUTH_AZURE,				/* api-key, or a token of Entra ID */
	AI_AUTH_AWS,				/* Signature Version 4, or a Bedrock API key */
	AI_AUTH_GOOGLE,				/* a token for a service account */
} AiAuth;

/*
 * How a provider deviates from the protocol that it speaks, as far as data can
 * say it.  All zero = as the protocol's file has it.
 */
typedef struct AiDialect
{
	const char *max_tokens;		/* other names of members */
	const char *seed;
	const char *dimensions;
	bool		json_object_only;	/* has JSON, but takes no schema */
	bool		base64;			/* embeddings are asked for in base64 */
	bool		no_stream_options;	/* a stream tells its usage unasked */
	bool		reasoning_beside;	/* completion_tokens excludes reasoning */
} AiDialect;

/* The path before a protocol's own, at an endpoint that names none. */
typedef struct AiBase
{
	AiProtocolId protocol;
	const char *path;			/* {setting} is replaced */
} AiBase;

#define AI_MAX_BASES	4

typedef struct AiProvider
{
	const char *name;
	AiProtocolId protocol;		/* its own, where a model row names none */
	AiAuth		auth;
	bool		key_required;	/* its own hosts refuse a call without a key */
	bool		in_process;		/* answers by itself, without a network */
	const char *endpoint;		/* {setting} is replaced; NULL = the model or
								 * the GUC must give one */
	const char *hosts;			/* its own hosts, as a list of
								 * ai_host_listed() */
	const char *const *settings;	/* keys that models.settings may have;
									 * NULL-ended */
	const char *const *parameters;	/* those of its configuration:
									 * ai_gateway.<name>_<parameter>; NULL =
									 * none */
	uint32_t	protocols;		/* AI_PROTOCOL_BITs of those that it speaks
								 * beside its own */
	AiProtocolId task_protocols[AI_TASKS];	/* for tasks that its own does not
											 * serve */
	uint32_t	tasks;			/* AI_TASK_BITs; 0 = all that the protocol
								 * does */
	int			max_inputs;		/* that an embedding request may carry; 0 =
								 * the protocol's */
	int			max_input_bytes;	/* likewise */
	AiDialect	dialect;
	AiBase		bases[AI_MAX_BASES];
	const char *description;
} AiProvider;

/*
 * What a family of models refuses, renames or requires (a row of
 * ai_gateway.model_profiles).  All pointers are borrowed.
 */
typedef struct AiProfile
{
	const char *pattern;
	uint32_t	refuses;		/* AI_OPTION_BITs */
	bool		refuses_tools;
	bool		refuses_images;
	bool		refuses_schema;
	bool		refuses_dimensions;
	bool		refuses_forced_tools;	/* tool_choice "required" or a name */
	const cJSON *renames;		/* {"max_tokens": "max_completion_tokens"} */
	const cJSON *requires;		/* members for each request that lacks them */
} AiProfile;

typedef struct AiTarget
{
	const AiProvider *provider;
	AiProtocolId protocol;
	const char *endpoint;		/* no slash at the end */
	const char *remote_model;
	const char *api_key;		/* NULL = send none */
	bool		token;			/* the key is a token: sent as Bearer */
	const cJSON *fields;		/* of a key file that is a JSON object */
	const AiProfile *profile;	/* what its family of models wants, or NULL */
	const AiCrypto *crypto;
	int64_t		now;			/* seconds since 1970, for signatures */
	const cJSON *settings;		/* an object, or NULL */
	/* where a setting is configured for the provider as a whole; may be NULL */
	const char *(*default_setting) (const char *provider, const char *name);
} AiTarget;

typedef enum AiRole
{
	AI_ROLE_SYSTEM,
	AI_ROLE_USER,
	AI_ROLE_ASSISTANT,
	AI_ROLE_TOOL,
} AiRole;

/* A picture, or another file that no protocol carries yet. */
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
	const char *const *inputs;	/* embed, rerank, moderate */
	int			n_inputs;
	int			dimensions;		/* embed; 0 = the model's own */
	const cJSON *schema;		/* chat: the answer is to be JSON of this
								 * schema */
	const char *query;			/* rerank; the documents are the inputs */
	int			top_n;			/* rerank; 0 = all */
	bool		stream;			/* chat: the reply is to come as events */
	const unsigned char *audio; /* transcribe */
	size_t		audio_len;
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

typedef struct AiScore
{
	int			index;
	double		score;
} AiScore;

typedef struct AiReply
{
	char	   *text;			/* chat; NULL if there is none */
	char	   *reasoning;		/* what it thought, where the provider shows
								 * it */
	char	   *refusal;		/* what the model said when it refused */
	cJSON	   *tool_calls;		/* [{id, name, arguments: object}] or NULL */
	bool		unreadable_call;	/* one without a name, or not as JSON */
	AiFinishReason finish;
	char	   *model;			/* what the provider says it ran */
	char		request_id[128];
	AiUsage		usage;
	float	   *vectors;		/* embed: n_vectors x dimensions, in input
								 * order */
	int			n_vectors;
	int			dimensions;
	AiScore    *scores;			/* rerank, in the provider's order */
	int			n_scores;
	cJSON	   *moderation;		/* moderate: {flagged, categories, scores} */
} AiReply;

/*
 * One protocol.  `options` says which options it can carry for each task (a
 * set of AI_OPTION bits, 0 = it does not serve the task).
 *
 * build	appends to an empty request: URL, headers (without the key) and
 *			body.
 * parse	reads a reply with a 2xx status.
 * respond	for a provider that answers in process: fills the reply or the
 *			failure; *latency_ms says when it would have arrived.
 */
typedef struct AiProtocol
{
	const char *name;
	uint32_t	options[AI_TASKS];
	int			max_inputs;		/* embedding inputs a request may carry */
	int			max_input_bytes;	/* and their bytes together; 0 = no limit */
	int			(*limit) (const AiTarget *target);	/* where max_inputs
													 * depends */
	bool		images;
	bool		tools;
	bool		schema;			/* takes a JSON Schema for the answer */
	const struct AiAssembler *assembler;	/* of the events that a chat reply
											 * can come as; NULL = it cannot */
	bool		(*streams) (const AiTarget *target);	/* where that depends */
	bool		(*build) (const AiTarget *target, const AiRequest *request,
						  AiHttpRequest *http, AiFailure *failure);
	bool		(*parse) (const AiTarget *target, const AiRequest *request,
						  const AiHttpReply *http, AiReply *reply,
						  AiFailure *failure);
	bool		(*respond) (const AiTarget *target, const AiRequest *request,
							int attempt, AiReply *reply, AiFailure *failure,
							double *latency_ms);
} AiProtocol;

extern const AiProvider ai_providers[];
extern const int ai_n_providers;
extern const AiProtocol *const ai_protocols[AI_PROTOCOLS];

extern const AiProvider *ai_provider_by_name(const char *name);
extern AiProtocolId ai_protocol_by_name(const char *name);
extern bool ai_task_by_name(const char *name, AiTask *task);

/* The protocol that a provider has for a task, where a model row names none. */
extern AiProtocolId ai_provider_protocol(const AiProvider *provider, AiTask task);
extern bool ai_provider_speaks(const AiProvider *provider, AiProtocolId protocol);
extern bool ai_provider_serves(const AiProvider *provider, AiProtocolId protocol, AiTask task);

/*
 * A setting that embedding models of every provider may have: how many inputs a
 * request is to carry, never more than the provider takes.  Without it they are
 * AI_MOST_INPUTS: many requests under way are answered sooner than few large
 * ones, and the vectors of one reply take room together.
 */
#define AI_SETTING_MAX_INPUTS	"max_inputs"
#define AI_MOST_INPUTS	256

/*
 * How many inputs, and bytes of them (0 = no limit), one embedding request may
 * carry.
 */
extern void ai_provider_limits(const AiTarget *target, int *max_inputs, int *max_bytes);

/*
 * The provider's own endpoint with its {settings} filled in; false with a
 * failure that names the one that is missing or cannot be part of a host.
 */
extern bool ai_provider_endpoint(const AiTarget *target, AiBuffer *out, AiFailure *failure);

/* Can the reply be asked for as a stream of events (request.stream)? */
extern bool ai_provider_streams(const AiTarget *target, AiTask task);

/* May the answer be constrained by a schema there, or is it to be asked for in words? */
extern bool ai_provider_takes_schema(const AiTarget *target);

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

/*
 * endpoint + the provider's base for this protocol, if the endpoint has no
 * path of its own + path.
 */
extern bool ai_put_url(AiHttpRequest *http, const AiTarget *target, const char *path,
					   AiFailure *failure);
extern void ai_put_header(AiHttpRequest *http, const char *name, const char *value);

/* Collects the text of all system messages, joined by blank lines. */
extern char *ai_system_text(const AiRequest *request);

/* Adds {id, name, arguments} to reply->tool_calls; arguments as text or tree. */
extern bool ai_reply_add_tool_call(AiReply *reply, const char *id, const char *name,
								   const char *arguments_text,
								   const cJSON *arguments, AiFailure *failure);

/* Adds a score; index must be one of n documents, and new. */
extern bool ai_reply_add_score(AiReply *reply, int n_documents, int64_t index, double score,
							   AiFailure *failure);

/* No model gives vectors of more. */
#define AI_MAX_DIMENSIONS	65536

/* Room for count x dimensions floats in the reply; checks the product. */
extern bool ai_reply_make_vectors(AiReply *reply, int count, int dimensions,
								  AiFailure *failure);

/*
 * A finished chat reply becomes a failure when it holds no answer: refusals,
 * filtered content, and output cut off before its first word.
 */
extern bool ai_reply_check(AiReply *reply, AiFailure *failure);

#endif							/* AI_PROVIDER_H */
