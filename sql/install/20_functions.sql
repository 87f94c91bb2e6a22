CREATE TYPE @extschema@.ai_result AS (
	value text,
	error text,
	error_kind text,
	sqlstate text,
	finish_reason text,
	model text,
	served_by text,
	provider text,
	input_tokens integer,
	output_tokens integer,
	cached_tokens integer,
	cache_write_tokens integer,
	reasoning_tokens integer,
	cost numeric,
	latency_ms double precision,
	attempts integer,
	cached boolean,
	maybe_billed boolean,
	http_status integer,
	retry_after_ms double precision,
	request_id text
);
COMMENT ON TYPE @extschema@.ai_result IS 'the outcome of one model call, good or bad';
COMMENT ON COLUMN @extschema@.ai_result.value IS 'the answer; of a call that failed, what part of it came';
COMMENT ON COLUMN @extschema@.ai_result.error IS 'what went wrong; NULL = nothing';
COMMENT ON COLUMN @extschema@.ai_result.error_kind IS 'its kind, by which calls are told apart: rate_limit, timeout, ...';
COMMENT ON COLUMN @extschema@.ai_result.sqlstate IS 'the SQLSTATE that another function would have raised';
COMMENT ON COLUMN @extschema@.ai_result.finish_reason IS 'why the model stopped: stop, length, tool_calls, content_filter, refusal, error';
COMMENT ON COLUMN @extschema@.ai_result.model IS 'the name asked for, as registered';
COMMENT ON COLUMN @extschema@.ai_result.served_by IS 'the model that the provider says it ran';
COMMENT ON COLUMN @extschema@.ai_result.provider IS 'who answered';
COMMENT ON COLUMN @extschema@.ai_result.input_tokens IS 'all tokens of the request, cached ones among them';
COMMENT ON COLUMN @extschema@.ai_result.output_tokens IS 'all tokens of the answer, reasoning among them';
COMMENT ON COLUMN @extschema@.ai_result.cached_tokens IS 'of the input: read from the provider''s cache';
COMMENT ON COLUMN @extschema@.ai_result.cache_write_tokens IS 'of the input: written to the provider''s cache';
COMMENT ON COLUMN @extschema@.ai_result.reasoning_tokens IS 'of the output: thought, and not shown';
COMMENT ON COLUMN @extschema@.ai_result.cost IS 'USD; NULL = a price that it takes is not known';
COMMENT ON COLUMN @extschema@.ai_result.latency_ms IS 'from the question to the outcome, retries and waits included';
COMMENT ON COLUMN @extschema@.ai_result.attempts IS 'requests sent; 0 = none was';
COMMENT ON COLUMN @extschema@.ai_result.cached IS 'the answer was kept from an earlier call';
COMMENT ON COLUMN @extschema@.ai_result.maybe_billed IS 'true = no answer came, but the provider may have taken the request, and bill it';
COMMENT ON COLUMN @extschema@.ai_result.http_status IS 'of the reply that said what went wrong';
COMMENT ON COLUMN @extschema@.ai_result.retry_after_ms IS 'how long the provider asks to wait';
COMMENT ON COLUMN @extschema@.ai_result.request_id IS 'the provider''s name for the request';

CREATE FUNCTION ai_gateway.ai_support(internal) RETURNS internal
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'ai_support_0_1';
COMMENT ON FUNCTION ai_gateway.ai_support(internal) IS 'planner support of the ai_* functions';

CREATE FUNCTION @extschema@.ai_complete(
	prompt text, model text DEFAULT NULL, system text DEFAULT NULL,
	files bytea[] DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_complete_0_1';
COMMENT ON FUNCTION @extschema@.ai_complete(text, text, text, bytea[], jsonb) IS 'a model''s answer to a prompt';

CREATE FUNCTION @extschema@.ai_try_complete(
	prompt text, model text DEFAULT NULL, system text DEFAULT NULL,
	files bytea[] DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS @extschema@.ai_result
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_try_complete_0_1';
COMMENT ON FUNCTION @extschema@.ai_try_complete(text, text, text, bytea[], jsonb) IS 'a model''s answer to a prompt, or what went wrong, with tokens and cost';

CREATE FUNCTION @extschema@.ai_chat(
	messages jsonb, model text DEFAULT NULL, tools jsonb DEFAULT NULL,
	options jsonb DEFAULT NULL) RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_chat_0_1';
COMMENT ON FUNCTION @extschema@.ai_chat(jsonb, text, jsonb, jsonb) IS 'a model''s next message in a conversation, with tool calls, tokens and cost';

CREATE FUNCTION @extschema@.ai_json(
	prompt text, schema jsonb, model text DEFAULT NULL, system text DEFAULT NULL,
	files bytea[] DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_json_0_1';
COMMENT ON FUNCTION @extschema@.ai_json(text, jsonb, text, text, bytea[], jsonb) IS 'a model''s answer as JSON that is valid against a JSON Schema';

-- A set that a model answers with is one value for the calls under way: what
-- returns it whole, and what opens it.  ai_rerank and ai_embed become these two.
CREATE TYPE ai_gateway.ranked AS (index integer, document text, score double precision);
COMMENT ON TYPE ai_gateway.ranked IS 'a row of ai_rerank';
COMMENT ON COLUMN ai_gateway.ranked.index IS 'place in the array, from 1';
COMMENT ON COLUMN ai_gateway.ranked.document IS 'the document';
COMMENT ON COLUMN ai_gateway.ranked.score IS 'how well it answers the query, by the model''s own measure';

CREATE FUNCTION ai_gateway.rerank_array(
	query text, documents text[], model text DEFAULT NULL, top_n integer DEFAULT NULL,
	options jsonb DEFAULT NULL) RETURNS ai_gateway.ranked[]
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_rerank_array_0_1';
COMMENT ON FUNCTION ai_gateway.rerank_array(text, text[], text, integer, jsonb) IS 'the rows of ai_rerank as one value';

CREATE FUNCTION ai_gateway.open_ranked(
	ranked ai_gateway.ranked[],
	OUT index integer, OUT document text, OUT score double precision) RETURNS SETOF record
	LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'ai_open_ranked_0_1';
COMMENT ON FUNCTION ai_gateway.open_ranked(ai_gateway.ranked[]) IS 'the rows that ai_gateway.rerank_array returned';

CREATE FUNCTION @extschema@.ai_rerank(
	query text, documents text[], model text DEFAULT NULL, top_n integer DEFAULT NULL,
	options jsonb DEFAULT NULL,
	OUT index integer, OUT document text, OUT score double precision) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 ROWS 10 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_rerank_0_1';
COMMENT ON FUNCTION @extschema@.ai_rerank(text, text[], text, integer, jsonb) IS 'documents by how well they answer a query, the best first; index counts from 1';

CREATE FUNCTION @extschema@.ai_moderate(
	input text, model text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_moderate_0_1';
COMMENT ON FUNCTION @extschema@.ai_moderate(text, text, jsonb) IS 'whether a text is harmful, and in which way';

CREATE FUNCTION @extschema@.ai_transcribe(
	audio bytea, model text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_transcribe_0_1';
COMMENT ON FUNCTION @extschema@.ai_transcribe(bytea, text, jsonb) IS 'what is said in a recording';

CREATE FUNCTION @extschema@.ai_embed(
	input text, model text DEFAULT NULL, dimensions integer DEFAULT NULL,
	options jsonb DEFAULT NULL) RETURNS real[]
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_embed_0_1';
COMMENT ON FUNCTION @extschema@.ai_embed(text, text, integer, jsonb) IS 'the embedding of a text';

CREATE TYPE ai_gateway.embedding AS (ord integer, embedding real[]);
COMMENT ON TYPE ai_gateway.embedding IS 'a row of ai_embed of an array';
COMMENT ON COLUMN ai_gateway.embedding.ord IS 'place in the array, from 1';
COMMENT ON COLUMN ai_gateway.embedding.embedding IS 'the embedding of the text in that place; NULL of NULL';

CREATE FUNCTION ai_gateway.embed_array(
	inputs text[], model text DEFAULT NULL, dimensions integer DEFAULT NULL,
	options jsonb DEFAULT NULL) RETURNS ai_gateway.embedding[]
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_embed_array_0_1';
COMMENT ON FUNCTION ai_gateway.embed_array(text[], text, integer, jsonb) IS 'the rows of ai_embed of an array as one value';

CREATE FUNCTION ai_gateway.open_embeddings(
	embeddings ai_gateway.embedding[], OUT ord integer, OUT embedding real[]) RETURNS SETOF record
	LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'ai_open_embeddings_0_1';
COMMENT ON FUNCTION ai_gateway.open_embeddings(ai_gateway.embedding[]) IS 'the rows that ai_gateway.embed_array returned';

CREATE FUNCTION @extschema@.ai_embed(
	inputs text[], model text DEFAULT NULL, dimensions integer DEFAULT NULL,
	options jsonb DEFAULT NULL, OUT ord integer, OUT embedding real[]) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 20000 ROWS 100 SUPPORT ai_gateway.ai_support
	AS 'MODULE_PATHNAME', 'ai_embed_rows_0_1';
COMMENT ON FUNCTION @extschema@.ai_embed(text[], text, integer, jsonb) IS 'the embeddings of all texts of an array, in as few requests as the provider allows';

CREATE FUNCTION ai_gateway.validate_model(
	name text, OUT step text, OUT ok boolean, OUT detail text, OUT hint text) RETURNS SETOF record
	LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED COST 20000 ROWS 5
	AS 'MODULE_PATHNAME', 'ai_validate_model_0_1';
COMMENT ON FUNCTION ai_gateway.validate_model(text) IS 'a live check of one registration, step by step, and what to mend';

CREATE FUNCTION ai_gateway.last_call(
	OUT model text, OUT provider text, OUT served_by text, OUT task text,
	OUT finish_reason text, OUT error_kind text, OUT error_code text, OUT http_status integer,
	OUT retryable boolean, OUT retry_after_ms double precision, OUT attempts integer,
	OUT latency_ms double precision, OUT input_tokens bigint, OUT cached_tokens bigint,
	OUT cache_write_tokens bigint, OUT output_tokens bigint, OUT reasoning_tokens bigint,
	OUT request_id text, OUT calls bigint) RETURNS record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ai_last_call_0_1';
COMMENT ON FUNCTION ai_gateway.last_call() IS 'the last call of this session that ended: who served it, its tokens, what went wrong; and how many calls the session has started';

CREATE FUNCTION ai_gateway.running_statements(
	OUT pid integer, OUT started timestamptz, OUT calls bigint, OUT distinct_calls bigint,
	OUT answered bigint, OUT failed bigint, OUT requests bigint, OUT in_flight bigint,
	OUT input_tokens bigint, OUT output_tokens bigint) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10 AS 'MODULE_PATHNAME', 'ai_running_statements_0_1';
COMMENT ON FUNCTION ai_gateway.running_statements() IS 'how far the statements with model calls are that run now; see the view stat_activity';

CREATE VIEW ai_gateway.stat_activity AS
	SELECT s.pid, a.datname, a.usename, a.application_name, s.started, s.calls, s.distinct_calls,
		s.answered, s.failed, s.requests, s.in_flight, s.input_tokens, s.output_tokens, a.query
	FROM ai_gateway.running_statements() s JOIN pg_catalog.pg_stat_activity a USING (pid);
COMMENT ON VIEW ai_gateway.stat_activity IS 'the statements with model calls that run now, and how far they are';
GRANT SELECT ON ai_gateway.stat_activity TO PUBLIC;

CREATE FUNCTION ai_gateway.version() RETURNS text
	LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'ai_version_0_1';
COMMENT ON FUNCTION ai_gateway.version() IS 'versions of the library, of libcurl and of cJSON';
