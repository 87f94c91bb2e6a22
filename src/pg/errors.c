/*
 * errors.c
 *	  Turns an AiFailure into an ereport (errors.h).
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "pg/errors.h"
#include "pg/text.h"
#include "utils/builtins.h"

const char *
ai_failure_sqlstate(const AiFailure *failure)
{
	return failure->sqlstate ? failure->sqlstate : ai_error_kinds[failure->kind].sqlstate;
}

char *
ai_failure_text(const AiFailure *failure)
{
	return ai_message_from_utf8(failure->message);
}

/* The provider's words and the facts, as one DETAIL. */
static char *
detail_text(const AiFailure *failure, int attempts)
{
	StringInfoData detail;
	const char *separator = "";

	initStringInfo(&detail);
	if (failure->message[0] != '\0')
	{
		char	   *message = ai_failure_text(failure);

		message[0] = pg_toupper((unsigned char) message[0]);
		appendStringInfoString(&detail, message);
		if (strchr(".!?", detail.data[detail.len - 1]) == NULL)
			appendStringInfoChar(&detail, '.');
		separator = " ";
	}
	if (failure->http_status != 0)
	{
		appendStringInfo(&detail, "%sHTTP status %d", separator, failure->http_status);
		if (failure->code[0] != '\0')
			appendStringInfo(&detail, ", code \"%s\"", ai_message_from_utf8(failure->code));
		if (failure->request_id[0] != '\0')
			appendStringInfo(&detail, ", request id \"%s\"", failure->request_id);
		appendStringInfoChar(&detail, '.');
		separator = " ";
	}
	if (attempts > 1)
		appendStringInfo(&detail, "%sTried %d times.", separator, attempts);
	return detail.data;
}

/* What to do about a kind of failure that came without a hint of its own. */
static const char *
standard_hint(AiErrorKind kind)
{
	switch (kind)
	{
		case AI_ERROR_AUTHENTICATION:
		case AI_ERROR_PERMISSION:
		case AI_ERROR_NOT_FOUND:
			return "SELECT * FROM ai_gateway.validate_model(%s);";
		case AI_ERROR_CONTEXT_LENGTH:
			return "Shorten the input, or UPDATE ai_gateway.models SET remote_model = ... to one that takes more.";
		case AI_ERROR_RATE_LIMIT:
		case AI_ERROR_OVERLOADED:
			return "SET ai_gateway.max_retries = 5; or call fewer rows at once.";
		case AI_ERROR_TIMEOUT:
			return "SET ai_gateway.timeout = '5min';";
		case AI_ERROR_QUOTA:
			return "Add credit or raise the spending limit in the provider's console.";
		case AI_ERROR_NONE:
		case AI_ERROR_INVALID_REQUEST:
		case AI_ERROR_CONTENT_FILTER:
		case AI_ERROR_REFUSAL:
		case AI_ERROR_SERVER:
		case AI_ERROR_REQUEST_TOO_LARGE:
		case AI_ERROR_INVALID_REPLY:
		case AI_ERROR_CONNECTION:
		case AI_ERROR_BUDGET:
			break;
	}
	return NULL;
}

static int
sqlstate_of(const AiFailure *failure)
{
	const char *sqlstate = ai_failure_sqlstate(failure);

	return MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4]);
}

/* The caller's own doing, in words of its own. */
static void
report_fault(int elevel, const AiFailure *failure)
{
	char	   *message = ai_failure_text(failure);
	char	   *detail = ai_message_from_utf8(failure->detail);
	char	   *hint = ai_message_from_utf8(failure->hint);

	ereport(elevel,
			(errcode(sqlstate_of(failure)),
			 errmsg("%s", message),
			 detail[0] != '\0' ? errdetail("%s", detail) : 0,
			 hint[0] != '\0' ? errhint("%s", hint) : 0));
}

void
ai_report(int elevel, const char *model, const AiFailure *failure, int attempts)
{
	const char *hint = NULL;
	char	   *detail;

	if (failure->fault != AI_FAULT_CALL)
	{
		report_fault(elevel, failure);
		return;
	}
	detail = detail_text(failure, attempts);
	if (failure->hint[0] != '\0')
		hint = ai_message_from_utf8(failure->hint);
	else if (standard_hint(failure->kind) != NULL)
	{
		StringInfoData command;
		const char *format = standard_hint(failure->kind);
		const char *place = strstr(format, "%s");

		initStringInfo(&command);
		if (place == NULL)
			appendStringInfoString(&command, format);
		else
		{
			appendBinaryStringInfo(&command, format, place - format);
			appendStringInfoString(&command, quote_literal_cstr(model));
			appendStringInfoString(&command, place + 2);
		}
		hint = command.data;
	}
	ereport(elevel,
			(errcode(sqlstate_of(failure)),
			 errmsg("model \"%s\" %s", model, ai_error_kinds[failure->kind].summary),
			 detail[0] != '\0' ? errdetail_internal("%s", detail) : 0,
			 hint != NULL ? errhint("%s", hint) : 0));
}
