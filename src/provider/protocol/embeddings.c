/*
 * embeddings.c
 *	  Replies that are mostly numbers: read without a tree, straight into one
 *	  array of floats in the order of the inputs.
 *
 * Memory: the reply itself and 4 bytes a number; a number takes 8 to 22 bytes
 * on the wire, so the whole stays below 1.5 times the reply.
 */
#include "provider/protocol/protocols.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the vector of one input goes; makes the array when the first is known. */
static float *
vector_place(const AiRequest *request, AiReply *reply, int index, int dimensions,
			 AiFailure *failure)
{
	if (reply->vectors == NULL &&
		!ai_reply_make_vectors(reply, request->n_inputs, dimensions, failure))
		return NULL;
	if (dimensions != reply->dimensions)
	{
		ai_fail(failure, AI_ERROR_INVALID_REPLY,
				"the reply mixes embeddings of %d and %d dimensions",
				reply->dimensions, dimensions);
		return NULL;
	}
	return reply->vectors + (size_t) index * (size_t) dimensions;
}

/* Digits of both alphabets, counted from 1; the rest is none. */
static const unsigned char base64_digits[256] = {
	['+'] = 63,['/'] = 64,['-'] = 63,['_'] = 64,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
};

/* Below 64; NOT_BASE64 is a bit that no digit has, and what is none has. */
#define NOT_BASE64	0x40

static uint32_t
base64_digit(char c)
{
	return (uint32_t) base64_digits[(unsigned char) c] - 1;
}

/* Four digits as three bytes; false if one of them is none. */
static bool
read_four(const char *text, unsigned char *bytes)
{
	uint32_t	one = base64_digit(text[0]);
	uint32_t	two = base64_digit(text[1]);
	uint32_t	three = base64_digit(text[2]);
	uint32_t	four = base64_digit(text[3]);

	bytes[0] = (unsigned char) (one << 2 | two >> 4);
	bytes[1] = (unsigned char) (two << 4 | three >> 2);
	bytes[2] = (unsigned char) (three << 6 | four);
	return ((one | two | three | four) & NOT_BASE64) == 0;
}

/* Into bytes, which has room for len / 4 * 3 + 3; 0 if it is not base64. */
static size_t
read_base64(const char *text, size_t len, unsigned char *bytes)
{
	const char *padding = memchr(text, '=', len);
	const char *end = padding ? padding : text + len;
	size_t		n = 0;
	uint32_t	group = 0;
	int			bits = 0;

	while (text < end)
	{
		uint32_t	digit;

		if (bits == 0 && end - text >= 4 && read_four(text, bytes + n))
		{
			text += 4;
			n += 3;
			continue;
		}
		if (*text == '\\')		/* an escaped slash */
		{
			text++;
			continue;
		}
		digit = base64_digit(*text++);
		if ((digit & NOT_BASE64) != 0)
			return 0;
		group = group << 6 | digit;
		bits += 6;
		if (bits >= 8)
		{
			bits -= 8;
			bytes[n++] = (unsigned char) (group >> bits);
		}
	}
	return n;
}

/*
 * Old vLLM sends float64.  Such numbers were float32 before, so that the low
 * 29 bits of each are zero; of real float32 no vector but zeros looks so.
 */
static bool
are_doubles(const unsigned char *bytes, size_t n)
{
	bool		zeros = true;

	if (n % sizeof(double) != 0)
		return false;
	for (size_t i = 0; i < n; i += sizeof(double))
	{
		if (bytes[i] != 0 || bytes[i + 1] != 0 || bytes[i + 2] != 0 || (bytes[i + 3] & 0x1f) != 0)
			return false;
		for (size_t k = 3; k < sizeof(double); k++)
			zeros = zeros && bytes[i + k] == 0;
	}
	return !zeros;
}

static float
read_double(const unsigned char *bytes)
{
	uint64_t	raw = 0;
	double		number;

	for (int i = 7; i >= 0; i--)
		raw = raw << 8 | bytes[i];
	memcpy(&number, &raw, sizeof(number));
	return (float) number;
}

static float
read_float(const unsigned char *bytes)
{
	uint32_t	raw = (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 |
		(uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
	float		number;

	memcpy(&number, &raw, sizeof(number));
	return number;
}

/* Little-endian float32, or float64; false if one is not finite. */
static bool
take_numbers(const unsigned char *bytes, bool wide, float *place, int dimensions)
{
	bool		finite = true;

	for (int i = 0; i < dimensions; i++)
	{
		place[i] = wide ? read_double(bytes + (size_t) i * sizeof(double))
			: read_float(bytes + (size_t) i * sizeof(float));
		finite &= isfinite(place[i]) != 0;
	}
	return finite;
}

static bool
decode_base64(const AiRequest *request, const char *text, size_t len, int index,
			  AiReply *reply, AiFailure *failure)
{
	unsigned char *bytes = malloc(len / 4 * 3 + 3);
	size_t		n = bytes ? read_base64(text, len, bytes) : 0;
	bool		good = false;

	if (n == 0 || n % sizeof(float) != 0)
		ai_fail(failure, AI_ERROR_INVALID_REPLY,
				"the reply has an embedding that is not base64 of floats");
	else
	{
		bool		wide = are_doubles(bytes, n);
		int			dimensions = (int) (n / (wide ? sizeof(double) : sizeof(float)));
		float	   *place = vector_place(request, reply, index, dimensions, failure);

		good = place != NULL && take_numbers(bytes, wide, place, dimensions);
		if (place != NULL && !good)
			ai_fail(failure, AI_ERROR_INVALID_REPLY,
					"the reply has an embedding with a number that is not finite");
	}
	free(bytes);
	return good;
}

/*
 * The first vector of a reply tells how long they all are: its numbers go to a
 * place that grows until it is known.
 */
static float *
read_first_vector(AiJsonReader *reader, int *dimensions, AiFailure *failure)
{
	float	   *numbers = NULL;
	int			capacity = 0;
	int			n = 0;

	do
	{
		float	   *larger;

		capacity = capacity ? capacity * 2 : 2048;
		larger = capacity <= 2 * AI_MAX_DIMENSIONS ? realloc(numbers, (size_t) capacity * sizeof(float)) : NULL;
		if (larger == NULL)
		{
			free(numbers);
			ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has an embedding that is too long");
			return NULL;
		}
		numbers = larger;
		n += ai_read_floats(reader, numbers + n, capacity - n);
	} while (n == capacity);
	*dimensions = n;
	return numbers;
}

/* Reads to the end of an array of numbers, and tells how many there are. */
static int
pass_floats(AiJsonReader *reader)
{
	float		passed[256];
	const int	room = sizeof(passed) / sizeof(passed[0]);
	int			total = 0;
	int			n;

	do
	{
		n = ai_read_floats(reader, passed, room);
		total += n;
	} while (n == room);
	return total;
}

bool
ai_read_vector(AiJsonReader *reader, const AiRequest *request, int index,
			   AiReply *reply, AiFailure *failure)
{
	float	   *first = NULL;
	float	   *place;
	int			n = 0;

	if (!ai_read_array(reader))
		return false;
	/* llama.cpp without pooling: one vector for each token */
	if (ai_read_peek(reader) == '[')
	{
		ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has an array of arrays in place of an embedding");
		ai_failure_hint(failure, "Let the server pool the vectors of the tokens; llama.cpp does with \"--pooling mean\".");
		return false;
	}
	if (reply->vectors == NULL)
	{
		first = read_first_vector(reader, &n, failure);
		if (first == NULL)
			return false;
		if (!reader->failed && (place = vector_place(request, reply, index, n, failure)) != NULL)
			memcpy(place, first, (size_t) n * sizeof(float));
		free(first);
		return !reader->failed && reply->vectors != NULL;
	}
	place = vector_place(request, reply, index, reply->dimensions, failure);
	if (place == NULL)
		return false;
	n = ai_read_floats(reader, place, reply->dimensions);
	if (n == reply->dimensions)
		n += pass_floats(reader);
	return !reader->failed && vector_place(request, reply, index, n, failure) != NULL;
}

bool
ai_read_vectors(AiJsonReader *reader, const AiRequest *request, AiReply *reply,
				AiFailure *failure)
{
	int			count = 0;

	if (!ai_read_array(reader))
		return false;
	while (ai_read_element(reader))
	{
		if (count >= request->n_inputs)
			return ai_fail(failure, AI_ERROR_INVALID_REPLY,
						   "the reply has more embeddings than the %d inputs that were sent",
						   request->n_inputs);
		if (!ai_read_vector(reader, request, count, reply, failure))
			return false;
		count++;
	}
	if (!reader->failed && count != request->n_inputs)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has %d embeddings for %d inputs", count, request->n_inputs);
	return !reader->failed;
}

bool
ai_check_vectors(const AiRequest *request, const bool *seen, AiReply *reply,
				 AiFailure *failure)
{
	for (int i = 0; seen != NULL && i < request->n_inputs; i++)
	{
		if (!seen[i])
			return ai_fail(failure, AI_ERROR_INVALID_REPLY,
						   "the reply has no embedding for input %d of %d",
						   i + 1, request->n_inputs);
	}
	if (reply->vectors == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply has no embeddings");
	if (request->dimensions > 0 && reply->dimensions != request->dimensions)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has embeddings of %d dimensions where %d were asked for",
					   reply->dimensions, request->dimensions);
	return true;
}

bool
ai_finish_vectors(AiJsonReader *reader, bool good, const AiRequest *request, AiReply *reply,
				  AiFailure *failure)
{
	if (good && !reader->failed)
		good = ai_check_vectors(request, NULL, reply, failure);
	if ((!good || reader->failed) && failure->kind == AI_ERROR_NONE)
		ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply is not the JSON of embeddings");
	return failure->kind == AI_ERROR_NONE;
}

/*
 * One element of "data".  "index" may stand before or behind the numbers.  They
 * are read at once into the place that they most likely have: that of the index
 * as far as it is known, which begins as the position.  If it was another one,
 * the vector is moved.
 */
typedef struct DataItem
{
	int64_t		index;
	AiJsonReader numbers;		/* the last array; p = NULL: none */
	const char *raw;			/* the last string */
	size_t		raw_len;
	bool		guessed;		/* the numbers stand at `place` already */
	bool		made_array;		/* which was made for them */
	int			place;
} DataItem;

/* As if they had not been read. */
static void
forget_guess(DataItem *item, AiReply *reply)
{
	item->guessed = false;
	if (!item->made_array)
		return;
	free(reply->vectors);
	reply->vectors = NULL;
	reply->n_vectors = reply->dimensions = 0;
	item->made_array = false;
}

/* Whatever is wrong with the numbers shows again when their place is known. */
static void
read_numbers(AiJsonReader *reader, const AiRequest *request, const bool *seen, bool first,
			 DataItem *item, AiReply *reply)
{
	AiFailure	ignored;
	bool		had_array = reply->vectors != NULL;

	item->numbers = *reader;
	if (first && item->index >= 0 && item->index < request->n_inputs && !seen[item->index])
	{
		item->place = (int) item->index;
		item->guessed = ai_read_vector(reader, request, item->place, reply, &ignored);
		item->made_array = !had_array && reply->vectors != NULL;
	}
	if (!item->guessed)
	{
		forget_guess(item, reply);
		*reader = item->numbers;
		ai_read_skip(reader);
	}
}

static void
read_members(AiJsonReader *reader, const AiRequest *request, const bool *seen,
			 DataItem *item, AiReply *reply)
{
	const char *name;
	size_t		len;

	while (ai_read_member(reader, &name, &len))
	{
		bool		embedding = ai_name_is(name, len, "embedding");
		char		next = ai_read_peek(reader);
		bool		first = item->numbers.p == NULL && item->raw == NULL;

		if (ai_name_is(name, len, "index") && next != 'n')
			ai_read_int64(reader, &item->index);
		else if (embedding && (next == '"' || next == '['))
		{
			/* of several the last holds */
			forget_guess(item, reply);
			if (next == '"')
				ai_read_raw_string(reader, &item->raw, &item->raw_len);
			else
				read_numbers(reader, request, seen, first, item, reply);
		}
		else
			ai_read_skip(reader);
	}
}

static bool
read_data_item(AiJsonReader *reader, const AiRequest *request, int position,
			   bool *seen, AiReply *reply, AiFailure *failure)
{
	DataItem	item = {.index = position};
	size_t		bytes;

	if (!ai_read_object(reader))
		return false;
	read_members(reader, request, seen, &item, reply);
	if (reader->failed)
		return false;
	if (item.index < 0 || item.index >= request->n_inputs)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has an embedding with index %lld for %d inputs",
					   (long long) item.index, request->n_inputs);
	if (seen[item.index])
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has two embeddings with index %lld", (long long) item.index);
	seen[item.index] = true;
	if (item.raw != NULL)
		return decode_base64(request, item.raw, item.raw_len, (int) item.index, reply, failure);
	if (item.numbers.p == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has an item without an embedding");
	if (!item.guessed)
		return ai_read_vector(&item.numbers, request, (int) item.index, reply, failure);
	bytes = (size_t) reply->dimensions * sizeof(float);
	if (item.place != item.index)
		memcpy(reply->vectors + (size_t) item.index * (size_t) reply->dimensions,
			   reply->vectors + (size_t) item.place * (size_t) reply->dimensions, bytes);
	return true;
}

static void
read_usage(AiJsonReader *reader, AiReply *reply)
{
	const char *name;
	size_t		len;
	int64_t		total = -1;

	if (ai_read_peek(reader) != '{')
	{
		ai_read_skip(reader);
		return;
	}
	ai_read_object(reader);
	while (ai_read_member(reader, &name, &len))
	{
		if (ai_name_is(name, len, "prompt_tokens") && ai_read_peek(reader) != 'n')
			ai_read_int64(reader, &reply->usage.uncached_input);
		else if (ai_name_is(name, len, "total_tokens") && ai_read_peek(reader) != 'n')
			ai_read_int64(reader, &total);
		else
			ai_read_skip(reader);
	}
	if (reply->usage.uncached_input < 0)
		reply->usage.uncached_input = total;	/* Voyage has the total only */
}

bool
ai_parse_openai_embeddings(const AiRequest *request, const AiHttpReply *http,
						   AiReply *reply, AiFailure *failure)
{
	AiJsonReader reader;
	const char *name;
	size_t		len;
	bool	   *seen = calloc((size_t) request->n_inputs, sizeof(bool));
	bool		good = seen != NULL;

	ai_failure_clear(failure);
	ai_read_start(&reader, http->body.data, http->body.len);
	if (good)
		good = ai_read_object(&reader);
	while (good && ai_read_member(&reader, &name, &len))
	{
		if (ai_name_is(name, len, "data") && ai_read_peek(&reader) == '[')
		{
			int			position = 0;

			ai_read_array(&reader);
			while (good && ai_read_element(&reader))
				good = read_data_item(&reader, request, position++, seen, reply, failure);
		}
		else if (ai_name_is(name, len, "usage"))
			read_usage(&reader, reply);
		else if (ai_name_is(name, len, "model") && ai_read_peek(&reader) == '"' && reply->model == NULL)
			reply->model = ai_read_string(&reader);
		else
			ai_read_skip(&reader);
	}
	if (good && !reader.failed)
		good = ai_check_vectors(request, seen, reply, failure);
	free(seen);
	if ((!good || reader.failed) && failure->kind == AI_ERROR_NONE)
		ai_fail(failure, AI_ERROR_INVALID_REPLY, "the reply is not the JSON of embeddings");
	return failure->kind == AI_ERROR_NONE;
}
