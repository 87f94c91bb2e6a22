-- one expression of the query is one call a row, however often its value is read
-- and whatever the model's options say of sharing: all of this comes the same with
-- ai_gateway.concurrent = off
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
\set VERBOSITY terse
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES
	('warm', 'mock', 'mock', '{"temperature": 0.7, "mock": {"answer": "{prompt}-{n}"}}'),
	('number', 'mock', 'mock', '{"temperature": 0.7, "mock": {"answer": "{n}"}}');
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('warm', 0), ('number', 0);
SET ai_gateway.default_model = 'warm';
CREATE TABLE a (id int PRIMARY KEY, k int, x text);
INSERT INTO a SELECT i, i % 4, 'x' || i % 9 FROM generate_series(1, 60) i;
ANALYZE a;
CREATE FUNCTION calls() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	now bigint := coalesce((ai_gateway.last_call()).calls, 0);
	was bigint := coalesce(nullif(current_setting('test.calls', true), ''), '0');
BEGIN
	PERFORM set_config('test.calls', now::text, false);
	RETURN now - was;
END $$;
SELECT calls() \g /dev/null

-- functions in FROM, their fields, their filters
SELECT y = y AS same, y LIKE x || '-%' AS own FROM a, ai_complete(x) y WHERE id < 4;
SELECT calls();
SELECT r.value = r.value AS same, r.value = coalesce(r.value, '') AS also FROM a, LATERAL ai_try_complete(x, model => 'number') r WHERE id < 4;
SELECT calls();
SELECT count(*) FROM (SELECT r.* FROM a, LATERAL ai_try_complete(x) r WHERE id <= 6 OFFSET 0) q;
SELECT calls();
SELECT count(*) AS shown, count(*) FILTER (WHERE y::int % 2 = 1) AS not_what_the_filter_saw FROM a, ai_complete(x, model => 'number') y WHERE y::int % 2 = 0;
SELECT calls();
SELECT y = z AS same FROM a, ai_complete(x) y, LATERAL (SELECT upper(y) AS u, y AS z) q WHERE id < 3 AND u LIKE 'X%';
SELECT calls();
SELECT count(y), count(DISTINCT y) FROM a LEFT JOIN LATERAL (SELECT ai_complete(x, model => 'number') AS y) q ON true;
SELECT calls();
-- nothing of it is read: the rows are there for their calls
SELECT count(*) FROM a, ai_complete(x) y;
SELECT calls();
SELECT count(*) FROM a, LATERAL (SELECT ai_complete(x) AS y OFFSET 0) q;
SELECT calls();

-- views and subqueries
CREATE VIEW v AS SELECT id, k, ai_complete(x, model => 'number') s FROM a;
SELECT count(*) FILTER (WHERE s::int % 2 = 1) AS odd FROM v WHERE s::int % 2 = 0;
SELECT calls();
SELECT count(*) FILTER (WHERE s <> t) AS differ FROM (SELECT s, s AS t FROM v WHERE s <> '' OFFSET 0) q;
SELECT calls();
SELECT s = t AS same FROM (SELECT id, s, s AS t FROM v) q ORDER BY id LIMIT 3;
SELECT calls();
SELECT count(*) FROM (SELECT s, row_number() OVER (ORDER BY id) FROM v) q WHERE s = s;
SELECT calls();
-- a cheap filter outside comes first, what does more than to call is done for each row
SELECT count(s) FROM (SELECT * FROM v OFFSET 0) q WHERE id < 5;
SELECT calls() <= 60;
CREATE SEQUENCE numbers;
SELECT count(s) FROM (SELECT id, nextval('numbers'), ai_complete(x) AS s FROM a OFFSET 0) q WHERE s LIKE '%x1%';
SELECT last_value FROM numbers;
SELECT calls();

-- VALUES
SELECT t = t AS same FROM (VALUES (1, ai_complete('a')), (2, ai_complete('b'))) v(i, t);
SELECT i, left(t, 2) FROM (VALUES (1, ai_complete('a')), (2, ai_complete('b')), (3, ai_complete('a'))) v(i, t) WHERE t LIKE 'a%' AND left(t, 1) = 'a';
SELECT calls();

-- an operand that is always evaluated, of what decides
SELECT count((string_to_array(y, '-'))[1]) FROM a, ai_complete(x) y WHERE id < 5;
SELECT count(*) FROM a, ai_complete(x) y WHERE (y, id) < ('x3', 5);
SELECT calls();

DROP VIEW v;
DROP TABLE a;
DROP SEQUENCE numbers;
DROP FUNCTION calls;
DROP EXTENSION ai_gateway;
