-- Plans that are changed in part or not at all: what stays where it is, and why;
-- all of them answer as without the node and make no more calls.
\set VERBOSITY terse
CREATE EXTENSION ai_gateway;
INSERT INTO ai_gateway.models (name, task, provider, remote_model) VALUES ('c', 'chat', 'mock', 'mock');
SET ai_gateway.default_model = 'c';
CREATE TABLE t (id int PRIMARY KEY, k int, x text, v varchar);
INSERT INTO t SELECT i, i % 10, 'text ' || i % 20, 'v' || i % 5 FROM generate_series(1, 100) i;
CREATE TABLE few AS SELECT i AS id, i <= 3 AS flag, 'few ' || i AS x, ('v' || i)::varchar AS v FROM generate_series(1, 20) i;
CREATE INDEX ON t (x);
ANALYZE t, few;

-- the nodes of a plan and their calls; whether it answers as without ours, with how many calls
CREATE FUNCTION nodes(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ '^\S|->|Call:|One By One:' THEN RETURN NEXT line; END IF;
	END LOOP;
END $$;
CREATE FUNCTION alike(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer record; rows text[]; first text[]; start int; made int[] = '{}'; mode text;
BEGIN
	FOREACH mode IN ARRAY ARRAY['on', 'off'] LOOP
		PERFORM set_config('ai_gateway.concurrent', mode, true);
		start = coalesce((ai_gateway.last_call()).calls, 0);
		rows = '{}';
		FOR answer IN EXECUTE query LOOP rows = rows || answer::text; END LOOP;
		made = made || coalesce((ai_gateway.last_call()).calls, 0)::int - start;
		IF mode = 'on' THEN first = rows; END IF;
	END LOOP;
	PERFORM set_config('ai_gateway.concurrent', 'on', true);
	RETURN format('%s rows, %s, %s calls for %s', cardinality(rows), CASE WHEN rows = first THEN 'alike' ELSE 'not alike' END, made[1], made[2]);
END $$;
CREATE FUNCTION shown(query text) RETURNS SETOF text LANGUAGE sql AS $$ SELECT nodes($1) UNION ALL SELECT alike($1) $$;

-- correlated subqueries: casts around the call and around what is handed in
SELECT shown($$SELECT id, (SELECT ai_complete(f.x, system => t.v)::varchar || '!' FROM few f WHERE f.id = t.id) FROM t WHERE id < 8$$);
SELECT shown($$SELECT id, (SELECT ai_complete(f.x)::varchar FROM few f WHERE f.id = t.id) FROM t WHERE id < 8$$);
SELECT shown($$SELECT id, (SELECT CASE WHEN t.k = 1 THEN ai_complete(t.x) END) FROM t WHERE id < 12$$);
-- what is sorted by the answer, or has a subquery of its own, stays
SELECT shown($$SELECT id, (SELECT ai_complete(f.x) FROM few f WHERE f.id = t.id ORDER BY 1) FROM t WHERE id < 5$$);
SELECT shown($$SELECT id, (SELECT ai_complete(f.x) FROM few f WHERE f.id = t.id AND f.id > (SELECT min(id) FROM few)) FROM t WHERE id < 5$$);
-- the set that a subquery reads is made of what the row hands in
SELECT shown($$SELECT id, (SELECT string_agg(e, '+') FROM unnest(string_to_array(ai_complete(t.x), ' ')) e WHERE e <> 'text') FROM t WHERE id < 12$$);
SELECT shown($$SELECT id, ARRAY(SELECT e FROM regexp_split_to_table(ai_complete(t.x), ' ') e ORDER BY e LIMIT 1), CASE WHEN k = 1 THEN '1' IN (SELECT e FROM unnest(string_to_array(ai_complete(t.x), ' ')) e) END FROM t WHERE id < 12$$);
SELECT shown($$SELECT id FROM t WHERE k < 9 AND EXISTS (SELECT FROM unnest(string_to_array(ai_complete(t.x), ' ')) e WHERE e LIKE '1%')$$);
SELECT nodes($$UPDATE t SET (x, k) = (SELECT j.a, j.b FROM jsonb_to_record(ai_json(t.x, '{}')) AS j(a text, b int))$$);
-- but not what may not be asked, or for the second time
SELECT shown($$SELECT id, (SELECT e FROM unnest(string_to_array(ai_complete(t.x), ' ')) e LIMIT t.k - 1) FROM t WHERE id < 4 AND k < 3$$);
SELECT shown($$SELECT id, (SELECT count(*) FROM few f, LATERAL unnest(string_to_array(ai_complete(t.x || f.flag), ' ')) e WHERE f.id < t.id) FROM t WHERE id < 4$$);
-- nor where a subquery in it reads what the row hands in, or the row hands in what is not to be had twice
SELECT alike($$SELECT id, (SELECT CASE WHEN t.id IN (SELECT f.id FROM few f WHERE f.id <= t.k OFFSET 0) THEN ai_complete(t.x) END) FROM t WHERE id < 9$$);
SELECT alike($$SELECT id, (SELECT CASE WHEN t.id < ALL (SELECT f.id FROM few f WHERE f.id > t.k) THEN ai_complete(t.x) ELSE 'no' END) FROM t WHERE id < 9$$);
SELECT alike($$SELECT k, (SELECT length(ai_complete(f.x, system => max(ai_complete(t.x, options => '{"cache": false}')))) FROM few f WHERE f.id = t.k + 1) FROM t GROUP BY k ORDER BY k$$);
-- nested loops: a row as a whole
SELECT shown($$SELECT t.id, a IS NULL FROM t, ai_try_complete(t.x) a WHERE t.id < 3$$);
SELECT shown($$SELECT t.id, (a).value FROM t, ai_try_complete(t.x) a WHERE t.id < 3$$);
SELECT shown($$SELECT t.id, q FROM t, LATERAL (SELECT f.id, CASE WHEN f.flag THEN ai_complete(f.id || t.x) END AS a FROM few f WHERE f.id = t.id OR f.id = 1) q WHERE t.k = 1$$);
SELECT shown($$SELECT t.id, q.id, q.a FROM t, LATERAL (SELECT f.id, CASE WHEN f.flag THEN ai_complete(f.id || t.x) END AS a FROM few f WHERE f.id = t.id OR f.id = 1) q WHERE t.k = 1$$);
SELECT shown($$SELECT t.id, (q.a, q.id) < ('2', 1) FROM t, LATERAL (SELECT f.id, ai_complete(f.id || t.x) AS a FROM few f WHERE f.id = t.id OR f.id = 1) q WHERE t.k = 1$$);
-- a cheap condition of the inner side comes before its calls
SELECT shown($$SELECT t.id, q.y FROM t, LATERAL (SELECT ai_complete(t.x) AS y, t.k + 1 AS z OFFSET 0) q WHERE q.z > 8 AND q.y LIKE 'text%'$$);
SELECT shown($$SELECT t.id, q.y FROM t, LATERAL (SELECT ai_complete(t.x) AS y OFFSET 0) q WHERE (q.y, t.id) < ('text 13', 5)$$);
-- a filter stays below a join that does more than to give a value for rows that it drops
SELECT alike($$SELECT f.id, t.id FROM few f JOIN t ON t.id = 10 / (f.id - 1) WHERE ai_complete(f.id::text) <> '1'$$);
SELECT alike($$SELECT t.id, f.id FROM few f, t WHERE t.id < 10 / (f.id - 1) AND ai_complete(f.id::text) <> '1' AND t.id = 3$$);
SELECT alike($$SELECT t.id, r.a FROM t, LATERAL json_to_record(x::json) r(a int) WHERE ai_complete(t.k::text) = 'yes'$$);
SELECT alike($$SELECT id FROM t WHERE NOT EXISTS (SELECT FROM few f WHERE f.id = t.id AND 1 / (t.k - 1) < 5) AND ai_complete(t.k::text) <> '1'$$);
SELECT alike($$WITH c AS MATERIALIZED (SELECT id, ai_complete(x) AS y FROM t) SELECT c.* FROM c JOIN few f USING (id) WHERE ai_complete(f.x) = ''$$);
SELECT alike($$SELECT t.id FROM t JOIN few f USING (id) WHERE t.k + f.id > (SELECT count(ai_complete('i' || x)) FROM t) AND ai_complete(f.x) = ''$$);
CREATE FUNCTION called(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN ai_complete('called for ' || $1); END $$;
SELECT alike($$SELECT t.id, y FROM t, LATERAL called(t.x) y WHERE ai_complete(t.x) = 'text 5' AND id < 20$$);
CREATE FUNCTION passes(int) RETURNS bool LANGUAGE plpgsql COST 1 AS $$ BEGIN RETURN ai_complete('passed ' || $1) <> ''; END $$;
SET enable_nestloop = off;
SELECT alike($$SELECT f.id FROM few f JOIN t USING (id) WHERE ai_complete(f.x) = 'none' AND passes(t.id)$$);
RESET enable_nestloop;
DROP FUNCTION passes;
DROP FUNCTION called;
-- a join that stops at the one partner tests what proves that there is but one
CREATE TABLE named (id int, name text);
CREATE UNIQUE INDEX ON named (lower(name));
CREATE UNIQUE INDEX ON named (id);
INSERT INTO named SELECT i, 'Few ' || i FROM generate_series(1, 20) i;
ANALYZE named;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT alike($$SELECT q.id, n.id FROM (SELECT id, ai_complete(x) AS y FROM t OFFSET 0) q JOIN named n ON n.name = ANY (ARRAY[q.y, n.name]) AND n.id = q.id$$);
CREATE FUNCTION dear(i int) RETURNS int LANGUAGE plpgsql STABLE COST 1000000000 AS $$ BEGIN RETURN i; END $$;
CREATE TABLE pairs (id int, k int, x text, PRIMARY KEY (id, k));
INSERT INTO pairs SELECT i % 20, i / 20, 'pair ' || i FROM generate_series(1, 99) i;
ANALYZE pairs;
SELECT alike($$SELECT f.id, p.id FROM few f JOIN pairs p ON p.id = f.id AND ai_complete(p.x) <> '' AND p.k = dear(2)$$);
SELECT alike($$SELECT count(*) FROM t JOIN pairs p ON ai_complete(t.x || p.x) <> '' AND p.id = t.id AND p.k = dear(t.k)$$);
SELECT alike($$SELECT count(*) FROM t JOIN pairs p ON ai_complete(t.x || p.x) <> '' AND p.id = t.id AND p.k = dear(t.k) WHERE ai_complete(t.x, options => '{"cache": false}') <> ''$$);
DROP TABLE pairs;
DROP FUNCTION dear;
SELECT alike($$SELECT f.id, n.id FROM few f JOIN named n ON n.id / f.id >= 0 AND lower(n.name) = lower(f.x) AND ai_complete(f.x || n.name) <> '' LIMIT 5$$);
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_indexscan;
RESET enable_bitmapscan;
DROP TABLE named;
-- what stands beside a call in RETURNING is evaluated for each row, read or not
CREATE TABLE changed (id int, x text);
WITH c AS (INSERT INTO changed SELECT id, x FROM t RETURNING 1 / (id - 9), ai_complete(x)) SELECT * FROM c LIMIT 1;
DROP TABLE changed;
-- a policy is tested before what a user asks about a row
CREATE TABLE hidden AS SELECT i AS id, 'row ' || i AS x FROM generate_series(1, 400) i;
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON hidden USING (ai_complete('policy ' || x, options => '{"mock": {"latency_ms": 1}}') NOT LIKE '%9%');
CREATE ROLE regress_ai_user;
GRANT SELECT ON hidden TO regress_ai_user;
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('c', 'regress_ai_user');
SET ROLE regress_ai_user;
SELECT alike($$SELECT id FROM hidden WHERE ai_complete(x, options => '{"mock": {"latency_ms": 1}}') = 'none'$$);
RESET ROLE;
DROP TABLE hidden;
DELETE FROM ai_gateway.model_grants;
DROP ROLE regress_ai_user;
-- what does more than to give a value does it in the order of the rows
CREATE SEQUENCE turns;
SELECT nextval('turns'), ai_complete('turn ' || nextval('turns')) FROM t WHERE id < 4;
DROP SEQUENCE turns;
-- CASE with an operand
SELECT shown($$SELECT CASE v WHEN 'v1' THEN ai_complete(x) WHEN 'v2' THEN 'two' ELSE ai_complete(v) END FROM t WHERE id < 6$$);
SELECT shown($$SELECT CASE k WHEN 1.0 THEN ai_complete(x) WHEN 2.0 THEN 'two' END FROM t WHERE id < 6$$);
SELECT shown($$SELECT CASE k > 3 WHEN true THEN ai_complete(x) WHEN false THEN 'few' END FROM t WHERE id < 6$$);
-- what is around a call may decide whether it is made
CREATE DOMAIN short AS text CHECK (length(VALUE) < 100);
SELECT shown($$SELECT ai_complete(x)::short FROM t WHERE id < 4$$);
SELECT shown($$SELECT string_to_array(ai_complete(x), ' ')::varchar(3)[] FROM t WHERE id < 4$$);
-- rows of VALUES: casts, parts that no call is made of, a row as a whole, a column read twice
SELECT shown($$SELECT i, a FROM (VALUES (1, ai_complete('one')::varchar), (2, ai_complete('two')::varchar)) v(i, a)$$);
SELECT shown($$SELECT i, a + 1 FROM (VALUES (1, ai_complete('1')::int), (2, ai_complete('2')::int)) v(i, a)$$);
SELECT shown($$SELECT i, a FROM (VALUES (1, ai_complete(current_setting('search_path') || 'a')), (2, ai_complete(current_setting('search_path') || 'b'))) v(i, a)$$);
SELECT shown($$SELECT v FROM (VALUES (1, ai_complete('one')), (2, ai_complete('two'))) v(i, a)$$);
SELECT shown($$SELECT a, length(a) FROM (VALUES (1, ai_complete('one', options => '{"cache": false}')), (2, ai_complete('two', options => '{"cache": false}'))) v(i, a)$$);
-- a column of a view that a join needs is computed below it; one that it does not need, above
CREATE VIEW asked AS SELECT id, k, x, ai_complete(x) AS answer FROM t WHERE id < 30;
CREATE TABLE texts AS SELECT i AS id, 'text ' || i AS x FROM generate_series(0, 199) i;
CREATE UNIQUE INDEX ON texts (x);
ANALYZE texts;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT shown($$SELECT a.id, answer FROM asked a WHERE EXISTS (SELECT FROM few f WHERE a.answer < f.x)$$);
SELECT shown($$SELECT a.id, answer FROM asked a WHERE EXISTS (SELECT FROM few f WHERE a.x > f.x || 'x')$$);
SET enable_seqscan = off;
SELECT shown($$SELECT a.id, s.id, answer FROM asked a JOIN texts s ON s.x = a.answer$$);
SELECT shown($$SELECT a.id, s.id, answer FROM asked a JOIN texts s ON s.x = a.x$$);
RESET enable_seqscan;
SET enable_nestloop = off;
SET enable_hashjoin = on;
SELECT shown($$SELECT s.id, a.id FROM texts s JOIN asked a ON s.x = a.answer WHERE a.id < 4$$);
SELECT shown($$SELECT s.id, a.id, answer FROM texts s JOIN asked a ON s.x = a.x WHERE a.id < 4$$);
SET enable_hashjoin = off;
SET enable_mergejoin = on;
SELECT shown($$SELECT s.id, a.id FROM texts s JOIN asked a ON s.x = a.answer$$);
SELECT shown($$SELECT s.id, a.id, answer FROM texts s JOIN asked a ON s.x = a.x$$);
RESET enable_hashjoin;
RESET enable_nestloop;
-- what is around it there may decide whether it is called, and a filter that is volatile stays
SELECT shown($$SELECT (answer, a.id) < ('text 2', 1) FROM asked a JOIN few f USING (id) WHERE f.flag$$);
SELECT shown($$SELECT t.id FROM t JOIN few f USING (id) WHERE f.flag AND ai_complete(t.x) LIKE '%1' AND random() < 2$$);
DROP VIEW asked;
DROP TABLE texts;
-- a filter of a subquery that reads an answer of its own, or that is no node's to test
SELECT shown($$SELECT id, a FROM (SELECT id, ai_complete(x, options => '{"cache": false}') AS a FROM t WHERE id < 10) q WHERE a LIKE '%1'$$);
SELECT shown($$SELECT id, a FROM (SELECT id, ai_complete(x) AS a FROM t WHERE id < 10) q WHERE (a, id) < ('text 3', 5)$$);
SELECT shown($$SELECT id, a FROM (SELECT id, ai_complete(x) AS a FROM t WHERE id < 10 ORDER BY k, id) q WHERE a LIKE '%1'$$);
-- sets
SELECT alike($$SELECT ai_complete(x) FROM t WHERE id < 5 EXCEPT SELECT ai_complete(x) FROM t WHERE id BETWEEN 3 AND 15 ORDER BY 1$$);
SELECT alike($$SELECT ai_complete(x) FROM t WHERE id < 5 INTERSECT ALL SELECT x FROM t WHERE id = 3$$);
CREATE FUNCTION cut(text, text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$ SELECT unnest(string_to_array($1, $2)) OFFSET 0 $$;
CREATE OPERATOR /// (LEFTARG = text, RIGHTARG = text, FUNCTION = cut);
SELECT shown($$SELECT id, ai_complete(x) /// ' ' FROM t WHERE id < 3$$);
DROP OPERATOR /// (text, text);
DROP FUNCTION cut;
-- aggregates and window functions
SELECT shown($$SELECT count(ai_complete(x)), count(ai_complete(x)) FILTER (WHERE k = 1), max(ai_complete(x)) FROM t$$);
SELECT shown($$SELECT id, count(ai_complete(x)) FILTER (WHERE k = 1) OVER (ORDER BY id) FROM t WHERE id < 5$$);
SELECT shown($$SELECT id, count(ai_complete(x)) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) FROM t WHERE id < 5$$);
SELECT shown($$SELECT k, count(ai_complete(x)) FROM t WHERE id < 5 GROUP BY ROLLUP (k)$$);
-- OFFSET alone
SELECT shown($$SELECT id, ai_complete(x) FROM t ORDER BY id OFFSET 97$$);
-- merged by what is computed
CREATE TABLE parts (id int, x text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT i, 'x' || i % 7 FROM generate_series(1, 20) i;
CREATE INDEX ON parts (lower(x));
ANALYZE parts;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
SELECT shown($$SELECT id FROM parts WHERE ai_complete(x) LIKE 'x%' ORDER BY lower(x) LIMIT 1$$);
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_sort;
BEGIN;
SELECT nodes($$MERGE INTO parts p USING few f ON f.id = p.id WHEN MATCHED THEN UPDATE SET x = ai_complete(f.x)$$);
MERGE INTO parts p USING few f ON f.id = p.id WHEN MATCHED THEN UPDATE SET x = ai_complete(f.x);
SELECT * FROM parts WHERE id IN (9, 10) ORDER BY id;
ROLLBACK;
DROP TABLE parts;

-- RETURNING that depends on nothing of the row
BEGIN;
UPDATE t SET k = 0 WHERE id < 3 RETURNING ai_complete('done');
ROLLBACK;
-- MERGE: one of two values of an action, and actions without a condition
BEGIN;
SELECT nodes($$MERGE INTO t USING few f ON f.id = t.id WHEN MATCHED THEN UPDATE SET x = ai_complete(f.x || t.id), v = (SELECT max(g.v) FROM few g WHERE g.id = f.id) || ai_complete(f.v)$$);
MERGE INTO t USING few f ON f.id = t.id WHEN MATCHED THEN UPDATE SET x = ai_complete(f.x || t.id), v = (SELECT max(g.v) FROM few g WHERE g.id = f.id) || ai_complete(f.v);
SELECT id, x, v FROM t WHERE id IN (1, 20, 21) ORDER BY id;
ROLLBACK;
-- MERGE: behind a security barrier, and over a join that remembers rows of the target
CREATE VIEW hidden WITH (security_barrier) AS SELECT id, x FROM few WHERE flag;
BEGIN;
SELECT nodes($$MERGE INTO t USING hidden h ON h.id = t.id WHEN MATCHED THEN UPDATE SET x = ai_complete(h.x)$$);
MERGE INTO t USING hidden h ON h.id = t.id WHEN MATCHED THEN UPDATE SET x = ai_complete(h.x);
SELECT id, x FROM t WHERE id < 5 ORDER BY id;
ROLLBACK;
DROP VIEW hidden;
BEGIN;
CREATE TABLE source AS SELECT 100 + i % 5 AS id, 'source ' || i AS x FROM generate_series(0, 499) i;
ANALYZE source;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SELECT nodes($$MERGE INTO t USING source s ON s.id = t.id WHEN MATCHED AND t.k = 9 THEN UPDATE SET x = ai_complete(t.v || s.x) WHEN NOT MATCHED AND s.id < 103 AND s.x LIKE '%0_' THEN INSERT VALUES (s.id + 10, 1, ai_complete(s.x))$$);
ROLLBACK;

DROP TABLE t, few;
DROP FUNCTION nodes, alike, shown;
DROP DOMAIN short;
DROP EXTENSION ai_gateway;
