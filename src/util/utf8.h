/*
 * utf8.h
 *	  UTF-8 without a server: validity and repair (RFC 3629).  Pure.
 */
#ifndef AI_UTF8_H
#define AI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"

/*
 * The length (1 to 4) of the valid UTF-8 sequence that starts at s, or 0 if
 * none does within len bytes.  Overlong forms, surrogates and values above
 * U+10FFFF are not valid.
 */
extern size_t ai_utf8_sequence(const char *s, size_t len);

/* True if all of it is valid and no byte is NUL. */
extern bool ai_utf8_valid(const char *s, size_t len);

/* Writes one code point; U+FFFD for one that UTF-8 cannot hold. */
extern void ai_utf8_append(AiBuffer *out, uint32_t code_point);

#endif							/* AI_UTF8_H */
