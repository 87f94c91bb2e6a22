/*
 * redact.h
 *	  Takes keys and private text out of what a provider said.  Pure.
 *
 * Providers echo parts of keys in refusals, and parts of prompts in complaints
 * about them, in whatever form: in capitals, without blanks, escaped for JSON, a URL
 * or HTML, in base64 or hex.  None of it may reach a log or an error.  So both
 * sides are compared as they fold (fold.h), and what looks like base64 or hex in a
 * string is looked at as what it stands for, too.
 *
 * What is taken out of a string:
 *	[key]	a run of 8 letters and digits that a secret has as well, the beginning
 *			and the end of one of at least 6 bytes as it stands ("sk-ab...yz"), a
 *			whole secret of 6 and more; and whatever has the shape of a key.
 *	[text]	a run of 10 letters and digits that also stands in a private text; and,
 *			as words of their own, a whole text of at least 4 or a line of at least
 *			5 that is shorter than that.
 * What is no prose, such as a code or the id of a request, is emptied if any of that
 * is in it.
 *
 * Cost: linear in the secrets and the texts, which may be megabytes.
 */
#ifndef AI_REDACT_H
#define AI_REDACT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct AiRedactString
{
	char	   *text;			/* edited in place; it stays valid UTF-8 and
								 * within size */
	size_t		size;
	bool		is_prose;
} AiRedactString;

typedef struct AiPrivate
{
	const char *const *secrets;
	int			n_secrets;
	const char *const *texts;
	int			n_texts;
} AiPrivate;

/* The most strings that are looked at together; longer ones than 1 kB are cut before. */
#define AI_REDACT_STRINGS	8

extern void ai_redact(const AiRedactString *strings, int n, const AiPrivate *what);

/*
 * Does a short text repeat a run of a secret, as it stands?  For what comes with each
 * good reply, where ai_redact() would cost too much.
 */
extern bool ai_repeats_secret(const char *text, const AiPrivate *what);

#endif							/* AI_REDACT_H */
