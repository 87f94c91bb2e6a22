-- ai_embed on the mock
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
INSERT INTO ai_gateway.models (name, task, provider, remote_model, options) VALUES
	('e', 'embed', 'mock', 'm1', '{"max_retries": 0, "mock": {"dimensions": 1536}}');
SET ai_gateway.default_embedding_model = 'e';

-- the same text has the same vector, of length 1
SELECT ai_embed('red') = ai_embed('red') AS same, ai_embed('red') <> ai_embed('blue') AS other,
	array_length(ai_embed('red'), 1) AS dimensions, pg_typeof(ai_embed('red')) AS type;
SELECT round(sum(x * x)::numeric, 5) FROM unnest(ai_embed('red')) x;
SELECT array_length(ai_embed('red', dimensions => 5), 1);
SELECT ai_embed(NULL::text) IS NULL AS nothing;
SELECT array_length(ai_embed(''), 1);

-- an array: each in its place, NULL stays NULL
SELECT ord, embedding = ai_embed(input) AS right_one, embedding IS NULL AS none
	FROM unnest(ARRAY['a', NULL, 'b', 'a']) WITH ORDINALITY AS i(input, n)
	JOIN ai_embed(ARRAY['a', NULL, 'b', 'a']) ON n = ord ORDER BY ord;
SELECT count(*) FROM ai_embed('{}'::text[]);
SELECT count(*) FROM ai_embed(NULL::text[]);
SELECT count(*) FROM ai_embed('{{a,b},{c,d}}'::text[]);
SELECT count(*), count(DISTINCT embedding) FROM ai_embed((SELECT array_agg(i::text) FROM generate_series(1, 5000) i));

-- texts of 1 B to 16 kB, each with its own vector, one by one and together
CREATE TABLE texts AS SELECT i, repeat('word ' || i || ' ', ('{1,10,100,2000}'::int[])[1 + i % 4]) AS t FROM generate_series(1, 40) i;
SELECT count(*), bool_and(e = (SELECT ai_embed(s.t) FROM texts s WHERE s.i = q.i OFFSET 0)) AS right_one, min(cardinality(e)), max(length(t))
	FROM (SELECT i, t, ai_embed(t) AS e FROM texts OFFSET 0) q;
SELECT count(*), count(DISTINCT embedding), bool_and(embedding = ai_embed(t)) AS right_one
	FROM texts JOIN ai_embed((SELECT array_agg(t ORDER BY i) FROM texts)) ON ord = i;
DROP TABLE texts;

-- bad arguments
SELECT ai_embed('x', dimensions => 0);
SELECT ai_embed('x', dimensions => -3);
SELECT ai_embed('x', options => '{"temperature": 1}');
SELECT ai_embed('x', model => 'nobody');

-- failures
SELECT ai_embed('x', options => '{"mock": {"fail": "context_length"}}');
SELECT * FROM ai_embed('{x}'::text[], options => '{"mock": {"fail": "context_length"}}');
SET ai_gateway.on_error = 'null';
SELECT ai_embed('x', options => '{"mock": {"fail": "context_length"}}') IS NULL AS nothing;
SELECT * FROM ai_embed('{x,y}'::text[], options => '{"mock": {"fail": "context_length"}}');
RESET ai_gateway.on_error;

-- how many texts a request carries: 256, or what the model's settings say, but never more than the provider takes
CREATE FUNCTION requests(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		IF line ~ 'requests=' THEN RETURN substring(line FROM 'requests=\d+'); END IF;
	END LOOP;
END $$;
SET ai_gateway.max_in_flight = 1;
SELECT requests('SELECT ai_embed(''text '' || i) FROM generate_series(1, 600) i');
UPDATE ai_gateway.models SET settings = '{"max_inputs": 100}' WHERE name = 'e';
SELECT requests('SELECT ai_embed(''text '' || i) FROM generate_series(1, 600) i');
UPDATE ai_gateway.models SET settings = '{"max_inputs": 100000}' WHERE name = 'e';
SELECT requests('SELECT ai_embed(''text '' || i) FROM generate_series(1, 2100) i');
-- small ones are all sent full: half of one is not worth a request
UPDATE ai_gateway.models SET settings = '{"max_inputs": 10}' WHERE name = 'e';
SELECT requests('SELECT ai_embed(''text '' || i) FROM generate_series(1, 100) i');
DROP FUNCTION requests;
DROP EXTENSION ai_gateway;
