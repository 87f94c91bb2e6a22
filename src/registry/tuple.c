/*
 * tuple.c
 *	  Columns of a row, found by name (tuple.h).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "pg/dollars.h"
#include "pg/text.h"
#include "registry/tuple.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

Datum
ai_tuple_column(const AiTuple *row, const char *name, bool *isnull)
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
ai_tuple_text(const AiTuple *row, const char *name)
{
	bool		isnull;
	Datum		value = ai_tuple_column(row, name, &isnull);

	return isnull ? NULL : text_to_cstring(DatumGetTextPP(value));
}

AiMoneyFault
ai_tuple_price(const AiTuple *row, const char *name, int64 *price)
{
	bool		isnull;
	Datum		value = ai_tuple_column(row, name, &isnull);

	return ai_price_of_dollars(isnull ? NULL : DatumGetNumeric(value), price);
}

bool
ai_tuple_bool(const AiTuple *row, const char *name, bool otherwise)
{
	bool		isnull;
	Datum		value = ai_tuple_column(row, name, &isnull);

	return isnull ? otherwise : DatumGetBool(value);
}

char *
ai_tuple_json(const AiTuple *row, const char *name)
{
	bool		isnull;
	Datum		value = ai_tuple_column(row, name, &isnull);
	Jsonb	   *json;
	char	   *document;

	if (isnull)
		return NULL;
	json = DatumGetJsonbP(value);
	document = JsonbToCString(NULL, &json->root, VARSIZE(json));
	return ai_stored_to_utf8(document);
}
