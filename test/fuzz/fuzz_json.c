/*
 * fuzz_json.c
 *	  The JSON guard: whatever is taken for JSON is clean (UTF-8 throughout, no
 *	  string cut at a NUL), and what is written of it is read as the same; the
 *	  pull reader takes what the guard takes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/utf8.h"

int			LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check_tree(const cJSON *item, int depth)
{
	const cJSON *child;

	assert(depth <= AI_JSON_MAX_DEPTH + 1);
	if (item->string)
		assert(ai_utf8_valid(item->string, strlen(item->string)));
	if (cJSON_IsString(item))
		assert(ai_utf8_valid(item->valuestring, strlen(item->valuestring)));
	cJSON_ArrayForEach(child, item)
		check_tree(child, depth + 1);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *why = NULL;
	char	   *text = malloc(size + 1);
	cJSON	   *tree;
	AiJsonReader reader;

	memcpy(text, data, size);
	text[size] = '\0';
	tree = ai_json_parse(text, size, &why);
	assert(tree != NULL || why != NULL);
	if (tree != NULL)
	{
		AiBuffer	written = {0};
		AiJsonWriter writer;
		cJSON	   *again;

		check_tree(tree, 0);
		ai_write_start(&writer, &written);
		ai_write_tree(&writer, tree);
		ai_write_end(&writer);
		again = ai_json_parse(written.data, written.len, &why);
		assert(again != NULL && cJSON_Compare(tree, again, true) == cJSON_Compare(again, tree, true));
		cJSON_Delete(again);
		ai_buffer_free(&written);
	}
	cJSON_Delete(tree);
	ai_read_start(&reader, text, size);
	ai_read_skip(&reader);
	free(text);
	return 0;
}
