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

static bool
listed(const char *list, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return ai_address_listed(list, (struct sockaddr *) &v4);
	return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 && ai_address_listed(list, (struct sockaddr *) &v6);
}

/* What a host name is resolved to may be allowed by the network that it is in. */
static void
test_addresses(void)
{
	struct sockaddr other = {.sa_family = AF_UNIX};

	ok(listed("a.com, 172.16.0.0/12", "172.31.255.255") && !listed("a.com, 172.16.0.0/12", "172.32.0.0"),
	   "a network that ends within a byte");
	ok(listed("10.1.2.3/32", "10.1.2.3") && !listed("10.1.2.3/32", "10.1.2.2"), "a network of one address");
	ok(listed("0.0.0.0/0", "8.8.8.8") && !listed("0.0.0.0/0", "2606:4700::1111"), "all of one family");
	ok(listed("10.0.0.0/8, 2001:db8:8000::/33", "2001:db8:ffff::1") && !listed("2001:db8:8000::/33", "2001:db8:7fff::1"),
	   "a network of IPv6");
	ok(!listed("10.0.0.1, [fd00::1]:80, fd00::1", "10.0.0.1") && !listed("fd00::1", "fd00::1"),
	   "a host is no network, though it be an address");
	ok(!listed("", "10.0.0.1") && !listed(NULL, "10.0.0.1"), "none in an empty list");
	ok(!ai_address_listed("0.0.0.0/0, ::/0", &other), "what is no address of the internet");
	ok(ai_address_class(&other) == AI_ADDRESS_PRIVATE, "and that is not public");
}

/* A star within a label, as in the hosts of clouds. */
static void
test_stars(void)
{
	const char *list = "bedrock-runtime.*.amazonaws.com, *-aiplatform.googleapis.com";

	ok(ai_host_listed(list, "bedrock-runtime.eu-west-1.amazonaws.com", 443), "a star is a label");
	ok(ai_host_listed(list, "europe-west4-aiplatform.googleapis.com", 443), "or a part of one");
	ok(!ai_host_listed(list, "bedrock-runtime.a.b.amazonaws.com", 443) &&
	   !ai_host_listed(list, "evil.com.x-aiplatform.googleapis.com", 443), "not two");
	ok(!ai_host_listed(list, "bedrock-runtime..amazonaws.com", 443) &&
	   !ai_host_listed(list, "-aiplatform.googleapis.com", 443), "nor nothing");
	ok(!ai_host_listed(list, "bedrock-runtime.x.amazonaws.com.evil.com", 443) &&
	   !ai_host_listed(list, "bedrock-runtime.x.amazonaws.co", 443), "and what is around it is the same");
	ok(!ai_host_listed(list, "bedrock-runtime.eu-west-1.amazonaws.com", 8443), "by https only");
}

int
main(void)
{
	char		bad[50];
	char		longest[2100];
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
	refuses("https://./");
	parses("https://host./x", "host", 443, "/x");
	snprintf(longest, sizeof(longest), "https://%0300d.com/", 0);
	refuses(longest);
	snprintf(longest, sizeof(longest), "https://host/%02000d", 0);
	refuses(longest);

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
	ok(ai_host_listed("172.16.0.0/12", "172.31.1.1", 80) && !ai_host_listed("172.16.0.0/12", "172.32.1.1", 80), "one that ends within a byte");
	ok(ai_host_listed("fd00::/8", "fd12::1", 80) && !ai_host_listed("fd00::/8", "fe00::1", 80), "a network of IPv6");
	ok(ai_host_listed("FD00:0::1", "fd00::1", 80) && !ai_host_listed("fd00::1", "fd00::2", 80), "an IPv6 address");
	ok(ai_host_listed("[fd00::1]:80", "fd00::1", 80), "an IPv6 address and port");
	ok(!ai_host_listed("", "a.com", 443) && !ai_host_listed(NULL, "a.com", 443), "an empty list");
	ok(ai_host_list_valid("a.com, b.com:1, *.c.com, 10.0.0.0/8, [::1]:80, fd00::/8", bad, sizeof(bad)), "a valid list");
	ok(!ai_host_list_valid("a.com, https://b.com", bad, sizeof(bad)), "a URL is no host");
	is_string(bad, "https://b.com", "and is named");
	ok(!ai_host_list_valid("*", bad, sizeof(bad)), "not everything at once");
	ok(!ai_host_list_valid("10.0.0.0/33", bad, sizeof(bad)), "a network too narrow");
	ok(!ai_host_list_valid("10.0.0.0/x", bad, sizeof(bad)) && !ai_host_list_valid("10.0.0.0/8x", bad, sizeof(bad)) &&
	   !ai_host_list_valid("10.0.0.0/-1", bad, sizeof(bad)), "a network without a width");
	ok(!ai_host_list_valid("10.0.0.0/4294967304", bad, sizeof(bad)), "nor one with a width that is no number of bits");
	test_addresses();
	test_stars();

	classed("8.8.8.8", AI_ADDRESS_PUBLIC);
	classed("127.0.0.1", AI_ADDRESS_LOOPBACK);
	classed("::1", AI_ADDRESS_LOOPBACK);
	classed("10.0.0.1", AI_ADDRESS_PRIVATE);
	classed("172.16.0.1", AI_ADDRESS_PRIVATE);
	classed("172.32.0.1", AI_ADDRESS_PUBLIC);
	classed("192.168.1.1", AI_ADDRESS_PRIVATE);
	classed("169.254.169.254", AI_ADDRESS_PRIVATE);
	classed("100.64.0.1", AI_ADDRESS_PRIVATE);
	classed("168.63.129.16", AI_ADDRESS_PRIVATE);
	classed("168.63.129.17", AI_ADDRESS_PUBLIC);
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
	classed("2001:db8::1", AI_ADDRESS_PRIVATE);
	classed("2001::1", AI_ADDRESS_PRIVATE);
	classed("2001:4860:4860::8888", AI_ADDRESS_PUBLIC);
	classed("::", AI_ADDRESS_PRIVATE);

	ok(ai_url_parse("https://h/v1/x", &a, &why) && ai_url_parse("https://h/v1", &b, &why) && ai_url_within(&a, &b), "within a prefix");
	ok(!ai_url_within(&b, &a), "not the other way round");
	ok(ai_url_parse("https://h/v10", &a, &why) && !ai_url_within(&a, &b), "whole segments only");
	ok(ai_url_parse("http://h:443/v1", &a, &why) && !ai_url_within(&a, &b), "the same scheme only");
	return done_testing();
}
