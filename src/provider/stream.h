/*
 * stream.h
 *	  Replies that come as a stream of events, brought into the form of the same
 *	  provider's reply in one piece.  Pure.
 *
 * A reply that was asked for as a stream is taken in as it comes, by an
 * AiReplyStream; a stream that a server sent unasked is taken in when it is
 * whole, by the same code.
 *
 * A protocol has one reader, of the whole reply.  Whether the provider sent it
 * in one piece, as server-sent events, as lines of JSON or in Amazon's binary
 * frames is settled here: an assembler takes the events in and builds the tree
 * that the reader reads.  A stream that stops before its last event is a
 * failure, since what is missing cannot be known; so is an error event, which
 * may come after status 200 and half an answer.
 *
 * Ownership: ai_reply_tree() returns a tree that the caller deletes.  An
 * AiReplyStream is malloc memory of who made it, who frees it.
 */
#ifndef AI_STREAM_H
#define AI_STREAM_H

#include "provider/provider.h"

/* What may come of all events together: each by itself is bounded by json.h. */
#define AI_MAX_STREAM_VALUES	300000

/* More calls of tools than anyone asks for are a failure. */
#define AI_MAX_TOOL_CALLS	1000

/* A call of a tool whose arguments come in pieces. */
typedef struct AiStreamCall
{
	cJSON	   *call;			/* of the tree */
	cJSON	   *function;		/* of the tree: where the arguments belong */
	int64_t		index;			/* which one the server says it is; -1 = it
								 * does not */
	AiBuffer	arguments;
} AiStreamCall;

/* The reply as far as its events tell; what an assembler builds. */
typedef struct AiStream
{
	cJSON	   *tree;			/* what is built; an object */
	cJSON	   *block;			/* of the tree: what the text below belongs to */
	AiBuffer	text;
	AiBuffer	reasoning;
	AiBuffer	refusal;
	AiStreamCall *calls;		/* of tools, as many as the tree has */
	int			n_calls;
	size_t		kept;			/* values that events have added to the tree */
	bool		ended;			/* the last event was seen */
	AiFailure  *failure;
} AiStream;

/*
 * Takes one event in; false with a failure ends the stream.  `data` belongs to
 * the caller, who deletes it.
 */
typedef bool (*AiStreamTake) (AiStream *stream, const char *event, const cJSON *data);

/* All events were seen: puts the collected text where the reader looks. */
typedef void (*AiStreamEnd) (AiStream *stream);

typedef struct AiAssembler
{
	AiStreamTake take;
	AiStreamEnd end;
} AiAssembler;

extern const AiAssembler ai_assemble_openai_chat;
extern const AiAssembler ai_assemble_anthropic;
extern const AiAssembler ai_assemble_responses;
extern const AiAssembler ai_assemble_gemini;
extern const AiAssembler ai_assemble_interactions;
extern const AiAssembler ai_assemble_cohere;
extern const AiAssembler ai_assemble_ollama;
extern const AiAssembler ai_assemble_bedrock;

typedef struct AiReplyStream AiReplyStream;

typedef enum AiStreamState
{
	AI_STREAM_NONE,				/* no stream: the body is to be kept as it is */
	AI_STREAM_OPEN,				/* more is to come */
	AI_STREAM_ENDED,			/* the last event was there; a count may
								 * follow */
	AI_STREAM_FAILED,			/* an error event, or one that cannot be read */
} AiStreamState;

/* NULL when memory ran out. */
extern AiReplyStream *ai_reply_stream_new(const AiAssembler *assembler);
extern void ai_reply_stream_free(AiReplyStream *stream);

/*
 * Takes in what arrived of a reply, cut anywhere.  The status and the content
 * type, which `http` has by then, tell whether it is a stream at all.
 */
extern AiStreamState ai_reply_stream_take(AiReplyStream *stream, const AiHttpReply *http,
										  const char *bytes, size_t len);

/* Its state now, and whether an event was there at all: comments are none. */
extern AiStreamState ai_reply_stream_state(const AiReplyStream *stream);
extern bool ai_reply_stream_began(const AiReplyStream *stream);

/*
 * The reply as a tree, assembled if it is a stream; NULL with a failure that
 * says what cannot be read.  What http->stream took in is taken out of it.
 */
/* Came it as events, or as what its type or its beginning says are some? */
extern bool ai_reply_is_stream(const AiHttpReply *http);

extern cJSON *ai_reply_tree(const AiHttpReply *http, const AiAssembler *assembler,
							AiFailure *failure);

/*
 * A member with that name in place of one that may be there; takes the item.  It
 * looks at all members: not for each of as many as a server sends.
 */
extern void ai_tree_set(cJSON *object, const char *name, cJSON *item);

/*
 * One more call of a tool, which the tree has, with a function in it; NULL with a
 * failure if there are too many.
 */
extern AiStreamCall *ai_stream_call(AiStream *stream, cJSON *call, int64_t index);

#endif							/* AI_STREAM_H */
