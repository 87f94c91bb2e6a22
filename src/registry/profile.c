/*
 * profile.c
 *	  Reading profiles (profile.h).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "registry/profile.h"
#include "registry/tuple.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

bool
ai_pattern_matches(const char *pattern, const char *name)
{
	if (*pattern == '*')
	{
		for (;; name++)
		{
			if (ai_pattern_matches(pattern + 1, name))
				return true;
			if (*name == '\0')
				return false;
		}
	}
	if (*pattern == '\0' || *name == '\0')
		return *pattern == *name;
	return pg_tolower((unsigned char) *pattern) == pg_tolower((unsigned char) *name) &&
		ai_pattern_matches(pattern + 1, name + 1);
}

char *
ai_family_name(const char *remote_model)
{
	const char *slash = strrchr(remote_model, '/');
	const char *name = slash ? slash + 1 : remote_model;

	/* labels of letters alone, each with its dot, are of a place or a vendor */
	for (;;)
	{
		size_t		len = strspn(name, "abcdefghijklmnopqrstuvwxyz");

		if (len == 0 || name[len] != '.' || name[len + 1] == '\0')
			break;
		name += len + 1;
	}
	return pstrdup(name);
}

static List *
read_words(const AiTuple *row, const char *name)
{
	bool		isnull;
	Datum		value = ai_tuple_column(row, name, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	List	   *words = NIL;
	int			n;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			words = lappend(words, TextDatumGetCString(elements[i]));
	}
	return words;
}

static int
compare_profiles(const ListCell *a, const ListCell *b)
{
	const AiModelProfile *left = lfirst(a);
	const AiModelProfile *right = lfirst(b);
	size_t		left_len = strlen(left->pattern);
	size_t		right_len = strlen(right->pattern);

	if (left_len != right_len)
		return left_len > right_len ? -1 : 1;
	if ((left->protocol == NULL) != (right->protocol == NULL))
		return left->protocol != NULL ? -1 : 1;
	return strcmp(left->pattern, right->pattern);
}

List *
ai_profiles_read(Oid relid, const char *family)
{
	Relation	relation = table_open(relid, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *profiles = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		AiTuple		row = {tuple, RelationGetDescr(relation)};
		char	   *pattern = ai_tuple_text(&row, "pattern");
		AiModelProfile *profile;

		if (pattern == NULL || !ai_pattern_matches(pattern, family))
			continue;
		profile = palloc0(sizeof(AiModelProfile));
		profile->pattern = pattern;
		profile->protocol = ai_tuple_text(&row, "protocol");
		if (profile->protocol != NULL && profile->protocol[0] == '\0')
			profile->protocol = NULL;
		profile->refuses = read_words(&row, "refuses");
		profile->renames_text = ai_tuple_json(&row, "renames");
		profile->requires_text = ai_tuple_json(&row, "requires");
		profiles = lappend(profiles, profile);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	list_sort(profiles, compare_profiles);
	return profiles;
}

static bool
same_key(const AiTuple *row, const char *pattern, const char *protocol)
{
	char	   *own_pattern = ai_tuple_text(row, "pattern");
	char	   *own_protocol = ai_tuple_text(row, "protocol");

	return own_pattern != NULL && strcmp(own_pattern, pattern) == 0 &&
		(own_protocol == NULL) == (protocol == NULL) &&
		(protocol == NULL || strcmp(own_protocol, protocol) == 0);
}

void
ai_profile_displace(Relation relation, const char *pattern, const char *protocol)
{
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		deleted = false;

	if (pattern == NULL)		/* for the constraint to refuse */
		return;
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		AiTuple		row = {tuple, RelationGetDescr(relation)};

		if (!ai_tuple_bool(&row, "builtin", false) || !same_key(&row, pattern, protocol))
			continue;
		simple_heap_delete(relation, &tuple->t_self);
		deleted = true;
	}
	systable_endscan(scan);
	if (deleted)
		CommandCounterIncrement();
}
