/*
 * profile_check.c
 *	  Checks one row of ai_gateway.model_profiles, for its validation trigger.
 */
#include "postgres.h"

#include "call/target.h"
#include "catalog/pg_type.h"
#include "fn/registration.h"
#include "lib/stringinfo.h"
#include "pg/text.h"
#include "registry/tuple.h"
#include "utils/array.h"
#include "utils/builtins.h"

static const char *const other_words[] = {
	AI_REFUSES_TOOLS, AI_REFUSES_FORCED_TOOLS, AI_REFUSES_IMAGES, AI_REFUSES_SCHEMA,
	AI_REFUSES_DIMENSIONS,
};

static bool
is_option(const char *word)
{
	for (int key = 0; key < AI_OPTION_KEYS; key++)
	{
		if (strcmp(ai_option_names[key], word) == 0 &&
			((AI_OPTIONS_ENGINE | AI_OPTION_BIT(AI_OPTION_EXTRA) | AI_OPTION_BIT(AI_OPTION_MOCK)) &
			 AI_OPTION_BIT(key)) == 0)
			return true;
	}
	return false;
}

static char *
known_words(bool others)
{
	StringInfoData words;

	initStringInfo(&words);
	for (int key = 0; key < AI_OPTION_KEYS; key++)
	{
		if (is_option(ai_option_names[key]))
			appendStringInfo(&words, "%s%s", words.len ? ", " : "", ai_option_names[key]);
	}
	for (int i = 0; others && i < (int) lengthof(other_words); i++)
		appendStringInfo(&words, ", %s", other_words[i]);
	return words.data;
}

static void
check_refuses(const AiTuple *row, const char *pattern)
{
	bool		isnull;
	Datum		value = ai_tuple_column(row, "refuses", &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *word = nulls[i] ? pstrdup("") : TextDatumGetCString(elements[i]);
		bool		known = is_option(word);

		for (int k = 0; k < (int) lengthof(other_words); k++)
			known = known || strcmp(other_words[k], word) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is nothing that the profile \"%s\" can refuse", word, pattern),
					 errdetail("A profile may refuse %s.", known_words(true))));
	}
}

static void
check_renames(const AiTuple *row, const char *pattern)
{
	char	   *document = ai_tuple_json(row, "renames");
	const char *why;
	cJSON	   *tree = document ? ai_json_parse(document, strlen(document), &why) : NULL;
	const cJSON *item;
	char	   *wrong = NULL;

	cJSON_ArrayForEach(item, tree)
	{
		if (!is_option(item->string) || !cJSON_IsString(item) || item->valuestring[0] == '\0')
			wrong = pstrdup(item->string);
	}
	cJSON_Delete(tree);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the profile \"%s\" cannot rename \"%s\"", pattern, ai_message_from_utf8(wrong)),
				 errdetail("A profile may rename %s, each to a string.", known_words(false))));
}

void
ai_profile_check(const AiTuple *row)
{
	char	   *pattern = ai_tuple_text(row, "pattern");
	char	   *protocol = ai_tuple_text(row, "protocol");

	if (pattern == NULL)
		return;					/* the constraint's to refuse */
	if (protocol != NULL && ai_protocol_by_name(protocol) == AI_PROTOCOL_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("protocol \"%s\" of the profile \"%s\" is not known", protocol, pattern),
				 errhint("Leave it NULL for all protocols.")));
	check_refuses(row, pattern);
	check_renames(row, pattern);
}
