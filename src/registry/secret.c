/*
 * secret.c
 *	  Reading keys from files, the environment and the configuration, and
 *	  keeping those of files (secret.h).
 *
 * A file must be a regular file that belongs to the server's user, readable
 * by nobody but that user and its group (0600, 0640 or stricter), of at most
 * 64 kB.  It holds a bare key, or a JSON object with the fields that the
 * provider needs ("api_key" is the key) and "hosts", a list of hosts that it
 * may be sent to.
 *
 * Whoever has replaced a file wants it to be taken by what is asked next: so the
 * statements of one message of the client look at it once, and each tenth of a
 * second while they run, instead of at each of their calls.
 *
 * Is it the same file, unchanged?  Device, inode, size, mode, owner and both
 * times are what they were when it was opened.  A clock ticks, and a file may
 * be written twice within a tick (of up to two seconds on some file systems):
 * one whose times were as young as that when it was read is not trusted to be
 * unchanged but read again, until it is older, as git does with its index.
 *
 * State: the list of what is kept, the last used first.  Malloc memory.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "access/xact.h"
#include "pg/guc.h"
#include "registry/secret.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#define MAX_SECRET_BYTES	(64 * 1024)
#define MOST_KEPT			64
#define LONGEST_TICK		2.0 /* seconds */
#define LOOKS_EVERY_US		100000

#ifdef __APPLE__
#define MODIFIED(status)	((status)->st_mtimespec)
#define CHANGED(status)		((status)->st_ctimespec)
#else
#define MODIFIED(status)	((status)->st_mtim)
#define CHANGED(status)		((status)->st_ctim)
#endif

typedef struct AiKeptSecret
{
	char	   *key;
	cJSON	   *fields;
	char	   *hosts;
	int			lent;
	bool		listed;
	char	   *path;			/* of what is listed: */
	struct stat status;			/* when it was opened */
	bool		settled;		/* and its times were older than a tick */
	TimestampTz statement;		/* the message that looked at it last */
	TimestampTz looked_at;
	struct AiKeptSecret *next;
} AiKeptSecret;

static AiKeptSecret *kept_secrets = NULL;

static void
wipe_tree(cJSON *tree)
{
	cJSON	   *child;

	cJSON_ArrayForEach(child, tree)
	{
		if (cJSON_IsString(child))
			ai_wipe(child->valuestring, strlen(child->valuestring));
		wipe_tree(child);
	}
}

static void
wipe(AiKeptSecret *kept)
{
	ai_free_secret(kept->key);
	wipe_tree(kept->fields);
	cJSON_Delete(kept->fields);
	free(kept->hosts);
	free(kept->path);
	free(kept);
}

static void
unlist(AiKeptSecret **link)
{
	AiKeptSecret *kept = *link;

	*link = kept->next;
	kept->listed = false;
	if (kept->lent == 0)
		wipe(kept);
}

void
ai_secret_forget(void)
{
	while (kept_secrets != NULL)
		unlist(&kept_secrets);
}

static void
forget_at_exit(int code, Datum unused)
{
	ai_secret_forget();
}

void
ai_secret_init(void)
{
	static bool done = false;

	if (done)
		return;
	on_proc_exit(forget_at_exit, (Datum) 0);
	ai_guc_on_key_change(ai_secret_forget);
	done = true;
}

static void
lend(AiKeptSecret *kept, AiSecret *secret)
{
	kept->lent++;
	secret->key = kept->key;
	secret->fields = kept->fields;
	secret->hosts = kept->hosts;
	secret->kept = kept;
}

void
ai_secret_release(AiSecret *secret)
{
	AiKeptSecret *kept = secret->kept;

	if (kept != NULL && --kept->lent == 0 && !kept->listed)
		wipe(kept);
	memset(secret, 0, sizeof(*secret));
}

/* Moves it to the front of the list; NULL if it is not there. */
static AiKeptSecret *
find(const char *path)
{
	for (AiKeptSecret **link = &kept_secrets; *link != NULL; link = &(*link)->next)
	{
		AiKeptSecret *kept = *link;

		if (strcmp(kept->path, path) != 0)
			continue;
		*link = kept->next;
		kept->next = kept_secrets;
		kept_secrets = kept;
		return kept;
	}
	return NULL;
}

/* At the front; the one that was not used for the longest time goes. */
static void
keep(AiKeptSecret *kept)
{
	int			n = 0;

	kept->next = kept_secrets;
	kept->listed = true;
	kept_secrets = kept;
	for (AiKeptSecret **link = &kept_secrets; *link != NULL; link = &(*link)->next)
	{
		if (++n > MOST_KEPT)
		{
			unlist(link);
			break;
		}
	}
}

/* ---- is it the same file, unchanged? ---- */

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
is_unchanged(const AiKeptSecret *kept)
{
	const struct stat *then = &kept->status;
	struct stat now;

	return stat(kept->path, &now) == 0 &&
		now.st_dev == then->st_dev && now.st_ino == then->st_ino &&
		now.st_size == then->st_size && now.st_mode == then->st_mode &&
		now.st_uid == then->st_uid &&
		same_time(MODIFIED(&now), MODIFIED(then)) && same_time(CHANGED(&now), CHANGED(then));
}

/* A time that is still to come is that of another clock, and tells nothing. */
static bool
is_older_than_a_tick(struct timespec time, struct timespec now)
{
	double		age = (double) now.tv_sec - (double) time.tv_sec + (now.tv_nsec - time.tv_nsec) / 1e9;

	return age > LONGEST_TICK;
}

static bool
is_settled(const struct stat *status)
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
		is_older_than_a_tick(MODIFIED(status), now) && is_older_than_a_tick(CHANGED(status), now);
}

/* ---- reading ---- */

bool
ai_secret_valid_name(const char *name)
{
	if (name[0] == '\0' || name[0] == '.' || strlen(name) > 200)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(name);
}

/* "hosts": a string or an array of strings, as one comma-separated list. */
static char *
host_list(const cJSON *hosts)
{
	AiBuffer	list = {0};
	const cJSON *host;

	if (cJSON_IsString(hosts))
		return ai_strdup(hosts->valuestring);
	cJSON_ArrayForEach(host, hosts)
	{
		if (cJSON_IsString(host))
			ai_buffer_printf(&list, "%s%s", list.len > 0 ? "," : "", host->valuestring);
	}
	return list.data;
}

/*
 * Takes the content of a file or a variable apart.  `what` names it for
 * errors, and where ends what may be said of it.
 */
static bool
take_content(const char *content, size_t len, const char *what, AiKeptSecret *kept,
			 AiFailure *failure)
{
	const char *why;

	while (len > 0 && strchr(" \t\r\n", content[len - 1]) != NULL)
		len--;
	if (len == 0)
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s is empty", what);
	if (content[0] == '{')
	{
		kept->fields = ai_json_parse(content, len, &why);
		if (!cJSON_IsObject(kept->fields))
			return ai_fail(failure, AI_ERROR_AUTHENTICATION,
						   "%s begins like a JSON object, but %s", what, why);
		kept->key = ai_strdup(ai_json_string(kept->fields, "api_key"));
		kept->hosts = host_list(ai_json_get(kept->fields, "hosts"));
	}
	else
		kept->key = strndup(content, len);

	/* a key goes into a header line: nothing but visible ASCII can be one */
	for (const char *p = kept->key; p != NULL && *p; p++)
	{
		if (*p <= 0x20 || *p >= 0x7f)
			return ai_fail(failure, AI_ERROR_AUTHENTICATION,
						   "%s holds a blank, a line break or another byte that no key has", what);
	}
	return true;
}

/* One that is not in the list yet, or NULL. */
static AiKeptSecret *
make(const char *content, size_t len, const char *what, AiFailure *failure)
{
	AiKeptSecret *kept = calloc(1, sizeof(AiKeptSecret));

	if (kept == NULL)
	{
		ai_fail(failure, AI_ERROR_AUTHENTICATION, "memory ran out for %s", what);
		return NULL;
	}
	if (take_content(content, len, what, kept, failure))
		return kept;
	wipe(kept);
	return NULL;
}

/* What is no file's: nobody but the one who gets it has it. */
static bool
take_value(const char *content, const char *what, AiSecret *secret, AiFailure *failure)
{
	AiKeptSecret *kept = make(content, strlen(content), what, failure);

	if (kept == NULL)
		return false;
	lend(kept, secret);
	return true;
}

static bool
check_file(int fd, const char *what, struct stat *status, AiFailure *failure)
{
	if (fstat(fd, status) != 0 || !S_ISREG(status->st_mode))
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s is not a regular file", what);
	if (status->st_uid != geteuid())
		return ai_fail(failure, AI_ERROR_AUTHENTICATION,
					   "%s does not belong to the user that the server runs as", what);
	if ((status->st_mode & 0137) != 0)
	{
		ai_fail(failure, AI_ERROR_AUTHENTICATION,
				"%s has mode %04o, which lets others read or change it",
				what, (unsigned) status->st_mode & 07777);
		ai_failure_hint(failure, "chmod 0600 the file.");
		return false;
	}
	if (status->st_size > MAX_SECRET_BYTES)
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s is larger than 64 kB", what);
	return true;
}

/* Up to its end or MAX_SECRET_BYTES. */
static size_t
read_all(int fd, char *content)
{
	size_t		len = 0;

	while (len < MAX_SECRET_BYTES)
	{
		ssize_t		n = read(fd, content + len, MAX_SECRET_BYTES - len);

		if (n <= 0)
			break;
		len += (size_t) n;
	}
	content[len] = '\0';
	return len;
}

static AiKeptSecret *
read_open_file(int fd, const char *path, const char *what, AiFailure *failure)
{
	AiKeptSecret *kept = NULL;
	struct stat status;
	bool		settled;
	char	   *content;
	size_t		len;

	if (!check_file(fd, what, &status, failure))
		return NULL;
	/* before the content: what is written while it is read makes it younger */
	settled = is_settled(&status);
	content = malloc(MAX_SECRET_BYTES + 1);
	if (content == NULL)
	{
		ai_fail(failure, AI_ERROR_AUTHENTICATION, "memory ran out for %s", what);
		return NULL;
	}
	len = read_all(fd, content);
	kept = make(content, len, what, failure);
	ai_wipe(content, len);
	free(content);
	if (kept == NULL)
		return NULL;
	kept->status = status;
	kept->settled = settled;
	kept->path = strdup(path);
	return kept;
}

static bool
read_file(const char *path, const char *what, AiSecret *secret, AiFailure *failure)
{
	AiKeptSecret *kept;
	int			fd;

	/* O_NONBLOCK: opening a FIFO must not hang the backend */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s cannot be opened: %s", what,
					   strerror(errno));
	kept = read_open_file(fd, path, what, failure);
	close(fd);
	if (kept == NULL)
		return false;
	if (kept->path != NULL)
		keep(kept);
	lend(kept, secret);
	return true;
}

/* Was it looked at in this statement, and just now?  The clock may be set back. */
static bool
was_looked_at(const AiKeptSecret *kept, TimestampTz now)
{
	return kept->statement == GetCurrentStatementStartTimestamp() &&
		now >= kept->looked_at && now - kept->looked_at < LOOKS_EVERY_US;
}

/* As the file is now; looks at it if it has to. */
static bool
is_current(AiKeptSecret *kept)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!kept->settled)
		return false;
	if (was_looked_at(kept, now))
		return true;
	kept->statement = GetCurrentStatementStartTimestamp();
	kept->looked_at = now;
	return is_unchanged(kept);
}

/* From what is kept: the way of nearly every call. */
static bool
take_kept(const char *path, AiSecret *secret)
{
	AiKeptSecret *kept = find(path);

	if (kept == NULL)
		return false;
	if (is_current(kept))
	{
		lend(kept, secret);
		return true;
	}
	unlist(&kept_secrets);		/* it stands at the front */
	return false;
}

bool
ai_secret_read(const char *reference, const char *provider, AiSecret *secret,
			   AiFailure *failure)
{
	char		what[200];

	memset(secret, 0, sizeof(*secret));
	if (reference == NULL)
		return true;
	if (strncmp(reference, "file:", 5) == 0)
	{
		if (take_kept(reference + 5, secret))
			return true;
		snprintf(what, sizeof(what), "the key file of \"ai_gateway.%s_api_key\"", provider);
		return read_file(reference + 5, what, secret, failure);
	}
	if (strncmp(reference, "env:", 4) == 0)
	{
		const char *value = getenv(reference + 4);

		snprintf(what, sizeof(what), "the environment variable of \"ai_gateway.%s_api_key\"", provider);
		if (value == NULL)
			return ai_fail(failure, AI_ERROR_AUTHENTICATION,
						   "%s is not set in the server's environment", what);
		return take_value(value, what, secret, failure);
	}
	if (!ai_preloaded)
	{
		ai_fail(failure, AI_ERROR_AUTHENTICATION,
				"\"ai_gateway.%s_api_key\" holds a key as it is, and the library was not preloaded: until it is loaded, every role could read the key",
				provider);
		ai_failure_hint(failure, "Set shared_preload_libraries = 'ai_gateway', or use file:/path.");
		return false;
	}
	snprintf(what, sizeof(what), "the value of \"ai_gateway.%s_api_key\"", provider);
	return take_value(reference, what, secret, failure);
}

bool
ai_secret_read_credential(const char *name, AiSecret *secret, AiFailure *failure)
{
	char		path[MAXPGPATH];
	char		what[300];

	memset(secret, 0, sizeof(*secret));
	if (!ai_secret_valid_name(name))
		return ai_fail(failure, AI_ERROR_AUTHENTICATION,
					   "the credential of the model is no plain file name");
	snprintf(what, sizeof(what), "credential \"%s\"", name);
	if (ai_guc_credentials_directory == NULL || ai_guc_credentials_directory[0] == '\0')
	{
		ai_fail(failure, AI_ERROR_AUTHENTICATION,
				"%s cannot be found: ai_gateway.credentials_directory is not set", what);
		ai_failure_hint(failure, "Set ai_gateway.credentials_directory and reload the configuration.");
		return false;
	}
	snprintf(path, sizeof(path), "%s/%s", ai_guc_credentials_directory, name);
	return take_kept(path, secret) || read_file(path, what, secret, failure);
}
