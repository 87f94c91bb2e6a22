/*
 * filetype.h
 *	  What a file is, by its first bytes: its name and its owner's word for it
 *	  are not known in SQL.  Pure.
 */
#ifndef AI_FILETYPE_H
#define AI_FILETYPE_H

#include <stdbool.h>
#include <stddef.h>

/* The kinds that are recognised: the beginning of a message. */
#define AI_FILE_TYPES_KNOWN	"Pictures (PNG, JPEG, GIF, WebP), PDF documents and sound (WAV, MP3, AAC, M4A, FLAC, Ogg, AIFF)"

/* Its media type (RFC 2046), image/..., audio/... or application/pdf; NULL = none of these. */
extern const char *ai_file_type(const unsigned char *data, size_t len);

extern bool ai_file_is_picture(const char *type);

#endif							/* AI_FILETYPE_H */
