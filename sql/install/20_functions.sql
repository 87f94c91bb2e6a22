CREATE TYPE @extschema@.ai_result AS (
	value text,
	error text,
	error_kind text,
	sqlstate text,
	finish_reason text,
	model text,
	provider text,
	input_tokens integer,
	output_tokens integer,
	cached_tokens integer,
	reasoning_tokens integer,
	cost numeric,
	latency_ms double precision,
	attempts integer,
	cached boolean,
	request_id text
);
COMMENT ON TYPE @extschema@.ai_result IS 'the outcome of one model call, good or bad';

CREATE FUNCTION ai_gateway.ai_support(internal) RETURNS internal
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'ai_support';
COMMENT ON FUNCTION ai_gateway.ai_support(internal) IS 'planner support of the ai_* functions';

CREATE FUNCTION @extschema@.ai_complete(
	prompt text, model text DEFAULT NULL, system text DEFAULT NULL,
	images bytea[] DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_complete';
COMMENT ON FUNCTION @extschema@.ai_complete(text, text, text, bytea[], jsonb) IS 'a model''s answer to a prompt';

CREATE FUNCTION @extschema@.ai_try_complete(
	prompt text, model text DEFAULT NULL, system text DEFAULT NULL,
	images bytea[] DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS @extschema@.ai_result
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_try_complete';
COMMENT ON FUNCTION @extschema@.ai_try_complete(text, text, text, bytea[], jsonb) IS 'a model''s answer to a prompt, or what went wrong, with tokens and cost';

CREATE FUNCTION @extschema@.ai_chat(
	messages jsonb, model text DEFAULT NULL, tools jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL) RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_chat';
COMMENT ON FUNCTION @extschema@.ai_chat(jsonb, text, jsonb, jsonb) IS 'a model''s next message in a conversation, with tool calls, tokens and cost';

CREATE FUNCTION @extschema@.ai_embed(
	input text, model text DEFAULT NULL, dimensions integer DEFAULT NULL,
	options jsonb DEFAULT NULL) RETURNS real[]
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_embed';
COMMENT ON FUNCTION @extschema@.ai_embed(text, text, integer, jsonb) IS 'the embedding of a text';

CREATE FUNCTION @extschema@.ai_embed(
	inputs text[], model text DEFAULT NULL, dimensions integer DEFAULT NULL,
	options jsonb DEFAULT NULL, OUT ord integer, OUT embedding real[]) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 ROWS 100
	AS 'MODULE_PATHNAME', 'ai_embed_array';
COMMENT ON FUNCTION @extschema@.ai_embed(text[], text, integer, jsonb) IS 'the embeddings of all texts of an array, in as few requests as the provider allows';

CREATE FUNCTION ai_gateway.validate_model(
	name text, OUT step text, OUT ok boolean, OUT detail text, OUT hint text) RETURNS SETOF record
	LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED COST 20000 ROWS 5
	AS 'MODULE_PATHNAME', 'ai_validate_model';
COMMENT ON FUNCTION ai_gateway.validate_model(text) IS 'a live check of one registration, step by step, and what to mend';

CREATE FUNCTION ai_gateway.version() RETURNS text
	LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ai_gateway_version';
COMMENT ON FUNCTION ai_gateway.version() IS 'versions of the library, of libcurl and of cJSON';
