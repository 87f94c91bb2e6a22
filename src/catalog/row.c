/*
 * row.c
 *	  Columns of a row, found by name (row.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/row.h"
#include "text.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

Datum
ai_row_column(const AiRow *row, const char *name, bool *isnull)
{
	for (int i = 0; i < row->descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->descriptor, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return heap_getattr(row->tuple, i + 1, row->descriptor, isnull);
	}
	*isnull = true;
	return (Datum) 0;
}

char *
ai_row_text(const AiRow *row, const char *name)
{
	bool		isnull;
	Datum		value = ai_row_column(row, name, &isnull);

	return isnull ? NULL : text_to_cstring(DatumGetTextPP(value));
}

Numeric
ai_row_numeric(const AiRow *row, const char *name)
{
	bool		isnull;
	Datum		value = ai_row_column(row, name, &isnull);

	return isnull ? NULL : DatumGetNumericCopy(value);
}

bool
ai_row_bool(const AiRow *row, const char *name, bool otherwise)
{
	bool		isnull;
	Datum		value = ai_row_column(row, name, &isnull);

	return isnull ? otherwise : DatumGetBool(value);
}

char *
ai_row_json(const AiRow *row, const char *name)
{
	bool		isnull;
	Datum		value = ai_row_column(row, name, &isnull);
	Jsonb	   *json;
	char	   *document;

	if (isnull)
		return NULL;
	json = DatumGetJsonbP(value);
	document = JsonbToCString(NULL, &json->root, VARSIZE(json));
	return ai_cstring_to_utf8(document, strlen(document));
}
