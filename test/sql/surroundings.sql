-- what planner and executor know of a plan node's place follows the node that
-- takes it: all of this comes the same with ai_gateway.concurrent = off, but for
-- the functions that look at plans
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
\set VERBOSITY terse
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES
	('m', 'mock', 'mock', '{"mock": {"latency_ms": 2}}'),
	('long', 'mock', 'mock', '{"mock": {"answer": "zzz{prompt}"}}'),
	('own', 'mock', 'mock', NULL);
INSERT INTO ai_gateway.models (name, task, provider, remote_model) VALUES ('rank', 'rerank', 'mock', 'm');
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('m', 0), ('long', 0), ('rank', 0);
SET ai_gateway.default_model = 'm';
SET ai_gateway.default_rerank_model = 'rank';
CREATE TABLE a (id int PRIMARY KEY, k int, x text);
INSERT INTO a SELECT i, i / 3, 'x' || i FROM generate_series(1, 40) i;
ANALYZE a;
-- a node in the plan, or a node that keeps no row ahead
CREATE FUNCTION node(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN CASE WHEN plan::text NOT LIKE '%AiCalls%' THEN 'none' WHEN plan::text LIKE '%Rows Ahead%' THEN 'alone' ELSE 'node' END;
END $$;
CREATE ROLE regress_ai_executor;
GRANT SELECT, UPDATE ON a TO regress_ai_executor;

-- ---- EXECUTE ----

PREPARE complete AS SELECT id, ai_complete(x) FROM a WHERE id < 3;
PREPARE tried AS SELECT id FROM a WHERE id < 3 AND (ai_try_complete(x)).value LIKE 'x%';
PREPARE ranked AS SELECT id, r.document FROM a, LATERAL ai_rerank(x, ARRAY['x1', x], top_n => 1) r WHERE id < 3;
SET ROLE regress_ai_executor;
EXECUTE complete;
EXECUTE tried;
EXECUTE ranked;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION ai_complete(text, text, text, bytea[], jsonb), ai_try_complete(text, text, text, bytea[], jsonb),
	ai_rerank(text, text[], text, int, jsonb) FROM PUBLIC;
SET ROLE regress_ai_executor;
SELECT id, ai_complete(x) FROM a WHERE id < 3;
SELECT (ai_try_complete(x)).value FROM a WHERE id < 3;
SELECT id FROM a WHERE id < 3 AND ai_complete(x) LIKE 'x%';
SELECT id, y FROM a, ai_complete(x) y WHERE id < 3;
SELECT r.document FROM a, LATERAL ai_rerank(x, ARRAY['x1', x]) r WHERE id < 3;
UPDATE a SET x = ai_complete(x);
SELECT max(ai_complete(x)) FROM a;
EXPLAIN SELECT ai_complete(x) FROM a;
EXECUTE complete;
EXECUTE tried;
EXECUTE ranked;
RESET ROLE;
EXECUTE complete;
-- a plan that one role has made is run by another
SET plan_cache_mode = force_generic_plan;
EXECUTE ranked;
SET ROLE regress_ai_executor;
EXECUTE ranked;
EXECUTE complete;
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_complete(text, text, text, bytea[], jsonb), ai_try_complete(text, text, text, bytea[], jsonb),
	ai_rerank(text, text[], text, int, jsonb) TO PUBLIC;

-- ---- settings and rights of the function itself ----

EXECUTE complete;
ALTER FUNCTION ai_complete(text, text, text, bytea[], jsonb) SET ai_gateway.default_model = 'long';
EXECUTE complete;
SELECT id, left(ai_complete(x), 4) FROM a WHERE id < 3;
ALTER FUNCTION ai_complete(text, text, text, bytea[], jsonb) RESET ALL;
EXECUTE complete;
ALTER FUNCTION ai_complete(text, text, text, bytea[], jsonb) SECURITY DEFINER;
SET ROLE regress_ai_executor;
SELECT id, ai_complete(x, model => 'own') FROM a WHERE id < 3;
RESET ROLE;
ALTER FUNCTION ai_complete(text, text, text, bytea[], jsonb) SECURITY INVOKER;
SET ROLE regress_ai_executor;
SELECT id, ai_complete(x, model => 'own') FROM a WHERE id < 3;
RESET ROLE;
RESET plan_cache_mode;

-- ---- function statistics ----

SET track_functions = 'all';
SELECT count(ai_complete(x)) FROM a WHERE id <= 7;
SELECT count(*) FROM a WHERE ai_complete(nullif(x, 'x2')) IS NOT NULL AND id <= 5;
SELECT pg_stat_force_next_flush();
SELECT funcname, calls FROM pg_stat_user_functions WHERE funcname = 'ai_complete';
RESET track_functions;

-- ---- run conditions ----

CREATE TABLE w (id bigint PRIMARY KEY, x text);
INSERT INTO w SELECT i * 100, 'x' || i FROM generate_series(1, 5) i;
SELECT * FROM (SELECT ai_complete(x || id) t, row_number() OVER (ORDER BY id) rn FROM w) q WHERE rn <= 3;
SELECT * FROM (SELECT ai_complete(x || id) t, row_number() OVER (ORDER BY id) rn FROM w) q WHERE rn <= 300;
SELECT * FROM (SELECT ai_complete(x || id) t, id::int, row_number() OVER (ORDER BY id) rn, rank() OVER (ORDER BY id) rk FROM w) q WHERE rk <= 3 AND rn <= 2;
SELECT * FROM (SELECT ai_complete(x) t, count(*) OVER (ORDER BY id) n, x FROM w) q WHERE n < 3;
SELECT * FROM (SELECT ai_complete(x) t, ntile(2) OVER (ORDER BY id) n FROM w) q WHERE n <= 1;
SELECT node($$SELECT * FROM (SELECT ai_complete(x || id) t, row_number() OVER (ORDER BY id) rn FROM w) q WHERE rn <= 3$$);

-- ---- bounds ----

SELECT k, ai_complete('t' || k) FROM a ORDER BY k FETCH FIRST 2 ROWS WITH TIES;
SELECT k, ai_complete(x) FROM a WHERE ai_complete('t' || k) <> 't0' ORDER BY k FETCH FIRST 2 ROWS WITH TIES;
SELECT k, ai_complete('t' || k) FROM a ORDER BY k OFFSET 2 FETCH FIRST 2 ROWS WITH TIES;

-- ---- mark and restore ----

CREATE TABLE marked (k int, y text);
INSERT INTO marked SELECT i / 2, 'y' || i FROM generate_series(1, 200) i;
CREATE INDEX ON marked (k);
ANALYZE marked;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SET enable_sort = off;
SET enable_material = off;
SELECT count(*) FROM marked a JOIN marked b ON a.k = b.k WHERE ai_complete(b.y, options => '{"cache": false}') LIKE '%1%' AND ai_complete(a.y, options => '{"cache": false}') LIKE '%';
SELECT count(*) FROM marked a JOIN (SELECT k, ai_complete(y) AS y FROM marked OFFSET 0) b ON a.k = b.k;
RESET enable_hashjoin;
RESET enable_nestloop;
RESET enable_sort;
RESET enable_material;

-- ---- WHERE CURRENT OF ----

BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete(x) FROM a ORDER BY id;
FETCH 2 FROM c;
UPDATE a SET k = 99 WHERE CURRENT OF c;
FETCH 1 FROM c;
DELETE FROM a WHERE CURRENT OF c;
SELECT id, k FROM a WHERE id < 5 ORDER BY id;
ROLLBACK;
-- the filter drops rows between, and the node is ahead of its reader
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM a WHERE ai_complete(x) LIKE 'x%5';
FETCH 2 FROM c;
UPDATE a SET k = 99 WHERE CURRENT OF c RETURNING id;
MOVE ALL FROM c;
UPDATE a SET k = 99 WHERE CURRENT OF c RETURNING id;
ROLLBACK;
-- an index alone, a subquery, a limit, a part of a partitioned table
SET enable_seqscan = off;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM a WHERE id > 7 AND ai_complete(id::text) LIKE '%';
FETCH 1 FROM c;
UPDATE a SET k = 99 WHERE CURRENT OF c RETURNING id;
ROLLBACK;
RESET enable_seqscan;
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete(y) FROM (SELECT id, ai_complete(x) AS y FROM a OFFSET 0) q LIMIT 5;
FETCH 3 FROM c;
UPDATE a SET k = 99 WHERE CURRENT OF c RETURNING id;
ROLLBACK;
CREATE TABLE parts (id int, k int, x text) PARTITION BY LIST (k);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts SELECT id, id % 2, x FROM a;
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete(x) FROM parts;
FETCH 21 FROM c;
UPDATE parts SET x = 'changed' WHERE CURRENT OF c RETURNING id;
FETCH 1 FROM c;
UPDATE parts_1 SET x = 'changed' WHERE CURRENT OF c RETURNING id;
ROLLBACK;
-- rows that are locked
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete(x) FROM a ORDER BY id LIMIT 5 FOR UPDATE;
FETCH 2 FROM c;
UPDATE a SET k = 99 WHERE CURRENT OF c RETURNING id;
ROLLBACK;
-- a table and those that inherit from it
CREATE TABLE general (id int, x text);
CREATE TABLE special (extra text) INHERITS (general);
INSERT INTO general SELECT id, x FROM a WHERE id < 4;
INSERT INTO special SELECT id, x, 'extra' FROM a WHERE id BETWEEN 4 AND 6;
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete(x) FROM general;
FETCH 2 FROM c;
UPDATE general SET x = 'changed' WHERE CURRENT OF c RETURNING id;
FETCH 3 FROM c;
UPDATE general SET x = 'changed' WHERE CURRENT OF c RETURNING id;
UPDATE special SET x = 'changed' WHERE CURRENT OF c RETURNING id;
ROLLBACK;
DROP TABLE general CASCADE;
DO $$
DECLARE c CURSOR FOR SELECT id, ai_complete(x) FROM a;
BEGIN
	FOR r IN c LOOP
		UPDATE a SET k = -r.id WHERE CURRENT OF c;
	END LOOP;
END $$;
SELECT count(*) FROM a WHERE k = -id;
-- no single row of the table
BEGIN;
DECLARE c CURSOR FOR SELECT k, ai_complete(max(x)) FROM a GROUP BY k;
FETCH 1 FROM c \g /dev/null
UPDATE a SET k = 99 WHERE CURRENT OF c;
ROLLBACK;

-- ---- backward ----

BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete(x) FROM a;
FETCH BACKWARD 1 FROM c;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
UPDATE a SET k = 99 WHERE CURRENT OF c RETURNING id;
FETCH BACKWARD ALL FROM c;
FETCH 4 FROM c;
MOVE LAST FROM c;
FETCH PRIOR FROM c;
FETCH ABSOLUTE 4 FROM c;
FETCH FIRST FROM c;
FETCH RELATIVE 2 FROM c;
MOVE ALL FROM c;
FETCH BACKWARD 2 FROM c;
FETCH NEXT FROM c;
FETCH NEXT FROM c;
FETCH NEXT FROM c;
FETCH PRIOR FROM c;
ROLLBACK;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, ai_complete(x) FROM a WHERE ai_complete(x) LIKE '%1%' ORDER BY id;
MOVE 5 FROM c;
FETCH BACKWARD 3 FROM c;
FETCH ABSOLUTE -1 FROM c;
CLOSE c;
DECLARE c NO SCROLL CURSOR FOR SELECT id, ai_complete(x) FROM a;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT id, ai_complete(x) FROM a WHERE id < 5;
FETCH 2 FROM c;
COMMIT;
FETCH 1 FROM c;
FETCH BACKWARD 2 FROM c;
CLOSE c;

-- ---- a nested query that ends with an error ----

CREATE FUNCTION fails(i int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE n int;
BEGIN
	SELECT count(*) / 0 INTO n FROM a;
	RETURN i;
EXCEPTION WHEN division_by_zero THEN
	RETURN -i;
END $$;
BEGIN;
SELECT (ai_gateway.last_call()).calls AS before \gset
DECLARE c CURSOR FOR SELECT fails(id), ai_complete(x) FROM a;
FETCH 5 FROM c;
SELECT (ai_gateway.last_call()).calls - :before AS calls;
ROLLBACK;

DROP OWNED BY regress_ai_executor;
DROP ROLE regress_ai_executor;
DROP TABLE a, w, marked, parts;
DROP FUNCTION node, fails;
DROP EXTENSION ai_gateway;
