/*
 * module.c
 *	  The library's entry: what is initialised when it is loaded, in order.
 */
#include "postgres.h"

#include "exec/node.h"
#include "fn/functions.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "plan/rewrite.h"
#include "provider/provider.h"
#include "registry/model.h"
#include "shared/activity.h"

AI_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	ai_preloaded = process_shared_preload_libraries_in_progress;
	ai_guc_init();
	for (int i = 0; i < ai_n_providers; i++)
	{
		const AiProvider *provider = &ai_providers[i];

		if (!provider->in_process)
			ai_guc_define_provider(provider->name, provider->description);
		for (int k = 0; provider->parameters != NULL && provider->parameters[k] != NULL; k++)
			ai_guc_define_setting(provider->name, provider->parameters[k]);
	}
	ai_guc_finish();
	ai_functions_register(ai_functions);
	ai_model_init();
	ai_activity_init();
	ai_node_init();
	ai_rewrite_init();
}
