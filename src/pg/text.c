/*
 * text.c
 *	  Conversion between the database's encoding and UTF-8.
 *
 * Replies come in as data, so converting one must not throw: the conversion
 * procedures are called in their no-error mode, and what they stop at becomes
 * a failure of that call alone.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "pg/compat.h"
#include "pg/text.h"
#include "util/utf8.h"
#include "utils/builtins.h"

char *
ai_cstring_to_utf8(const char *value, size_t len)
{
	char	   *utf8;

	if (len > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("text is too long for a model")));
	utf8 = pg_server_to_any(value, (int) len, PG_UTF8);
	if (utf8 != value)
		len = strlen(utf8);
	if (GetDatabaseEncoding() == PG_SQL_ASCII && !ai_utf8_valid(utf8, len))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("text for a model is not valid UTF-8"),
				 errdetail("The database's encoding is SQL_ASCII, so the text is sent as it is."),
				 errhint("SELECT convert_from(value::bytea, 'LATIN1') ... in a UTF8 database, or clean the data.")));
	return utf8 == value ? pnstrdup(value, len) : utf8;
}

char *
ai_name_to_utf8(const char *name)
{
	char	   *utf8 = pg_server_to_any(name, (int) strlen(name), PG_UTF8);

	return utf8 == name ? pstrdup(name) : utf8;
}

char *
ai_text_to_utf8(const text *value)
{
	return ai_cstring_to_utf8(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/*
 * Converts as much as can be.  Returns the number of input bytes converted;
 * *out is palloc'd and NUL-terminated.
 */
static int
convert_some(const char *utf8, int len, char **out)
{
	int			encoding = GetDatabaseEncoding();
	Oid			procedure = FindDefaultConversionProc(PG_UTF8, encoding);
	int			size = len * MAX_CONVERSION_GROWTH + 1;

	*out = palloc(size);
	(*out)[0] = '\0';
	if (!OidIsValid(procedure))
		return 0;
	return pg_do_encoding_conversion_buf(procedure, PG_UTF8, encoding,
										 (unsigned char *) unconstify(char *, utf8), len,
										 (unsigned char *) *out, size, true);
}

static bool
needs_no_conversion(void)
{
	int			encoding = GetDatabaseEncoding();

	return encoding == PG_UTF8 || encoding == PG_SQL_ASCII;
}

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
		done = convert_some(utf8, (int) len, &converted);
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
		int			done = convert_some(utf8, (int) len, &converted);

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
