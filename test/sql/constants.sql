-- an ai_embed() that reads no column is made once, when it is first needed, and an
-- index is used for it
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
\set VERBOSITY terse
INSERT INTO ai_gateway.models (name, task, provider, remote_model, options) VALUES ('e', 'embed', 'mock', 'm', '{"mock": {"dimensions": 8}}');
INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('m', 'mock', 'm');
INSERT INTO ai_gateway.model_grants (model, role) VALUES ('e', 0), ('m', 0);
SET ai_gateway.default_embedding_model = 'e';
SET ai_gateway.default_model = 'm';
CREATE TABLE docs AS SELECT i AS id, 'text ' || i AS body, ai_embed('text ' || i) AS embedding FROM generate_series(1, 1000) i;
CREATE INDEX ON docs (embedding);
ANALYZE docs;
CREATE FUNCTION calls() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	now bigint := coalesce((ai_gateway.last_call()).calls, 0);
	was bigint := coalesce(nullif(current_setting('test.calls', true), ''), '0');
BEGIN
	PERFORM set_config('test.calls', now::text, false);
	RETURN now - was;
END $$;
CREATE FUNCTION uses_index(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan::text LIKE '%Index Cond%';
END $$;
SELECT calls() \g /dev/null

SELECT uses_index($$SELECT id FROM docs WHERE embedding = ai_embed('text 77')$$);
SELECT id FROM docs WHERE embedding = ai_embed('text 77');
SELECT calls();
SELECT id FROM docs WHERE embedding = ai_embed('text 1') OR embedding = ai_embed('text 2') ORDER BY id;
SELECT calls();
SELECT id FROM docs ORDER BY (embedding)[1] - (ai_embed('text 5'))[1] = 0 DESC, id LIMIT 1;
SELECT calls();
-- parameters, generic plans, PL/pgSQL variables, stable expressions
PREPARE same(text) AS SELECT id FROM docs WHERE embedding = ai_embed($1);
SET plan_cache_mode = force_generic_plan;
EXECUTE same('text 7');
EXECUTE same('text 8');
SELECT uses_index($$EXECUTE same('text 9')$$);
SELECT calls();
RESET plan_cache_mode;
DO $$
DECLARE
	wanted text := 'text 12';
	found int;
BEGIN
	SELECT id INTO found FROM docs WHERE embedding = ai_embed(wanted);
	RAISE NOTICE 'found %', found;
END $$;
SELECT calls();
SET test.wanted = 'text 13';
SELECT id FROM docs WHERE embedding = ai_embed(current_setting('test.wanted'));
SELECT calls();
-- wherever it stands
SELECT id, (ai_embed('text 1'))[1] = embedding[1] AS same FROM docs WHERE id < 4 ORDER BY id;
WITH c AS (SELECT ai_embed('text 3') AS v) SELECT id FROM docs, c WHERE embedding = v;
SELECT count(*) FROM docs GROUP BY embedding = ai_embed('text 4') ORDER BY 1;
SELECT calls();
UPDATE docs SET embedding = ai_embed('changed') WHERE id <= 5 RETURNING id, embedding = ai_embed('changed') AS same;
SELECT calls();
SELECT id FROM docs WHERE id = 6 AND EXISTS (SELECT 1 FROM docs d WHERE d.embedding = ai_embed('text ' || 6));
SELECT calls();
-- not needed, not made
SELECT CASE WHEN id > 0 THEN 'yes' ELSE ai_embed('no')::text END FROM docs WHERE id = 7;
SELECT calls();
-- not of those that are another at each row
SELECT count(*) FROM docs WHERE id <= 10 AND embedding = ai_embed(body);
SELECT calls();
SELECT count(*) FROM docs WHERE id <= 10 AND ai_embed('text ' || random()) IS NOT NULL;
SELECT calls();
SELECT count(*) FROM docs WHERE id <= 10 AND ai_embed(ai_complete('text', options => '{"cache": false}')) IS NOT NULL;
SELECT calls();
-- nor of other calls
SELECT count(ai_complete('a joke', options => '{"cache": false}')) FROM docs WHERE id <= 10;
SELECT calls();

DROP TABLE docs;
DROP FUNCTION calls, uses_index;
DROP EXTENSION ai_gateway;
