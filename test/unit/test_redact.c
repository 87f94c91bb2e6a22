/* What a provider says, without keys and without the text of a prompt. */
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
	return done_testing();
}
