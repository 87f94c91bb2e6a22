/*
 * text.c
 *	  Conversion between the database's encoding and UTF-8.
 *
 * What one row asks and what it is answered must not throw among the calls of
 * other rows: the conversion procedures are called in their no-error mode, and
 * what they stop at becomes a failure of that call alone.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "pg/compat.h"
#include "pg/errors.h"
#include "pg/text.h"
#include "util/utf8.h"
#include "utils/builtins.h"

/*
 * Converts as much as can be.  Returns the number of input bytes converted;
 * *out is palloc'd and NUL-terminated.
 */
static int
convert_some(int from, int to, const char *value, int len, char **out)
{
	Oid			procedure = FindDefaultConversionProc(from, to);
	int			size = len * MAX_CONVERSION_GROWTH + 1;

	*out = palloc(size);
	(*out)[0] = '\0';
	if (!OidIsValid(procedure))
		return 0;
	return pg_do_encoding_conversion_buf(procedure, from, to,
										 (unsigned char *) unconstify(char *, value), len,
										 (unsigned char *) *out, size, true);
}

static bool
needs_no_conversion(void)
{
	int			encoding = GetDatabaseEncoding();

	return encoding == PG_UTF8 || encoding == PG_SQL_ASCII;
}

/* ---- to UTF-8 ---- */

static char *
convert_argument(const char *value, size_t len, AiFailure *failure)
{
	char	   *utf8;

	if (len >= MaxAllocSize / MAX_CONVERSION_GROWTH)
	{
		ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "54000",
				 "text of %zu bytes is too long for a model", len);
		return NULL;
	}
	if (convert_some(GetDatabaseEncoding(), PG_UTF8, value, (int) len, &utf8) == (int) len)
		return utf8;
	pfree(utf8);
	ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22P05",
			 "text for a model holds a character of encoding \"%s\" that has no equivalent in encoding \"UTF8\"",
			 GetDatabaseEncodingName());
	return NULL;
}

char *
ai_cstring_to_utf8(const char *value, size_t len, AiFailure *failure)
{
	if (!needs_no_conversion())
		return convert_argument(value, len, failure);
	if (GetDatabaseEncoding() == PG_UTF8 || ai_utf8_valid(value, len))
		return pnstrdup(value, len);
	ai_fault(failure, AI_FAULT_ARGUMENT, AI_ERROR_INVALID_REQUEST, "22021",
			 "text for a model is not valid UTF-8");
	ai_failure_detail(failure, "The database's encoding is SQL_ASCII, so the text is sent as it is.");
	ai_failure_hint(failure, "SELECT convert_from(value::bytea, 'LATIN1') ... in a UTF8 database, or clean the data.");
	return NULL;
}

char *
ai_text_to_utf8(const text *value, AiFailure *failure)
{
	return ai_cstring_to_utf8(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), failure);
}

char *
ai_stored_to_utf8(const char *value)
{
	AiFailure	failure;
	char	   *utf8 = ai_cstring_to_utf8(value, strlen(value), &failure);

	if (utf8 == NULL)
		ai_report(ERROR, "", &failure, 0);
	return utf8;
}

char *
ai_name_to_utf8(const char *name)
{
	size_t		len = strlen(name);
	StringInfoData utf8;

	initStringInfo(&utf8);
	if (needs_no_conversion())
	{
		enlargeStringInfo(&utf8, (int) len);
		ai_copy_clean(utf8.data, len + 1, name, len);
		return utf8.data;
	}
	while (len > 0)
	{
		char	   *converted;
		int			done = convert_some(GetDatabaseEncoding(), PG_UTF8, name, (int) len, &converted);

		appendStringInfoString(&utf8, converted);
		pfree(converted);
		name += done;
		len -= (size_t) done;
		if (len > 0)
		{
			int			step = Min(pg_encoding_mblen(GetDatabaseEncoding(), name), (int) len);

			appendStringInfoChar(&utf8, '?');
			name += step;
			len -= (size_t) step;
		}
	}
	return utf8.data;
}

/* ---- from UTF-8 ---- */

text *
ai_text_from_utf8(const char *utf8, AiFailure *failure)
{
	size_t		len = strlen(utf8);
	char	   *converted;
	int			done;
	text	   *result;

	if (needs_no_conversion())
	{
		if (len < MaxAllocSize - VARHDRSZ)
			return cstring_to_text_with_len(utf8, (int) len);
	}
	else if (len < MaxAllocSize / MAX_CONVERSION_GROWTH)
	{
		done = convert_some(PG_UTF8, GetDatabaseEncoding(), utf8, (int) len, &converted);
		if (done == (int) len)
		{
			result = cstring_to_text(converted);
			pfree(converted);
			return result;
		}
		pfree(converted);
		ai_fail(failure, AI_ERROR_INVALID_REPLY,
				"the reply holds a character that the database's encoding \"%s\" cannot hold",
				GetDatabaseEncodingName());
		failure->sqlstate = "22P05";
		return NULL;
	}
	ai_fail(failure, AI_ERROR_INVALID_REPLY,
			"the reply of %zu bytes is too long for a value of type text", len);
	failure->sqlstate = "54000";
	return NULL;
}

char *
ai_message_from_utf8(const char *utf8)
{
	size_t		len = strlen(utf8);
	StringInfoData message;

	if (needs_no_conversion())
		return pstrdup(utf8);
	initStringInfo(&message);
	while (len > 0)
	{
		char	   *converted;
		int			done = convert_some(PG_UTF8, GetDatabaseEncoding(), utf8, (int) len, &converted);

		appendStringInfoString(&message, converted);
		pfree(converted);
		utf8 += done;
		len -= (size_t) done;
		if (len > 0)
		{
			size_t		step = Max(ai_utf8_sequence(utf8, len), 1);

			appendStringInfoChar(&message, '?');
			utf8 += step;
			len -= step;
		}
	}
	return message.data;
}
