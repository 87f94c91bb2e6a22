-- ai_complete and ai_try_complete on the mock
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never

INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES
	('echo', 'mock', 'm1', NULL),
	('shout', 'mock', 'm2', '{"mock": {"answer": "{system}|{model}|{prompt}!"}}'),
	('tickets', 'mock', 'm3', '{"mock": {"answers": {"a": "first", "b": "second"}, "answer": "other"}}');

-- which model
SELECT ai_complete('hello', model => 'echo');
SELECT ai_complete('hello', 'shout', 'be brief');
SELECT p, ai_complete(p, 'tickets') FROM (VALUES ('a'), ('b'), ('c'), (NULL)) AS t(p);
SELECT ai_complete('hello');
\echo :LAST_ERROR_SQLSTATE
SET ai_gateway.default_model = 'shout';
SELECT ai_complete('hello');
SET ai_gateway.default_model = 'nobody';
SELECT ai_complete('hello');
\echo :LAST_ERROR_SQLSTATE
RESET ai_gateway.default_model;
SELECT ai_complete('hello', model => '');

-- the type of the result, as it stays
SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum) IS NOT NULL AS comment
	FROM pg_attribute WHERE attrelid = 'ai_result'::regclass AND attnum > 0 ORDER BY attnum;

-- NULL gives NULL and makes no call
SELECT ai_complete(NULL, model => 'nobody') IS NULL AS no_prompt,
	ai_try_complete(NULL, model => 'nobody') IS NULL AS no_result;

-- tokens, cost, cache, attempts
UPDATE ai_gateway.models SET options = '{"mock": {"answer": "yes", "tokens":
	{"input": 1000, "cache_read": 200, "cache_write": 300, "output": 50, "reasoning": 10}}}' WHERE name = 'echo';
\x on
SELECT value, error, error_kind, sqlstate, finish_reason, model, served_by, provider, input_tokens, output_tokens, cached_tokens,
	cache_write_tokens, reasoning_tokens, cost, latency_ms >= 0 AS has_latency, attempts, cached, maybe_billed, http_status,
	retry_after_ms, request_id
	FROM ai_try_complete('hello', model => 'echo');
-- a price that is not known is not 0
UPDATE ai_gateway.models SET input_price = 3, output_price = 15, cached_input_price = 0.3 WHERE name = 'echo';
SELECT cost FROM ai_try_complete('hello', model => 'echo');
UPDATE ai_gateway.models SET cache_write_price = 3.75 WHERE name = 'echo';
SELECT cost FROM ai_try_complete('hello', model => 'echo');
\x off
-- every digit of it, in each place that tells it
UPDATE ai_gateway.models SET input_price = 0.000001, cached_input_price = 0, cache_write_price = 0, output_price = 1234567.654321 WHERE name = 'echo';
SELECT ai_chat('[{"role": "user", "content": "hello"}]', model => 'echo') -> 'cost' AS chat,
	(ai_try_complete('hello', model => 'echo')).cost AS result;
UPDATE ai_gateway.models SET input_price = 3, cached_input_price = 3, cache_write_price = 3, output_price = 0 WHERE name = 'echo';
SELECT (ai_try_complete('hello', model => 'echo', options => jsonb_build_object('mock', jsonb_build_object('tokens', jsonb_build_object('input', n))))).cost
	FROM unnest('{0,1,1000000,3000000000000}'::bigint[]) n;
-- more than any amount can be is unknown
UPDATE ai_gateway.models SET input_price = 9000000000000 WHERE name = 'echo';
SELECT (ai_try_complete('hello', model => 'echo', options => jsonb_build_object('mock', jsonb_build_object('tokens', jsonb_build_object('input', n))))).cost
	FROM unnest('{1,2}'::bigint[]) n;
-- a row from before prices were checked still works, at a cost that is not known
ALTER TABLE ai_gateway.models DISABLE TRIGGER models_check;
UPDATE ai_gateway.models SET input_price = 0.0000001 WHERE name = 'echo';
ALTER TABLE ai_gateway.models ENABLE ALWAYS TRIGGER models_check;
SELECT value, cost FROM ai_try_complete('hello', model => 'echo');
UPDATE ai_gateway.models SET input_price = 3 WHERE name = 'echo';

-- every way to fail, and what it says
UPDATE ai_gateway.models SET options = '{"max_retries": 0}' WHERE name = 'echo';
CREATE FUNCTION mock(spec text) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT jsonb_build_object('mock', spec::jsonb) $$;
SELECT kind, r.error_kind, r.sqlstate, r.error, r.value, r.attempts, r.maybe_billed, r.http_status, r.retry_after_ms
	FROM unnest('{invalid_request,authentication,permission,not_found,context_length,content_filter,refusal,rate_limit,quota,overloaded,server_error,timeout,request_too_large,invalid_reply,connection}'::text[]) kind,
	ai_try_complete('x', model => 'echo', options => jsonb_build_object('mock', jsonb_build_object('fail', kind))) r;
SELECT ai_complete('x', model => 'echo', options => mock('{"fail": "authentication"}'));
\echo :LAST_ERROR_SQLSTATE
SELECT ai_complete('x', model => 'echo', options => mock('{"fail": "rate_limit", "message": "slow down"}'));
SELECT ai_complete('x', model => 'echo', options => mock('{"fail": "nonsense"}'));
SELECT ai_complete('x', model => 'echo', options => mock('{"nonsense": 1}'));
SELECT ai_complete('x', model => 'echo', options => mock('{"finish_reason": "refusal", "answer": "no"}'));
SELECT ai_complete('x', model => 'echo', options => mock('{"finish_reason": "content_filter"}'));
SELECT finish_reason, value FROM ai_try_complete('x', model => 'echo', options => mock('{"finish_reason": "length", "answer": "cut"}'));

-- retries
SELECT value, attempts FROM ai_try_complete('x', model => 'echo',
	options => mock('{"fail": "overloaded", "fail_times": 2, "retry_after_ms": 1, "answer": "at last {attempt}"}') || '{"max_retries": 2}');
SELECT error, attempts FROM ai_try_complete('x', model => 'echo',
	options => mock('{"fail": "overloaded", "retry_after_ms": 1}') || '{"max_retries": 2}');
SELECT attempts FROM ai_try_complete('x', model => 'echo',
	options => mock('{"fail": "invalid_request"}') || '{"max_retries": 2}');

-- what a failed call gives
SET ai_gateway.on_error = 'null';
SELECT p, ai_complete(p, model => 'echo', options => mock('{"fail": "server_error", "fail_if": "bad"}'))
	FROM (VALUES ('good'), ('bad')) AS t(p);
SET ai_gateway.on_error = 'warn';
SELECT ai_complete('bad', model => 'echo', options => mock('{"fail": "server_error"}'));
-- a bad argument and a missing grant are errors whatever it is
SELECT ai_complete('x', model => 'nobody');
SELECT ai_complete('x', model => 'echo', options => '{"temperature": "hot"}');
SELECT error_kind, model, served_by, attempts, maybe_billed FROM ai_try_complete('x', model => 'nobody');
SELECT retry_after_ms FROM ai_try_complete('x', model => 'echo', options => mock('{"fail": "rate_limit", "retry_after_ms": 90000}'));
RESET ai_gateway.on_error;

-- the total deadline holds over retries and latency
SELECT error_kind, sqlstate FROM ai_try_complete('x', model => 'echo', options => mock('{"latency_ms": 60000}') || '{"timeout_ms": 30}');
SELECT error_kind FROM ai_try_complete('x', model => 'echo',
	options => mock('{"fail": "overloaded", "retry_after_ms": 60000}') || '{"timeout_ms": 50, "max_retries": 5}');

-- options
SELECT ai_complete('x', model => 'echo', options => '{"bogus": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT ai_complete('x', model => 'echo', options => '[]');
SELECT ai_complete('x', model => 'echo', options => '{"temperature": -1}');
SELECT ai_complete('x', model => 'echo', options => '{"max_tokens": 0}');
SELECT ai_complete('x', model => 'echo', options => '{"max_tokens": 1.5}');
SELECT ai_complete('x', model => 'echo', options => '{"stop": [1]}');
SELECT ai_complete('x', model => 'echo', options => '{"seed": "a"}');
SELECT ai_complete('x', model => 'echo', options => '{"timeout_ms": 0}');
SELECT ai_complete('x', model => 'echo', options => '{"cache": 1}');
SELECT ai_complete('x', model => 'echo', options => '{"extra": {"logit_bias": {}}}');
SELECT ai_complete('x', model => 'echo', options => '{"temperature": 0.5, "max_tokens": 10, "top_p": 1, "stop": ["a"], "seed": 3, "cache": false}');
SELECT ai_complete('x', model => 'echo', options => 'null');
SET ai_gateway.max_timeout = '10ms';
SELECT error_kind FROM ai_try_complete('x', model => 'echo', options => mock('{"latency_ms": 60000}') || '{"timeout_ms": 100000}');
RESET ai_gateway.max_timeout;

-- files, known by their content
SELECT ai_complete('what is it', model => 'echo', files => ARRAY['\x89504e470d0a1a0a'::bytea, '\xffd8ffe0']);
SELECT ai_complete('what is it', model => 'echo', files => '{}');
SELECT ai_complete('what is it', model => 'echo', files => ARRAY['\x89504e470d0a1a0a'::bytea, '\x00']);
\echo :LAST_ERROR_SQLSTATE
SELECT ai_complete('what is it', model => 'echo', files => ARRAY['\x89504e470d0a1a0a'::bytea, NULL]);
\echo :LAST_ERROR_SQLSTATE
-- what no provider can carry yet is a failure of the call, not a bad argument
SELECT ai_complete('what is it', model => 'echo', files => ARRAY['%PDF-1.7'::bytea]);
SELECT error_kind, error FROM unnest(ARRAY['%PDF-1.7', 'ID3', 'RIFF0000WAVE']::bytea[]) file,
	ai_try_complete('what is it', model => 'echo', files => ARRAY[file]);
SELECT ai_try_complete('what is it', model => 'echo', files => ARRAY['\x00'::bytea]);
SELECT ai_json('what is it', '{"type": "object"}', model => 'echo', files => ARRAY['\x00'::bytea]);

-- in triggers, PL/pgSQL, prepared statements, cursors
CREATE TABLE ticket (id int, body text, summary text);
CREATE FUNCTION summarise() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN NEW.summary := ai_complete(NEW.body, model => 'shout'); RETURN NEW; END $$;
CREATE TRIGGER summarise BEFORE INSERT OR UPDATE OF body ON ticket FOR EACH ROW EXECUTE FUNCTION summarise();
INSERT INTO ticket VALUES (1, 'broken'), (2, NULL) RETURNING summary;
-- as long as tickets are, answers of another size
BEGIN;
INSERT INTO ticket SELECT i, repeat('broken ' || i || ' ', 10 * i * i) FROM generate_series(3, 13) i;
SELECT count(*), max(length(body)), bool_and(summary = '|m2|' || body || '!') AS right_one FROM ticket WHERE id > 2;
SELECT sum(length(a)), count(DISTINCT a) FROM (SELECT ai_complete(body, model => 'shout', options => '{"mock": {"answer_bytes": 10000}}') AS a FROM ticket WHERE id > 2 OFFSET 0) q;
ROLLBACK;
DO $$
DECLARE caught text;
BEGIN
	PERFORM ai_complete('x', model => 'echo', options => mock('{"fail": "quota"}'));
EXCEPTION WHEN SQLSTATE 'LM009' THEN
	GET STACKED DIAGNOSTICS caught = MESSAGE_TEXT;
	RAISE NOTICE 'caught: %', caught;
END $$;
PREPARE ask(text) AS SELECT ai_complete($1, model => 'shout');
EXECUTE ask('one');
EXECUTE ask('two');
BEGIN;
DECLARE c CURSOR FOR SELECT ai_complete(id::text, model => 'echo') FROM ticket ORDER BY id;
FETCH 1 FROM c;
FETCH 1 FROM c;
ROLLBACK;

-- the planner knows that a call is dear: cheap filters come first
EXPLAIN (COSTS OFF) SELECT * FROM ticket WHERE ai_complete(body, model => 'echo') = 'x' AND id % 2 = 0;

-- a read-only transaction may ask
BEGIN READ ONLY;
SELECT ai_complete('read', model => 'echo');
COMMIT;

DROP TABLE ticket;
DROP FUNCTION summarise, mock;
DROP EXTENSION ai_gateway;
