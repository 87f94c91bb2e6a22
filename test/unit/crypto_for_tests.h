/* The hashes of util/crypto.h by OpenSSL, for unit tests of the pure layer. */
#ifndef CRYPTO_FOR_TESTS_H
#define CRYPTO_FOR_TESTS_H

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "util/crypto.h"

static bool
test_sha256(const void *data, size_t len, unsigned char digest[32])
{
	return EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) > 0;
}

static bool
test_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, unsigned char digest[32])
{
	return HMAC(EVP_sha256(), key, (int) key_len, data, len, digest, NULL) != NULL;
}

static bool
test_rs256(const char *pem, const void *data, size_t len, AiBuffer *signature)
{
	(void) pem;
	(void) data;
	(void) len;
	ai_buffer_append_string(signature, "signature");
	return true;
}

static const AiCrypto test_crypto = {test_sha256, test_hmac_sha256, test_rs256};

#endif							/* CRYPTO_FOR_TESTS_H */
