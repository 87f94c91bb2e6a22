/*
 * sign.c
 *	  AWS Signature Version 4 (sign.h).
 */
#include "provider/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "util/hex.h"

#define MAX_HEADERS		32
#define MAX_PARAMETERS	64

static void
append_encoded(AiBuffer *out, const char *text, size_t len, bool keep_slash)
{
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			strchr("-._~", c) != NULL || (keep_slash && c == '/'))
			ai_buffer_append_char(out, (char) c);
		else
			ai_buffer_printf(out, "%%%02X", c);
	}
}

static void
append_hex(AiBuffer *out, const unsigned char digest[32])
{
	for (int i = 0; i < 32; i++)
		ai_buffer_printf(out, "%02x", digest[i]);
}

/* RFC 3986 section 5.2.4, and empty segments taken out. */
static void
append_normalized(AiBuffer *out, const char *path)
{
	const char *segments[256];
	size_t		lengths[256];
	int			n = 0;
	bool		slash_at_end = false;

	while (*path)
	{
		size_t		len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		slash_at_end = len == 0 || path[len] == '/';
		if (len == 1 && path[0] == '.')
			slash_at_end = true;
		else if (len == 2 && path[0] == '.' && path[1] == '.')
		{
			n -= n > 0;
			slash_at_end = true;
		}
		else if (len > 0 && n < 256)
		{
			segments[n] = path;
			lengths[n++] = len;
		}
		path += len;
	}
	for (int i = 0; i < n; i++)
	{
		ai_buffer_append_char(out, '/');
		append_encoded(out, segments[i], lengths[i], false);
	}
	if (n == 0 || slash_at_end)
		ai_buffer_append_char(out, '/');
}

/* One name or value of a query, in its one canonical spelling. */
static char *
canonical_parameter(const char *text, size_t len)
{
	AiBuffer	raw = {0};
	AiBuffer	out = {0};

	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '%' && i + 2 < len && ai_hex_digit(text[i + 1]) >= 0 && ai_hex_digit(text[i + 2]) >= 0)
		{
			ai_buffer_append_char(&raw, (char) (ai_hex_digit(text[i + 1]) * 16 + ai_hex_digit(text[i + 2])));
			i += 2;
		}
		else
			ai_buffer_append_char(&raw, text[i]);
	}
	ai_buffer_append(&out, "", 0);
	append_encoded(&out, raw.data ? raw.data : "", raw.len, false);
	ai_buffer_free(&raw);
	return out.data ? out.data : ai_strdup("");
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* By name, then value: 0x01 sorts below all that a name may hold. */
static void
append_query(AiBuffer *out, const char *query)
{
	char	   *parameters[MAX_PARAMETERS];
	int			n = 0;

	while (*query && n < MAX_PARAMETERS)
	{
		size_t		len = strcspn(query, "&");
		size_t		name_len = strcspn(query, "&=");
		char	   *name = canonical_parameter(query, name_len);
		char	   *value = name_len < len ? canonical_parameter(query + name_len + 1, len - name_len - 1)
			: ai_strdup("");
		AiBuffer	pair = {0};

		if (len > 0)
			ai_buffer_printf(&pair, "%s\x01%s", name ? name : "", value ? value : "");
		free(name);
		free(value);
		if (pair.data != NULL)
			parameters[n++] = pair.data;
		query += len + (query[len] == '&');
	}
	qsort(parameters, (size_t) n, sizeof(char *), compare_strings);
	for (int i = 0; i < n; i++)
	{
		*strchr(parameters[i], '\x01') = '=';
		if (i > 0)
			ai_buffer_append_char(out, '&');
		ai_buffer_append_string(out, parameters[i]);
		free(parameters[i]);
	}
}

/* Outer blanks taken off, inner runs of them made one. */
static void
append_value(AiBuffer *out, const char *value)
{
	bool		blank = false;

	value += strspn(value, " \t\r\n");
	for (; *value; value++)
	{
		if (strchr(" \t\r\n", *value) != NULL)
			blank = true;
		else
		{
			if (blank)
				ai_buffer_append_char(out, ' ');
			blank = false;
			ai_buffer_append_char(out, *value);
		}
	}
}

/*
 * A stable order by name: several of one name keep theirs, since their values
 * are joined in it.
 */
static int
sort_headers(const AiSignedHeader *from, int n, AiSignedHeader *sorted)
{
	int			count = 0;

	for (int i = 0; i < n && count < MAX_HEADERS; i++)
	{
		int			at = count;

		while (at > 0 && strcasecmp(sorted[at - 1].name, from[i].name) > 0)
		{
			sorted[at] = sorted[at - 1];
			at--;
		}
		sorted[at] = from[i];
		count++;
	}
	return count;
}

static void
append_headers(AiBuffer *out, AiBuffer *names, const AiSignedHeader *headers, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && strcasecmp(headers[i - 1].name, headers[i].name) == 0)
		{
			ai_buffer_append_char(out, ',');
			append_value(out, headers[i].value);
			continue;
		}
		if (i > 0)
		{
			ai_buffer_append_char(out, '\n');
			ai_buffer_append_char(names, ';');
		}
		for (const char *p = headers[i].name; *p; p++)
		{
			char		c = *p >= 'A' && *p <= 'Z' ? (char) (*p + 32) : *p;

			ai_buffer_append_char(out, c);
			ai_buffer_append_char(names, c);
		}
		ai_buffer_append_char(out, ':');
		append_value(out, headers[i].value);
	}
	ai_buffer_append_char(out, '\n');
}

static bool
derive_key(const AiCrypto *crypto, const AiAwsCredentials *credentials, const char *day,
		   unsigned char key[32])
{
	const char *const steps[] = {day, credentials->region, credentials->service, "aws4_request"};
	AiBuffer	start = {0};
	bool		good;

	ai_buffer_printf(&start, "AWS4%s", credentials->secret_access_key);
	good = start.data != NULL &&
		crypto->hmac_sha256(start.data, start.len, steps[0], strlen(steps[0]), key);
	ai_buffer_wipe(&start);
	for (int i = 1; good && i < 4; i++)
	{
		unsigned char next[32];

		good = crypto->hmac_sha256(key, 32, steps[i], strlen(steps[i]), next);
		memcpy(key, next, 32);
		ai_wipe(next, sizeof(next));
	}
	return good;
}

bool
ai_aws_sign(const AiCrypto *crypto, const AiAwsCredentials *credentials,
			const AiSignable *what, int64_t now, AiAwsSignature *signature)
{
	AiSignedHeader all[MAX_HEADERS];
	AiSignedHeader sorted[MAX_HEADERS];
	AiBuffer   *request = &signature->canonical_request;
	AiBuffer   *to_sign = &signature->string_to_sign;
	AiBuffer	names = {0};
	unsigned char digest[32];
	unsigned char key[32];
	time_t		seconds = (time_t) now;
	struct tm	utc;
	char		day[9];
	int			n = 0;
	bool		good;

	memset(signature, 0, sizeof(*signature));
	if (gmtime_r(&seconds, &utc) == NULL)
		return false;
	strftime(signature->date, sizeof(signature->date), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(day, sizeof(day), "%.8s", signature->date);

	for (; n < what->n_headers && n < MAX_HEADERS - 2; n++)
		all[n] = what->headers[n];
	all[n++] = (AiSignedHeader)
	{
		"x-amz-date", signature->date
	};
	if (credentials->session_token != NULL)
		all[n++] = (AiSignedHeader)
	{
		"x-amz-security-token", credentials->session_token
	};
	n = sort_headers(all, n, sorted);

	ai_buffer_printf(request, "%s\n", what->method);
	if (what->normalize)
		append_normalized(request, what->path);
	else
		append_encoded(request, what->path[0] ? what->path : "/", what->path[0] ? strlen(what->path) : 1, true);
	ai_buffer_append_char(request, '\n');
	append_query(request, what->query);
	ai_buffer_append_char(request, '\n');
	append_headers(request, &names, sorted, n);
	ai_buffer_printf(request, "\n%s\n", names.data ? names.data : "");
	good = crypto->sha256(what->body ? what->body : "", what->body_len, digest);
	append_hex(request, digest);

	good = good && request->data != NULL && crypto->sha256(request->data, request->len, digest);
	ai_buffer_printf(to_sign, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n",
					 signature->date, day, credentials->region, credentials->service);
	append_hex(to_sign, digest);

	good = good && to_sign->data != NULL && derive_key(crypto, credentials, day, key) &&
		crypto->hmac_sha256(key, sizeof(key), to_sign->data, to_sign->len, digest);
	ai_wipe(key, sizeof(key));
	ai_buffer_printf(&signature->authorization,
					 "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=",
					 credentials->access_key_id, day, credentials->region, credentials->service,
					 names.data ? names.data : "");
	append_hex(&signature->authorization, digest);
	good = good && !request->failed && !to_sign->failed && !names.failed && !signature->authorization.failed;
	ai_buffer_free(&names);
	return good;
}

void
ai_aws_signature_free(AiAwsSignature *signature)
{
	ai_buffer_free(&signature->canonical_request);
	ai_buffer_free(&signature->string_to_sign);
	ai_buffer_free(&signature->authorization);
}
