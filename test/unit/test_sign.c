/*
 * Signature Version 4 against the cases of AWS's own suite and of Bedrock, read
 * from the folder sigv4 of the shared vectors, which is not part of the
 * project; without it, against cases written here.
 */
#include <stdlib.h>

#include "crypto_for_tests.h"
#include "provider/sign.h"
#include "tap.h"
#include "util/json.h"

static cJSON *
read_json(const char *folder, const char *name)
{
	char		path[1000];
	FILE	   *file;
	AiBuffer	content = {0};
	char		block[65536];
	size_t		n;
	const char *why;
	cJSON	   *tree;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		ai_buffer_append(&content, block, n);
	fclose(file);
	tree = ai_json_parse(content.data, content.len, &why);
	ai_buffer_free(&content);
	return tree;
}

/* "2015-08-30T12:36:00Z" or "20150830T123600Z" */
static int64_t
seconds_of(const char *date)
{
	struct tm	utc = {0};
	char		digits[15];
	int			n = 0;

	for (; *date && n < 14; date++)
	{
		if (*date >= '0' && *date <= '9')
			digits[n++] = *date;
	}
	digits[n] = '\0';
	sscanf(digits, "%4d%2d%2d%2d%2d%2d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
		   &utc.tm_hour, &utc.tm_min, &utc.tm_sec);
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	return timegm(&utc);
}

static void
split_target(const char *target, char **path, const char **query)
{
	size_t		len = strcspn(target, "?");

	*path = strndup(target, len);
	*query = target[len] ? target + len + 1 : "";
}

static void
suite_case(const cJSON *item)
{
	const cJSON *context = ai_json_get(item, "context");
	const cJSON *credentials = ai_json_get(context, "credentials");
	bool		omit = cJSON_IsTrue(ai_json_get(context, "omit_session_token"));
	AiAwsCredentials who = {
		.access_key_id = ai_json_string(credentials, "access_key_id"),
		.secret_access_key = ai_json_string(credentials, "secret_access_key"),
		.session_token = omit ? NULL : ai_json_string(credentials, "token"),
		.region = ai_json_string(context, "region"),
		.service = ai_json_string(context, "service"),
	};
	AiSignedHeader headers[20];
	AiSignable	what = {
		.method = ai_json_string(item, "method"),
		.headers = headers,
		.body = ai_json_string(item, "body"),
		.body_len = strlen(ai_json_string(item, "body")),
		.normalize = cJSON_IsTrue(ai_json_get(context, "normalize")),
	};
	AiAwsSignature signature;
	char	   *path;
	const cJSON *header;
	char		name[200];
	char		hash[65];

	cJSON_ArrayForEach(header, ai_json_get(item, "headers"))
		headers[what.n_headers++] = (AiSignedHeader) {header->child->valuestring, header->child->next->valuestring};
	if (cJSON_IsTrue(ai_json_get(context, "sign_body")))
	{
		unsigned char digest[32];

		test_sha256(what.body, what.body_len, digest);
		for (int i = 0; i < 32; i++)
			snprintf(hash + 2 * i, 3, "%02x", digest[i]);
		headers[what.n_headers++] = (AiSignedHeader) {"x-amz-content-sha256", hash};
	}
	split_target(ai_json_string(item, "target"), &path, &what.query);
	what.path = path;
	ok(ai_aws_sign(&test_crypto, &who, &what, seconds_of(ai_json_string(context, "timestamp")), &signature),
	   "%s is signed", ai_json_string(item, "name"));
	snprintf(name, sizeof(name), "%s: canonical request", ai_json_string(item, "name"));
	is_string(signature.canonical_request.data, ai_json_string(item, "canonical_request"), name);
	snprintf(name, sizeof(name), "%s: string to sign", ai_json_string(item, "name"));
	is_string(signature.string_to_sign.data, ai_json_string(item, "string_to_sign"), name);
	snprintf(name, sizeof(name), "%s: signature", ai_json_string(item, "name"));
	is_string(strstr(signature.authorization.data, "Signature=") + 10, ai_json_string(item, "signature"), name);
	ai_aws_signature_free(&signature);
	free(path);
}

static void
bedrock_case(const cJSON *item)
{
	const char *body = ai_json_string(item, "body");
	AiAwsCredentials who = {
		.access_key_id = ai_json_string(item, "access_key_id"),
		.secret_access_key = ai_json_string(item, "secret_access_key"),
		.session_token = ai_json_string(item, "session_token"),
		.region = ai_json_string(item, "region"),
		.service = ai_json_string(item, "service"),
	};
	AiSignedHeader headers[20];
	AiSignable	what = {
		.method = ai_json_string(item, "method"),
		.path = ai_json_string(item, "wire_path"),
		.query = "",
		.headers = headers,
		.body = body,
		.body_len = body ? strlen(body) : 0,
	};
	AiAwsSignature signature;
	const cJSON *header;
	char		name[200];

	cJSON_ArrayForEach(header, ai_json_get(item, "headers"))
	{
		if (strncmp(header->string, "x-amz-", 6) != 0)
			headers[what.n_headers++] = (AiSignedHeader) {header->string, header->valuestring};
	}
	ai_aws_sign(&test_crypto, &who, &what, seconds_of(ai_json_string(item, "amz_date")), &signature);
	snprintf(name, sizeof(name), "%s: canonical request", ai_json_string(item, "name"));
	is_string(signature.canonical_request.data, ai_json_string(item, "canonical_request"), name);
	snprintf(name, sizeof(name), "%s: authorization", ai_json_string(item, "name"));
	is_string(signature.authorization.data, ai_json_string(item, "authorization"), name);
	ai_aws_signature_free(&signature);
}

/* The example of AWS's own documentation, with a path of Bedrock's. */
static void
own_cases(void)
{
	static const struct
	{
		const char *path;
		const char *canonical;
	}			paths[] = {
		{"/model/a.b-v1:0/converse", "/model/a.b-v1%3A0/converse"},
		{"/model/a.b-v1%3A0/converse", "/model/a.b-v1%253A0/converse"},
		{"/model/arn%3Aaws%2Fabc/converse", "/model/arn%253Aaws%252Fabc/converse"},
		{"", "/"},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
	{
		AiSignedHeader headers[] = {{"Host", "h"}, {"A", "  b   c "}};
		AiSignable	what = {.method = "POST",.path = paths[i].path,.query = "b=2&a=1",.headers = headers,.n_headers = 2,.body = "",};
		AiAwsCredentials who = {.access_key_id = "A",.secret_access_key = "S",.region = "r",.service = "s"};
		AiAwsSignature signature;
		char		expected[400];

		ai_aws_sign(&test_crypto, &who, &what, INT64_C(1795435200), &signature);
		snprintf(expected, sizeof(expected), "POST\n%s\na=1&b=2\na:b c\nhost:h\nx-amz-date:20261123T120000Z\n\n"
				 "a;host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", paths[i].canonical);
		is_string(signature.canonical_request.data, expected, paths[i].path);
		ai_aws_signature_free(&signature);
	}
}

int
main(void)
{
	const char *vectors = getenv("AI_GATEWAY_VECTORS");
	char		folder[900];
	cJSON	   *suite;
	cJSON	   *bedrock;
	const cJSON *item;

	snprintf(folder, sizeof(folder), "%s/sigv4", vectors ? vectors : "../shared/vectors");
	suite = read_json(folder, "aws_suite_v4.json");
	bedrock = read_json(folder, "bedrock_cases.json");
	if (suite == NULL)
		printf("# SKIPPED: the signing cases of %s, which does not exist\n", folder);
	own_cases();
	cJSON_ArrayForEach(item, ai_json_get(suite, "cases"))
		suite_case(item);
	cJSON_ArrayForEach(item, ai_json_get(bedrock, "cases"))
		bedrock_case(item);
	cJSON_Delete(suite);
	cJSON_Delete(bedrock);
	return done_testing();
}
