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

	strcpy(text, message);
	ai_redact(text, sizeof(text), &secret, secret ? 1 : 0, &private_text, private_text ? 1 : 0);
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

	memset(text, 'a', 1100);
	for (int i = 0; i < 1100; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	memcpy(text, secret, strlen(secret));
	strcpy(text + 1050, "zz-qwertyuiop987654");
	ai_redact(text, sizeof(text), &secret, 1, &private_text, 1);
	ok(strncmp(text, "[key]", 5) == 0 && strstr(text, "zz-") == NULL, "what cannot be looked at is not shown");
	ok(ai_utf8_valid(text, strlen(text)) && strlen(text) > 900, "the rest is, in whole characters");

	text[0] = '\0';
	for (int i = 0; i < 80; i++)
		strcat(text, "'plan' ");
	ai_redact(text, 600, NULL, 0, &short_text, 1);
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
	ai_redact(message, sizeof(message), NULL, 0, texts, 1);
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

int
main(void)
{
	redacts("bad key sk-abcdef123456, sorry", "sk-abcdef123456", NULL, "bad key [key], sorry", "a whole key");
	redacts("bad key zz-qwert...987654", "zz-qwertyuiop987654", NULL, "bad key [key]...[key]", "its beginning and its end");
	redacts("Incorrect API key provided: sk-proj-AbCdEf****wxyz", NULL, NULL, "Incorrect API key provided: [key]", "what has the shape of a key");
	redacts("cannot read 'the secret plan of the board' here", NULL, "the secret plan of the board",
			"cannot read '[text]' here", "a prompt");
	redacts("near \"secret plan of th\"", NULL, "the secret plan of the board", "near \"[text]\"", "a part of a prompt");
	redacts("near \"plan\"", NULL, "plan", "near \"[text]\"", "a short prompt in quotes");
	redacts("the plan failed", NULL, "plan", "the plan failed", "a short word outside of quotes stays");
	redacts("nothing to hide", "sk-abcdef123456", "the secret plan", "nothing to hide", "nothing to take out");
	redacts("gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e x", NULL,
			"gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e gr\xc3\xbc\xc3\x9f" "e", "[text]x", "a prompt outside of ASCII");
	redacts("", "sk-abcdef123456", "x", "", "an empty message");
	redacts("key abc no more", "abc", NULL, "key abc no more", "what is too short for a key is not looked for");
	/* the run that is found begins and ends within a character */
	redacts("x \xc3\xa9" "abcdefghijklm\xc3\xa9 y", NULL, "\xe2\x82\xa9" "abcdefghijklm\xc3\xaa", "x [text] y", "a run that cuts through characters");
	test_long();
	test_repetition();
	return done_testing();
}
