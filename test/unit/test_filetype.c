/* Files by their first bytes. */
#include "tap.h"
#include "util/filetype.h"

#define TYPE(bytes) ai_file_type((const unsigned char *) (bytes), sizeof(bytes) - 1)

int
main(void)
{
	is_string(TYPE("\x89PNG\r\n\x1a\n"), "image/png", "PNG");
	is_string(TYPE("\x89PNG\r\n\x1a"), NULL, "a PNG cut short");
	is_string(TYPE("\xff\xd8\xff\xe0"), "image/jpeg", "JPEG");
	is_string(TYPE("GIF87a"), "image/gif", "GIF");
	is_string(TYPE("GIF89a"), "image/gif", "GIF, the later");
	is_string(TYPE("RIFF0000WEBPVP8 "), "image/webp", "WebP");
	is_string(TYPE("%PDF-1.7\n"), "application/pdf", "PDF");
	is_string(TYPE("RIFF0000WAVEfmt "), "audio/wav", "WAV");
	is_string(TYPE("RIFF0000AVI LIST"), NULL, "what else comes as RIFF");
	is_string(TYPE("RIFF0000WAV"), NULL, "a WAV cut short");
	is_string(TYPE("fLaC\0\0\0\x22"), "audio/flac", "FLAC");
	is_string(TYPE("OggS\0\x02"), "audio/ogg", "Ogg");
	is_string(TYPE("FORM\0\0\0\0AIFFCOMM"), "audio/aiff", "AIFF");
	is_string(TYPE("\0\0\0\x20" "ftypM4A \0\0\0\0"), "audio/mp4", "M4A");
	is_string(TYPE("\0\0\0\x20" "ftypisom\0\0\0\0"), NULL, "a film is no sound");
	is_string(TYPE("ID3\x04\0"), "audio/mpeg", "MP3 with a tag");
	is_string(TYPE("\xff\xfb\x90\x64"), "audio/mpeg", "MP3");
	is_string(TYPE("\xff\xf3\x40\xc4"), "audio/mpeg", "MP3 of MPEG 2");
	is_string(TYPE("\xff\xe3\x40\xc4"), "audio/mpeg", "MP3 of MPEG 2.5");
	is_string(TYPE("\xff\xf1\x50\x80"), "audio/aac", "AAC");
	is_string(TYPE("\xff\xfe" "a\0b\0c\0"), NULL, "a text in UTF-16");
	is_string(TYPE("\xff\xff\xff\xff\xff\xff"), NULL, "all bits set");
	is_string(TYPE("a text"), NULL, "a text");
	is_string(TYPE(""), NULL, "nothing");
	ok(ai_file_is_picture("image/webp") && !ai_file_is_picture("application/pdf"), "which are pictures");
	return done_testing();
}
