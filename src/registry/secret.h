/*
 * secret.h
 *	  Keys: from what is configured to the bytes that go into a header.
 *
 * A secret is read at every attempt of a call, never kept: a key file that
 * was replaced is used from the next call on, and no copy outlives its use.
 *
 * Ownership: the caller wipes what it got with ai_secret_wipe().  Nothing here
 * throws; what is wrong is a failure that names the file or the parameter and
 * never what it holds.
 */
#ifndef AI_SECRET_H
#define AI_SECRET_H

#include "util/failure.h"
#include "util/json.h"

typedef struct AiSecret
{
	char	   *key;			/* malloc; NULL = none is configured */
	cJSON	   *fields;			/* the JSON object of the file, or NULL */
	const char *hosts;			/* malloc; hosts it may go to beside the
								 * provider's own, or NULL */
} AiSecret;

/* Reads what a provider's key parameter says: file:/path, env:NAME, a key. */
extern bool ai_secret_read(const char *reference, const char *parameter,
						   AiSecret *secret, AiFailure *failure);

/* Reads the file of that plain name in ai_gateway.credentials_directory. */
extern bool ai_secret_read_credential(const char *name, AiSecret *secret,
									  AiFailure *failure);

/* A name that can be no path: letters, digits, _ - and inner dots. */
extern bool ai_secret_valid_name(const char *name);

extern void ai_secret_wipe(AiSecret *secret);

#endif							/* AI_SECRET_H */
