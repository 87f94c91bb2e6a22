-- the library under SQL that was not written for it
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
\set VERBOSITY default
INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('echo', 'mock', 'm');
SET ai_gateway.default_model = 'echo';
SELECT probin AS library FROM pg_proc WHERE proname = 'ai_complete' \gset

-- other arguments
CREATE FUNCTION fewer(prompt text) RETURNS text LANGUAGE C AS :'library', 'ai_complete_0_1';
CREATE FUNCTION more(a text, b text, c text, d bytea[], e jsonb, f text) RETURNS text LANGUAGE C AS :'library', 'ai_complete_0_1';
CREATE FUNCTION fewer_embed(text[]) RETURNS TABLE (ord int, embedding real[]) LANGUAGE C AS :'library', 'ai_embed_rows_0_1';
CREATE FUNCTION fewer_rerank(text, text[], text = NULL, int = NULL) RETURNS TABLE (index int, document text, score float8) LANGUAGE C AS :'library', 'ai_rerank_0_1';
CREATE FUNCTION fewer_validate() RETURNS TABLE (step text, ok boolean, detail text, hint text) LANGUAGE C AS :'library', 'ai_validate_model_0_1';
SELECT fewer('x');
\echo :LAST_ERROR_SQLSTATE
SELECT more('x', NULL, NULL, NULL, NULL, 'y');
SELECT * FROM fewer_embed('{a}');
SELECT * FROM fewer_rerank('a', '{a}');
SELECT * FROM fewer_validate();
-- it is none of those that are called beside each other
EXPLAIN (COSTS OFF) SELECT fewer(i::text) FROM generate_series(1, 3) i;
SELECT fewer(i::text) FROM generate_series(1, 3) i;

-- other columns
CREATE TYPE shorter AS (value text, error text);
CREATE TYPE earlier AS (value text, error text, error_kind text, sqlstate text, finish_reason text, model text, provider text,
	input_tokens integer, output_tokens integer, cached_tokens integer, reasoning_tokens integer, cost numeric,
	latency_ms float8, attempts integer, cached boolean, request_id text);
CREATE TYPE other AS (value int, error text, error_kind text, sqlstate text, finish_reason text, model text, served_by text, provider text,
	input_tokens integer, output_tokens integer, cached_tokens integer, cache_write_tokens integer, reasoning_tokens integer, cost numeric,
	latency_ms float8, attempts integer, cached boolean, maybe_billed boolean, http_status integer, retry_after_ms float8, request_id text);
CREATE FUNCTION earlier(a text, b text = NULL, c text = NULL, d bytea[] = NULL, e jsonb = NULL) RETURNS earlier LANGUAGE C AS :'library', 'ai_try_complete_0_1';
CREATE FUNCTION shorter(a text, b text = NULL, c text = NULL, d bytea[] = NULL, e jsonb = NULL) RETURNS shorter LANGUAGE C AS :'library', 'ai_try_complete_0_1';
CREATE FUNCTION other(a text, b text = NULL, c text = NULL, d bytea[] = NULL, e jsonb = NULL) RETURNS other LANGUAGE C AS :'library', 'ai_try_complete_0_1';
CREATE FUNCTION scalar(a text, b text = NULL, c text = NULL, d bytea[] = NULL, e jsonb = NULL) RETURNS text LANGUAGE C AS :'library', 'ai_try_complete_0_1';
SELECT shorter('x');
SELECT earlier('x');
SELECT other('x');
SELECT scalar('x');
SELECT shorter(i::text), other(i::text) FROM generate_series(1, 3) i;
CREATE FUNCTION other_embed(text[], text = NULL, int = NULL, jsonb = NULL) RETURNS TABLE (embedding real[], ord int) LANGUAGE C AS :'library', 'ai_embed_rows_0_1';
CREATE FUNCTION other_last_call(OUT a text, OUT b int) LANGUAGE C AS :'library', 'ai_last_call_0_1';
CREATE FUNCTION other_running() RETURNS TABLE (pid int, calls int) LANGUAGE C AS :'library', 'ai_running_statements_0_1';
SELECT * FROM other_embed('{a}');
SELECT * FROM other_last_call();
SELECT * FROM other_running();

DROP FUNCTION fewer, more, fewer_embed, fewer_rerank, fewer_validate, shorter, earlier, other, scalar, other_embed, other_last_call, other_running;
DROP TYPE shorter, earlier, other;
DROP EXTENSION ai_gateway;
