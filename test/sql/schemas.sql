-- Schemas that ai_json() refuses: what is said and where; and the corners of
-- those that it takes.
\set VERBOSITY terse
CREATE EXTENSION ai_gateway;
INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('c', 'mock', 'm');
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES ('fixed', 'mock', 'm', '{"mock": {"answer": "{\"a/b~c\": [1, \"x\"]}"}}');
SET ai_gateway.default_model = 'c';
SET ai_gateway.max_retries = 0;
CREATE FUNCTION refusal(schema jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ai_json('{}', schema);
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT schema, refusal(schema::jsonb) FROM (VALUES
	(1, '{"type": 5}'), (2, '{"type": []}'), (3, '{"type": ["string", "objet"]}'), (4, '{"type": ["string", 5]}'),
	(5, '{"properties": []}'), (6, '{"properties": {"a/b~c": {"type": "objet"}}}'), (7, '{"anyOf": []}'), (8, '{"anyOf": {}}'),
	(9, '{"allOf": [{}, {"not": {"oneOf": [{}, {"minimum": "1"}]}}]}'),
	(10, '{"required": "a"}'), (11, '{"required": ["a", 1]}'), (12, '{"enum": []}'), (13, '{"uniqueItems": 1}'), (14, '{"minLength": -1}'),
	(15, '{"minLength": 1.5}'), (16, '{"multipleOf": 0}'), (16.1, '{"multipleOf": "1"}'), (16.2, '{"multipleOf": 0.1}'), (17, '{"pattern": 5}'), (18, '{"format": 5}'),
	(19, '{"$ref": "other.json"}'), (20, '{"$ref": "#"}'), (21, '{"$ref": "#/nowhere"}'), (22, '{"$ref": 5}'),
	(23, '{"items": [{}]}'), (24, '{"if": {}}')) s(n, schema) ORDER BY n;

-- what the mock answers is the prompt
CREATE FUNCTION valid(schema jsonb, document text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN ai_json(document, schema) IS NOT NULL;
EXCEPTION WHEN OTHERS THEN
	IF SQLERRM !~ 'cannot be used' THEN RAISE; END IF;
	RETURN false;
END $$;
SELECT schema, document, valid(schema::jsonb, document) FROM (VALUES
	(1, '{"type": "array"}', '[]'), (2, '{"type": "array"}', '{}'),
	(3, '{"$defs": {"a/b~c": {"type": "integer"}}, "$ref": "#/$defs/a~1b~0c"}', '1'),
	(4, '{"$defs": {"a/b~c": {"type": "integer"}}, "$ref": "#/$defs/a~1b~0c"}', '"1"'),
	(5, '{"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/anyOf/1"}}]}', '[[], [[]]]'),
	(6, '{"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/anyOf/1"}}]}', '[[], [1]]'),
	(7, '{"format": "date-time"}', '"2026-01-01T10:00:00.123Z"'), (8, '{"format": "date-time"}', '"2026-01-01T10:00:00.Z"')
	) s(n, schema, document) ORDER BY n;
-- the place of a fault is told as a JSON pointer
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT ai_json('x', '{"properties": {"a/b~c": {"items": {"type": "integer"}}}}', model => 'fixed');
\set VERBOSITY terse
DROP FUNCTION refusal, valid;
DROP EXTENSION ai_gateway;
