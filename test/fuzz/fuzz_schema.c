/*
 * fuzz_schema.c
 *	  JSON Schema: {"schema": ..., "document": ...}.  A schema that is understood
 *	  can be validated against, and a fault is said where there is one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "provider/parts.h"
#include "util/schema.h"

int			LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *why;
	cJSON	   *tree = ai_json_parse((const char *) data, size, &why);
	const cJSON *schema = ai_json_get(tree, "schema");
	const cJSON *document = ai_json_get(tree, "document");
	AiBuffer	fault = {0};

	if (schema != NULL && document != NULL)
	{
		AiBuffer	closed = {0};
		AiJsonWriter writer;

		if (!ai_schema_check(schema, NULL, NULL, &fault))
			assert(fault.len > 0);
		else if (!ai_schema_validate(schema, document, NULL, &fault))
			assert(fault.len > 0);
		ai_schema_is_strict(schema);
		ai_write_start(&writer, &closed);
		ai_write_closed_schema(&writer, schema);
		ai_write_end(&writer);
		ai_buffer_free(&closed);
	}
	ai_buffer_free(&fault);
	cJSON_Delete(tree);
	return 0;
}
