/*
 * secret.c
 *	  Reading keys from files, the environment and the configuration
 *	  (secret.h).
 *
 * A file must be a regular file that belongs to the server's user, readable
 * by nobody but that user and its group (0600, 0640 or stricter), of at most
 * 64 kB.  It holds a bare key, or a JSON object with the fields that the
 * provider needs ("api_key" is the key) and "hosts", a list of hosts that it
 * may be sent to.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pg/guc.h"
#include "registry/secret.h"
#include "storage/fd.h"

#define MAX_SECRET_BYTES	(64 * 1024)

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

void
ai_secret_wipe(AiSecret *secret)
{
	ai_free_secret(secret->key);
	wipe_tree(secret->fields);
	cJSON_Delete(secret->fields);
	free(unconstify(char *, secret->hosts));
	memset(secret, 0, sizeof(*secret));
}

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
take_content(const char *content, size_t len, const char *what, AiSecret *secret,
			 AiFailure *failure)
{
	const char *why;

	while (len > 0 && strchr(" \t\r\n", content[len - 1]) != NULL)
		len--;
	if (len == 0)
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s is empty", what);
	if (content[0] == '{')
	{
		const char *key;

		secret->fields = ai_json_parse(content, len, &why);
		if (!cJSON_IsObject(secret->fields))
		{
			ai_secret_wipe(secret);
			return ai_fail(failure, AI_ERROR_AUTHENTICATION,
						   "%s begins like a JSON object, but %s", what, why);
		}
		key = ai_json_string(secret->fields, "api_key");
		secret->key = ai_strdup(key);
		secret->hosts = host_list(ai_json_get(secret->fields, "hosts"));
	}
	else
		secret->key = strndup(content, len);

	/* a key goes into a header line: nothing but visible ASCII can be one */
	for (const char *p = secret->key; p != NULL && *p; p++)
	{
		if (*p <= 0x20 || *p >= 0x7f)
		{
			ai_secret_wipe(secret);
			return ai_fail(failure, AI_ERROR_AUTHENTICATION,
						   "%s holds a blank, a line break or another byte that no key has", what);
		}
	}
	return true;
}

static bool
check_file(int fd, const char *what, AiFailure *failure)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s is not a regular file", what);
	if (status.st_uid != geteuid())
		return ai_fail(failure, AI_ERROR_AUTHENTICATION,
					   "%s does not belong to the user that the server runs as", what);
	if ((status.st_mode & 0137) != 0)
	{
		ai_fail(failure, AI_ERROR_AUTHENTICATION,
				"%s has mode %04o, which lets others read or change it",
				what, (unsigned) status.st_mode & 07777);
		ai_failure_hint(failure, "chmod 0600 the file.");
		return false;
	}
	if (status.st_size > MAX_SECRET_BYTES)
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s is larger than 64 kB", what);
	return true;
}

static bool
read_file(const char *path, const char *what, AiSecret *secret, AiFailure *failure)
{
	/* O_NONBLOCK: opening a FIFO must not hang the backend */
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char	   *content;
	size_t		len = 0;
	bool		good;

	if (fd < 0)
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "%s cannot be opened: %s", what,
					   strerror(errno));
	if (!check_file(fd, what, failure))
	{
		close(fd);
		return false;
	}
	content = malloc(MAX_SECRET_BYTES + 1);
	while (content != NULL && len < MAX_SECRET_BYTES)
	{
		ssize_t		n = read(fd, content + len, MAX_SECRET_BYTES - len);

		if (n <= 0)
			break;
		len += (size_t) n;
	}
	close(fd);
	if (content == NULL)
		return ai_fail(failure, AI_ERROR_AUTHENTICATION, "memory ran out for %s", what);
	content[len] = '\0';
	good = take_content(content, len, what, secret, failure);
	ai_wipe(content, len);
	free(content);
	return good;
}

bool
ai_secret_read(const char *reference, const char *parameter, AiSecret *secret,
			   AiFailure *failure)
{
	char		what[200];

	memset(secret, 0, sizeof(*secret));
	if (reference == NULL)
		return true;
	if (strncmp(reference, "file:", 5) == 0)
	{
		snprintf(what, sizeof(what), "the key file of \"%s\"", parameter);
		return read_file(reference + 5, what, secret, failure);
	}
	if (strncmp(reference, "env:", 4) == 0)
	{
		const char *value = getenv(reference + 4);

		snprintf(what, sizeof(what), "the environment variable of \"%s\"", parameter);
		if (value == NULL)
			return ai_fail(failure, AI_ERROR_AUTHENTICATION,
						   "%s is not set in the server's environment", what);
		return take_content(value, strlen(value), what, secret, failure);
	}
	if (!ai_preloaded)
	{
		ai_fail(failure, AI_ERROR_AUTHENTICATION,
				"\"%s\" holds a key as it is, and the library was not preloaded: until it is loaded, every role could read the key",
				parameter);
		ai_failure_hint(failure, "Set shared_preload_libraries = 'ai_gateway', or use file:/path.");
		return false;
	}
	snprintf(what, sizeof(what), "the value of \"%s\"", parameter);
	return take_content(reference, strlen(reference), what, secret, failure);
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
	return read_file(path, what, secret, failure);
}
