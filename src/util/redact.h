/*
 * redact.h
 *	  Takes keys and private text out of what a provider said.  Pure.
 *
 * Providers echo parts of keys in refusals, and parts of prompts in
 * complaints about them.  Neither may reach a log or an error.
 */
#ifndef AI_REDACT_H
#define AI_REDACT_H

#include <stddef.h>

/*
 * Edits `text` in place; it stays valid UTF-8 and within size.
 *
 * A secret becomes [key]: whole, or any run of at least 6 bytes that begins or
 * ends it ("sk-ab...yz").  So does whatever has the shape of a key.  A run of at
 * least 12 bytes that also stands in a private text becomes [text], and so
 * does a shorter private text that stands in quotes.
 *
 * Cost: linear in the private texts, which may be megabytes.
 */
extern void ai_redact(char *text, size_t size,
					  const char *const *secrets, int n_secrets,
					  const char *const *private_texts, int n_private);

#endif							/* AI_REDACT_H */
