-- ai_rerank and ai_embed of an array for many rows: one value a row for the
-- calls under way, opened to the same rows
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
\set VERBOSITY terse
INSERT INTO ai_gateway.models (name, task, provider, remote_model, options, settings) VALUES
	('rank', 'rerank', 'mock', 'm', '{"mock": {"latency_ms": 20}}', NULL),
	('e', 'embed', 'mock', 'm', '{"mock": {"dimensions": 3, "latency_ms": 20}}', '{"max_inputs": 8}');
SET ai_gateway.default_rerank_model = 'rank';
SET ai_gateway.default_embedding_model = 'e';
CREATE TABLE docs (id int PRIMARY KEY, topic text, passages text[]);
INSERT INTO docs SELECT i, 'red ' || i, CASE WHEN i % 10 <> 0 THEN ARRAY['a ' || i, 'red ' || i, NULL, repeat('long ', i * 50), 'b'] END FROM generate_series(1, 60) i;
INSERT INTO docs VALUES (61, NULL, '{a,b}'), (62, 'empty', '{}'), (63, 'nulls', '{NULL,NULL}'), (64, 'square', '{{a,b},{c,a}}');
ANALYZE docs;

-- what EXPLAIN ANALYZE counts
CREATE FUNCTION calls(query text) RETURNS TABLE (function text, calls int, "distinct" int, overlap boolean)
LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	RETURN QUERY SELECT c->>'Function', (c->>'Calls')::int, (c->>'Distinct')::int, (c->>'Peak In Flight')::int > 8
		FROM jsonb_path_query(plan, 'strict $.**."Model Calls"[*]') c;
END $$;
-- do they give the same one by one, and does the plan have a node?
CREATE FUNCTION same(query text, OUT same boolean, OUT n bigint, OUT node boolean)
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
	together text;
	alone text;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	EXECUTE 'SELECT count(*), jsonb_agg(to_jsonb(q))::text FROM (' || query || ') q' INTO n, together;
	PERFORM set_config('ai_gateway.concurrent', 'off', true);
	EXECUTE 'SELECT jsonb_agg(to_jsonb(q))::text FROM (' || query || ') q' INTO alone;
	PERFORM set_config('ai_gateway.concurrent', 'on', true);
	same := together IS NOT DISTINCT FROM alone;
	node := plan::text LIKE '%AiCalls%';
END $$;

EXPLAIN (COSTS OFF) SELECT d.id, r.index FROM docs d, LATERAL ai_rerank(d.topic, d.passages) r;
EXPLAIN (COSTS OFF) SELECT d.id, e.ord FROM docs d, LATERAL ai_embed(d.passages) e;
EXPLAIN (COSTS OFF) SELECT id, ai_rerank('red', passages) FROM docs;
-- a set alone has nothing beside it, and may be larger than any value
EXPLAIN (COSTS OFF) SELECT * FROM ai_embed('{a,b}'::text[]);
SET ai_gateway.concurrent = off;
EXPLAIN (COSTS OFF) SELECT d.id, r.index FROM docs d, LATERAL ai_rerank(d.topic, d.passages) r;
RESET ai_gateway.concurrent;

-- calls are under way at once, and no more are made than there are questions
SELECT * FROM calls($$SELECT d.id, r.* FROM docs d, LATERAL ai_rerank(d.topic, d.passages) r$$);
SELECT * FROM calls($$SELECT d.id, e.* FROM docs d, LATERAL ai_embed(d.passages) e$$);
SELECT * FROM calls($$SELECT id, ai_rerank(topic, passages) FROM docs$$);

UPDATE ai_gateway.models SET options = '{"mock": {"dimensions": 3}}';
SELECT shape, s.* FROM unnest(ARRAY[
	'SELECT d.id, r.* FROM docs d, LATERAL ai_rerank(d.topic, d.passages) r',
	'SELECT d.id, r.* FROM docs d, LATERAL ai_rerank(''red'', d.passages, top_n => 2) r ORDER BY d.id DESC, r.index',
	'SELECT d.id, r.* FROM docs d LEFT JOIN LATERAL ai_rerank(d.topic, d.passages) r ON r.score > 0',
	'SELECT d.id, r.* FROM docs d CROSS JOIN LATERAL ai_rerank(d.topic, d.passages) WITH ORDINALITY r(i, d, s, n)',
	'SELECT d.id, r FROM docs d, LATERAL ai_rerank(d.topic, d.passages) r',
	'SELECT d.id, r.document, length(r.document) FROM docs d, LATERAL (SELECT * FROM ai_rerank(d.topic, d.passages) LIMIT 1) r',
	'SELECT d.id, e.* FROM docs d, LATERAL ai_embed(d.passages) e',
	'SELECT d.id, e.* FROM docs d, LATERAL ai_embed(d.passages, dimensions => 4, options => ''{"cache": false}'') e',
	'SELECT d.id, e.*, r.* FROM docs d, LATERAL ROWS FROM (ai_embed(d.passages), ai_rerank(d.topic, d.passages)) AS e(a, b, c, d, f), LATERAL ai_rerank(e.d, d.passages, top_n => 1) r',
	'SELECT d.id, e.ord, md5(e.embedding::text) FROM docs d, LATERAL ai_embed(d.passages, dimensions => 1536) e',
	'SELECT id, ai_rerank(topic, passages) r FROM docs',
	'SELECT id, (ai_embed(passages)).* FROM docs',
	'SELECT id, ARRAY(SELECT document FROM ai_rerank(topic, passages)) FROM docs',
	'SELECT id FROM docs d WHERE EXISTS (SELECT FROM ai_rerank(d.topic, d.passages) r WHERE r.score > 0.5 AND r.index > 1)',
	'SELECT d.id, count(*) FROM docs d, LATERAL ai_rerank(d.topic, ARRAY(SELECT x.topic FROM docs x WHERE x.id < 3)) r GROUP BY d.id ORDER BY 1',
	'SELECT d.id, r.* FROM docs d, LATERAL ai_rerank(ai_gateway.version() || d.topic, d.passages) r WHERE d.id < 5',
	'SELECT * FROM ai_rerank(''red'', ARRAY[''a'', ''red'', NULL])']) shape, LATERAL same(shape) s;

-- types stay what they are
SELECT pg_typeof(r) AS record, pg_typeof(r.document) AS document FROM docs d, LATERAL ai_rerank(d.topic, d.passages) r WHERE d.id = 1 LIMIT 1;
CREATE VIEW ranked AS SELECT d.id, r.* FROM docs d, LATERAL ai_rerank(d.topic, d.passages) r;
SELECT pg_get_viewdef('ranked');
SELECT index, left(document, 9), score FROM ranked WHERE id = 1;
DROP VIEW ranked;

-- what goes wrong goes wrong in its row
SELECT d.id, r.index FROM docs d, LATERAL ai_rerank(d.topic, d.passages, options => CASE WHEN id = 3 THEN '{"mock": {"fail": "context_length"}}'::jsonb END) r WHERE r.index = 2 LIMIT 2;
SELECT d.id, r.index FROM docs d, LATERAL ai_rerank(d.topic, d.passages, options => CASE WHEN id = 3 THEN '{"mock": {"fail": "context_length"}}'::jsonb END) r WHERE r.index = 2;
SELECT d.id, r.index FROM docs d, LATERAL ai_rerank(d.topic, d.passages, top_n => 4 - d.id) r WHERE d.id > 2;
SET ai_gateway.on_error = 'null';
SELECT count(*), count(DISTINCT d.id) FROM docs d, LATERAL ai_rerank(d.topic, d.passages, options => CASE WHEN id % 3 = 0 THEN '{"mock": {"fail": "context_length"}}'::jsonb END) r;
SELECT e.ord, e.embedding IS NULL AS none FROM docs d, LATERAL ai_embed(d.passages, options => '{"mock": {"fail": "invalid_request", "fail_if": "red"}}') e WHERE d.id = 1;
RESET ai_gateway.on_error;

-- four equal texts are one question
SELECT count(DISTINCT embedding), count(*) FROM ai_embed('{a,a,a,a}'::text[]);
SELECT input_tokens FROM ai_gateway.last_call();

-- who may not execute it may not through its plan either, and a plan is made anew
CREATE ROLE regress_ai_reader;
GRANT SELECT ON docs TO regress_ai_reader;
INSERT INTO ai_gateway.model_grants SELECT name, 'regress_ai_reader' FROM ai_gateway.models;
PREPARE ranks AS SELECT r.document FROM docs d, LATERAL ai_rerank('b', d.passages, top_n => 1) r WHERE d.id < 3;
SET ROLE regress_ai_reader;
EXECUTE ranks;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION ai_rerank(text, text[], text, int, jsonb) FROM PUBLIC;
SET ROLE regress_ai_reader;
EXECUTE ranks;
EXPLAIN (COSTS OFF) SELECT r.document FROM docs d, LATERAL ai_rerank('b', d.passages) r;
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_rerank(text, text[], text, int, jsonb) TO PUBLIC;
-- nor is a way to what it stands for closed without closing its own
REVOKE EXECUTE ON FUNCTION ai_gateway.rerank_array(text, text[], text, int, jsonb) FROM PUBLIC;
SET ROLE regress_ai_reader;
EXECUTE ranks;
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_gateway.rerank_array(text, text[], text, int, jsonb) TO PUBLIC;
-- settings of the function hold
ALTER FUNCTION ai_rerank(text, text[], text, int, jsonb) SET ai_gateway.default_rerank_model = 'nobody';
EXECUTE ranks;
ALTER FUNCTION ai_rerank(text, text[], text, int, jsonb) RESET ALL;
ALTER FUNCTION ai_embed(text, text, int, jsonb) SET ai_gateway.default_embedding_model = 'nobody';
SELECT count(ai_embed(topic)) FROM docs;
ALTER FUNCTION ai_embed(text, text, int, jsonb) RESET ALL;
SELECT count(ai_embed(topic)) FROM docs;
DEALLOCATE ranks;

-- the two that it becomes, by hand
SELECT ai_gateway.rerank_array('red', '{a,red}');
SELECT * FROM ai_gateway.rerank_array('red', '{a,red}');
SELECT cardinality(ai_gateway.embed_array('{a,b,NULL}')), ai_gateway.embed_array('{}') AS empty, ai_gateway.rerank_array('a', '{}') IS NULL AS none;
SELECT * FROM ai_gateway.open_ranked(ARRAY[(1, 'a', 0.5)::ai_gateway.ranked, NULL, (NULL, NULL, NULL)::ai_gateway.ranked]);
SELECT * FROM ai_gateway.open_ranked(NULL);
SELECT ai_gateway.open_embeddings(ARRAY[(1, '{1,2}')::ai_gateway.embedding]);
SELECT probin AS library FROM pg_proc WHERE proname = 'ai_rerank' \gset
CREATE FUNCTION wrong_array(text, text[], text, int, jsonb) RETURNS ai_gateway.embedding[] LANGUAGE C AS :'library', 'ai_rerank_array_0_1';
CREATE FUNCTION wrong_opener(ai_gateway.embedding[], OUT index int, OUT document text, OUT score float8) RETURNS SETOF record LANGUAGE C AS :'library', 'ai_open_ranked_0_1';
CREATE FUNCTION wrong_kind(int[], OUT index int, OUT document text, OUT score float8) RETURNS SETOF record LANGUAGE C AS :'library', 'ai_open_ranked_0_1';
SELECT wrong_array('a', '{a}', NULL, NULL, NULL);
SELECT wrong_opener(ARRAY[(1, '{1}')::ai_gateway.embedding]);
SELECT wrong_kind('{1}');

DROP FUNCTION calls, same, wrong_array, wrong_opener, wrong_kind;
DROP TABLE docs;
DROP OWNED BY regress_ai_reader;
DROP ROLE regress_ai_reader;
DROP EXTENSION ai_gateway;
