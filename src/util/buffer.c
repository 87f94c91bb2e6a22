/*
 * buffer.c
 *	  The growable byte buffer of buffer.h: malloc memory, no exceptions.
 *
 * Growth doubles, so that appending n bytes copies at most 2n; above a
 * mebibyte it grows by a half, which keeps the peak within twice the reply
 * even where realloc must copy.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "util/buffer.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AI_BUFFER_FIRST		256
#define AI_BUFFER_LARGE		(1024 * 1024)

static bool
grow(AiBuffer *buffer, size_t more)
{
	size_t		need;
	size_t		capacity = buffer->capacity;
	char	   *data;

	if (buffer->failed)
		return false;
	if (buffer->limit != 0 && more > buffer->limit - buffer->len)
	{
		buffer->failed = buffer->over_limit = true;
		return false;
	}
	if (more > SIZE_MAX / 2 - buffer->len)
	{
		buffer->failed = true;
		return false;
	}
	need = buffer->len + more + 1;
	if (need <= capacity)
		return true;
	if (capacity == 0)
		capacity = AI_BUFFER_FIRST;
	while (capacity < need)
		capacity += capacity < AI_BUFFER_LARGE ? capacity : capacity / 2;
	if (buffer->limit != 0 && capacity > buffer->limit)
		capacity = buffer->limit + 1;
	data = realloc(buffer->data, capacity);
	if (data == NULL)
	{
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

/* Room for so many bytes more and a NUL; there is none above the limit. */
static inline bool
reserve(AiBuffer *buffer, size_t more)
{
	return (!buffer->failed && more < buffer->capacity - buffer->len) || grow(buffer, more);
}

void
ai_buffer_append(AiBuffer *buffer, const char *data, size_t len)
{
	if (!reserve(buffer, len))
		return;
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

void
ai_buffer_append_string(AiBuffer *buffer, const char *string)
{
	ai_buffer_append(buffer, string, strlen(string));
}

void
ai_buffer_append_char(AiBuffer *buffer, char c)
{
	ai_buffer_append(buffer, &c, 1);
}

void
ai_buffer_printf(AiBuffer *buffer, const char *format,...)
{
	va_list		args;
	int			len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
	{
		buffer->failed = true;
		return;
	}
	if (!reserve(buffer, (size_t) len))
		return;
	va_start(args, format);
	vsnprintf(buffer->data + buffer->len, (size_t) len + 1, format, args);
	va_end(args);
	buffer->len += (size_t) len;
}

void
ai_buffer_append_url_segment(AiBuffer *buffer, const char *segment)
{
	static const char hex[] = "0123456789ABCDEF";

	for (const unsigned char *p = (const unsigned char *) segment; *p; p++)
	{
		if ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
			(*p >= '0' && *p <= '9') || strchr("-._~", *p) != NULL)
			ai_buffer_append_char(buffer, (char) *p);
		else
		{
			char		escape[3] = {'%', hex[*p >> 4], hex[*p & 15]};

			ai_buffer_append(buffer, escape, sizeof(escape));
		}
	}
}

void
ai_buffer_reset(AiBuffer *buffer)
{
	buffer->len = 0;
	buffer->failed = buffer->over_limit = false;
	if (buffer->data)
		buffer->data[0] = '\0';
}

void
ai_buffer_free(AiBuffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->len = buffer->capacity = 0;
	buffer->failed = buffer->over_limit = false;
}

void
ai_buffer_wipe(AiBuffer *buffer)
{
	if (buffer->data)
		ai_wipe(buffer->data, buffer->capacity);
	ai_buffer_free(buffer);
}

void
ai_wipe(void *memory, size_t len)
{
	memset(memory, 0, len);
	/* the compiler must assume that the memory is read here */
__asm__ __volatile__(""::"r"(memory):"memory");
}

void
ai_give_back_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

char *
ai_strdup(const char *string)
{
	return string ? strdup(string) : NULL;
}

void
ai_free_secret(char *string)
{
	if (string == NULL)
		return;
	ai_wipe(string, strlen(string));
	free(string);
}
