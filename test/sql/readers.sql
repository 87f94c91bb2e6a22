-- how far a node works ahead of its reader: as many calls as are needed, and no
-- error of a row that is not come to.  All of this but EXPLAIN comes the same with
-- ai_gateway.concurrent = off
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
\set VERBOSITY terse
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES ('m', 'mock', 'mock', '{"mock": {"latency_ms": 1}}');
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('m', 0);
SET ai_gateway.default_model = 'm';
CREATE TABLE a (id int PRIMARY KEY, k int, x text);
INSERT INTO a SELECT i, nullif(i % 4, 3), 'x' || i FROM generate_series(1, 23) i;
CREATE TABLE b (id int PRIMARY KEY, k int, y text);
INSERT INTO b SELECT i, i % 3, 'y' || i FROM generate_series(1, 17) i;
CREATE TABLE u (id int PRIMARY KEY, k int, x text);
INSERT INTO u SELECT i, i % 10, 'u' || i FROM generate_series(1, 200) i;
ANALYZE a, b, u;
-- calls since it was asked last
CREATE FUNCTION calls() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	now bigint := coalesce((ai_gateway.last_call()).calls, 0);
	was bigint := coalesce(nullif(current_setting('test.calls', true), ''), '0');
BEGIN
	PERFORM set_config('test.calls', now::text, false);
	RETURN now - was;
END $$;
SELECT calls() \g /dev/null

-- ---- limits, one inside another ----

SELECT * FROM (SELECT ai_complete(x) t FROM u LIMIT 100) q LIMIT 1;
SELECT calls();
SELECT * FROM (SELECT ai_complete(x) t FROM u LIMIT 100 OFFSET 5) q LIMIT 2 OFFSET 1;
SELECT calls();
SELECT * FROM (SELECT ai_complete(x) t FROM u LIMIT 3 OFFSET 2) q LIMIT 100;
SELECT calls();
SELECT count(*) FROM (SELECT ai_complete(x) t FROM u OFFSET 190) q;
SELECT calls();
SELECT t FROM (SELECT ai_complete(x) t, id FROM u LIMIT 100) q JOIN a USING (id) LIMIT 1;
SELECT calls();
SELECT (SELECT t FROM (SELECT ai_complete(x) t FROM u WHERE u.k = a.k % 3 LIMIT 20) q WHERE t LIKE '%' LIMIT 1) FROM a WHERE id < 3;
SELECT calls();
SELECT count(*) FROM (SELECT id FROM a WHERE EXISTS (SELECT 1 FROM (SELECT ai_complete(x) t FROM u LIMIT 100) q WHERE t LIKE '%')) s;
SELECT calls();
SELECT k, ai_complete('t' || id) FROM a ORDER BY k, id FETCH FIRST 2 ROWS WITH TIES;
SELECT calls();
SELECT k, ai_complete('t' || id) FROM a ORDER BY k FETCH FIRST 2 ROWS WITH TIES \g /dev/null
SELECT calls();

-- ---- parts of an Append ----

SELECT count(*) FROM (SELECT * FROM (SELECT ai_complete('p' || id) t FROM a UNION ALL SELECT ai_complete('q' || y) FROM b) q LIMIT 25) s;
SELECT calls();
SELECT count(*) FROM (SELECT * FROM (SELECT ai_complete('p' || id) t FROM a UNION ALL SELECT ai_complete('q' || y) FROM b) q LIMIT 10 OFFSET 20) s;
SELECT calls();
BEGIN;
DECLARE c CURSOR FOR SELECT ai_complete('p' || id) t FROM a UNION ALL SELECT ai_complete('q' || y) FROM b;
MOVE 20 FROM c;
SELECT calls();
MOVE 6 FROM c;
SELECT calls();
MOVE 2 FROM c;
SELECT calls();
COMMIT;

-- ---- cursors and loops ----

BEGIN;
DECLARE c CURSOR FOR SELECT ai_complete(x) FROM u LIMIT 100 OFFSET 3;
FETCH 1 FROM c;
SELECT calls();
FETCH 2 FROM c;
SELECT calls();
COMMIT;
DO $$
DECLARE r record;
BEGIN
	FOR r IN SELECT ai_complete(x) FROM u LIMIT 150 LOOP EXIT; END LOOP;
END $$;
SELECT calls() <= 10;

-- ---- a filter between: no more than about twice as many ----

SELECT id FROM u WHERE ai_complete(x) LIKE '%7' LIMIT 3;
SELECT calls() BETWEEN 27 AND 55;
SELECT id FROM u WHERE ai_complete(x) LIKE '%' LIMIT 1;
SELECT calls();

-- ---- errors of rows that are not come to ----

SELECT EXISTS (SELECT 1 FROM a WHERE ai_complete('x' || 10 / (id - 4)) LIKE '%-10%');
SELECT id FROM u WHERE (id = 2 OR 100 / (id - 5) <> 0) AND ai_complete(x) LIKE '%3' LIMIT 1;
SELECT id FROM u WHERE (id = 2 OR 100 / (id - 5) <> 0) AND ai_complete(x) LIKE '%8' LIMIT 1;
SELECT EXISTS (SELECT 1 FROM u WHERE 100 / (id - 5) <> 0 AND ai_complete(x) LIKE '%3');
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM u WHERE 100 / (id - 5) <> 0 AND ai_complete(x) LIKE '%';
FETCH 4 FROM c;
FETCH 1 FROM c;
ROLLBACK;
CREATE TABLE notes (id int, body text);
INSERT INTO notes SELECT i, CASE WHEN i = 7 THEN 'n/a' ELSE i::text END FROM generate_series(1, 40) i;
SELECT id FROM notes WHERE ai_complete(body)::int >= 4 LIMIT 1;
SELECT id FROM notes WHERE ai_complete(body)::int >= 7 LIMIT 1;

-- ---- a conjunct that is a guard for those behind it ----

TRUNCATE notes;
INSERT INTO notes SELECT i, CASE WHEN i % 40 = 0 THEN 'n/a' ELSE i::text END FROM generate_series(1, 400) i;
SELECT count(*) FROM notes WHERE ai_complete('k' || body) <> 'kn/a' AND ai_complete(body)::int > 390;
SELECT count(*) FROM notes WHERE ai_complete('k' || body) <> 'kn/a' AND ai_complete(body, options => CASE WHEN body = 'n/a' THEN '{"mock": {"fail": "refusal"}}'::jsonb END) <> 'no';
SELECT count(*) FROM notes WHERE ai_complete(body)::int > 390 AND ai_complete('k' || body) <> 'kn/a';

-- ---- volatile expressions that are equal ----

CREATE SEQUENCE s;
SELECT sum(nextval('s') + length(ai_complete('x' || id))) = max(nextval('s') + length(ai_complete('x' || id))) FROM a;
SELECT last_value FROM s;
SELECT string_agg(ai_complete('j', options => '{"cache": false, "mock": {"answer": "{n}"}}'), ',') = string_agg(ai_complete('j', options => '{"cache": false, "mock": {"answer": "{n}"}}'), ',') FROM a WHERE id < 4;
SELECT one = two FROM (SELECT (sum(random()) OVER ()) one, (sum(random()) OVER ()) two, ai_complete(x) t FROM a LIMIT 1) q;
SELECT setval('s', 1, false);
SELECT id, ai_complete(ai_complete('x' || id) || '#' || nextval('s')) FROM a ORDER BY id LIMIT 5;

-- ---- EXPLAIN: a list, where there are several reasons ----

DO $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) SELECT (ai_complete(x), x) > (x, x), (ARRAY[x])[length(ai_complete(x))] FROM a' INTO plan;
	RAISE NOTICE '%', plan->0->'Plan'->'One By One';
END $$;
DROP TABLE a, b, u, notes;
DROP SEQUENCE s;
DROP FUNCTION calls;
DROP EXTENSION ai_gateway;
