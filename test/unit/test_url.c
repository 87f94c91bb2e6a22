/* Endpoints, host lists and classes of addresses. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tap.h"
#include "util/url.h"

static void
parses(const char *text, const char *host, int port, const char *path)
{
	AiUrl		url;
	const char *why = NULL;

	if (!ok(ai_url_parse(text, &url, &why), "%s is an endpoint", text))
		return;
	is_string(url.host, host, "its host");
	is_number(url.port, port, "its port");
	is_string(url.path, path, "its path");
}

static void
refuses(const char *text)
{
	AiUrl		url;
	const char *why = NULL;

	ok(!ai_url_parse(text, &url, &why) && why != NULL, "\"%s\" is refused: %s", text, why ? why : "?");
}

static void
classed(const char *text, AiAddressClass expected)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	AiAddressClass got;

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		got = ai_address_class((struct sockaddr *) &v4);
	else
	{
		ok(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1, "%s is an address", text);
		got = ai_address_class((struct sockaddr *) &v6);
	}
	ok(got == expected, "%s is of class %d", text, expected);
}

int
main(void)
{
	char		bad[50];
	AiUrl		a;
	AiUrl		b;
	const char *why;

	parses("https://api.openai.com/v1", "api.openai.com", 443, "/v1");
	parses("https://API.OpenAI.com:8443/v1///", "api.openai.com", 8443, "/v1");
	parses("http://localhost", "localhost", 80, "");
	parses("http://[::1]:8080/x", "::1", 8080, "/x");
	parses("https://host/a/b-c_d.e~f:g@h", "host", 443, "/a/b-c_d.e~f:g@h");
	refuses("");
	refuses("https://");
	refuses("ftp://host");
	refuses("host/v1");
	refuses("https://user@host/");
	refuses("https://user:pass@host/");
	refuses("https://host/?q=1");
	refuses("https://host/#f");
	refuses("https://ho st/");
	refuses("https://host/\r\nX: y");
	refuses("https://host\\@evil/");
	refuses("https://%65vil/");
	refuses("https://host:0/");
	refuses("https://host:65536/");
	refuses("https://host:port/");
	refuses("https://host:/");
	refuses("https://[::1");
	refuses("https://[zz]/");
	refuses("https://127.1/");
	refuses("https://0x7f000001/");
	refuses("https://2130706433/");
	refuses("https://host/../x");

	ok(ai_host_is_loopback("localhost") && ai_host_is_loopback("127.0.0.1") &&
	   ai_host_is_loopback("127.9.9.9") && ai_host_is_loopback("::1"), "loopback");
	ok(!ai_host_is_loopback("localhost.evil.com") && !ai_host_is_loopback("128.0.0.1") &&
	   !ai_host_is_loopback("127.0.0.1.evil.com"), "not loopback");

	ok(ai_host_listed("a.com, b.com:8443", "a.com", 443), "a host of a list");
	ok(ai_host_listed("a.com", "a.com", 8443), "a host without a port is any port");
	ok(ai_host_listed("a.com, b.com:8443", "b.com", 8443), "a host and port");
	ok(!ai_host_listed("a.com, b.com:8443", "b.com", 443), "another port");
	ok(ai_host_listed("*.openai.azure.com", "x.openai.azure.com", 443), "a name below a domain");
	ok(!ai_host_listed("*.openai.azure.com", "openai.azure.com", 443), "not the domain itself");
	ok(!ai_host_listed("*.openai.azure.com", "xopenai.azure.com", 443), "no part of a name");
	ok(!ai_host_listed("a.com", "a.com.evil.net", 443), "no longer name");
	ok(ai_host_listed("10.0.0.0/8", "10.1.2.3", 80), "an address of a network");
	ok(!ai_host_listed("10.0.0.0/8", "11.1.2.3", 80), "an address outside");
	ok(ai_host_listed("[fd00::1]:80", "fd00::1", 80), "an IPv6 address and port");
	ok(!ai_host_listed("", "a.com", 443) && !ai_host_listed(NULL, "a.com", 443), "an empty list");
	ok(ai_host_list_valid("a.com, b.com:1, *.c.com, 10.0.0.0/8, [::1]:80, fd00::/8", bad, sizeof(bad)), "a valid list");
	ok(!ai_host_list_valid("a.com, https://b.com", bad, sizeof(bad)), "a URL is no host");
	is_string(bad, "https://b.com", "and is named");
	ok(!ai_host_list_valid("*", bad, sizeof(bad)), "not everything at once");
	ok(!ai_host_list_valid("10.0.0.0/33", bad, sizeof(bad)), "a network too narrow");

	classed("8.8.8.8", AI_ADDRESS_PUBLIC);
	classed("127.0.0.1", AI_ADDRESS_LOOPBACK);
	classed("::1", AI_ADDRESS_LOOPBACK);
	classed("10.0.0.1", AI_ADDRESS_PRIVATE);
	classed("172.16.0.1", AI_ADDRESS_PRIVATE);
	classed("172.32.0.1", AI_ADDRESS_PUBLIC);
	classed("192.168.1.1", AI_ADDRESS_PRIVATE);
	classed("169.254.169.254", AI_ADDRESS_PRIVATE);
	classed("100.64.0.1", AI_ADDRESS_PRIVATE);
	classed("0.0.0.0", AI_ADDRESS_PRIVATE);
	classed("224.0.0.1", AI_ADDRESS_PRIVATE);
	classed("255.255.255.255", AI_ADDRESS_PRIVATE);
	classed("fe80::1", AI_ADDRESS_PRIVATE);
	classed("fd00:ec2::254", AI_ADDRESS_PRIVATE);
	classed("2606:4700::1111", AI_ADDRESS_PUBLIC);
	classed("::ffff:169.254.169.254", AI_ADDRESS_PRIVATE);
	classed("::ffff:127.0.0.1", AI_ADDRESS_LOOPBACK);
	classed("64:ff9b::a9fe:a9fe", AI_ADDRESS_PRIVATE);
	classed("2002:a9fe:a9fe::1", AI_ADDRESS_PRIVATE);
	classed("::", AI_ADDRESS_PRIVATE);

	ok(ai_url_parse("https://h/v1/x", &a, &why) && ai_url_parse("https://h/v1", &b, &why) && ai_url_within(&a, &b), "within a prefix");
	ok(!ai_url_within(&b, &a), "not the other way round");
	ok(ai_url_parse("https://h/v10", &a, &why) && !ai_url_within(&a, &b), "whole segments only");
	ok(ai_url_parse("http://h:443/v1", &a, &why) && !ai_url_within(&a, &b), "the same scheme only");
	return done_testing();
}
