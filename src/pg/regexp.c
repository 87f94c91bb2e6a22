/*
 * regexp.c
 *	  Regular expressions of PostgreSQL without an error (regexp.h).
 *
 * The functions of SQL raise an error for a pattern that is none; those of the
 * library below them return it.  A statement has one pattern or a few, and each
 * row wants them twice: the last ones are kept compiled, as core keeps its own.
 *
 * State: the kept expressions, each in a context of its own below
 * TopMemoryContext; the oldest goes first.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/regexp.h"
#include "pg/text.h"
#include "regex/regex.h"
#include "utils/memutils.h"

typedef struct Pattern
{
	MemoryContext context;		/* NULL = there is none */
	char	   *source;
	regex_t		expression;
} Pattern;

#define KEPT	8

static Pattern kept[KEPT];
static int	next = 0;

/* The text in the characters of the database's encoding; NULL if it has no such. */
static pg_wchar *
widen(const char *utf8, int *len)
{
	AiFailure	ignored;
	text	   *converted = ai_text_from_utf8(utf8, &ignored);
	pg_wchar   *wide;

	if (converted == NULL)
		return NULL;
	wide = palloc((VARSIZE_ANY_EXHDR(converted) + 1) * sizeof(pg_wchar));
	*len = pg_mb2wchar_with_len(VARDATA_ANY(converted), wide, (int) VARSIZE_ANY_EXHDR(converted));
	pfree(converted);
	return wide;
}

static void
forget(Pattern *pattern)
{
	MemoryContext context = pattern->context;

	if (context == NULL)
		return;
	pattern->context = NULL;
	pg_regfree(&pattern->expression);
	MemoryContextDelete(context);
}

/* Compiles in the current context. */
static int
compile(Pattern *pattern, const char *source)
{
	int			len;
	pg_wchar   *wide = widen(source, &len);
	int			code;

	if (wide == NULL)
		return REG_INVARG;
	code = pg_regcomp(&pattern->expression, wide, len, REG_ADVANCED | REG_NOSUB, C_COLLATION_OID);
	pfree(wide);
	pattern->source = pstrdup(source);
	/* a cancel ends this too, and is no fault of the pattern */
	if (code != REG_OKAY)
		CHECK_FOR_INTERRUPTS();
	return code;
}

/* A pattern that is kept, or NULL with the code of its fault. */
static Pattern *
find(const char *source, int *code)
{
	MemoryContext context;
	MemoryContext caller;
	Pattern		found = {0};

	for (int i = 0; i < KEPT; i++)
	{
		if (kept[i].context != NULL && strcmp(kept[i].source, source) == 0)
			return &kept[i];
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "ai_gateway pattern", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	*code = compile(&found, source);
	MemoryContextSwitchTo(caller);
	if (*code != REG_OKAY)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	MemoryContextSetParent(context, TopMemoryContext);
	found.context = context;
	next = (next + 1) % KEPT;
	forget(&kept[next]);
	kept[next] = found;
	return &kept[next];
}

const char *
ai_regexp_fault(const char *source)
{
	static char why[100];
	int			code;

	if (find(source, &code) != NULL)
		return NULL;
	pg_regerror(code, NULL, why, sizeof(why));
	return why;
}

bool
ai_regexp_matches(const char *source, const char *string)
{
	int			code;
	int			len;
	Pattern    *pattern = find(source, &code);
	pg_wchar   *wide = pattern ? widen(string, &len) : NULL;

	if (wide == NULL)
		return false;
	code = pg_regexec(&pattern->expression, wide, len, 0, NULL, 0, NULL, 0);
	pfree(wide);
	if (code != REG_OKAY && code != REG_NOMATCH)
		CHECK_FOR_INTERRUPTS();
	return code == REG_OKAY;
}
