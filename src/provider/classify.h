/*
 * classify.h
 *	  What an error reply says: its kind, whether and when to try again, and
 *	  which option was refused.
 */
#ifndef AI_CLASSIFY_H
#define AI_CLASSIFY_H

#include "provider/provider.h"

/* An error page of megabytes is not worth a tree. */
#define AI_MAX_ERROR_BODY	(1024 * 1024)

/*
 * Reads a reply whose status is not 2xx: the kind from the status, refined by
 * the codes and texts that are common to providers, then by what is the
 * protocol's alone.
 */
extern void ai_classify_error(const AiTarget *target, const AiHttpReply *http, AiFailure *failure);

/*
 * Where a provider refused one of the options that were sent, says which row
 * of model_profiles would keep it from being sent.
 */
extern void ai_classify_option(const AiTarget *target, const AiRequest *request,
							   AiFailure *failure);

/*
 * The same for an error object found in a reply with status 200, or in a
 * stream: `status` is what the error stands for.  The second takes the status
 * that the error names, else that of a server's error.  The third does so where
 * the body has an "error" that says something (an empty one beside an answer says
 * that there is none), or MiniMax's base_resp, and tells whether it has.
 */
extern void ai_classify_body(int status, const cJSON *body, AiFailure *failure);
extern void ai_classify_told(const cJSON *body, AiFailure *failure);
extern bool ai_classify_found(const cJSON *body, AiFailure *failure);

/* Does what stands under "error" tell of one? */
extern bool ai_error_says(const cJSON *error);

/* Adds the server's wishes for a retry. */
extern void ai_classify_retry(const AiHttpReply *http, int64_t now, AiFailure *failure);

#endif							/* AI_CLASSIFY_H */
