/*
 * function.h
 *	  A scalar model call as data: what turns SQL arguments into a call, and the
 *	  call's outcome into an SQL value.
 *
 * Its drivers are the SQL function itself, which asks once and waits, and the
 * plan node of exec/, which keeps many questions under way; both ask through
 * job.h.  fn/ has the functions and fills the table.
 *
 * What is the caller's fault is data too: `prepare` fills a failure, which the
 * job keeps until its row has its turn.  Who may throw: `prepare` for want of
 * memory and a cancel; `result`, which raises a fault, and obeys ai_gateway.on_error for
 * a call that failed and for a reply that the database's encoding cannot hold.
 */
#ifndef AI_FUNCTION_H
#define AI_FUNCTION_H

#include "ask/answer.h"
#include "call/window.h"
#include "fmgr.h"

typedef struct AiFunction
{
	const char *symbol;			/* pg_proc.prosrc */
	const char *name;			/* as SQL has it */
	int			n_arguments;	/* of the signature; pg_proc.pronargs */
	AiTask		task;
	uint32		required;		/* bits of arguments: a NULL one gives NULL,
								 * and no call */
	int			model;			/* the number of the argument */
	int			options;		/* likewise; -1 = it has none */
	const struct AiBundleKind *bundle;	/* how several questions travel in one
										 * call; NULL = each alone */
	bool		reports_failure;	/* a failed call is a result, never an
									 * error */

	/*
	 * Is there nothing to ask about, although no argument is NULL?  That
	 * gives NULL too.  May be NULL; may detoast arguments in place.
	 */
	bool		(*is_empty) (const struct AiFunction *function, FunctionCallInfo fcinfo);

	/*
	 * Fills the request, in the call's own context: nothing of it points into
	 * the arguments.  False with a failure (ai_fault) for a bad argument.
	 */
	bool		(*prepare) (const struct AiFunction *function, FunctionCallInfo fcinfo,
							AiCall *call, AiFailure *failure);

	/*
	 * The value, in the current context, of an answer.  Sets fcinfo->isnull.
	 * The arguments in fcinfo are not those of the question: a plan node has
	 * asked others since.
	 */
	Datum		(*result) (const struct AiFunction *function, FunctionCallInfo fcinfo,
						   const AiAnswer *answer);

	/*
	 * A function over an array, answered by that of its elements: which
	 * argument it is, the function asked for each element that is not NULL
	 * (its other arguments are this one's, its result is of variable length),
	 * and what makes one value of theirs.  It has no `prepare` and `result`.
	 */
	int			array;
	const struct AiFunction *element;
	Datum		(*join) (const struct AiFunction *function, FunctionCallInfo fcinfo,
						 const Datum *values, const bool *nulls, int n);
} AiFunction;

/*
 * All there are, ended by NULL.  Once, when the library is loaded: the list is
 * made in fn/, above this folder.
 */
extern void ai_functions_register(const AiFunction *const *functions);

/*
 * Would an answer that failed raise an error, or give a warning?  A fault does but where the
 * function gives failures as data, and a bad argument even there; what else went
 * wrong with the call does as ai_gateway.on_error says.
 */
extern bool ai_function_raises(const AiFunction *function, const AiFailure *failure);

/*
 * A NEW call for these arguments: prepared and resolved, or DONE with the fault
 * that one of them found.
 */
extern AiCall *ai_function_call(const AiFunction *function, FunctionCallInfo fcinfo,
								AiWindow *window);

/* Is an argument NULL that must not be, or is there nothing to ask about? */
extern bool ai_function_is_null(const AiFunction *function, FunctionCallInfo fcinfo);

/*
 * The C symbol of a function of this library, palloc'd; NULL for one that is
 * none, or that ALTER FUNCTION gave settings or an owner's rights, which only
 * the executor's own way to call it obeys.
 */
extern char *ai_function_symbol(Oid oid);

/*
 * The function behind an OID of pg_proc, or NULL if it is none of these.
 * Cheap enough to be asked for every function of every plan.
 */
extern const AiFunction *ai_function_by_oid(Oid oid);

#endif							/* AI_FUNCTION_H */
