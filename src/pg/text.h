/*
 * text.h
 *	  Between the encoding of the database and UTF-8, which models speak.
 */
#ifndef AI_TEXT_H
#define AI_TEXT_H

#include "postgres.h"

#include "util/failure.h"

/*
 * A NUL-terminated UTF-8 copy in the current memory context; NULL with a fault
 * in an argument if it has no such form, as bytes in a SQL_ASCII database that
 * are no UTF-8 (22021).
 */
extern char *ai_text_to_utf8(const text *value, AiFailure *failure);
extern char *ai_cstring_to_utf8(const char *value, size_t len, AiFailure *failure);

/* What a row of the registry holds, which is refused when it is written: raises. */
extern char *ai_stored_to_utf8(const char *value);

/* A name for a message, in the current memory context; nothing is raised. */
extern char *ai_name_to_utf8(const char *name);

/*
 * A text in the database's encoding, in the current memory context; NULL with
 * a failure if a character has no equivalent there or the text is too long.
 */
extern text *ai_text_from_utf8(const char *utf8, AiFailure *failure);

/* As that, for messages: what cannot be converted becomes a question mark. */
extern char *ai_message_from_utf8(const char *utf8);

#endif							/* AI_TEXT_H */
