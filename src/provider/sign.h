/*
 * sign.h
 *	  AWS Signature Version 4 in headers.  Pure: hashes are given.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
 * libcurl's own signer (up to 8.13) signs a wrong path for model ids that hold
 * a colon or an escape; this one signs the path as it is sent, each byte but
 * the unreserved and the slash encoded once more.
 */
#ifndef AI_SIGN_H
#define AI_SIGN_H

#include "provider/provider.h"

typedef struct AiSignedHeader
{
	const char *name;
	const char *value;
} AiSignedHeader;

/* What is signed; all borrowed. */
typedef struct AiSignable
{
	const char *method;
	const char *path;			/* as sent, without the query */
	const char *query;			/* as sent, without the question mark; may be
								 * "" */
	const AiSignedHeader *headers;	/* host among them; x-amz-date is added */
	int			n_headers;
	const void *body;
	size_t		body_len;
	bool		normalize;		/* resolve dots and empty segments of the path */
} AiSignable;

typedef struct AiAwsCredentials
{
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;	/* or NULL */
	const char *region;
	const char *service;
} AiAwsCredentials;

typedef struct AiAwsSignature
{
	char		date[20];		/* 20150830T123600Z */
	AiBuffer	canonical_request;
	AiBuffer	string_to_sign;
	AiBuffer	authorization;	/* the header's value */
} AiAwsSignature;

/*
 * Signs; `now` is seconds since 1970.  False if memory or the hashes failed.
 * The caller frees the signature.  A session token is signed as
 * x-amz-security-token where the credentials have one.
 */
extern bool ai_aws_sign(const AiCrypto *crypto, const AiAwsCredentials *credentials,
						const AiSignable *what, int64_t now, AiAwsSignature *signature);
extern void ai_aws_signature_free(AiAwsSignature *signature);

#endif							/* AI_SIGN_H */
