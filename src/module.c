/*
 * module.c
 *	  The library's entry: what is initialised when it is loaded, in order.
 */
#include "postgres.h"

#include "catalog/model.h"
#include "compat.h"
#include "guc.h"
#include "miscadmin.h"
#include "provider/provider.h"

AI_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	ai_preloaded = process_shared_preload_libraries_in_progress;
	ai_guc_init();
	for (int i = 0; i < ai_n_providers; i++)
	{
		if (!ai_providers[i].in_process)
			ai_guc_define_provider(ai_providers[i].name, ai_providers[i].description);
	}
	ai_guc_finish();
	ai_model_init();
}
