/*
 * buffer.h
 *	  A growable byte buffer that never throws.
 *
 * Code that runs inside a libcurl callback, and the whole provider layer, may
 * neither palloc nor ereport: a longjmp through libcurl leaves its handle
 * unusable.  An AiBuffer lives in malloc memory.  When memory runs out or the
 * limit is passed it remembers that (`failed`), keeps what it has, and ignores
 * all later appends, so a builder checks once at the end.
 *
 * `data` is always NUL-terminated once anything was appended; NULL before.
 * Whoever holds the struct owns the bytes and calls ai_buffer_free().
 */
#ifndef AI_BUFFER_H
#define AI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AiBuffer
{
	char	   *data;
	size_t		len;
	size_t		capacity;
	size_t		limit;			/* most bytes it may hold; 0 = no limit */
	bool		failed;			/* out of memory, or past the limit */
	bool		over_limit;		/* the limit was the reason */
} AiBuffer;

extern void ai_buffer_append(AiBuffer *buffer, const char *data, size_t len);
extern void ai_buffer_append_string(AiBuffer *buffer, const char *string);
extern void ai_buffer_append_char(AiBuffer *buffer, char c);
extern void ai_buffer_printf(AiBuffer *buffer, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/* Percent-encodes everything but RFC 3986's unreserved characters. */
extern void ai_buffer_append_url_segment(AiBuffer *buffer, const char *segment);

/* Empties it and keeps the memory. */
extern void ai_buffer_reset(AiBuffer *buffer);
extern void ai_buffer_free(AiBuffer *buffer);

/* As ai_buffer_free, and the bytes are overwritten first. */
extern void ai_buffer_wipe(AiBuffer *buffer);

/* Overwrites memory in a way that a compiler may not leave out. */
extern void ai_wipe(void *memory, size_t len);

/* What is free of malloc's memory goes back to the system; costs a walk over it. */
extern void ai_give_back_memory(void);

/* strdup that takes NULL, and free of a string after overwriting it. */
extern char *ai_strdup(const char *string);
extern void ai_free_secret(char *string);

#endif							/* AI_BUFFER_H */
