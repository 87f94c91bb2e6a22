/*
 * openssl.c
 *	  Hashes and signatures by the OpenSSL that libcurl brings, HMAC by
 *	  PostgreSQL (openssl.h).
 *
 * State: the context of SHA-256.  OpenSSL looks an algorithm up by its name each
 * time that it is named, which costs more than the digest of a short text; a
 * context that is used again has it.  A finished digest leaves nothing in it.
 */
#include "postgres.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "common/hmac.h"
#include "common/sha2.h"
#include "pg/openssl.h"

static EVP_MD_CTX *
make_sha256(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) > 0)
		return context;
	EVP_MD_CTX_free(context);
	return NULL;
}

static bool
sha256(const void *data, size_t len, unsigned char digest[32])
{
	static EVP_MD_CTX * context = NULL;

	if (context == NULL)
		context = make_sha256();
	/* no algorithm: as before */
	return context != NULL && EVP_DigestInit_ex(context, NULL, NULL) > 0 &&
		EVP_DigestUpdate(context, data, len) > 0 &&
		EVP_DigestFinal_ex(context, digest, NULL) > 0;
}

static bool
hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
			unsigned char digest[32])
{
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);
	bool		good = context != NULL && pg_hmac_init(context, key, key_len) >= 0 &&
		pg_hmac_update(context, data, len) >= 0 &&
		pg_hmac_final(context, digest, PG_SHA256_DIGEST_LENGTH) >= 0;

	pg_hmac_free(context);
	return good;
}

static bool
rs256(const char *pem, const void *data, size_t len, AiBuffer *signature)
{
	BIO		   *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY   *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char *bytes = NULL;
	size_t		n = 0;
	bool		good;

	good = key != NULL && context != NULL && EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
		EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) > 0 &&
		EVP_DigestSign(context, NULL, &n, data, len) > 0 &&
		(bytes = malloc(n)) != NULL &&
		EVP_DigestSign(context, bytes, &n, data, len) > 0;
	if (good)
		ai_buffer_append(signature, (char *) bytes, n);
	free(bytes);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return good && !signature->failed;
}

const AiCrypto ai_crypto = {
	.sha256 = sha256,
	.hmac_sha256 = hmac_sha256,
	.rs256 = rs256,
};
