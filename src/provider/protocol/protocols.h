/*
 * protocols.h
 *	  The descriptors of the protocols, one file each, and what several of them
 *	  read alike.
 */
#ifndef AI_PROTOCOLS_H
#define AI_PROTOCOLS_H

#include "provider/classify.h"
#include "provider/provider.h"

extern const AiProtocol ai_protocol_openai_chat;
extern const AiProtocol ai_protocol_openai_responses;
extern const AiProtocol ai_protocol_anthropic_messages;
extern const AiProtocol ai_protocol_bedrock_converse;
extern const AiProtocol ai_protocol_bedrock_invoke;
extern const AiProtocol ai_protocol_gemini;
extern const AiProtocol ai_protocol_gemini_interactions;
extern const AiProtocol ai_protocol_vertex_predict;
extern const AiProtocol ai_protocol_ollama;
extern const AiProtocol ai_protocol_cohere;
extern const AiProtocol ai_protocol_voyage;
extern const AiProtocol ai_protocol_tei;
extern const AiProtocol ai_protocol_content_safety;
extern const AiProtocol ai_protocol_mock;

/* ---- embeddings.c: replies that are mostly numbers ---- */

/*
 * OpenAI's shape: {"data": [{"index": 0, "embedding": [..] or "base64"}],
 * "usage": {...}}.  Fills vectors in index order, model and usage.
 */
extern bool ai_parse_openai_embeddings(const AiRequest *request, const AiHttpReply *http,
									   AiReply *reply, AiFailure *failure);

/*
 * Reads an array of arrays of numbers that the reader stands before, one
 * vector an input, in order.
 */
extern bool ai_read_vectors(AiJsonReader *reader, const AiRequest *request,
							AiReply *reply, AiFailure *failure);

/*
 * Reads one array of numbers as the vector of the input with that index; the
 * first one of a reply tells how many dimensions there are.
 */
extern bool ai_read_vector(AiJsonReader *reader, const AiRequest *request, int index,
						   AiReply *reply, AiFailure *failure);

/* After parsing: every input has its vector, of the dimensions asked for. */
extern bool ai_check_vectors(const AiRequest *request, const bool *seen, AiReply *reply,
							 AiFailure *failure);

/*
 * The end of a reader of embeddings: `good` and the reader's state become the
 * result; ai_check_vectors() is included.
 */
extern bool ai_finish_vectors(AiJsonReader *reader, bool good, const AiRequest *request,
							  AiReply *reply, AiFailure *failure);

/* ---- openai_tasks.c ---- */

/*
 * A list of {"index", "relevance_score" | "relevanceScore" | "score"} into the
 * reply, in the order of the list.
 */
extern bool ai_read_scores(const cJSON *list, const AiRequest *request, AiReply *reply,
						   AiFailure *failure);

#endif							/* AI_PROTOCOLS_H */
