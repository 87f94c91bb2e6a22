/*
 * stat_activity.c
 *	  ai_gateway.running_statements(): the rows of ai_gateway.stat_activity.
 *
 * As in pg_stat_activity, whoever is neither the role that runs a statement nor
 * a member of it or of pg_read_all_stats sees that it runs, and no more.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "fn/signature.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "shared/activity.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

AI_SQL_FUNCTION(ai_running_statements_0_1);

/* The columns, in their order. */
static const Oid columns[] = {
	INT4OID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID
};

#define N_COLUMNS	lengthof(columns)

static const AiRowType row = {"ai_gateway.running_statements", N_COLUMNS, columns};

Datum
ai_running_statements_0_1(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		more = true;

	ai_signature_set(fcinfo, 0, &row);
	for (int n = 0; more; n++)
	{
		AiActivity	activity;
		Datum		values[N_COLUMNS];
		bool		nulls[N_COLUMNS] = {0};

		if (!ai_activity_read(n, &activity, &more))
			continue;
		values[0] = Int32GetDatum(activity.pid);
		values[1] = TimestampTzGetDatum(activity.started);
		values[2] = Int64GetDatum(activity.calls);
		values[3] = Int64GetDatum(activity.distinct);
		values[4] = Int64GetDatum(activity.answered);
		values[5] = Int64GetDatum(activity.failed);
		values[6] = Int64GetDatum(activity.requests);
		values[7] = Int64GetDatum(activity.in_flight);
		values[8] = Int64GetDatum(activity.input_tokens);
		values[9] = Int64GetDatum(activity.output_tokens);
		if (!has_privs_of_role(GetUserId(), activity.role) &&
			!has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS))
			memset(nulls + 1, true, N_COLUMNS - 1);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
