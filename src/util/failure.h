/*
 * failure.h
 *	  What went wrong with one model call, as plain data.
 *
 * Failure is data until the row that needs it is emitted: everything below fn/
 * fills an AiFailure and returns.  pg/errors.h turns it into an ereport.  The
 * struct owns no memory, so it may be copied and dropped at will.  All text in
 * it is valid UTF-8, clipped at a character boundary, and holds neither keys
 * nor text of a prompt (redact.h).
 */
#ifndef AI_FAILURE_H
#define AI_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum AiErrorKind
{
	AI_ERROR_NONE = 0,
	AI_ERROR_INVALID_REQUEST,
	AI_ERROR_AUTHENTICATION,
	AI_ERROR_PERMISSION,
	AI_ERROR_NOT_FOUND,
	AI_ERROR_CONTEXT_LENGTH,
	AI_ERROR_CONTENT_FILTER,
	AI_ERROR_REFUSAL,
	AI_ERROR_RATE_LIMIT,
	AI_ERROR_QUOTA,
	AI_ERROR_OVERLOADED,
	AI_ERROR_SERVER,
	AI_ERROR_TIMEOUT,
	AI_ERROR_REQUEST_TOO_LARGE,
	AI_ERROR_INVALID_REPLY,
	AI_ERROR_CONNECTION,
	AI_ERROR_BUDGET,
} AiErrorKind;

#define AI_ERROR_KINDS	(AI_ERROR_BUDGET + 1)

/* What each kind means for the engine; one row a kind, see failure.c. */
typedef struct AiErrorKindInfo
{
	const char *name;			/* error_kind, as SQL shows it */
	const char *sqlstate;
	const char *summary;		/* primary message: model "%s" <summary> */
	bool		retry;			/* may the same request be sent again? */
	bool		next_target;	/* may another target of a route be tried? */
	bool		trips_breaker;	/* does it count against the target's health? */
} AiErrorKindInfo;

/* Whose fault it is: that decides where it raises an error (pg/errors.h). */
typedef enum AiFault
{
	AI_FAULT_CALL,				/* the call went wrong: ai_gateway.on_error
								 * decides */
	AI_FAULT_REFUSED,			/* no such model, no grant, a cap: raises, but
								 * is data in ai_try_* */
	AI_FAULT_ARGUMENT,			/* a bad argument: raises in every function */
} AiFault;

typedef struct AiFailure
{
	AiErrorKind kind;
	AiFault		fault;
	int			http_status;	/* 0 = no HTTP reply */
	int			should_retry;	/* 1 yes, 0 no, -1 not said: x-should-retry,
								 * or a page in place of a reply */
	double		retry_after_ms; /* the server's hint; < 0 = none */
	const char *sqlstate;		/* overrides the kind's; static or NULL */
	char		code[64];		/* the provider's own code or type */
	char		parameter[64];	/* what it refused, where it says so */
	char		request_id[128];
	char		message[600];	/* what the provider or the engine said */
	char		detail[400];	/* of a fault of the caller's, or empty */
	char		hint[400];		/* a command to run, or empty */
} AiFailure;

extern const AiErrorKindInfo ai_error_kinds[AI_ERROR_KINDS];

extern void ai_failure_clear(AiFailure *failure);

/* Sets kind and message; the rest is cleared. Always returns false. */
extern bool ai_fail(AiFailure *failure, AiErrorKind kind, const char *format,...)
			__attribute__((format(printf, 3, 4)));

/*
 * The same for a fault of the caller's: the message is the primary one, and the
 * SQLSTATE (a literal) is its own.
 */
extern bool ai_fault(AiFailure *failure, AiFault fault, AiErrorKind kind, const char *sqlstate,
					 const char *format,...)
			__attribute__((format(printf, 5, 6)));

/* Adds a detail to a fault, a hint to any failure. */
extern void ai_failure_detail(AiFailure *failure, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern void ai_failure_hint(AiFailure *failure, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/*
 * A text as a literal of SQL, for a hint that is a command; false if it does not fit
 * as a whole.
 */
extern bool ai_copy_literal(char *dst, size_t size, const char *src);

/* AI_ERROR_NONE for a name that is none. */
extern AiErrorKind ai_error_kind_by_name(const char *name);

/*
 * Copies src into dst as clean UTF-8: invalid bytes and control characters
 * become a space, and it is clipped to size - 1 bytes at a character boundary.
 */
extern void ai_copy_clean(char *dst, size_t size, const char *src, size_t len);

#endif							/* AI_FAILURE_H */
