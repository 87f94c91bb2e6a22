/*
 * filetype.c
 *	  Recognises files by their first bytes (filetype.h).
 *
 * A container that may hold sound or moving pictures alike (MP4, WebM) is sound
 * only where its brand says so.
 */
#include "util/filetype.h"

#include <string.h>

/* One signature, and a second one behind it where the first is not enough. */
static const struct
{
	const char *type;
	size_t		len;
	const char *bytes;
	size_t		second_at;
	const char *second;
}			signatures[] = {
	{"image/png", 8, "\x89PNG\r\n\x1a\n"},
	{"image/jpeg", 3, "\xff\xd8\xff"},
	{"image/gif", 6, "GIF87a"},
	{"image/gif", 6, "GIF89a"},
	{"image/webp", 4, "RIFF", 8, "WEBP"},
	{"application/pdf", 5, "%PDF-"},
	{"audio/wav", 4, "RIFF", 8, "WAVE"},
	{"audio/flac", 4, "fLaC"},
	{"audio/ogg", 4, "OggS"},
	{"audio/aiff", 4, "FORM", 8, "AIFF"},
	{"audio/aiff", 4, "FORM", 8, "AIFC"},
	{"audio/mp4", 0, "", 4, "ftypM4A "},
	{"audio/mp4", 0, "", 4, "ftypM4B "},
	{"audio/mpeg", 3, "ID3"},
};

static bool
holds(const unsigned char *data, size_t len, size_t at, const char *bytes, size_t n)
{
	return len >= at + n && memcmp(data + at, bytes, n) == 0;
}

/*
 * The header of a frame of MPEG audio without a tag before it: eleven bits that
 * are set, then what cannot be just anything.  Layer 0 is that of AAC (ADTS).
 */
static const char *
frame_type(const unsigned char *data, size_t len)
{
	if (len < 4 || data[0] != 0xff || (data[1] & 0xe0) != 0xe0)
		return NULL;
	if ((data[1] & 0xf6) == 0xf0)
		return (data[2] & 0x3c) <= 0x30 ? "audio/aac" : NULL;
	if ((data[1] & 0x06) == 0x02 && (data[1] & 0x18) != 0x08 &&
		(data[2] & 0xf0) != 0xf0 && (data[2] & 0xf0) != 0 && (data[2] & 0x0c) != 0x0c)
		return "audio/mpeg";
	return NULL;
}

const char *
ai_file_type(const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
	{
		const char *second = signatures[i].second;

		if (holds(data, len, 0, signatures[i].bytes, signatures[i].len) &&
			(second == NULL || holds(data, len, signatures[i].second_at, second, strlen(second))))
			return signatures[i].type;
	}
	return frame_type(data, len);
}

bool
ai_file_is_picture(const char *type)
{
	return strncmp(type, "image/", 6) == 0;
}
