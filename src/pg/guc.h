/*
 * guc.h
 *	  The configuration parameters ai_gateway.*: their values, read by everyone
 *	  above.  Which of them may be set by whom is in guc.c.
 */
#ifndef AI_GUC_H
#define AI_GUC_H

#include "postgres.h"

typedef enum AiOnError
{
	AI_ON_ERROR_ERROR,
	AI_ON_ERROR_NULL,
	AI_ON_ERROR_WARN,
} AiOnError;

extern char *ai_guc_default_model;
extern char *ai_guc_default_embedding_model;
extern char *ai_guc_default_rerank_model;
extern char *ai_guc_default_moderation_model;
extern char *ai_guc_default_transcription_model;
extern int	ai_guc_timeout;		/* ms, all attempts of a call together */
extern int	ai_guc_max_timeout; /* ms, what a user's timeout cannot exceed */
extern int	ai_guc_connect_timeout; /* ms */
extern int	ai_guc_first_byte_timeout;	/* ms; 0 = replies are not streamed */
extern int	ai_guc_max_retries;
extern int	ai_guc_max_response_size;	/* kB */
extern int	ai_guc_max_in_flight;	/* per statement */
extern int	ai_guc_on_error;	/* AiOnError */
extern bool ai_guc_drop_unsupported;
extern bool ai_guc_concurrent;
extern bool ai_guc_progress;
extern char *ai_guc_allowed_hosts;
extern char *ai_guc_credentials_directory;
extern char *ai_guc_ca_file;
extern char *ai_guc_proxy;

/*
 * Counts up when a parameter changes that says where calls may go and how: then
 * connections are renewed, and what was concluded from these is forgotten.
 */
extern int	ai_guc_network_generation;

/* Was the library in shared_preload_libraries? */
extern bool ai_preloaded;

extern void ai_guc_init(void);

/*
 * Defines ai_gateway.<name>_endpoint and ai_gateway.<name>_api_key.  Strings
 * are kept, not copied.  At most AI_GUC_PROVIDERS.
 */
#define AI_GUC_PROVIDERS	32
extern void ai_guc_define_provider(const char *name, const char *description);

/* Defines ai_gateway.<provider>_<name>: a setting of all the provider's models. */
extern void ai_guc_define_setting(const char *provider, const char *name);

/* Last of all: refuses other names under the prefix. */
extern void ai_guc_finish(void);

/*
 * Has this called when a key or the directory of credentials may have changed;
 * it must not throw.
 */
extern void ai_guc_on_key_change(void (*changed) (void));

/* The provider's endpoint or NULL, and its key as configured or NULL. */
extern const char *ai_guc_provider_endpoint(const char *provider);
extern const char *ai_guc_provider_key(const char *provider);

/* A setting that ai_guc_define_setting() defined, or NULL where it is empty. */
extern const char *ai_guc_provider_setting(const char *provider, const char *name);

#endif							/* AI_GUC_H */
