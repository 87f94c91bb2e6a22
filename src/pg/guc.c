/*
 * guc.c
 *	  Defines the configuration parameters.
 *
 * The story.  When the library is loaded module.c has the parameters of all calls
 * and of the network defined, then those of each provider that is in its table
 * (an endpoint, a key, its settings), and last refuses other names under the
 * prefix.  The values are read where they are used: those of calls are taken down
 * when a call is resolved (call/call.c), those of windows when one is made, those
 * of places and keys at each attempt (call/target.c), those of the network when a
 * transfer starts (http/).
 *
 * Who may set what
 *	USERSET	what changes only the user's own answers: default models, on_error,
 *			drop_unsupported, timeouts, retries, in flight, concurrent, progress.
 *	SUSET	what a user must not widen: max_timeout, max_response_size.
 *	SIGHUP	keys, endpoints and everything else that decides where a key goes.
 *
 * Keys
 *	A key parameter never holds the key in its variable.  The check hook puts a
 *	constant mask there and hands what was configured on as the parameter's
 *	extra; the assign hook keeps a pointer to that.  Since the variable is the
 *	same before and after, a reload cannot log "changed to <key>", and no
 *	code that reads the variable (SHOW, current_setting, pg_settings) can give
 *	it away.  Hooks get no hint whose they are, so each provider has a slot
 *	with hooks of its own, made by macro.
 *	A parallel worker receives the mask and so has no key, which is right: the
 *	functions are parallel restricted.
 *
 * Memory: names and descriptions are TopMemoryContext's for good; extras belong to
 * guc.c of core.  Who may throw: defining, when the library is loaded; hooks do not.
 *
 * State: the variables below, and the slots.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "util/url.h"
#include "utils/memutils.h"

char	   *ai_guc_default_model;
char	   *ai_guc_default_embedding_model;
char	   *ai_guc_default_rerank_model;
char	   *ai_guc_default_moderation_model;
char	   *ai_guc_default_transcription_model;
int			ai_guc_timeout;
int			ai_guc_max_timeout;
int			ai_guc_connect_timeout;
int			ai_guc_first_byte_timeout;
int			ai_guc_max_retries;
int			ai_guc_max_response_size;
int			ai_guc_max_in_flight;
int			ai_guc_on_error;
bool		ai_guc_drop_unsupported;
bool		ai_guc_concurrent;
bool		ai_guc_progress;
char	   *ai_guc_allowed_hosts;
char	   *ai_guc_credentials_directory;
char	   *ai_guc_ca_file;
char	   *ai_guc_proxy;
int			ai_guc_network_generation;
bool		ai_preloaded;

#define KEY_MASK	"********"

typedef struct ProviderSlot
{
	const char *name;
	char	   *endpoint;		/* GUC variable */
	char	   *key_mask;		/* GUC variable; always KEY_MASK */
	const char *key;			/* what was configured; NULL = nothing */
} ProviderSlot;

typedef struct ProviderSetting
{
	const char *provider;
	const char *name;
	char	   *value;			/* GUC variable */
} ProviderSetting;

#define MAX_SETTINGS	32

static ProviderSlot slots[AI_GUC_PROVIDERS];
static int	n_slots;
static ProviderSetting settings[MAX_SETTINGS];
static int	n_settings;

static const struct config_enum_entry on_error_values[] = {
	{"error", AI_ON_ERROR_ERROR, false},
	{"null", AI_ON_ERROR_NULL, false},
	{"warn", AI_ON_ERROR_WARN, false},
	{NULL, 0, false}
};

static bool
is_reference(const char *key)
{
	return strncmp(key, "file:", 5) == 0 || strncmp(key, "env:", 4) == 0;
}

static bool
check_key(char **newval, void **extra, GucSource source)
{
	char	   *configured = *newval;
	char	   *mask;

	(void) source;
	if (configured != NULL && configured[0] != '\0' && strcmp(configured, KEY_MASK) != 0)
	{
		size_t		len = strlen(configured);

		if (strncmp(configured, "file:", 5) == 0 && configured[5] != '/')
		{
			GUC_check_errdetail("A key file must be named by an absolute path.");
			return false;
		}
		*extra = ai_guc_malloc(len + 1);
		if (*extra == NULL)
			return false;
		memcpy(*extra, configured, len + 1);
		/* the postmaster alone says it, once and not once a backend */
		if (!is_reference(configured) && !IsUnderPostmaster)
			ereport(WARNING,
					(errmsg("a key stands as it is in the configuration of ai_gateway"),
					 errdetail("It can be read in the configuration file, in pg_file_settings, in backups of both, and in the process list if it was given on the command line."),
					 errhint("Put it into a file of mode 0600 that belongs to the server's user, and set the parameter to 'file:/path/of/the/file'.")));
	}
	mask = ai_guc_malloc(sizeof(KEY_MASK));
	if (mask == NULL)
		return false;
	memcpy(mask, KEY_MASK, sizeof(KEY_MASK));
	if (configured != NULL)
	{
		memset(configured, 0, strlen(configured));
		ai_guc_free(configured);
	}
	*newval = mask;
	return true;
}

static const char *
show_key(const ProviderSlot *slot)
{
	if (slot->key == NULL)
		return "";
	return is_reference(slot->key) ? slot->key : KEY_MASK;
}

static void (*key_changed) (void) = NULL;

void
ai_guc_on_key_change(void (*changed) (void))
{
	key_changed = changed;
}

static void
assign_key(int slot, const char *configured)
{
	slots[slot].key = configured;
	if (key_changed != NULL)
		key_changed();
}

static void
assign_directory(const char *newval, void *extra)
{
	(void) newval;
	(void) extra;
	if (key_changed != NULL)
		key_changed();
}

#define SLOT(n) \
	static void assign_key_##n(const char *newval, void *extra) \
	{ \
		(void) newval; \
		assign_key(n, extra); \
	} \
	static const char *show_key_##n(void) \
	{ \
		return show_key(&slots[n]); \
	}
#define SLOT_HOOKS(n)	{assign_key_##n, show_key_##n}

SLOT(0) SLOT(1) SLOT(2) SLOT(3) SLOT(4) SLOT(5) SLOT(6) SLOT(7)
SLOT(8) SLOT(9) SLOT(10) SLOT(11) SLOT(12) SLOT(13) SLOT(14) SLOT(15)
SLOT(16) SLOT(17) SLOT(18) SLOT(19) SLOT(20) SLOT(21) SLOT(22) SLOT(23)
SLOT(24) SLOT(25) SLOT(26) SLOT(27) SLOT(28) SLOT(29) SLOT(30) SLOT(31)

static const struct
{
	GucStringAssignHook assign;
	GucShowHook show;
}			slot_hooks[AI_GUC_PROVIDERS] = {

	SLOT_HOOKS(0), SLOT_HOOKS(1), SLOT_HOOKS(2), SLOT_HOOKS(3),
	SLOT_HOOKS(4), SLOT_HOOKS(5), SLOT_HOOKS(6), SLOT_HOOKS(7),
	SLOT_HOOKS(8), SLOT_HOOKS(9), SLOT_HOOKS(10), SLOT_HOOKS(11),
	SLOT_HOOKS(12), SLOT_HOOKS(13), SLOT_HOOKS(14), SLOT_HOOKS(15),
	SLOT_HOOKS(16), SLOT_HOOKS(17), SLOT_HOOKS(18), SLOT_HOOKS(19),
	SLOT_HOOKS(20), SLOT_HOOKS(21), SLOT_HOOKS(22), SLOT_HOOKS(23),
	SLOT_HOOKS(24), SLOT_HOOKS(25), SLOT_HOOKS(26), SLOT_HOOKS(27),
	SLOT_HOOKS(28), SLOT_HOOKS(29), SLOT_HOOKS(30), SLOT_HOOKS(31),
};

static bool
check_endpoint(char **newval, void **extra, GucSource source)
{
	AiUrl		url;
	const char *why;

	(void) extra;
	(void) source;
	if (*newval == NULL || (*newval)[0] == '\0' || ai_url_parse(*newval, &url, &why))
		return true;
	GUC_check_errdetail("The endpoint %s.", why);
	return false;
}

static bool
check_host_list(char **newval, void **extra, GucSource source)
{
	char		bad[100];

	(void) extra;
	(void) source;
	if (*newval == NULL || ai_host_list_valid(*newval, bad, sizeof(bad)))
		return true;
	GUC_check_errdetail("\"%s\" is no host, host:port, *.domain or network such as 10.0.0.0/8.", bad);
	return false;
}

static bool
check_absolute(char **newval, void **extra, GucSource source)
{
	(void) extra;
	(void) source;
	if (*newval == NULL || (*newval)[0] == '\0' || is_absolute_path(*newval))
		return true;
	GUC_check_errdetail("The path must be absolute.");
	return false;
}

static void
assign_network(const char *newval, void *extra)
{
	(void) newval;
	(void) extra;
	ai_guc_network_generation++;
}

static void
define_default_models(void)
{
	static const struct
	{
		const char *name;
		const char *description;
		char	  **variable;
	}			defaults[] = {
		{"ai_gateway.default_embedding_model", "The model of ai_embed calls that name none.",
		&ai_guc_default_embedding_model},
		{"ai_gateway.default_rerank_model", "The model of ai_rerank calls that name none.",
		&ai_guc_default_rerank_model},
		{"ai_gateway.default_moderation_model", "The model of ai_moderate calls that name none.",
		&ai_guc_default_moderation_model},
		{"ai_gateway.default_transcription_model", "The model of ai_transcribe calls that name none.",
		&ai_guc_default_transcription_model},
	};

	for (int i = 0; i < (int) lengthof(defaults); i++)
		DefineCustomStringVariable(defaults[i].name, defaults[i].description, NULL,
								   defaults[i].variable, "", PGC_USERSET, 0,
								   NULL, NULL, NULL);
}

static void
define_calls(void)
{
	DefineCustomStringVariable("ai_gateway.default_model",
							   "The model of calls that name none.",
							   "A name in ai_gateway.models. ALTER ROLE ... SET switches a team.",
							   &ai_guc_default_model, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomIntVariable("ai_gateway.timeout",
							"The time that one call may take, all its attempts together.",
							"ai_gateway.max_timeout holds above it.",
							&ai_guc_timeout, 120000, 1, 86400000, PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("ai_gateway.max_timeout",
							"The longest time that a user may give one call.",
							NULL,
							&ai_guc_max_timeout, 600000, 1, 86400000, PGC_SUSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("ai_gateway.connect_timeout",
							"The time that connecting to a model server may take.",
							NULL,
							&ai_guc_connect_timeout, 10000, 1, 3600000, PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("ai_gateway.first_byte_timeout",
							"The time within which a chat answer must begin.",
							"Above 0, replies are asked for as streams, where the protocol has them; 0 asks for them in one piece.",
							&ai_guc_first_byte_timeout, 0, 0, 86400000, PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("ai_gateway.max_retries",
							"How often a failed call is tried again.",
							NULL,
							&ai_guc_max_retries, 2, 0, 100, PGC_USERSET, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("ai_gateway.max_response_size",
							"The largest reply that is read.",
							NULL,
							&ai_guc_max_response_size, 256 * 1024, 1, 1024 * 1024, PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomIntVariable("ai_gateway.max_in_flight",
							"How many calls of one statement may be under way at once.",
							NULL,
							&ai_guc_max_in_flight, 32, 1, 1024, PGC_USERSET, 0,
							NULL, NULL, NULL);
	DefineCustomEnumVariable("ai_gateway.on_error",
							 "What a call that failed gives: an error, NULL, or NULL with a warning.",
							 "A missing grant and a bad argument always raise an error.",
							 &ai_guc_on_error, AI_ON_ERROR_ERROR, on_error_values,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("ai_gateway.concurrent",
							 "Keep many model calls of a statement under way at once.",
							 "Off, each is made when the expression around it is evaluated. Takes effect when a statement is planned.",
							 &ai_guc_concurrent, true, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("ai_gateway.progress",
							 "Tell how far the model calls of a running statement are, in a NOTICE every few seconds.",
							 NULL,
							 &ai_guc_progress, false, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("ai_gateway.drop_unsupported",
							 "Leave out options that a provider does not know, instead of an error.",
							 "Tools, response formats and seeds are never left out.",
							 &ai_guc_drop_unsupported, false, PGC_USERSET, 0,
							 NULL, NULL, NULL);
}

static void
define_network(void)
{
	DefineCustomStringVariable("ai_gateway.allowed_hosts",
							   "Hosts that models may be called at beside the providers' own.",
							   "A comma-separated list of host, host:port, *.domain or network; plain http and private addresses are allowed for these.",
							   &ai_guc_allowed_hosts, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_host_list, assign_network, NULL);
	DefineCustomStringVariable("ai_gateway.credentials_directory",
							   "The directory that models.credential names files in.",
							   NULL,
							   &ai_guc_credentials_directory, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_absolute, assign_directory, NULL);
	DefineCustomStringVariable("ai_gateway.ca_file",
							   "A file of certificate authorities to trust in place of the system's.",
							   NULL,
							   &ai_guc_ca_file, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_absolute, assign_network, NULL);
	DefineCustomStringVariable("ai_gateway.proxy",
							   "The proxy that calls go through; empty for none.",
							   "The environment's proxy variables are never used. Loopback is never proxied.",
							   &ai_guc_proxy, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_endpoint, assign_network, NULL);
}

void
ai_guc_init(void)
{
	define_calls();
	define_default_models();
	define_network();
}

void
ai_guc_define_provider(const char *name, const char *description)
{
	ProviderSlot *slot = &slots[n_slots];
	MemoryContext caller;

	if (n_slots >= AI_GUC_PROVIDERS)
		elog(ERROR, "too many providers for their configuration slots");
	slot->name = name;
	/* descriptions are kept by reference, and beyond the postmaster's context */
	caller = MemoryContextSwitchTo(TopMemoryContext);
	DefineCustomStringVariable(psprintf("ai_gateway.%s_endpoint", name),
							   psprintf("The endpoint of %s.", description),
							   "Models of this provider that have no endpoint of their own are called there.",
							   &slot->endpoint, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_endpoint, assign_network, NULL);
	DefineCustomStringVariable(psprintf("ai_gateway.%s_api_key", name),
							   psprintf("Where the key of %s is: file:/path or env:NAME.", description),
							   "The key itself is taken too, with a warning.",
							   &slot->key_mask, "", PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE |
							   GUC_DISALLOW_IN_AUTO_FILE,
							   check_key, slot_hooks[n_slots].assign, slot_hooks[n_slots].show);
	MemoryContextSwitchTo(caller);
	n_slots++;
}

void
ai_guc_define_setting(const char *provider, const char *name)
{
	ProviderSetting *setting = &settings[n_settings];
	size_t		len = strlen(name);
	bool		endpoint = len > 9 && strcmp(name + len - 9, "_endpoint") == 0;
	MemoryContext caller;

	if (n_settings >= MAX_SETTINGS)
		elog(ERROR, "too many settings of providers");
	setting->provider = provider;
	setting->name = name;
	caller = MemoryContextSwitchTo(TopMemoryContext);
	DefineCustomStringVariable(psprintf("ai_gateway.%s_%s", provider, name),
							   psprintf("The setting \"%s\" of models of provider \"%s\" that have none of their own.",
										name, provider),
							   NULL,
							   &setting->value, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   endpoint ? check_endpoint : NULL, NULL, NULL);
	MemoryContextSwitchTo(caller);
	n_settings++;
}

const char *
ai_guc_provider_setting(const char *provider, const char *name)
{
	for (int i = 0; i < n_settings; i++)
	{
		if (strcmp(settings[i].provider, provider) == 0 && strcmp(settings[i].name, name) == 0)
			return settings[i].value && settings[i].value[0] ? settings[i].value : NULL;
	}
	return NULL;
}

void
ai_guc_finish(void)
{
	MarkGUCPrefixReserved("ai_gateway");
}

static const ProviderSlot *
find_slot(const char *provider)
{
	for (int i = 0; i < n_slots; i++)
	{
		if (strcmp(slots[i].name, provider) == 0)
			return &slots[i];
	}
	return NULL;
}

const char *
ai_guc_provider_endpoint(const char *provider)
{
	const ProviderSlot *slot = find_slot(provider);

	return slot && slot->endpoint && slot->endpoint[0] ? slot->endpoint : NULL;
}

const char *
ai_guc_provider_key(const char *provider)
{
	const ProviderSlot *slot = find_slot(provider);

	return slot ? slot->key : NULL;
}
