/* What a provider says, without keys and without the text of a prompt. */
#include <stdlib.h>
#include <time.h>

#include "tap.h"
#include "util/redact.h"
#include "util/utf8.h"

static void
redacts(const char *message, const char *secret, const char *private_text, const char *expected, const char *name)
{
	char		text[600];
	const AiRedactString string = {.text = text,.size = sizeof(text),.is_prose = true};
	const AiPrivate what = {.secrets = &secret,.n_secrets = secret ? 1 : 0,.texts = &private_text,.n_texts = private_text ? 1 : 0};

	strcpy(text, message);
	ai_redact(&string, 1, &what);
	is_string(text, expected, name);
	ok(ai_utf8_valid(text, strlen(text)), "%s: valid UTF-8", name);
}

/* What is longer than what is looked at, and what grows as it is redacted. */
static void
test_long(void)
{
	char		text[1200];
	const char *secret = "zz-qwertyuiop987654";
	const char *private_text = "the secret plan of the board";
	const char *short_text = "plan";
	AiRedactString string = {.text = text,.size = sizeof(text),.is_prose = true};
	const AiPrivate what = {.secrets = &secret,.n_secrets = 1,.texts = &private_text,.n_texts = 1};

	memset(text, 'a', 1100);
	for (int i = 0; i < 1100; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	memcpy(text, secret, strlen(secret));
	strcpy(text + 1050, "zz-qwertyuiop987654");
	ai_redact(&string, 1, &what);
	ok(strncmp(text, "[key]", 5) == 0 && strstr(text, "zz-") == NULL, "what cannot be looked at is not shown");
	ok(ai_utf8_valid(text, strlen(text)) && strlen(text) > 900, "the rest is, in whole characters");

	text[0] = '\0';
	for (int i = 0; i < 80; i++)
		strcat(text, "'plan' ");
	string.size = 600;
	ai_redact(&string, 1, &(AiPrivate) {.texts = &short_text,.n_texts = 1});
	ok(strlen(text) < 600 && strstr(text, "plan") == NULL, "what grows is cut");
	is_string(strrchr(text, '['), "[text]' '", "and not within a mark");
}

/* What comparing a private text with a message that repeats itself costs. */
static clock_t
work(const char *unit)
{
	size_t		n = 400000;
	char	   *private_text = malloc(n + 1);
	const char *texts[1] = {private_text};
	char		message[700];
	clock_t		start;

	for (size_t i = 0; i < n; i++)
		private_text[i] = unit[i % strlen(unit)];
	private_text[n] = '\0';
	memset(message, 'a', 600);
	message[600] = '\0';
	start = clock();
	ai_redact(&(AiRedactString) {.text = message,.size = sizeof(message),.is_prose = true}, 1,
			  &(AiPrivate) {.texts = texts,.n_texts = 1});
	start = clock() - start;
	free(private_text);
	return start;
}

static void
test_repetition(void)
{
	clock_t		other = work("some words of a prompt, again and again; ");
	clock_t		same = work("a");

	ok(same < 8 * (other + CLOCKS_PER_SEC / 1000), "a text that repeats itself costs no more than another");
}

/* What is no prose is a code or an id, or nothing. */
static void
test_identifiers(void)
{
	char		texts[3][64] = {"rate_limit_exceeded", "zz-qwertyuiop987654", "req_Patient_Mueller_born"};
	const char *secret = "zz-qwertyuiop987654";
	const char *private_text = "Patient Mueller, born 1961";
	AiRedactString strings[3];

	for (int i = 0; i < 3; i++)
		strings[i] = (AiRedactString) {.text = texts[i],.size = 64};
	ai_redact(strings, 3, &(AiPrivate) {.secrets = &secret,.n_secrets = 1,.texts = &private_text,.n_texts = 1});
	is_string(texts[0], "rate_limit_exceeded", "a code stays");
	is_string(texts[1], "", "a key is no code");
	is_string(texts[2], "", "an id with private text is none");
}

int
main(void)
{
	static const char key[] = "zz-qwertyuiop987654";
	static const char prompt[] = "Patient Mueller, born 1961,\nhas diabetes type 2";

	redacts("bad key sk-abcdef123456, sorry", "sk-abcdef123456", NULL, "bad key [key], sorry", "a whole key");
	redacts("bad key zz-qwert...987654", "zz-qwertyuiop987654", NULL, "bad key [key]...[key]", "its beginning and its end");
	redacts("Incorrect API key provided: sk-proj-AbCdEf****wxyz", NULL, NULL, "Incorrect API key provided: [key]", "what has the shape of a key");
	redacts("cannot read 'the secret plan of the board' here", NULL, "the secret plan of the board",
			"cannot read '[text]' here", "a prompt");
	redacts("near \"secret plan of th\"", NULL, "the secret plan of the board", "near \"[text]\"", "a part of a prompt");
	redacts("near \"plan\"", NULL, "plan", "near \"[text]\"", "a short prompt in quotes");
	redacts("the plan failed", NULL, "plan", "the [text] failed", "a short prompt as a word");
	redacts("nothing to hide", "sk-abcdef123456", "the secret plan", "nothing to hide", "nothing to take out");
	redacts("gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e x", NULL,
			"gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e", "[text] x", "a prompt outside of ASCII");
	redacts("", "sk-abcdef123456", "x", "", "an empty message");
	redacts("key abc no more", "abc", NULL, "key abc no more", "what is too short for a key is not looked for");
	/* the run that is found begins and ends within a character */
	redacts("x \xc3\xa9" "abcdefghijklm\xc3\xa9 y", NULL, "\xe2\x82\xa9" "abcdefghijklm\xc3\xaa", "x [text] y", "a run that cuts through characters");

	/* whatever form it is in */
	redacts("key ZZ-QWERTYUIOP987654", key, NULL, "key [key]", "a key in capitals");
	redacts("key -qwertyuiop98765", key, NULL, "key -[key]", "a key without its ends");
	redacts("key enotcXdlcnR5dWlvcDk4NzY1NA== is wrong", key, NULL, "key [key]== is wrong", "a key in base64");
	redacts("key 7a7a2d71776572747975696f70393837363534 is wrong", key, NULL, "key [key] is wrong", "a key in hex");
	redacts("said PATIENT MUELLER BORN here", NULL, prompt, "said [text] here", "a prompt in capitals");
	redacts("said Patient Mueller, born 1961,\\nhas diabetes", NULL, prompt, "said [text]", "a prompt as JSON has it");
	redacts("said Patient\\u0020Mueller\\u002c\\u0020born", NULL, prompt, "said [text]", "and with other escapes");
	redacts("said Patient%20Mueller%2C%20born here", NULL, prompt, "said [text] here", "a prompt as a URL has it");
	redacts("said Patient&nbsp;Mueller&#44; born here", NULL, prompt, "said [text] here", "a prompt as HTML has it");
	redacts("said UGF0aWVudCBNdWVsbGVyLCBib3JuIDE5NjEsCmhhcyBkaWFiZXRlcyB0eXBlIDI= here", NULL, prompt, "said [text]= here", "a prompt in base64");
	redacts("said OiBQYXRpZW50IE11ZWxsZXIsIGJvcm4gMTk2MSwKaGFzIGRpYWJldGVzIHR5cGUgMg== here", NULL, prompt, "said Oi[text]== here", "a part of it, from the middle on");
	redacts("said 50617469656E74204D75656C6C65722C20626F726E20313936312C0A68617320646961626574657320747970652032 here", NULL, prompt, "said [text] here", "a prompt in hex");
	/* what is short */
	redacts("pw: hunter2 is no password", NULL, "pw: hunter2", "[text] is no password", "a prompt of eleven bytes");
	redacts("near HIV pos in line 3", NULL, "Anna Lee\nDOB 1961\nHIV pos\n+49 171 22", "near [text] in line 3", "a short line of a prompt");
	redacts("near 'HIV pos', 'Anna Lee'", NULL, "Anna Lee\tDOB 1961\tHIV pos", "near '[text]', '[text]'", "short words between tabs");
	redacts("the explanation is too long", NULL, "plan", "the explanation is too long", "a part of a word is none");
	/* what users need to mend their request */
	redacts("max_tokens is too large: 100000. This model supports at most 16384 completion tokens", key,
			"Translate the following text to French: max speed, large model", "max_tokens is too large: 100000. This model supports at most 16384 completion tokens", "what was asked for stays");
	test_identifiers();
	test_long();
	test_repetition();
	return done_testing();
}
