/*
 * redact.c
 *	  The redaction of redact.h.
 *
 * The strings, which are short, are folded into one row of bytes, each of which
 * knows where it comes from; behind them stands what runs of base64 and hex in them
 * mean.  The runs of that row are indexed by a hash, those that are alike once, and
 * secrets and texts slide over it, folded as they are read.  What is found marks
 * bytes of the strings; marked runs are replaced at the end.
 *
 * Runs are hashed as polynomials with a factor of the process, which a server does
 * not know, so that nobody makes strings whose runs all fall together.
 *
 * Memory: malloc, for the call's time; where there is none, nothing is shown.
 * State: the factor.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "util/redact.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/fold.h"
#include "util/hex.h"

#define MAX_TEXT		1024	/* longer strings are cut before */
#define MAX_FOLDED		16384
#define TABLE_SIZE		32768	/* a power of two, twice MAX_FOLDED */
#define TEXT_RUN		10		/* folded bytes that give a text away */
#define KEY_RUN			8
#define SHORT_TEXT		4		/* of a whole text, and of a line of one */
#define SHORT_LINE		5
#define SHORT_RUN		4
#define SECRET_PART		6
#define CODED_RUN		12		/* what is so long may be base64 or hex */

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

/* What begins or ends as the secret does, byte by byte. */
static void
mark_ends(const char *text, size_t len, unsigned char *marks, const char *secret)
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

/* ---- the strings, folded ---- */

/* One folded byte: what it is, and which part of which string it comes from. */
typedef struct Folded
{
	unsigned char c;			/* 0 = a gap, over which no run goes */
	unsigned char string;
	bool		starts;			/* what is before it was dropped, */
	bool		ends;			/* and what is behind it */
	uint16_t	from;
	uint16_t	to;
} Folded;

typedef struct Sheet
{
	const AiRedactString *strings;
	size_t		lengths[AI_REDACT_STRINGS];
	unsigned char marks[AI_REDACT_STRINGS][MAX_TEXT];
	Folded		folded[MAX_FOLDED];
	int			n;
	int			n_plain;		/* of them: of the strings as they stand */
	/* an index of runs of one length; position + 1, 0 = none */
	uint16_t	first[TABLE_SIZE];
	uint16_t	next[MAX_FOLDED];
	uint16_t	like[MAX_FOLDED];
	bool		found[MAX_FOLDED];
} Sheet;

static void
add_gap(Sheet *sheet)
{
	if (sheet->n > 0)
		sheet->folded[sheet->n - 1].ends = true;
	if (sheet->n < MAX_FOLDED)
		sheet->folded[sheet->n++] = (Folded)
	{
		.c = 0
	};
}

/* Folds bytes that stand for a part of a string; `span` of them a source byte and its width. */
static void
add_folded(Sheet *sheet, int string, const char *p, const char *end, size_t at, double step, size_t width)
{
	const char *start = p;
	bool		starts = true;

	while (p < end && sheet->n < MAX_FOLDED - 1)
	{
		AiFoldUnit	unit = ai_fold(p, end);
		size_t		from = at + (size_t) ((double) (p - start) * step);
		size_t		to = at + (size_t) ((double) (p + unit.len - 1 - start) * step) + width;

		for (int i = 0; i < unit.n && sheet->n < MAX_FOLDED - 1; i++)
		{
			sheet->folded[sheet->n++] = (Folded)
			{
				.c = unit.bytes[i],.string = (unsigned char) string,
					.starts = starts,.from = (uint16_t) from,.to = (uint16_t) to
			};
			starts = false;
		}
		if (unit.n == 0)
		{
			if (!starts)
				sheet->folded[sheet->n - 1].ends = true;
			starts = true;
		}
		p += unit.len;
	}
	add_gap(sheet);
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* What a run means if it is base64 from that offset on. */
static void
add_base64(Sheet *sheet, int string, const char *text, size_t at, size_t len, size_t offset)
{
	char		bytes[MAX_TEXT];
	size_t		n = 0;
	uint32_t	bits = 0;

	for (size_t i = offset; i < len; i++)
	{
		bits = bits << 6 | (uint32_t) base64_value(text[at + i]);
		if ((i - offset) % 4 != 0)
			bytes[n++] = (char) (bits >> (6 - 2 * ((i - offset) % 4)));
	}
	add_folded(sheet, string, bytes, bytes + n, at + offset, 4.0 / 3, 2);
}

static void
add_hex(Sheet *sheet, int string, const char *text, size_t at, size_t len, size_t offset)
{
	char		bytes[MAX_TEXT];
	size_t		n = 0;

	for (size_t i = offset; i + 1 < len; i += 2)
		bytes[n++] = (char) (ai_hex_digit(text[at + i]) << 4 | ai_hex_digit(text[at + i + 1]));
	add_folded(sheet, string, bytes, bytes + n, at + offset, 2, 2);
}

/* What is long and has no other characters is looked at as a code, at each offset. */
static void
add_coded(Sheet *sheet, int string, int (*value) (char c), size_t offsets,
		  void (*add) (Sheet *sheet, int string, const char *text, size_t at, size_t len, size_t offset))
{
	const char *text = sheet->strings[string].text;

	for (size_t at = 0; at < sheet->lengths[string];)
	{
		size_t		len = 0;

		while (at + len < sheet->lengths[string] && value(text[at + len]) >= 0)
			len++;
		for (size_t offset = 0; len >= CODED_RUN && offset < offsets; offset++)
			add(sheet, string, text, at, len, offset);
		at += len + 1;
	}
}

/* ---- runs ---- */

static uint64_t factor = 0;

/* What a server cannot know: where the library was loaded, and when this first ran. */
static void
choose_factor(void)
{
	struct timespec now;

	if (factor != 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	factor = ((uint64_t) (uintptr_t) & factor ^ (uint64_t) now.tv_nsec << 32) * 0x9e3779b97f4a7c15u | 1;
}

static uint32_t
hash_run(const unsigned char *run, int length)
{
	uint64_t	hash = 0;

	for (int i = 0; i < length; i++)
		hash = (hash + run[i]) * factor;
	return (uint32_t) (hash >> 32) & (TABLE_SIZE - 1);
}

static bool
is_run(const Sheet *sheet, int at, const unsigned char *run, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (at + i >= sheet->n || sheet->folded[at + i].c != run[i])
			return false;
	}
	return true;
}

static int
find_run(const Sheet *sheet, const unsigned char *run, int length)
{
	uint16_t	at = sheet->first[hash_run(run, length)];

	while (at != 0 && !is_run(sheet, at - 1, run, length))
		at = sheet->next[at - 1];
	return at - 1;
}

/* The run there; false if it goes over a gap. */
static bool
get_run(const Sheet *sheet, int at, int length, unsigned char *run)
{
	for (int i = 0; i < length; i++)
	{
		if (at + i >= sheet->n || sheet->folded[at + i].c == 0)
			return false;
		run[i] = sheet->folded[at + i].c;
	}
	return true;
}

static void
add_run(Sheet *sheet, int at, const unsigned char *run, int length)
{
	uint32_t	slot = hash_run(run, length);
	int			like = find_run(sheet, run, length);

	sheet->like[at] = (uint16_t) (like >= 0 ? like : at);
	if (like >= 0)
		return;
	sheet->next[at] = sheet->first[slot];
	sheet->first[slot] = (uint16_t) (at + 1);
}

static void
clear_index(Sheet *sheet)
{
	memset(sheet->first, 0, sizeof(sheet->first));
	memset(sheet->next, 0, sizeof(sheet->next));
	memset(sheet->found, 0, sizeof(sheet->found));
}

static void
index_runs(Sheet *sheet, int length)
{
	unsigned char run[TEXT_RUN];

	clear_index(sheet);
	for (int at = 0; at < sheet->n; at++)
	{
		sheet->like[at] = MAX_FOLDED - 1;
		if (get_run(sheet, at, length, run))
			add_run(sheet, at, run, length);
	}
}

/* Slides a text over the index. */
static void
slide(Sheet *sheet, const char *text, int length)
{
	const char *end = text + strlen(text);
	unsigned char window[1024];
	int			n = 0;

	while (text < end)
	{
		AiFoldUnit	unit = ai_fold(text, end);

		text += unit.len;
		memcpy(window + n, unit.bytes, (size_t) unit.n);
		for (int i = 0; i < unit.n; i++)
		{
			int			at = ++n >= length ? find_run(sheet, window + n - length, length) : -1;

			if (at >= 0)
				sheet->found[at] = true;
		}
		if (n > (int) sizeof(window) - 8)
		{
			memmove(window, window + n - length + 1, (size_t) length - 1);
			n = length - 1;
		}
	}
}

static void
mark_folded(Sheet *sheet, int at, int length, Mark kind)
{
	const Folded *from = &sheet->folded[at];
	const Folded *to = &sheet->folded[at + length - 1];

	mark(sheet->marks[from->string], from->from, (size_t) (to->to - from->from), kind);
}

static void
mark_found(Sheet *sheet, int length, Mark kind)
{
	for (int at = 0; at < sheet->n; at++)
	{
		if (sheet->found[sheet->like[at]])
			mark_folded(sheet, at, length, kind);
	}
}

/* ---- what is shorter than a run ---- */

/* Words of the strings as they stand, of that length. */
static void
index_words(Sheet *sheet, int length)
{
	unsigned char run[TEXT_RUN];

	clear_index(sheet);
	for (int at = 0; at < sheet->n_plain; at++)
	{
		sheet->like[at] = MAX_FOLDED - 1;
		if (sheet->folded[at].starts && get_run(sheet, at, length, run) && sheet->folded[at + length - 1].ends)
			add_run(sheet, at, run, length);
	}
	for (int at = sheet->n_plain; at < sheet->n; at++)
		sheet->like[at] = MAX_FOLDED - 1;
}

/* Looks up one short text, or line of one, if it is of that length. */
static void
find_words(Sheet *sheet, const char *text, const char *end, int length)
{
	unsigned char words[TEXT_RUN + 4];
	int			n = 0;
	int			at;

	while (text < end && n <= length)
	{
		AiFoldUnit	unit = ai_fold(text, end);

		memcpy(words + n, unit.bytes, (size_t) unit.n);
		n += unit.n;
		text += unit.len;
	}
	if (n != length)
		return;
	at = find_run(sheet, words, length);
	if (at >= 0)
		sheet->found[at] = true;
}

static void
find_lines(Sheet *sheet, const char *text, int length)
{
	if (length >= SHORT_LINE)
	{
		for (const char *line = text; *line != '\0';)
		{
			size_t		len = strcspn(line, "\n\r\t");

			if (len > 0)
				find_words(sheet, line, line + len, length);
			line += len + (line[len] != '\0');
		}
	}
	find_words(sheet, text, text + strlen(text), length);
}

/* ---- all of it ---- */

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

/* What is not looked at is not shown. */
static void
cut(const AiRedactString *string, size_t *len)
{
	*len = strnlen(string->text, string->size - 1);
	if (*len > MAX_TEXT)
	{
		*len = MAX_TEXT;
		while (*len > 0 && ((unsigned char) string->text[*len] & 0xc0) == 0x80)
			(*len)--;
	}
	string->text[*len] = '\0';
}

static void
fold_strings(Sheet *sheet, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *text = sheet->strings[i].text;

		add_folded(sheet, i, text, text + sheet->lengths[i], 0, 1, 1);
	}
	sheet->n_plain = sheet->n;
	for (int i = 0; i < n; i++)
	{
		add_coded(sheet, i, base64_value, 4, add_base64);
		add_coded(sheet, i, ai_hex_digit, 2, add_hex);
	}
}

static void
mark_secrets(Sheet *sheet, int n, const AiPrivate *what)
{
	index_runs(sheet, KEY_RUN);
	for (int i = 0; i < what->n_secrets; i++)
		slide(sheet, what->secrets[i], KEY_RUN);
	mark_found(sheet, KEY_RUN, MARK_KEY);
	for (int s = 0; s < n; s++)
	{
		for (int i = 0; i < what->n_secrets; i++)
			mark_ends(sheet->strings[s].text, sheet->lengths[s], sheet->marks[s], what->secrets[i]);
		mark_shapes(sheet->strings[s].text, sheet->lengths[s], sheet->marks[s]);
	}
}

static void
mark_texts(Sheet *sheet, const AiPrivate *what)
{
	index_runs(sheet, TEXT_RUN);
	for (int i = 0; i < what->n_texts; i++)
		slide(sheet, what->texts[i], TEXT_RUN);
	mark_found(sheet, TEXT_RUN, MARK_TEXT);
	for (int length = SHORT_TEXT; length < TEXT_RUN; length++)
	{
		index_words(sheet, length);
		for (int i = 0; i < what->n_texts; i++)
			find_lines(sheet, what->texts[i], length);
		mark_found(sheet, length, MARK_TEXT);
	}
}

static void
replace(const Sheet *sheet, int i, unsigned char *marks)
{
	const AiRedactString *string = &sheet->strings[i];

	widen_to_characters(string->text, sheet->lengths[i], marks);
	if (string->is_prose)
		replace_marked(string->text, string->size, sheet->lengths[i], marks);
	else if (memchr(marks, MARK_KEY, sheet->lengths[i]) != NULL || memchr(marks, MARK_TEXT, sheet->lengths[i]) != NULL)
		string->text[0] = '\0';
}

void
ai_redact(const AiRedactString *strings, int n, const AiPrivate *what)
{
	Sheet	   *sheet = calloc(1, sizeof(Sheet));

	for (int i = 0; i < n && sheet == NULL; i++)
		strings[i].text[0] = '\0';
	if (sheet == NULL)
		return;
	choose_factor();
	sheet->strings = strings;
	for (int i = 0; i < n; i++)
		cut(&strings[i], &sheet->lengths[i]);
	fold_strings(sheet, n);
	mark_secrets(sheet, n, what);
	mark_texts(sheet, what);
	for (int i = 0; i < n; i++)
		replace(sheet, i, sheet->marks[i]);
	free(sheet);
}

/* ---- in short ---- */

static int
fold_all(const char *text, unsigned char *folded, int size)
{
	const char *end = text + strlen(text);
	int			n = 0;

	while (text < end && n + 4 <= size)
	{
		AiFoldUnit	unit = ai_fold(text, end);

		memcpy(folded + n, unit.bytes, (size_t) unit.n);
		n += unit.n;
		text += unit.len;
	}
	return n;
}

bool
ai_repeats_secret(const char *text, const AiPrivate *what)
{
	unsigned char folded[256];
	unsigned char secret[256];
	int			n = fold_all(text, folded, sizeof(folded));

	for (int k = 0; k < what->n_secrets; k++)
	{
		int			m = fold_all(what->secrets[k], secret, sizeof(secret));

		for (int i = 0; i + KEY_RUN <= n; i++)
		{
			if (m >= KEY_RUN && memmem(secret, (size_t) m, folded + i, KEY_RUN) != NULL)
				return true;
		}
	}
	return false;
}
