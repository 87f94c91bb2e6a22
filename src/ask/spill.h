/*
 * spill.h
 *	  Values that must not be lost and have no room in memory: in a file.
 *
 * The file is temporary, made when it is first needed, and the resource owner's
 * that was current when the spill was made: it outlives subtransactions that end
 * meanwhile, and is gone after an error.
 */
#ifndef AI_SPILL_H
#define AI_SPILL_H

#include "postgres.h"

typedef struct AiSpill AiSpill;

/* Where a value is. */
typedef struct AiSpillPlace
{
	int			file;
	off_t		offset;
	Size		size;			/* 0 = nowhere */
} AiSpillPlace;

/* In the current context. */
extern AiSpill *ai_spill_create(void);

extern AiSpillPlace ai_spill_write(AiSpill *spill, const void *data, Size size);

/* A copy, in the current context. */
extern void *ai_spill_read(AiSpill *spill, const AiSpillPlace *place);

/* Closes the file; once more does nothing. */
extern void ai_spill_end(AiSpill *spill);

#endif							/* AI_SPILL_H */
