/*
 * identity.h
 *	  What makes two questions the same: the digest of the function, its
 *	  arguments, and who asks.
 */
#ifndef AI_IDENTITY_H
#define AI_IDENTITY_H

#include "ask/job.h"

#define AI_DIGEST_SIZE	32

/*
 * The digest of a question with the arguments in site->fcinfo, those before
 * number `first` left out.  Detoasts them in place, in the current memory
 * context.
 */
extern void ai_identify(AiSite *site, int first, uint8 digest[AI_DIGEST_SIZE]);

#endif							/* AI_IDENTITY_H */
