-- one expression of the query is one call a row, however often its value is read
-- and whatever the model's options say of sharing: all of this comes the same with
-- ai_gateway.concurrent = off, but for the joins, where more calls are made then
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
-- a loop over more rows than one
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
SELECT count(*), count(*) FILTER (WHERE y = z) AS same FROM (SELECT y, y AS z FROM a, LATERAL (SELECT ai_complete(a.x || b.id) AS y FROM a b WHERE b.k = a.k AND b.id < 6) q WHERE a.id < 9 OFFSET 0) r;
SELECT calls();
SELECT count(*), count(*) FILTER (WHERE y::int % 2 = 1) AS not_what_the_filter_saw FROM a, LATERAL (SELECT ai_complete(a.x || b.id, model => 'number') AS y FROM a b WHERE b.k = a.k AND b.id < 6) q WHERE a.id < 9 AND y::int % 2 = 0;
SELECT calls();
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
RESET enable_memoize;
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

-- joins that give more rows than was estimated, answers that outgrow work_mem
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES
	('long', 'mock', 'mock', ('{"mock": {"answer": "' || repeat('z', 3000) || '{prompt}"}}')::jsonb),
	('huge', 'mock', 'mock', ('{"mock": {"answer": "' || repeat('z', 40000) || '{n}"}}')::jsonb);
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('long', 0), ('huge', 0);
CREATE TABLE big AS SELECT i AS id, 'b' || i AS x FROM generate_series(1, 300) i;
CREATE TABLE detail AS SELECT i AS id FROM generate_series(1, 300) i UNION ALL SELECT 1000 + i FROM generate_series(1, 20000) i;
ANALYZE big, detail;
INSERT INTO detail SELECT i FROM generate_series(2, 10) j, generate_series(1, 300) i;
SET enable_nestloop = off;
SET enable_mergejoin = off;
SET work_mem = '64kB';
SELECT count(*), count(DISTINCT t) FROM detail JOIN (SELECT id, ai_complete(x, 'number') t FROM big) v USING (id);
SELECT calls();
SELECT count(*), count(DISTINCT t) FROM detail JOIN (SELECT id, ai_complete(x, 'number') t FROM big) v USING (id) WHERE t = t AND t <> '';
SELECT calls();
SELECT count(*) FROM detail JOIN big USING (id) WHERE ai_complete(x, 'long') LIKE '%b%';
SELECT calls();
SELECT count(t), min(length(t)), max(length(t)) FROM detail JOIN (SELECT id, ai_complete(x, 'long') t FROM big) v USING (id);
SELECT calls();
SELECT count(*), bool_and(right(y, 2) ~ '^z?[0-9]+$') FROM a, ai_complete(x, 'huge') y WHERE y LIKE '%z%' AND id < 5;
SELECT calls();
-- what a Memoize would keep is kept, though the answers that it was made of have no room
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES ('wordy', 'mock', 'mock', '{"mock": {"answer_bytes": 10000}}');
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('wordy', 0);
SELECT sum(length(z)) FROM a, LATERAL (SELECT left(ai_complete(ai_complete(x, model => 'wordy'), model => 'wordy'), 5) AS z) q;
SELECT calls() AS "18, and not 120";
RESET work_mem;
-- what was tested before the join's own condition still is, if that calls, or is a subquery
SELECT count(*) FROM a JOIN big s ON a.id = s.id AND ai_complete('p' || a.x || s.x, 'long') LIKE '%' WHERE ai_complete(s.x, 'long') LIKE '%b1%';
SELECT calls();
SELECT count(*) FROM a JOIN big s ON a.id = s.id AND (SELECT max(ai_complete('p' || a.x || s.x || b.id, 'long')) FROM big b WHERE b.id < 3) LIKE '%' WHERE ai_complete(s.x, 'long') LIKE '%b1%';
SELECT calls() <= 90;
RESET enable_nestloop;
RESET enable_mergejoin;
-- one row in thirty survives: partners are many, a table has parts, a join stands between
CREATE TABLE parts (id int, x text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (150);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (150) TO (1000);
INSERT INTO parts SELECT * FROM big;
CREATE TABLE marks AS SELECT i % 10 * 30 AS id, i AS n FROM generate_series(1, 20) i;
ANALYZE parts, marks;
SELECT count(*) FROM big JOIN marks USING (id) WHERE ai_complete(x) LIKE '%';
SELECT calls() <= 9;
SELECT count(*) FROM parts JOIN marks USING (id) WHERE ai_complete(x) LIKE '%';
SELECT calls() <= 9;
SELECT count(y) FROM (SELECT b.id, ai_complete(b.x || d.id) AS y FROM big b JOIN big d USING (id) WHERE ai_complete(d.x) LIKE '%') q JOIN marks USING (id);
SELECT calls() <= 18;

-- beside a set: one a row of the set
SELECT count(DISTINCT t), count(*) FROM (SELECT generate_series(1, 3), ai_complete('x') t FROM a WHERE id < 5) q;
SELECT calls();
SELECT count(*) FROM (SELECT unnest(string_to_array(ai_complete(x), '-')) w, ai_complete('b' || x) t FROM a WHERE id < 5) q;
SELECT calls();

-- an operand that is always evaluated, of what decides
SELECT count((string_to_array(y, '-'))[1]) FROM a, ai_complete(x) y WHERE id < 5;
SELECT count(*) FROM a, ai_complete(x) y WHERE (y, id) < ('x3', 5);
SELECT calls();

-- answers and errors kept side by side
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES ('asked', 'mock', 'mock', '{"mock": {"answer": "{prompt}"}}');
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('asked', 0);
SET ai_gateway.default_model = 'asked';
CREATE TABLE notes (id int PRIMARY KEY, body text, answer text, error text, n int);
INSERT INTO notes SELECT i, CASE WHEN i % 5 > 0 THEN 'b' || i END FROM generate_series(1, 20) i;
ANALYZE notes;
CREATE FUNCTION nodes(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN (SELECT count(*) FROM jsonb_path_query(plan, 'strict $.**."Model Calls"[*]'));
END $$;
BEGIN;
UPDATE notes SET (answer, error) = (SELECT value, error FROM ai_try_complete(body)), n = id WHERE id < 8;
SELECT calls();
UPDATE notes SET n = length(body), (error, answer) = (SELECT upper(r.value), r.value || '!' FROM ai_try_complete(body || '?') r) WHERE id BETWEEN 6 AND 12 RETURNING id, answer, error, n;
SELECT calls();
SELECT * FROM notes WHERE id < 13 ORDER BY id;
ROLLBACK;
BEGIN;
UPDATE notes b SET answer = t.value, error = t.error FROM notes s, LATERAL ai_try_complete(s.body) t WHERE s.id = b.id AND b.id < 8;
SELECT calls();
MERGE INTO notes b USING (SELECT s.id, t.value, t.error FROM notes s, ai_try_complete(s.body || '!') t) q ON q.id = b.id WHEN MATCHED AND b.id > 15 THEN UPDATE SET answer = q.value, error = q.error;
SELECT id, answer, error FROM notes WHERE answer IS NOT NULL ORDER BY id;
ROLLBACK;
SELECT b.id, j.* FROM notes b, LATERAL jsonb_to_record(ai_json(b.body, '{"type": "object", "properties": {"n": {"type": "integer"}}}', options => '{"mock": {"answer": "{\"n\": 7}"}}')) AS j(n int, s text) WHERE id < 4;
SELECT nodes('UPDATE notes SET (answer, error) = (SELECT value, error FROM ai_try_complete(body))') AS set,
	nodes('UPDATE notes b SET answer = t.value FROM notes s, LATERAL ai_try_complete(s.body) t WHERE s.id = b.id') AS update_from,
	nodes('MERGE INTO notes b USING (SELECT s.id, t.value FROM notes s, ai_try_complete(s.body) t) q ON q.id = b.id WHEN MATCHED THEN UPDATE SET answer = q.value') AS merge,
	nodes('SELECT j.* FROM notes b, jsonb_to_record(ai_json(b.body, ''{}'')) AS j(n int)') AS record;

-- the row of a function as a whole
SELECT id, to_jsonb(t) - '{latency_ms,request_id}'::text[] AS t, (t).value FROM (SELECT id, t FROM notes, LATERAL ai_try_complete(body) t WHERE id < 7) q ORDER BY id;
SELECT calls();
SELECT id, t IS NULL AS missing, to_jsonb(t) ->> 'value' AS value FROM notes LEFT JOIN LATERAL (SELECT * FROM ai_try_complete(body) t WHERE id % 2 = 0) t ON true WHERE id < 7 ORDER BY id;

-- one table twice is two parts
SELECT part, id, y FROM (SELECT 1 AS part, id, x FROM big UNION ALL SELECT 2, id, x || '!' FROM big) q JOIN (VALUES (3), (3), (5)) v (id) USING (id), LATERAL (SELECT ai_complete(x, model => 'asked') AS y) l ORDER BY 1, 2;
SELECT part, id FROM (SELECT 1 AS part, id, x FROM big UNION ALL SELECT 2, id, x || '!' FROM big) q JOIN (VALUES (3), (3), (5)) v (id) USING (id) WHERE ai_complete(x, model => 'asked') LIKE '%!' ORDER BY 1, 2;
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT count(*) FROM (SELECT id, x FROM big UNION ALL SELECT id, x || '!' FROM big) q JOIN marks USING (id) WHERE ai_complete(x, model => 'warm') LIKE x || '-%';
RESET enable_nestloop;
RESET enable_mergejoin;

-- a side that begins anew has other rows each time
SELECT count(*) FROM (VALUES (1), (2), (3)) m (n), LATERAL (SELECT b.x FROM big b JOIN marks k ON k.id = b.id WHERE ai_complete(b.x || m.n, model => 'warm') LIKE b.x || m.n || '-%' OFFSET 0) d;
SELECT count(*) FROM (VALUES (1), (2), (3)) m (n), LATERAL (SELECT b.body FROM notes b JOIN marks k ON k.n > b.id WHERE ai_complete(b.body || m.n, model => 'warm') LIKE b.body || m.n || '-%' OFFSET 0) d (x);
SELECT count(*), count(DISTINCT d) FROM (VALUES (1), (2), (3)) m (n) LEFT JOIN LATERAL (SELECT ai_complete(b.body || m.n, model => 'warm') FROM notes b JOIN marks k ON k.n < b.id WHERE b.id > 17) d (d) ON true;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT m.n, d.id, d.y FROM marks m, LATERAL (SELECT id, ai_complete(x || m.n, model => 'asked') AS y FROM big b WHERE b.id = m.id) d WHERE d.y LIKE '%2%' ORDER BY 1;
SELECT m.n, d.id FROM marks m, LATERAL (SELECT b.id FROM big b JOIN big c ON c.id = b.id + 1 WHERE b.id = m.id AND ai_complete(b.x || m.n, model => 'asked') LIKE '%2%') d ORDER BY 1;
SET enable_mergejoin = on;
SET enable_nestloop = off;
-- rows that are alike stay in the order of a Sort over few
SELECT b.n, m.n FROM marks b JOIN marks m ON m.id = b.id WHERE ai_complete(b.n::text, model => 'asked') LIKE '%2%' AND b.n < 15 LIMIT 6;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_nestloop;
RESET enable_material;

-- columns set by several subqueries, and in several parts
CREATE TABLE pieces (id int, body text, answer text, error text, n int, m int) PARTITION BY RANGE (id);
CREATE TABLE pieces_1 PARTITION OF pieces FOR VALUES FROM (0) TO (5);
CREATE TABLE pieces_2 PARTITION OF pieces FOR VALUES FROM (5) TO (100);
INSERT INTO pieces SELECT id, body FROM notes WHERE id < 11;
UPDATE pieces SET (answer, error) = (SELECT value, error FROM ai_try_complete(body));
UPDATE pieces SET (n, m) = (SELECT length(y), id FROM ai_complete(body) y), (answer, error) = (SELECT y, body FROM ai_complete(body || 'z') y) WHERE id > 2;
UPDATE pieces SET (answer, error) = (SELECT y, upper(y) FROM ai_complete(id || body) y), (n, m) = (SELECT count(*), max(o.id) FROM marks o WHERE o.id = pieces.id) WHERE id IN (2, 4, 8);
SELECT * FROM pieces ORDER BY id;
DROP TABLE pieces;

-- a side that a filter leaves empty spares the other side's calls
SELECT calls() \g /dev/null
CREATE VIEW numbered AS SELECT id, ai_complete(x, model => 'warm') AS y, row_number() OVER (ORDER BY id) AS n FROM a;
SET enable_nestloop = off;
SET enable_hashjoin = off;
SELECT count(*) FROM numbered JOIN notes b USING (id) WHERE ai_complete(b.body, model => 'asked') = '' AND y < b.body;
SELECT calls() <= 22;
SET enable_hashjoin = on;
SET enable_mergejoin = off;
SELECT count(*) FROM numbered JOIN notes b USING (id) WHERE ai_complete(b.body, model => 'asked') = '' AND y < b.body;
SELECT calls() <= 22;
RESET enable_nestloop;
RESET enable_mergejoin;
DROP VIEW numbered;

-- a reader that stops leaves questions under way, whose values nobody takes
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES ('late', 'mock', 'mock', '{"temperature": 0.7, "mock": {"latency_ms": [1, 60], "answer": "{prompt}-{n}"}}');
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('late', 0);
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT m.n, (SELECT b.id FROM big b JOIN marks k ON k.id = b.id WHERE b.id > m.n AND ai_complete(b.x, model => 'late') LIKE '%20-%' LIMIT 1) FROM marks m WHERE n < 4;
RESET enable_nestloop;
RESET enable_mergejoin;

-- what does more than to give a value is done for rows that are read
SELECT setval('numbers', 100);
SELECT ai_complete(x, model => 'asked') FROM a WHERE ai_complete('n' || nextval('numbers'), model => 'asked') LIKE '%7' LIMIT 1;
SELECT last_value FROM numbers;

-- the rows of a join are of no table alone
BEGIN;
DECLARE c CURSOR FOR SELECT id, y FROM notes, ai_complete(body, model => 'asked') y;
FETCH c;
DELETE FROM notes WHERE CURRENT OF c;
ROLLBACK;

DROP VIEW v;
DROP FUNCTION nodes;
DROP TABLE notes, a, big, detail, parts, marks;
DROP SEQUENCE numbers;
DROP FUNCTION calls;
DROP EXTENSION ai_gateway;
