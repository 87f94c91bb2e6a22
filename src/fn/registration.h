/*
 * registration.h
 *	  What the validation triggers of ai_gateway.models and
 *	  ai_gateway.model_profiles check.  A row is judged by itself, and an error
 *	  names the column.
 */
#ifndef AI_REGISTRATION_H
#define AI_REGISTRATION_H

#include "postgres.h"

#include "registry/model.h"
#include "registry/tuple.h"

extern void ai_registration_check(const AiModel *model, const AiTuple *row);
extern void ai_profile_check(const AiTuple *row);

#endif							/* AI_REGISTRATION_H */
