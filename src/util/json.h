/*
 * json.h
 *	  Everything that touches cJSON, guarded; and a writer and a pull reader.
 *
 * cJSON by itself truncates strings at \u0000, rejects a whole document for
 * one lone surrogate, accepts invalid UTF-8 and trailing garbage, and matches
 * member names without regard to case.  ai_json_parse() repairs or refuses
 * these, so what it returns is clean UTF-8 throughout.
 *
 * Ownership: ai_json_parse() returns a tree that the caller frees with
 * cJSON_Delete().  Getters return borrowed pointers into the tree.  Nothing
 * here throws; memory is malloc.
 */
#ifndef AI_JSON_H
#define AI_JSON_H

#include <cjson/cJSON.h>

#include "util/buffer.h"
#include "util/failure.h"

/* Deeper nesting than this is refused before cJSON recurses into it. */
#define AI_JSON_MAX_DEPTH	128

/*
 * What documents may mean, beside how long they are: a tree takes some 80 bytes for
 * each value, be it "1,".  So many values are free, and one more for so many bytes;
 * then the tree takes less than four times the document, or ten megabytes.
 */
#define AI_JSON_FREE_VALUES		100000
#define AI_JSON_BYTES_A_VALUE	32

/*
 * Parses one JSON document.  Leading and trailing white space and a byte
 * order mark are skipped; anything else after the document is an error.
 * U+0000, lone surrogates and invalid UTF-8 become U+FFFD.  A number that its double
 * does not say exactly has its text as valuestring.  Returns NULL and sets *why (a
 * static phrase) when it is not JSON.
 */
extern cJSON *ai_json_parse(const char *data, size_t len, const char **why);

/* Case-sensitive getters; NULL, or -1, where absent or of another type. */
extern const cJSON *ai_json_get(const cJSON *object, const char *name);
extern const char *ai_json_string(const cJSON *object, const char *name);
extern int64_t ai_json_int64(const cJSON *object, const char *name);

/* JSON's own equality: 1 and 1.0 are the same, the order of members is not. */
extern bool ai_json_equal(const cJSON *a, const cJSON *b);

/* The document as text, malloc'd; NULL if memory ran out. */
extern char *ai_json_text(const cJSON *tree);

/* A number as text in a small buffer, or its own. */
extern const char *ai_json_number(const cJSON *number, char *space, size_t size);

/* String, number, true or false as text in a small buffer; "" for others. */
extern const char *ai_json_scalar_text(const cJSON *item, char *space, size_t size);

/*
 * The writer appends one document to a buffer, members in the order of the
 * calls.  It remembers the members of the outermost object, so that a user's
 * extra members can be kept from overriding them.
 */
typedef struct AiJsonWriter
{
	AiBuffer   *out;
	AiBuffer	members;		/* "\nname\nname\n..." of the outermost object */
	int			depth;
	bool		need_comma;
} AiJsonWriter;

extern void ai_write_start(AiJsonWriter *writer, AiBuffer *out);
extern void ai_write_end(AiJsonWriter *writer);
extern void ai_write_object(AiJsonWriter *writer);
extern void ai_write_object_end(AiJsonWriter *writer);
extern void ai_write_array(AiJsonWriter *writer);
extern void ai_write_array_end(AiJsonWriter *writer);
extern void ai_write_key(AiJsonWriter *writer, const char *name);
extern void ai_write_string(AiJsonWriter *writer, const char *string);
extern void ai_write_string_len(AiJsonWriter *writer, const char *string, size_t len);
extern void ai_write_int(AiJsonWriter *writer, int64_t value);
extern void ai_write_double(AiJsonWriter *writer, double value);
extern void ai_write_bool(AiJsonWriter *writer, bool value);
extern void ai_write_tree(AiJsonWriter *writer, const cJSON *tree);
extern void ai_write_string_member(AiJsonWriter *writer, const char *name,
								   const char *string);

/* Base64 (RFC 4648, no line breaks) as a string with a prefix, for data URLs. */
extern void ai_write_base64(AiJsonWriter *writer, const char *prefix,
							const unsigned char *data, size_t len);

/*
 * Adds the members of `extra` to the open outermost object.  A member that
 * the request already has is a failure that names it.
 */
extern bool ai_write_extra(AiJsonWriter *writer, const cJSON *extra, AiFailure *failure);

/* Adds those that the open outermost object does not have yet. */
extern void ai_write_missing(AiJsonWriter *writer, const cJSON *members);

/*
 * The pull reader walks a document without building a tree, for replies that
 * are mostly numbers.  `data` must be NUL-terminated.  Once `failed` is set
 * every call returns false.
 */
typedef struct AiJsonReader
{
	const char *p;
	const char *end;
	int			depth;
	bool		failed;
	bool		first[AI_JSON_MAX_DEPTH];
} AiJsonReader;

extern void ai_read_start(AiJsonReader *reader, const char *data, size_t len);
extern char ai_read_peek(AiJsonReader *reader);
extern bool ai_read_object(AiJsonReader *reader);
extern bool ai_read_member(AiJsonReader *reader, const char **name, size_t *len);

/* Is it the member of that name? */
extern bool ai_name_is(const char *name, size_t len, const char *expected);
extern bool ai_read_array(AiJsonReader *reader);
extern bool ai_read_element(AiJsonReader *reader);
extern bool ai_read_skip(AiJsonReader *reader);
extern bool ai_read_int64(AiJsonReader *reader, int64_t *value);

/*
 * The elements of the open array that come next, which must be numbers; `room`
 * at most.  Fewer are left where the array ends, or where the reader fails.
 */
extern int	ai_read_floats(AiJsonReader *reader, float *numbers, int room);

/* The raw bytes between the quotes, escapes not resolved. */
extern bool ai_read_raw_string(AiJsonReader *reader, const char **string, size_t *len);

/* A copy of a string value with escapes resolved; caller frees; NULL on error. */
extern char *ai_read_string(AiJsonReader *reader);

#endif							/* AI_JSON_H */
