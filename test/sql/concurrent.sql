-- Many calls of a statement under way at once: the plan, the number of calls,
-- the order of rows and errors.
\set VERBOSITY terse
CREATE EXTENSION ai_gateway;
INSERT INTO ai_gateway.models (name, task, provider, remote_model, options) VALUES
	('c', 'chat', 'mock', 'mock', NULL),
	('slow', 'chat', 'mock', 'mock', '{"mock": {"latency_ms": 100}}'),
	('long', 'chat', 'mock', 'mock', '{"mock": {"answer_bytes": 10000, "latency_ms": [0, 6]}}'),
	('v', 'embed', 'mock', 'mock', '{"mock": {"dimensions": 1536}}');
SET ai_gateway.default_model = 'c';
SET ai_gateway.default_embedding_model = 'v';
CREATE TABLE t (id int PRIMARY KEY, k int, x text);
INSERT INTO t SELECT i, i % 10, 'text ' || i % 20 FROM generate_series(1, 100) i;
ANALYZE t;
-- texts of 70 B to 16 kB, the longer ones stored out of line
CREATE TABLE long (id int PRIMARY KEY, k int, x text);
ALTER TABLE long ALTER x SET STORAGE EXTERNAL;
INSERT INTO long SELECT i, i % 10, repeat('long ' || i || ' ', ('{10,120,500,2000}'::int[])[1 + i % 4]) FROM generate_series(1, 100) i;
ANALYZE long;

-- what EXPLAIN ANALYZE counts: function, calls, distinct, requests, peak in flight
CREATE FUNCTION calls(query text) RETURNS TABLE (function text, calls int, "distinct" int, requests int, peak int)
LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	RETURN QUERY SELECT c->>'Function', (c->>'Calls')::int, (c->>'Distinct')::int, (c->>'Requests')::int, (c->>'Peak In Flight')::int
		FROM jsonb_path_query(plan, 'strict $.**."Model Calls"[*]') c;
END $$;

-- the plan
EXPLAIN (COSTS OFF) SELECT id, ai_complete('S: ' || x) FROM t WHERE k = 1;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE k < 5 AND ai_complete(x) LIKE '%1%' AND ai_complete(x || '!') LIKE '%1%';
EXPLAIN (COSTS OFF, VERBOSE) SELECT CASE WHEN k = 1 THEN ai_complete(x) ELSE coalesce(x, ai_complete(k::text)) END FROM t;
EXPLAIN (COSTS OFF) SELECT k, count(ai_complete(x)) FILTER (WHERE id > 3) FROM t GROUP BY k;
EXPLAIN (COSTS OFF) SELECT id, ai_complete(x) FROM t ORDER BY id LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id, ai_complete(x) FROM t ORDER BY id FOR UPDATE;
EXPLAIN (COSTS OFF) SELECT id FROM (SELECT id, ai_complete(x) AS y FROM t ORDER BY id FOR UPDATE) q WHERE y <> '' LIMIT 2;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE ai_complete(x) <> '' FOR UPDATE;
EXPLAIN (COSTS OFF) SELECT (ai_complete(x), 'a') < ('b', x) FROM t;
EXPLAIN (COSTS OFF) SELECT ai_complete('n ' || i) FROM generate_series(1, 3) i;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE k = 1;
EXPLAIN (COSTS OFF) SELECT ai_complete('alone');
SET ai_gateway.concurrent = off;
EXPLAIN (COSTS OFF) SELECT id, ai_complete('S: ' || x) FROM t WHERE k = 1;
RESET ai_gateway.concurrent;

-- how many calls
SELECT * FROM calls('SELECT ai_complete(x) FROM t');
SELECT * FROM calls('SELECT ai_complete(id::text) FROM t');
SELECT * FROM calls('SELECT ai_complete(id::text), ai_complete(id::text) FROM t WHERE id <= 10');
SELECT * FROM calls('SELECT CASE WHEN k = 1 THEN ai_complete(id::text) END FROM t');
SELECT * FROM calls('SELECT coalesce(nullif(k, 1)::text, ai_complete(id::text)) FROM t');
SELECT * FROM calls('SELECT ai_complete(id::text) FROM t ORDER BY id LIMIT 5');
SELECT * FROM calls('SELECT ai_complete(id::text) FROM t ORDER BY id LIMIT 5 OFFSET 2');
SELECT calls, "distinct", requests FROM calls('SELECT id FROM t WHERE ai_complete(id::text) LIKE ''%1'' AND ai_complete(id || ''!'') LIKE ''%1!''');
SELECT * FROM calls('SELECT count(ai_complete(id::text)) FILTER (WHERE k = 1) FROM t');
SELECT * FROM calls('SELECT ai_complete(ai_complete(x)) FROM t WHERE id <= 30');
SELECT * FROM calls('SELECT ai_embed(id::text) FROM t');
SELECT * FROM calls('SELECT ai_complete(NULL::text) FROM t');
-- EXPLAIN tells of each place that calls: identical ones, tokens, cost
CREATE FUNCTION told(query text) RETURNS TABLE (calls jsonb) LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
	RETURN QUERY SELECT jsonb_path_query(plan, 'strict $.**."Model Calls"[*]');
END $$;
UPDATE ai_gateway.models SET input_price = 2, output_price = 8, cached_input_price = 0 WHERE name = 'c';
SELECT told('SELECT ai_complete(x) FROM t');
SELECT told('SELECT ai_complete(x, options => ''{"mock": {"fail": "server_error", "fail_times": 1}}'') FROM t WHERE id = 1');
-- the same as text
CREATE FUNCTION lines(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF) ' || query LOOP
		IF line ~ 'Call:|Waiting:' THEN RETURN NEXT regexp_replace(line, '[0-9]+\.[0-9]+ ms', '... ms'); END IF;
	END LOOP;
END $$;
SELECT lines('SELECT ai_complete(x) FROM t');
SET ai_gateway.on_error = 'null';
SELECT lines('SELECT ai_complete(x, options => CASE WHEN id = 4 THEN ''{"mock": {"fail": "server_error"}, "max_retries": 1}''::jsonb END) FROM t WHERE id BETWEEN 3 AND 5');
RESET ai_gateway.on_error;
-- a filter moves above an inner join, unless a policy needs it where it is
CREATE TABLE few AS SELECT i AS id, i <= 3 AS flag FROM generate_series(1, 100) i;
ANALYZE few;
SELECT * FROM calls('SELECT * FROM t JOIN few USING (id) WHERE flag AND ai_complete(id::text) LIKE ''%1''');
SELECT * FROM calls('SELECT * FROM t WHERE ai_complete(id::text) LIKE ''%1'' AND id IN (SELECT id FROM few WHERE flag)');
SELECT * FROM calls('SELECT * FROM t LEFT JOIN few USING (id) WHERE ai_complete(t.id::text) LIKE ''%1''');
SELECT * FROM calls('SELECT * FROM t, few WHERE t.k = 1 AND ai_complete(t.id::text, options => ''{"cache": false}'') LIKE ''%1''');

-- a view that calls does so for the rows and columns that are read
CREATE VIEW asked AS SELECT t.id, t.k, ai_complete('S: ' || t.x) AS answer FROM t JOIN few f USING (id) WHERE ai_complete(t.x) LIKE '%1';
EXPLAIN (COSTS OFF) SELECT id FROM asked WHERE k = 1;
SELECT function, calls FROM calls('SELECT * FROM asked JOIN few USING (id) WHERE flag') ORDER BY calls;
CREATE VIEW answers AS SELECT id, k, x, ai_complete(id::text) AS answer FROM t;
SELECT * FROM calls('SELECT id, k FROM answers');
SELECT * FROM calls('SELECT id, answer FROM answers ORDER BY id DESC LIMIT 3');
SELECT * FROM calls('SELECT id, answer FROM answers WHERE answer LIKE ''%7'' AND k <> 0');
SELECT * FROM calls('SELECT CASE WHEN k = 1 THEN answer END FROM answers');
SELECT * FROM calls('SELECT id, answer FROM answers JOIN few USING (id) WHERE flag');
SELECT count(*), count(answer), max(answer) FROM answers JOIN few USING (id) WHERE flag;
SELECT id, answer FROM answers WHERE k = 3 ORDER BY x, id LIMIT 2 OFFSET 1;
-- rows that are only counted are there for their calls
SELECT * FROM calls('SELECT count(*) FROM answers');
SELECT * FROM calls('SELECT 1 FROM answers');
SELECT * FROM calls('SELECT count(id) FROM answers');
SELECT * FROM calls('SELECT count(*) FROM few, ai_complete(id::text)');
SELECT * FROM calls('SELECT count(*) FROM few CROSS JOIN LATERAL (SELECT ai_complete(id::text) AS answer) s');
SELECT * FROM calls('SELECT count(id) FROM few CROSS JOIN LATERAL (SELECT ai_complete(id::text) AS answer) s');
-- not above what could look into rows that the view hides
CREATE FUNCTION look(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
CREATE VIEW hidden WITH (security_barrier) AS SELECT id, x FROM t WHERE id < 6 AND ai_complete(x) LIKE '%3';
SELECT h.id FROM hidden h JOIN few f ON f.id = h.id AND look(h.x || f.id) WHERE flag;
SELECT id FROM hidden WHERE look(x);
DROP VIEW asked, answers, hidden;
DROP FUNCTION look;

-- of two filters the one that drops more for what it costs comes first, once that is known
SELECT calls < 200 AS slow_one_spared, "distinct" = calls AS "distinct" FROM calls('SELECT i FROM generate_series(1, 400) i
	WHERE ai_complete(''a'' || i, model => ''slow'') <> '''' AND ai_complete(''b'' || i) LIKE ''%7''') WHERE calls < 400;

-- who wants ten different jokes says so
SELECT * FROM calls('SELECT ai_complete(''a joke'', options => ''{"cache": false}'') FROM t WHERE id <= 10');
SELECT * FROM calls('SELECT ai_complete(''a joke'', options => ''{"temperature": 1}'') FROM t WHERE id <= 10');
SELECT * FROM calls('SELECT ai_complete(''a joke'', options => ''{"temperature": 1, "seed": 7}'') FROM t WHERE id <= 10');
SELECT * FROM calls('SELECT ai_complete(''a joke'', options => ''{"temperature": 0}'') FROM t WHERE id <= 10');
SET ai_gateway.max_in_flight = 7;
SELECT * FROM calls('SELECT ai_complete(id::text, model => ''slow'') FROM t WHERE id <= 20');
RESET ai_gateway.max_in_flight;
-- what reads all rows before it gives one lets all calls be under way, whatever is above it
SELECT peak FROM calls('SELECT ai_complete(id::text, model => ''slow'') FROM t WHERE id <= 20 EXCEPT SELECT x FROM t LIMIT 1');

-- answers of 10 kB to texts of up to 16 kB, which come in another order: as many
-- under way, and each with its row
SELECT * FROM calls('SELECT ai_complete(x, model => ''long'') FROM long');
SELECT * FROM calls('SELECT ai_complete(x) FROM long');
SELECT count(*), count(*) FILTER (WHERE a = x) AS right_one, max(length(a)) FROM (SELECT x, ai_complete(x) AS a FROM long OFFSET 0) q;
SELECT md5(string_agg(id || a, ',')) AS together FROM (SELECT id, ai_complete(x, model => 'long') AS a FROM long ORDER BY id) q \gset
SET ai_gateway.concurrent = off;
SELECT md5(string_agg(id || a, ',')) = :'together' AS same, sum(length(a)) FROM (SELECT id, ai_complete(x, model => 'long') AS a FROM long ORDER BY id) q;
RESET ai_gateway.concurrent;
SELECT string_agg(l.id::text, ',' ORDER BY l.id) FROM long l JOIN t USING (id) WHERE ai_complete(l.x) LIKE 'long 4%' AND t.k < 5;
-- while the rows change and go
BEGIN;
WITH changed AS (UPDATE long SET x = upper(ai_complete(x)) WHERE k < 3 RETURNING id, x, ai_complete(x) AS a)
	SELECT count(*), count(*) FILTER (WHERE a = x AND x LIKE 'LONG ' || id || ' %') AS right_one FROM changed;
WITH gone AS (DELETE FROM long WHERE k < 8 RETURNING x, ai_complete(x) AS a)
	SELECT count(*), count(*) FILTER (WHERE a = x) AS right_one FROM gone;
SELECT count(*) FROM long WHERE ai_complete(x) LIKE 'long %9 %';
ROLLBACK;

-- rows leave in the order in which they came
SELECT string_agg(a, ',') FROM (SELECT ai_complete(id::text, options => jsonb_build_object('mock', jsonb_build_object('latency_ms', 60 - id * 5))) a
	FROM t WHERE id <= 10 ORDER BY id) q;

-- what is the caller's fault is an error of its row too, whatever on_error says:
-- no row is asked for beyond the one that passes
CREATE TEMP TABLE faults (id int, m text, o jsonb);
INSERT INTO faults VALUES (1, 'c', NULL), (2, 'c', NULL), (3, 'nosuch', NULL), (4, 'v', NULL), (5, 'c', '{"temperature": "hot"}'), (6, 'c', '{"extra": {}}');
SELECT id FROM faults WHERE ai_complete(id::text, model => m, options => o) LIKE '%2%' LIMIT 1;
SELECT id FROM faults WHERE ai_complete(id::text, model => m, options => o) LIKE '%zzz%' LIMIT 1;
SET ai_gateway.on_error = 'null';
SELECT id FROM faults WHERE ai_complete(id::text, model => m, options => o) LIKE '%2%' LIMIT 1;
SELECT id, ai_complete(id::text, model => m, options => o) IS NULL AS none FROM faults WHERE id <> 3;
RESET ai_gateway.on_error;
SELECT id, (ai_try_complete(id::text, model => m)).error_kind FROM faults WHERE id <> 4 ORDER BY id;

-- so does an error of an expression: in an argument, in a filter, in a value that
-- is worth remembering; on its turn it comes
CREATE TEMP TABLE divisors (id int, d int, body text);
INSERT INTO divisors SELECT i, CASE i WHEN 3 THEN 0 ELSE 1 END, CASE i WHEN 3 THEN 'n/a' ELSE i::text END FROM generate_series(1, 40) i;
CREATE FUNCTION halve(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 100 / (i - 3); END $$;
SELECT id FROM divisors WHERE ai_complete((id / d)::text) = '2' LIMIT 1;
SELECT id FROM divisors WHERE ai_complete(format('%s %s', id, halve(id))) LIKE '2 %' LIMIT 1;
SELECT id FROM divisors WHERE ai_complete(body)::int >= 2 LIMIT 1;
SELECT id FROM divisors WHERE ai_complete((SELECT (t.id / divisors.d)::text FROM t WHERE t.id = divisors.id OFFSET 0)) = '2' LIMIT 1;
SELECT EXISTS (SELECT 1 FROM divisors WHERE ai_complete((id / d)::text) = '2');
SELECT id FROM divisors WHERE ai_complete((id / d)::text) = '9' LIMIT 1;
SELECT id, ai_complete(format('%s %s', id, halve(id))) FROM divisors;
SELECT id FROM divisors WHERE ai_complete(body)::int >= 20 LIMIT 1;
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete((id / d)::text) FROM divisors;
SAVEPOINT s;
FETCH 2 FROM c;
FETCH 1 FROM c;
ROLLBACK TO s;
ROLLBACK;
-- and so does a warning
SET ai_gateway.on_error = 'warn';
SELECT i FROM generate_series(1, 40) i WHERE ai_complete(i::text, options => CASE i WHEN 3 THEN '{"mock": {"fail": "server_error"}, "max_retries": 0}'::jsonb END) = '2' LIMIT 1;
RESET ai_gateway.on_error;
-- what is undone of a row ahead is undone for that row alone
CREATE TEMP TABLE noted (id int);
CREATE FUNCTION note(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO noted VALUES (i); RETURN 100 / (i - 30); END $$;
SELECT count(*) FROM (SELECT ai_complete(note(id)::text) a FROM divisors WHERE id < 30) q;
SELECT count(*), count(DISTINCT id) FROM noted;
DROP FUNCTION halve, note;

-- an error waits for the turn of its row
BEGIN;
DECLARE c CURSOR FOR SELECT id, ai_complete(x, options => CASE WHEN id = 4 THEN '{"mock": {"fail": "server_error"}, "max_retries": 0}'::jsonb END) FROM t ORDER BY id;
FETCH 3 FROM c;
FETCH 1 FROM c;
ROLLBACK;
BEGIN;
SET LOCAL ai_gateway.on_error = 'null';
SELECT id, ai_complete(x, options => CASE WHEN id = 4 THEN '{"mock": {"fail": "server_error"}, "max_retries": 0}'::jsonb END) FROM t WHERE id BETWEEN 3 AND 5 ORDER BY id;
ROLLBACK;

-- a cursor that goes back
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, ai_complete(x) FROM t ORDER BY id;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH LAST FROM c;
COMMIT;

-- what the statement keeps is bounded
SET work_mem = '64kB';
SELECT count(DISTINCT ai_complete(x, model => 'long')), sum(length(ai_complete(x))) FROM long;
SELECT calls, requests FROM calls('SELECT ai_complete(x, model => ''long'') FROM long, generate_series(1, 2) ORDER BY id');
RESET work_mem;

-- the inner side of a nested loop is no place to call from
EXPLAIN (COSTS OFF) SELECT t.id, a FROM t, ai_complete(t.x) a WHERE t.id < 5;
EXPLAIN (COSTS OFF) SELECT t.id, r.value, r.error FROM t LEFT JOIN LATERAL ai_try_complete(t.x) r ON true;
EXPLAIN (COSTS OFF) SELECT t.id, q.a FROM t CROSS JOIN LATERAL (SELECT ai_complete(t.x) AS a) q WHERE q.a LIKE 'y%';
EXPLAIN (COSTS OFF) SELECT t.id, q.a FROM t, LATERAL (SELECT ai_complete(t.x || few.id) AS a FROM few WHERE few.id = t.id OR few.id = 0) q;
EXPLAIN (COSTS OFF) SELECT t.id FROM t, ai_complete(t.x) a, ai_complete(a) b;
SELECT * FROM calls('SELECT a, b FROM t, ai_complete(t.x) a, ai_complete(upper(a)) b WHERE t.id <= 4 ORDER BY id');
-- it stays where a column is read twice and each row wants an answer of its own
EXPLAIN (COSTS OFF) SELECT a, length(a) FROM t, ai_complete(t.x, options => '{"cache": false}') a;

-- arguments of what returns sets are computed below it
EXPLAIN (COSTS OFF) SELECT id, unnest(string_to_array(ai_complete(x), 'y')), ai_complete('b' || x) FROM t WHERE id < 5;
SELECT id, unnest(string_to_array(ai_complete(x), '1')), ai_complete('b' || x), generate_series(1, 2) FROM t WHERE id IN (1, 2);
EXPLAIN (COSTS OFF) SELECT id, e FROM t, unnest(string_to_array(ai_complete(x), 'y')) e WHERE id < 5;
SELECT id, e FROM t LEFT JOIN LATERAL unnest(string_to_array(ai_complete(x), 'y')) WITH ORDINALITY e ON true WHERE id < 3;

-- what the rows of VALUES have in common is computed over what they differ in
EXPLAIN (COSTS OFF, VERBOSE) SELECT i, upper(a) FROM (VALUES (1, ai_complete('one')), (2, ai_complete('two'))) v(i, a);
EXPLAIN (COSTS OFF, VERBOSE) SELECT i, a FROM (VALUES (1, 'S: ' || ai_complete('one')), (2, 'S: ' || ai_complete('t' || current_setting('work_mem')))) v(i, a) WHERE a LIKE '%e';
SELECT i, a FROM (VALUES (1, 'S: ' || ai_complete('one')), (2, 'S: ' || ai_complete('two'))) v(i, a) WHERE a LIKE '%e';
BEGIN;
CREATE TEMP TABLE made (i int, a text);
EXPLAIN (COSTS OFF) INSERT INTO made VALUES (1, ai_complete('one')), (2, ai_complete('two')), (3, ai_complete('one'));
INSERT INTO made VALUES (1, ai_complete('one')), (2, ai_complete('two')), (3, ai_complete('one')) RETURNING *;
ROLLBACK;
-- two parts that differ, a row that calls and one that does not
EXPLAIN (COSTS OFF) SELECT i, a FROM (VALUES (1, ai_complete('one', options => '{"seed": 1}')), (2, ai_complete('two', options => '{"seed": 2}'))) v(i, a);
EXPLAIN (COSTS OFF) SELECT i, a FROM (VALUES (1, ai_complete('one')), (2, 'two')) v(i, a);

-- a correlated subquery that gives one value computes what is asked; the call stands outside
EXPLAIN (COSTS OFF, VERBOSE) SELECT id, (SELECT ai_complete(t.x)) FROM t;
EXPLAIN (COSTS OFF) SELECT id, (SELECT upper(ai_complete(string_agg(few.id::text, ','), system => t.x)) FROM few WHERE few.id <= t.k) FROM t;
SELECT id, (SELECT upper(ai_complete('x' || string_agg(few.id::text, ' ' ORDER BY few.id))) FROM few WHERE few.id <= t.k) AS above,
	(SELECT ai_complete(t.x) FROM few WHERE few.id = t.id + 98) AS few FROM t WHERE id <= 5 ORDER BY id;
SELECT * FROM calls('SELECT id, (SELECT ai_complete(few.id::text) FROM few WHERE few.id = t.id + 90 ORDER BY flag LIMIT 1) FROM t WHERE id <= 20');
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE (SELECT ai_complete(few.id::text) FROM few WHERE few.id = t.id) LIKE '%1';
EXPLAIN (COSTS OFF) SELECT id, (SELECT coalesce(ai_complete(few.id::text), 'none') FROM few WHERE few.id = t.id) FROM t;
SELECT id, (SELECT ai_complete(few.id::text) FROM few WHERE few.id > t.id) FROM t WHERE id = 1;

-- RETURNING
BEGIN;
EXPLAIN (COSTS OFF) UPDATE t SET x = 'new ' || id WHERE id < 4 RETURNING id, ai_complete(x);
UPDATE t SET x = 'new ' || id WHERE id < 4 RETURNING id, ai_complete(x), tableoid::regclass;
WITH gone AS (DELETE FROM t WHERE id < 4 RETURNING ai_complete(x) AS answer) SELECT answer FROM gone ORDER BY 1 LIMIT 1;
SELECT count(*) FROM t WHERE id < 4;
ROLLBACK;

-- actions of MERGE call beside each other for the rows whose action it is
BEGIN;
CREATE TABLE stock (id int PRIMARY KEY, item text, note text);
INSERT INTO stock SELECT i, 'item ' || i FROM generate_series(1, 10) i;
ANALYZE stock;
SELECT * FROM calls('MERGE INTO stock s USING few f ON f.id = s.id
	WHEN MATCHED AND f.flag THEN UPDATE SET note = ai_complete(s.item || f.id)
	WHEN MATCHED AND s.id = 5 THEN DELETE
	WHEN MATCHED AND ai_complete(''keep '' || s.item) LIKE ''%6'' THEN DO NOTHING
	WHEN MATCHED THEN UPDATE SET note = ''other''
	WHEN NOT MATCHED AND f.id < 15 THEN INSERT VALUES (f.id, upper(ai_complete(''new '' || f.id)))') ORDER BY calls;
SELECT * FROM stock ORDER BY id;
-- it is not known what happens until it does
EXPLAIN (COSTS OFF) INSERT INTO stock SELECT id, 'again' FROM few ON CONFLICT (id) DO UPDATE SET note = ai_complete(excluded.item);
SELECT * FROM calls('MERGE INTO stock s USING few f ON f.id = s.id WHEN MATCHED AND (SELECT true) THEN UPDATE SET note = ai_complete(s.item)');
SELECT count(note), count(*) FROM stock;
-- a condition that is null ends those of an action
UPDATE stock SET note = NULL;
SELECT * FROM calls('MERGE INTO stock s USING few f ON f.id = s.id WHEN MATCHED AND s.note <> ''old'' AND ai_complete(s.item) <> '''' THEN DELETE');
SELECT count(note), count(*) FROM stock;
ROLLBACK;

-- a column that does more than call is computed for all rows
CREATE SEQUENCE numbers;
SELECT * FROM calls('SELECT y FROM (SELECT id, nextval(''numbers''), ai_complete(x) AS y FROM t) s WHERE (SELECT true FROM few f WHERE f.id = s.id AND f.id % 20 = 0)');
SELECT last_value FROM numbers;
DROP SEQUENCE numbers;

-- parts of a partitioned table call together
CREATE TABLE parts (id int, k int, x text) PARTITION BY LIST (k);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0);
CREATE TABLE parts_1 (x text, id int, k int);
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT i, i % 3, 'x' || i FROM generate_series(1, 30) i;
ANALYZE parts;
EXPLAIN (COSTS OFF, VERBOSE) SELECT id FROM parts WHERE k < 2 AND id > 2 AND ai_complete(x) LIKE '%1%';
SELECT * FROM calls('SELECT ai_complete(x) FROM parts');
SELECT * FROM calls('SELECT id FROM t UNION ALL SELECT length(ai_complete(x)) FROM parts');
SELECT * FROM calls('SELECT ai_complete(x) FROM t WHERE id <= 5 UNION ALL SELECT ai_complete(x) FROM parts WHERE id <= 5');
SELECT * FROM calls('SELECT p.id FROM parts p JOIN generate_series(3, 5) g ON g = p.id WHERE ai_complete(p.x) LIKE ''x%''');
SELECT string_agg(ai_complete(x), ' ') FROM parts WHERE id < 10;
-- merged by a column: the first row waits for no other part's
CREATE INDEX ON parts (id);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM parts WHERE ai_complete(x) LIKE 'x%' ORDER BY id LIMIT 1;
SELECT * FROM calls('SELECT id FROM parts WHERE ai_complete(x) LIKE ''x%'' ORDER BY id LIMIT 1');
SELECT id FROM parts WHERE ai_complete(x) LIKE '%2' ORDER BY id;
RESET enable_seqscan;
RESET enable_bitmapscan;
BEGIN;
SELECT * FROM calls('UPDATE parts SET x = ai_complete(x || ''!''), k = k + 1 WHERE id < 10');
SELECT tableoid::regclass, * FROM parts WHERE id < 10 ORDER BY id;
DELETE FROM parts WHERE ai_complete(x) LIKE 'x1%' RETURNING tableoid::regclass, id;
ROLLBACK;
-- a row of the part's own type
SELECT p, ai_complete(x) FROM parts p WHERE id < 4;
-- what only one part remains of
SELECT o.id, (SELECT (SELECT 'c' FROM t s WHERE s.id = o.id AND s.id < 5) || ai_complete(o.x) FROM parts p WHERE p.k = 1 AND p.id = 1) FROM t o WHERE o.id IN (1, 2, 5, 9) ORDER BY o.id;

-- each plan of a statement is changed in the same way: the main one, a CTE, an
-- initplan, a subplan; and answers as without that
CREATE FUNCTION shown(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text; answer record; answers text[] = '{}'; plain text[] = '{}';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP RETURN NEXT regexp_replace(line, ' \(returns .*', ''); END LOOP;
	FOR answer IN EXECUTE query LOOP answers = answers || answer::text; END LOOP;
	PERFORM set_config('ai_gateway.concurrent', 'off', true);
	FOR answer IN EXECUTE query LOOP plain = plain || answer::text; END LOOP;
	PERFORM set_config('ai_gateway.concurrent', 'on', true);
	RETURN NEXT format('%s rows, %s', cardinality(answers), CASE WHEN answers = plain THEN 'alike' ELSE 'not alike' END);
END $$;
-- laterals in the parts of a UNION ALL
SELECT shown($$SELECT t.id, c FROM t, ai_complete(t.x) c WHERE t.id <= 5 UNION ALL SELECT f.id, c FROM few f, ai_complete(f.id::text) c WHERE f.id <= 5$$);
SELECT shown($$SELECT t.id, c FROM t, ai_complete(t.x) c WHERE t.id <= 5 UNION ALL SELECT s.id, c FROM t s, ai_complete(s.x) c WHERE s.id > 95$$);
SELECT shown($$WITH q AS MATERIALIZED (SELECT t.id, c FROM t, ai_complete(t.x) c WHERE t.id <= 5 UNION ALL SELECT s.id, c FROM t s, ai_complete(s.x) c WHERE s.id > 95) SELECT * FROM q$$);
SELECT shown($$WITH q AS (SELECT t.id, c FROM t, ai_complete(t.x) c WHERE t.id <= 5 UNION ALL SELECT s.id, c FROM t s, ai_complete(s.x) c WHERE s.id > 95) SELECT q.c, r.c FROM q CROSS JOIN q r$$);
SELECT shown($$SELECT ARRAY(SELECT c FROM t, ai_complete(t.x) c WHERE t.id <= 5 UNION ALL SELECT c FROM t s, ai_complete(s.x) c WHERE s.id > 95)$$);
SELECT peak FROM calls($$SELECT ARRAY(SELECT c FROM t, ai_complete(t.x, model => 'slow') c WHERE t.id <= 5 UNION ALL SELECT c FROM t s, ai_complete(s.x, model => 'slow') c WHERE s.id > 95)$$);
SELECT shown($$SELECT o.id, ARRAY(SELECT c FROM t, ai_complete(t.x) c WHERE t.id < o.id UNION ALL SELECT c FROM t s, ai_complete(s.x) c WHERE s.id > o.id + 97) FROM few o WHERE flag$$);
SELECT shown($$SELECT o.id, EXISTS (SELECT c FROM t, ai_complete(t.x) c WHERE t.id = o.id UNION ALL SELECT c FROM t s, ai_complete(s.x) c WHERE s.id = o.id + 98) FROM few o WHERE flag$$);
-- rows of VALUES in the parts
SELECT shown($$WITH q AS MATERIALIZED (SELECT * FROM (VALUES (1, ai_complete('one')), (2, ai_complete('two'))) v UNION ALL SELECT * FROM (VALUES (3, ai_complete('three')), (4, ai_complete('four'))) w) SELECT * FROM q$$);
-- subqueries in the parts
SELECT shown($$SELECT id, (SELECT ai_complete(p.x)) FROM parts p$$);
SELECT shown($$WITH q AS MATERIALIZED (SELECT id, (SELECT ai_complete(p.x)) FROM parts p) SELECT * FROM q$$);
SELECT shown($$SELECT id, ARRAY(SELECT (SELECT ai_complete(p.x)) FROM parts p WHERE p.id < few.id) FROM few WHERE flag$$);
-- a subquery beside a nested loop, and on its inner side
SELECT shown($$SELECT t.id, (SELECT ai_complete(a)) FROM t, ai_complete(t.x) a WHERE t.id <= 5$$);
SELECT shown($$SELECT t.id, s.a FROM t, LATERAL (SELECT (SELECT ai_complete(few.id || t.x)) AS a FROM few WHERE few.id = t.id OR few.id = 100) s WHERE t.k = 1$$);
SELECT shown($$WITH q AS MATERIALIZED (SELECT t.id, s.a FROM t, LATERAL (SELECT (SELECT ai_complete(few.id || t.x)) AS a FROM few WHERE few.id = t.id OR few.id = 100) s WHERE t.k = 1) SELECT * FROM q$$);
-- what a correlated subquery computes last after all that stands outside it
SELECT shown($$SELECT id, (SELECT ai_complete(p.x) FROM parts p WHERE p.id = t.id) FROM t WHERE k = 1$$);
SELECT shown($$SELECT id, (SELECT c FROM parts p, ai_complete(p.x) c WHERE p.id = t.id) FROM t WHERE k = 1$$);
CREATE VIEW asked AS SELECT id, k, ai_complete(id::text) AS answer FROM t;
SELECT shown($$SELECT id, (SELECT answer FROM asked WHERE id = few.id + 90) FROM few$$);
SELECT shown($$SELECT id, (SELECT answer FROM asked WHERE id > few.id + 90 ORDER BY k DESC LIMIT 1) FROM few$$);
DROP VIEW asked;
SELECT shown($$SELECT id, (SELECT a FROM (VALUES (1, ai_complete('one')), (2, ai_complete('two'))) v(i, a) WHERE i = few.id) FROM few$$);

-- waiting is nothing that compiling shortens
CREATE FUNCTION compiled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN (plan->0)::jsonb ? 'JIT';
END $$;
SET jit = on;
SELECT compiled('SELECT count(ai_complete(i::text)) FROM generate_series(1, 10000) i');
RESET jit;

-- each row has its own vector, whatever travels with it
SELECT count(*), count(DISTINCT e), min(cardinality(e)), count(*) FILTER (WHERE id % 10 = 0 AND e = (SELECT ai_embed(s.x) FROM long s WHERE s.id = q.id)) AS right_one
	FROM (SELECT id, ai_embed(x) AS e FROM long OFFSET 0) q;
-- long answers leave as much room for rows ahead as short ones: a row takes out
-- of the node's memory what it put in
UPDATE ai_gateway.models SET settings = '{"max_inputs": 2048}' WHERE name = 'v';
SELECT requests FROM calls($$SELECT ai_embed('text ' || i, model => 'v', dimensions => 3072) FROM generate_series(1, 8000) i$$);

-- an error of a row ahead is its own: in a function in SQL too, which keeps its
-- query where it is, and must not go on with it for the next row
CREATE FUNCTION divided(i int) RETURNS text LANGUAGE sql VOLATILE
	AS $$ SELECT count(*) FROM t; SELECT i || ':' || 60 / (id - 5) FROM t WHERE id = i $$;
SELECT id, ai_complete(divided(id), model => 'slow') FROM t WHERE id < 12 ORDER BY id LIMIT 4;
SELECT id, ai_complete(divided(id), model => 'slow') FROM t WHERE id < 12 ORDER BY id;
SELECT id FROM t WHERE ai_complete(divided(id), model => 'slow') <> '' ORDER BY id LIMIT 4;
BEGIN;
DECLARE ahead CURSOR FOR SELECT id, ai_complete(x) FROM t WHERE ai_complete(divided(id), model => 'slow') <> '' ORDER BY id;
FETCH 4 FROM ahead;
FETCH 1 FROM ahead;
ROLLBACK;

-- a cancel while a row ahead is worked on undoes what its catcher asks for
CREATE FUNCTION cancelled(i int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF i = 4 THEN
		RAISE EXCEPTION 'stop' USING ERRCODE = 'query_canceled';
	END IF;
	RETURN i;
END $$;
CREATE TABLE written (note text);
BEGIN;
DO $$
BEGIN
	BEGIN
		INSERT INTO written VALUES ('in the block');
		PERFORM ai_complete(cancelled(id), model => 'slow') FROM t ORDER BY id;
	EXCEPTION WHEN query_canceled THEN
		INSERT INTO written VALUES ('in its handler');
	END;
END $$;
COMMIT;
SELECT * FROM written;
DROP TABLE written;
DROP FUNCTION divided, cancelled;

DROP TABLE t, long, few, parts;
DROP FUNCTION calls, told, lines, compiled, shown;
DROP EXTENSION ai_gateway;
