/*
 * transfer.c
 *	  One transfer: the options of its libcurl handle, the callbacks that
 *	  collect its reply, and what its end means.
 *
 * Set for every transfer: no redirects (they would carry the key along), no
 * proxy from the environment, https or plain http only, TLS verified, signals
 * off, one total timeout.  Over TLS the handshake tells whether one connection
 * can carry several requests, and the others wait for it (PIPEWAIT); over plain
 * http only the first reply would tell, so HTTP/1.1 is asked for and nobody
 * waits.  The reply is capped where it arrives, behind
 * decompression, so that neither a missing length nor a compressed bomb gets
 * past the cap.
 *
 * The callbacks run inside libcurl: they only append to AiBuffers, which never
 * throw, and end the transfer by a short count.
 */
#include "postgres.h"

#include "http/transfer.h"
#include "pg/guc.h"
#include "util/url.h"

#define MAX_HEADER_BYTES	(256 * 1024)

/*
 * What libcurl reads at a time.  Its 16 kB suit an answer; the megabytes of
 * vectors that embeddings are come in fewer turns.  Each transfer has its own.
 */
#define LARGE_BUFFER		(128L * 1024)

static size_t
receive_body(char *data, size_t size, size_t n, void *clientp)
{
	AiTransfer *transfer = clientp;
	AiHttpReply *reply = &transfer->reply;
	AiSinkVerdict verdict = AI_SINK_KEEP;

	if (transfer->listener.sink != NULL)
	{
		long		status = 0;

		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		reply->status = (int) status;
		if (size * n > reply->body.limit - transfer->sunk)
		{
			reply->body.over_limit = true;
			return 0;
		}
		verdict = transfer->listener.sink(transfer->listener.owner, reply, data, size * n);
	}
	switch (verdict)
	{
		case AI_SINK_KEEP:
			ai_buffer_append(&reply->body, data, size * n);
			return reply->body.failed ? 0 : size * n;
		case AI_SINK_TAKEN:
			transfer->sunk += size * n;
			return size * n;
		case AI_SINK_STOP:
			transfer->stopped = true;
			break;
	}
	return 0;
}

/* Keeps the last block only: a 100 Continue or a proxy's answer comes before. */
static size_t
receive_header(char *data, size_t size, size_t n, void *clientp)
{
	AiTransfer *transfer = clientp;
	AiBuffer   *headers = &transfer->reply.headers;
	size_t		len = size * n;
	size_t		trimmed = len;

	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
	{
		/* before it is connected, this is a proxy's answer to CONNECT */
		transfer->reply_began = transfer->connected;
		ai_buffer_reset(headers);
		return len;
	}
	while (trimmed > 0 && (data[trimmed - 1] == '\r' || data[trimmed - 1] == '\n'))
		trimmed--;
	if (trimmed == 0)
		return len;
	ai_buffer_append(headers, data, trimmed);
	ai_buffer_append_char(headers, '\n');
	if (headers->failed)
	{
		transfer->headers_over_limit = true;
		return 0;
	}
	return len;
}

static bool
add_header(AiTransfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (longer == NULL)
		return false;
	transfer->headers = longer;
	return true;
}

/* "Name: value\n" lines into libcurl's list. */
static bool
set_headers(AiTransfer *transfer)
{
	char	   *line = transfer->request.headers.data;

	while (line != NULL && *line != '\0')
	{
		char	   *end = strchr(line, '\n');
		bool		added;

		if (end == NULL)
			break;
		*end = '\0';
		added = add_header(transfer, line);
		*end = '\n';
		if (!added)
			return false;
		line = end + 1;
	}
	/* libcurl would ask for leave to send a large body, and wait a second */
	return add_header(transfer, "Expect:");
}

/* The connection stands, and the request is about to be sent. */
static int
note_connected(void *clientp, char *peer, char *local, int peer_port, int local_port)
{
	AiTransfer *transfer = clientp;

	(void) peer;
	(void) local;
	(void) peer_port;
	(void) local_port;
	transfer->connected = true;
	ai_descriptor_place(transfer);
	return CURL_PREREQFUNC_OK;
}

/* The name of the host is about to be looked up. */
static int
start_resolving(void *resolver_state, void *reserved, void *clientp)
{
	AiTransfer *transfer = clientp;

	(void) resolver_state;
	(void) reserved;
	ai_descriptor_resolve(transfer);
	return 0;
}

static bool
is_https(const AiTransfer *transfer)
{
	return strncmp(transfer->request.url.data, "https:", 6) == 0;
}

/* The host alone of the URL. */
static void
host_of(const AiTransfer *transfer, AiUrl *url)
{
	char	   *place = strdup(transfer->request.url.data);
	const char *why;

	if (place != NULL)			/* a query is no part of an endpoint */
		place[strcspn(place, "?")] = '\0';
	if (place == NULL || !ai_url_parse(place, url, &why))
		strlcpy(url->host, "the host", sizeof(url->host));
	free(place);
}

/* Loopback and metadata are this machine's. */
static bool
goes_by_proxy(const AiTransfer *transfer)
{
	AiUrl		url;

	if (ai_guc_proxy == NULL || ai_guc_proxy[0] == '\0' || transfer->reach == AI_REACH_METADATA)
		return false;
	host_of(transfer, &url);
	return !ai_host_is_loopback(url.host);
}

bool
ai_transfer_setup(AiTransfer *transfer)
{
	CURL	   *easy = transfer->easy;
	AiHttpRequest *request = &transfer->request;
	CURLcode	rc = CURLE_OK;

	transfer->reply.body.limit = (size_t) transfer->limits.max_response_kb * 1024;
	transfer->reply.headers.limit = MAX_HEADER_BYTES;
	if (!set_headers(transfer))
		return false;

#define SET(option, value) \
	do { if (rc == CURLE_OK) rc = curl_easy_setopt(easy, option, value); } while (0)

	SET(CURLOPT_URL, request->url.data);
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	if (request->body.data != NULL)
	{
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, request->body.data);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.len);
	}
	SET(CURLOPT_USERAGENT, "ai_gateway/" AI_GATEWAY_VERSION);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	if (is_https(transfer) && transfer->limits.http2)
	{
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
		SET(CURLOPT_PIPEWAIT, 1L);
	}
	else
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) transfer->limits.connect_timeout_ms);
	SET(CURLOPT_TIMEOUT_MS, (long) transfer->limits.timeout_ms);
	if (transfer->limits.large_reply)
		SET(CURLOPT_BUFFERSIZE, LARGE_BUFFER);
	/* said in any case: else the environment says them */
	SET(CURLOPT_PROXY, goes_by_proxy(transfer) ? ai_guc_proxy : "");
	SET(CURLOPT_NOPROXY, "");
	if (ai_guc_ca_file && ai_guc_ca_file[0] != '\0')
		SET(CURLOPT_CAINFO, ai_guc_ca_file);
	SET(CURLOPT_WRITEFUNCTION, receive_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, receive_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_PREREQFUNCTION, note_connected);
	SET(CURLOPT_PREREQDATA, transfer);
	SET(CURLOPT_RESOLVER_START_FUNCTION, start_resolving);
	SET(CURLOPT_RESOLVER_START_DATA, transfer);
	SET(CURLOPT_OPENSOCKETFUNCTION, ai_open_socket);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
	SET(CURLOPT_CLOSESOCKETFUNCTION, ai_close_socket);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_PRIVATE, transfer);
#undef SET

	return rc == CURLE_OK;
}

/*
 * In which phase the time ran out: the furthest that was not yet left.  By what
 * the callbacks saw, since libcurl's own times are filled in for phases that
 * were never reached (8.16), and the peer's address comes only after TLS (8.10).
 */
static const char *
phase_reached(const AiTransfer *transfer)
{
	if (transfer->reply_began)
		return "while the reply arrived";
	if (transfer->connected)
		return "while waiting for the reply to begin";
	if (transfer->connecting)
		return is_https(transfer) ? "while connecting or during the TLS handshake" : "while connecting";
	return "while resolving the name of the host";
}

void
ai_fail_descriptors(AiFailure *failure)
{
	ai_fail(failure, AI_ERROR_CONNECTION, "no file descriptor is left in this backend for a connection");
	ai_failure_hint(failure, "Raise max_files_per_process, or close connections to other servers in this session.");
}

static void
explain_connect(AiTransfer *transfer, const char *host, AiFailure *failure)
{
	if (transfer->address_refused)
	{
		ai_fail(failure, AI_ERROR_PERMISSION,
				"host \"%s\" resolves to a private address, and it is not listed in ai_gateway.allowed_hosts",
				host);
		ai_failure_hint(failure, "Add '%s' to ai_gateway.allowed_hosts and reload the configuration.", host);
	}
	else if (transfer->descriptor_refused)
		ai_fail_descriptors(failure);
	else
		ai_fail(failure, AI_ERROR_CONNECTION, "host \"%s\" cannot be connected to: %s",
				host, transfer->error[0] ? transfer->error : curl_easy_strerror(transfer->code));
}

void
ai_transfer_explain(AiTransfer *transfer, AiFailure *failure)
{
	AiUrl		url;

	host_of(transfer, &url);
	switch ((int) transfer->code)
	{
		case CURLE_OPERATION_TIMEDOUT:
			if (transfer->address_refused)
				explain_connect(transfer, url.host, failure);
			else
				ai_fail(failure, AI_ERROR_TIMEOUT, "the time ran out %s",
						phase_reached(transfer));
			break;
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
			if (transfer->descriptor_refused)
				ai_fail_descriptors(failure);
			else
				ai_fail(failure, AI_ERROR_CONNECTION, "the name of host \"%s\" cannot be resolved",
						url.host);
			break;
		case CURLE_COULDNT_CONNECT:
			explain_connect(transfer, url.host, failure);
			break;
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_ISSUER_ERROR:
			ai_fail(failure, AI_ERROR_CONNECTION, "no trusted TLS connection to host \"%s\": %s",
					url.host,
					transfer->error[0] ? transfer->error : curl_easy_strerror(transfer->code));
			failure->should_retry = 0;
			ai_failure_hint(failure, "Set ai_gateway.ca_file to the authority that signed the server's certificate, and reload the configuration.");
			break;
		case CURLE_WRITE_ERROR:
			if (transfer->headers_over_limit)
				ai_fail(failure, AI_ERROR_INVALID_REPLY,
						"the headers of the reply exceed %d kB", MAX_HEADER_BYTES / 1024);
			else if (transfer->reply.body.over_limit)
			{
				ai_fail(failure, AI_ERROR_INVALID_REPLY,
						"the reply exceeds %d kB", transfer->limits.max_response_kb);
				ai_failure_hint(failure, "Ask for less in one call, or raise ai_gateway.max_response_size, which is above 16 MB of use to embeddings only.");
			}
			else
				ai_fail(failure, AI_ERROR_INVALID_REPLY, "memory ran out for the reply");
			break;
		case CURLE_OUT_OF_MEMORY:
			ai_fail(failure, AI_ERROR_CONNECTION, "memory ran out in the HTTP library");
			break;
		case CURLE_GOT_NOTHING:
			ai_fail(failure, AI_ERROR_CONNECTION, "the server closed the connection without a reply");
			break;
		case CURLE_PARTIAL_FILE:
		case CURLE_RECV_ERROR:
		case CURLE_HTTP2_STREAM:
			ai_fail(failure, AI_ERROR_CONNECTION, "the connection broke before the reply was whole");
			break;
		case CURLE_BAD_CONTENT_ENCODING:
			ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply's compression cannot be read");
			break;
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_UNSUPPORTED_PROTOCOL:
			ai_fail(failure, AI_ERROR_INVALID_REPLY, "what host \"%s\" sent is not HTTP", url.host);
			break;
		default:
			ai_fail(failure, AI_ERROR_CONNECTION, "%s",
					transfer->error[0] ? transfer->error : curl_easy_strerror(transfer->code));
			break;
	}
}

void
ai_transfer_free(AiTransfer *transfer)
{
	for (struct curl_slist *header = transfer->headers; header; header = header->next)
		ai_wipe(header->data, strlen(header->data));
	curl_slist_free_all(transfer->headers);
	ai_http_request_free(&transfer->request);
	ai_http_reply_free(&transfer->reply);
	free(transfer);
}
