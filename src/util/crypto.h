/*
 * crypto.h
 *	  The cryptography that signing needs, as functions that the pure layer is
 *	  given: PostgreSQL's and OpenSSL's in the server (pg/openssl.c), a test's in a
 *	  test.  Pure.
 */
#ifndef AI_CRYPTO_H
#define AI_CRYPTO_H

#include "util/buffer.h"

/* Each returns false if it failed. */
typedef struct AiCrypto
{
	bool		(*sha256) (const void *data, size_t len, unsigned char digest[32]);
	bool		(*hmac_sha256) (const void *key, size_t key_len, const void *data, size_t len,
								unsigned char digest[32]);
	/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 RS256); appends the signature */
	bool		(*rs256) (const char *pem, const void *data, size_t len, AiBuffer *signature);
} AiCrypto;

#endif							/* AI_CRYPTO_H */
