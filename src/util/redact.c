/*
 * redact.c
 *	  The redaction of redact.h.
 *
 * Each pass marks bytes of the text; marked runs are replaced at the end.  For
 * private texts the error text, which is short, is indexed by its runs of 12
 * bytes in a small hash table, and each private text slides over that once.  Runs
 * that are alike are one there, and the hash has a seed of the process: neither a
 * text that repeats itself nor one made for it gives long chains.
 *
 * State: the seed.
 */
#include "util/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TEXT		1024	/* longer texts are cut before */
#define RUN				12		/* bytes of a private text that give it away */
#define SHORT_RUN		4
#define SECRET_PART		6
#define TABLE_SIZE		2048	/* a power of two, at least twice MAX_TEXT */

typedef enum Mark
{
	MARK_NONE = 0,
	MARK_TEXT,
	MARK_KEY,
} Mark;

static void
mark(unsigned char *marks, size_t from, size_t len, Mark kind)
{
	for (size_t i = from; i < from + len; i++)
	{
		if (marks[i] < kind)
			marks[i] = (unsigned char) kind;
	}
}

static bool
key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '_' || c == '.' || c == '*' || c == '+' || c == '/' || c == '=';
}

/* The longest common prefix of text and secret, and of their ends. */
static void
mark_secret(const char *text, size_t len, unsigned char *marks, const char *secret)
{
	size_t		secret_len = strlen(secret);

	if (secret_len < SHORT_RUN)
		return;
	for (size_t i = 0; i < len; i++)
	{
		size_t		n = 0;

		while (i + n < len && n < secret_len && text[i + n] == secret[n])
			n++;
		if (n >= SECRET_PART || n == secret_len)
			mark(marks, i, n, MARK_KEY);
		n = 0;
		while (n <= i && n < secret_len && text[i - n] == secret[secret_len - 1 - n])
			n++;
		if (n >= SECRET_PART)
			mark(marks, i + 1 - n, n, MARK_KEY);
	}
}

/* Beginnings by which vendors mark their keys, and what carries them. */
static const struct
{
	const char *start;
	size_t		min_more;		/* key characters that must follow */
}			key_shapes[] = {
	{"sk-", 8},
	{"gsk_", 8},
	{"xai-", 8},
	{"hf_", 8},
	{"AIza", 16},
	{"AKIA", 12},
	{"ASIA", 12},
	{"ya29.", 8},
	{"pplx-", 8},
	{"Bearer ", 4},
	{"?key=", 4},
	{"&key=", 4},
};

static void
mark_shapes(const char *text, size_t len, unsigned char *marks)
{
	for (size_t i = 0; i < len; i++)
	{
		if (i > 0 && key_char(text[i]) && key_char(text[i - 1]) && text[i - 1] != '=')
			continue;
		for (size_t k = 0; k < sizeof(key_shapes) / sizeof(key_shapes[0]); k++)
		{
			size_t		start_len = strlen(key_shapes[k].start);
			size_t		n = start_len;

			if (len - i < start_len || memcmp(text + i, key_shapes[k].start, start_len) != 0)
				continue;
			while (i + n < len && key_char(text[i + n]))
				n++;
			if (n - start_len >= key_shapes[k].min_more)
				mark(marks, i, n, MARK_KEY);
		}
	}
}

/* Multiply-shift over the two parts of a run (Dietzfelbinger et al. 1997), with odd factors of the process. */
static uint64_t factors[2];

/* What a server cannot know: where the library was loaded, and when this first ran. */
static void
choose_factors(void)
{
	struct timespec now;

	if (factors[0] != 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	factors[0] = ((uint64_t) (uintptr_t) & factors ^ (uint64_t) now.tv_nsec << 32) * 0x9e3779b97f4a7c15u | 1;
	factors[1] = ((uint64_t) (uintptr_t) & now ^ (uint64_t) now.tv_nsec << 24) * 0xc2b2ae3d27d4eb4fu | 1;
}

static uint32_t
hash_run(const char *p)
{
	uint64_t	head;
	uint32_t	tail;

	memcpy(&head, p, sizeof(head));
	memcpy(&tail, p + sizeof(head), sizeof(tail));
	return (uint32_t) ((head * factors[0] + tail * factors[1]) >> 32) & (TABLE_SIZE - 1);
}

/* text's runs of RUN bytes, the different ones chained by hash: 0 = none, else position + 1. */
typedef struct RunIndex
{
	uint16_t	first[TABLE_SIZE];
	uint16_t	next[MAX_TEXT];
	uint16_t	like[MAX_TEXT]; /* where the first like it is */
	bool		found[MAX_TEXT];	/* in a private text; of the first ones */
} RunIndex;

static uint16_t
find_run(const RunIndex *index, const char *text, const char *run)
{
	uint16_t	at = index->first[hash_run(run)];

	while (at != 0 && memcmp(text + at - 1, run, RUN) != 0)
		at = index->next[at - 1];
	return at;
}

static void
index_runs(const char *text, size_t len, RunIndex *index)
{
	memset(index, 0, sizeof(*index));
	choose_factors();
	for (size_t i = 0; i + RUN <= len; i++)
	{
		uint32_t	slot = hash_run(text + i);
		uint16_t	like = find_run(index, text, text + i);

		index->like[i] = like != 0 ? like - 1 : (uint16_t) i;
		if (like != 0)
			continue;
		index->next[i] = index->first[slot];
		index->first[slot] = (uint16_t) (i + 1);
	}
}

static void
find_private(const char *text, size_t len, unsigned char *marks, RunIndex *index,
			 const char *private_text)
{
	size_t		private_len = strlen(private_text);

	for (size_t i = 0; i + RUN <= private_len; i++)
	{
		uint16_t	at = find_run(index, text, private_text + i);

		if (at != 0)
			index->found[at - 1] = true;
	}
	if (private_len >= SHORT_RUN && private_len < RUN)
	{
		for (size_t i = 1; i + private_len < len; i++)
		{
			if (memcmp(text + i, private_text, private_len) == 0 &&
				strchr("\"'`", text[i - 1]) != NULL && strchr("\"'`", text[i + private_len]) != NULL)
				mark(marks, i, private_len, MARK_TEXT);
		}
	}
}

static void
mark_private(size_t len, unsigned char *marks, const RunIndex *index)
{
	for (size_t i = 0; i + RUN <= len; i++)
	{
		if (index->found[index->like[i]])
			mark(marks, i, RUN, MARK_TEXT);
	}
}

/* A cut through a character takes the whole character. */
static void
widen_to_characters(const char *text, size_t len, unsigned char *marks)
{
	for (size_t i = 1; i < len; i++)
	{
		if (((unsigned char) text[i] & 0xc0) == 0x80 && marks[i] < marks[i - 1])
			marks[i] = marks[i - 1];
	}
	for (size_t i = len; i-- > 1;)
	{
		if (((unsigned char) text[i] & 0xc0) == 0x80 && marks[i - 1] < marks[i])
			marks[i - 1] = marks[i];
	}
}

static void
replace_marked(char *text, size_t size, size_t len, const unsigned char *marks)
{
	char		out[MAX_TEXT + 1];
	size_t		used = 0;
	size_t		limit = size - 1 < MAX_TEXT ? size - 1 : MAX_TEXT;
	size_t		i = 0;

	while (i < len)
	{
		const char *piece = text + i;
		size_t		n = 1;
		size_t		run = 1;

		if (marks[i] != MARK_NONE)
		{
			while (i + run < len && marks[i + run] == marks[i])
				run++;
			piece = marks[i] == MARK_KEY ? "[key]" : "[text]";
			n = strlen(piece);
		}
		else
		{
			while (i + n < len && ((unsigned char) text[i + n] & 0xc0) == 0x80)
				n++;
			run = n;
		}
		if (used + n > limit)
			break;
		memcpy(out + used, piece, n);
		used += n;
		i += run;
	}
	memcpy(text, out, used);
	text[used] = '\0';
}

void
ai_redact(char *text, size_t size, const char *const *secrets, int n_secrets,
		  const char *const *private_texts, int n_private)
{
	size_t		len = strnlen(text, size);
	unsigned char marks[MAX_TEXT] = {0};
	RunIndex	index;

	if (len > MAX_TEXT)
	{
		/* what cannot be checked is not shown */
		len = MAX_TEXT;
		while (len > 0 && ((unsigned char) text[len] & 0xc0) == 0x80)
			len--;
		text[len] = '\0';
	}
	for (int i = 0; i < n_secrets; i++)
	{
		if (secrets[i] != NULL)
			mark_secret(text, len, marks, secrets[i]);
	}
	mark_shapes(text, len, marks);
	if (n_private > 0)
		index_runs(text, len, &index);
	for (int i = 0; i < n_private; i++)
	{
		if (private_texts[i] != NULL)
			find_private(text, len, marks, &index, private_texts[i]);
	}
	if (n_private > 0)
		mark_private(len, marks, &index);
	widen_to_characters(text, len, marks);
	replace_marked(text, size, len, marks);
}
