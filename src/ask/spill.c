/*
 * spill.c
 *	  Values in a file (spill.h).
 *
 * Who may throw: writing and reading, for want of room and for errors of files.
 */
#include "postgres.h"

#include "ask/spill.h"
#include "pg/compat.h"
#include "storage/buffile.h"
#include "utils/resowner.h"

struct AiSpill
{
	BufFile    *file;			/* NULL = not made yet */
	ResourceOwner owner;
	int			end_file;		/* where the next goes */
	off_t		end_offset;
};

AiSpill *
ai_spill_create(void)
{
	AiSpill    *spill = palloc0(sizeof(AiSpill));

	spill->owner = CurrentResourceOwner;
	return spill;
}

static void
make_file(AiSpill *spill)
{
	ResourceOwner caller = CurrentResourceOwner;
	MemoryContext context = MemoryContextSwitchTo(GetMemoryChunkContext(spill));

	CurrentResourceOwner = spill->owner;
	spill->file = BufFileCreateTemp(false);
	CurrentResourceOwner = caller;
	MemoryContextSwitchTo(context);
}

AiSpillPlace
ai_spill_write(AiSpill *spill, const void *data, Size size)
{
	AiSpillPlace place = {.size = size};

	if (spill->file == NULL)
		make_file(spill);
	place.file = spill->end_file;
	place.offset = spill->end_offset;
	if (BufFileSeek(spill->file, place.file, place.offset, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("a temporary file of model calls cannot be positioned")));
	BufFileWrite(spill->file, (void *) data, size);
	BufFileTell(spill->file, &spill->end_file, &spill->end_offset);
	return place;
}

void *
ai_spill_read(AiSpill *spill, const AiSpillPlace *place)
{
	void	   *data = palloc(place->size);

	if (BufFileSeek(spill->file, place->file, place->offset, SEEK_SET) != 0 ||
		BufFileRead(spill->file, data, place->size) != place->size)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("a temporary file of model calls cannot be read")));
	return data;
}

void
ai_spill_end(AiSpill *spill)
{
	if (spill->file != NULL)
		BufFileClose(spill->file);
	spill->file = NULL;
}
