/*
 * place.h
 *	  Where a request goes: see place.c.  Pure.
 */
#ifndef AI_PLACE_H
#define AI_PLACE_H

#include "provider/provider.h"

/* Appends the template with its {settings} filled in. */
extern bool ai_fill_template(const AiTarget *target, const char *template, AiBuffer *out,
							 AiFailure *failure);

/* As ai_put_url(), for before + model as one path segment + after. */
extern bool ai_put_model_url(AiHttpRequest *http, const AiTarget *target, const char *before,
							 const char *model, const char *after, AiFailure *failure);

extern bool ai_endpoint_ends_with(const AiTarget *target, const char *end);

#endif							/* AI_PLACE_H */
