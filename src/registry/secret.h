/*
 * secret.h
 *	  Keys: from what is configured to the bytes that go into a header.
 *
 * A file is looked at (one stat) for each message of the client whose statements
 * use its key, each tenth of a second while they run, and read again when it is
 * not the same file, unchanged, any more: a key that was replaced is used from the
 * next message on.  In between what was read is kept in the backend, by path.  Reading at every attempt cost as much as a quarter of a call, and
 * the copy gives nothing away that was safe before: libcurl's list of headers
 * holds the key as long as a call is under way, and who can read the memory of
 * a backend runs as the server's user, who can read the file.  What it costs is
 * that a session which has called holds the key while it is idle, where a core
 * dump or a swap file may catch it.
 *
 * A key is overwritten when its file is found changed or not readable, when
 * the configuration is loaded anew or a registration changes (the file may not
 * be named any more), when 64 others were used since, and when the process
 * ends.
 *
 * Ownership: a secret is lent.  Whoever got one gives it back with
 * ai_secret_release(); one that was replaced meanwhile is overwritten by the
 * last who does.  What is no file's is overwritten when it is given back.
 * Nothing here throws but ai_secret_init(); what is wrong is a failure that
 * names the file or the parameter and never what it holds.
 */
#ifndef AI_SECRET_H
#define AI_SECRET_H

#include "util/failure.h"
#include "util/json.h"

typedef struct AiSecret
{
	const char *key;			/* NULL = none is configured */
	const cJSON *fields;		/* the JSON object of the file, or NULL */
	const char *hosts;			/* that it may go to beside the provider's
								 * own, or NULL */
	struct AiKeptSecret *kept;	/* whose memory that is; NULL = there is none */
} AiSecret;

/* Once a backend, before the first is read. */
extern void ai_secret_init(void);

/* Reads what a provider's key parameter says: file:/path, env:NAME, a key. */
extern bool ai_secret_read(const char *reference, const char *provider,
						   AiSecret *secret, AiFailure *failure);

/* Reads the file of that plain name in ai_gateway.credentials_directory. */
extern bool ai_secret_read_credential(const char *name, AiSecret *secret,
									  AiFailure *failure);

/* A name that can be no path: letters, digits, _ - and inner dots. */
extern bool ai_secret_valid_name(const char *name);

extern void ai_secret_release(AiSecret *secret);

/* Overwrites all that is kept and not lent at the moment, and forgets the rest. */
extern void ai_secret_forget(void);

#endif							/* AI_SECRET_H */
