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

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
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

/* Little-endian float32 in base64, or float64. */
static bool
decode_base64(const AiRequest *request, const char *text, size_t len, int index,
			  AiReply *reply, AiFailure *failure)
{
	unsigned char *bytes = malloc(len / 4 * 3 + 3);
	size_t		n = 0;
	uint32_t	group = 0;
	int			bits = 0;
	bool		wide;
	int			dimensions;
	float	   *place = NULL;

	for (size_t i = 0; bytes != NULL && i < len && text[i] != '='; i++)
	{
		int			digit = base64_digit(text[i]);

		if (text[i] == '\\')	/* an escaped slash */
			continue;
		if (digit < 0)
		{
			free(bytes);
			bytes = NULL;
			break;
		}
		group = group << 6 | (uint32_t) digit;
		bits += 6;
		if (bits >= 8)
		{
			bits -= 8;
			bytes[n++] = (unsigned char) (group >> bits);
		}
	}
	if (bytes == NULL || n == 0 || n % sizeof(float) != 0)
	{
		free(bytes);
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has an embedding that is not base64 of floats");
	}
	wide = are_doubles(bytes, n);
	dimensions = (int) (n / (wide ? sizeof(double) : sizeof(float)));
	place = vector_place(request, reply, index, dimensions, failure);
	for (int i = 0; place != NULL && i < dimensions; i++)
	{
		uint64_t	raw = 0;
		size_t		width = wide ? 8 : 4;

		for (size_t b = 0; b < width; b++)
			raw |= (uint64_t) bytes[(size_t) i * width + b] << (8 * b);
		if (wide)
		{
			double		number;

			memcpy(&number, &raw, sizeof(number));
			place[i] = (float) number;
		}
		else
		{
			uint32_t	half = (uint32_t) raw;

			memcpy(&place[i], &half, sizeof(half));
		}
		if (!isfinite(place[i]))
			place = NULL;
	}
	free(bytes);
	if (place == NULL && failure->kind == AI_ERROR_NONE)
		ai_fail(failure, AI_ERROR_INVALID_REPLY,
				"the reply has an embedding with a number that is not finite");
	return place != NULL;
}

bool
ai_read_vector(AiJsonReader *reader, const AiRequest *request, int index,
			   AiReply *reply, AiFailure *failure)
{
	float	   *place = NULL;
	int			capacity = reply->dimensions;
	int			n = 0;
	float	   *first = NULL;

	if (!ai_read_array(reader))
		return false;
	if (reply->vectors != NULL)
		place = vector_place(request, reply, index, capacity, failure);
	while (ai_read_element(reader))
	{
		float		number;

		if (!ai_read_float(reader, &number))
			break;
		if (place != NULL)
		{
			if (n < capacity)
				place[n] = number;
		}
		else
		{
			if (n >= capacity)
			{
				float	   *larger;

				capacity = capacity ? capacity * 2 : 1024;
				larger = n < 65536 ? realloc(first, (size_t) capacity * sizeof(float)) : NULL;
				if (larger == NULL)
				{
					free(first);
					return ai_fail(failure, AI_ERROR_INVALID_REPLY,
								   "the reply has an embedding that is too long");
				}
				first = larger;
			}
			first[n] = number;
		}
		n++;
	}
	if (reader->failed)
	{
		free(first);
		return false;
	}
	if (place == NULL)
	{
		place = vector_place(request, reply, index, n, failure);
		if (place != NULL && n > 0)
			memcpy(place, first, (size_t) n * sizeof(float));
		free(first);
		return place != NULL;
	}
	return vector_place(request, reply, index, n, failure) != NULL;
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
 * One element of "data".  "index" may stand before or behind the numbers, so
 * the numbers are remembered by position and read once the index is known.
 */
static bool
read_data_item(AiJsonReader *reader, const AiRequest *request, int position,
			   bool *seen, AiReply *reply, AiFailure *failure)
{
	const char *name;
	size_t		len;
	int64_t		index = position;
	AiJsonReader numbers = {0};
	const char *raw = NULL;
	size_t		raw_len = 0;

	if (!ai_read_object(reader))
		return false;
	while (ai_read_member(reader, &name, &len))
	{
		if (ai_name_is(name, len, "index") && ai_read_peek(reader) != 'n')
			ai_read_int64(reader, &index);
		else if (ai_name_is(name, len, "embedding") && ai_read_peek(reader) == '"')
			ai_read_raw_string(reader, &raw, &raw_len);
		else if (ai_name_is(name, len, "embedding") && ai_read_peek(reader) == '[')
		{
			numbers = *reader;
			ai_read_skip(reader);
		}
		else
			ai_read_skip(reader);
	}
	if (reader->failed)
		return false;
	if (index < 0 || index >= request->n_inputs)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has an embedding with index %lld for %d inputs",
					   (long long) index, request->n_inputs);
	if (seen[index])
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has two embeddings with index %lld", (long long) index);
	seen[index] = true;
	if (raw != NULL)
		return decode_base64(request, raw, raw_len, (int) index, reply, failure);
	if (numbers.p == NULL)
		return ai_fail(failure, AI_ERROR_INVALID_REPLY,
					   "the reply has an item without an embedding");
	return ai_read_vector(&numbers, request, (int) index, reply, failure);
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
