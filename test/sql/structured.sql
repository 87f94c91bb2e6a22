-- ai_json: constrained, validated here, asked once more
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
SET ai_gateway.max_retries = 0;
\set VERBOSITY terse
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES
	('good', 'mock', 'm', '{"mock": {"answer": "{\"city\": \"Bonn\", \"n\": 3}"}}'),
	('fenced', 'mock', 'm', '{"mock": {"answer": "```json\n{\"city\": \"Bonn\"}\n```"}}'),
	('prose', 'mock', 'm', '{"mock": {"answer": "Bonn is a city"}}'),
	('mends', 'mock', 'm', '{"mock": {"answer": "{\"city\": 1}", "answers": {"That answer cannot be used: it is not of type string (at /city). Answer again, with the JSON document alone.": "{\"city\": \"Bonn\"}"}, "tokens": {"input": 10, "output": 5}}, "temperature": 0}'),
	('never', 'mock', 'm', '{"mock": {"answer": "{\"city\": 1}", "tokens": {"input": 10, "output": 5}}}'),
	('cut', 'mock', 'm', '{"mock": {"answer": "{\"city\": \"Bo", "finish_reason": "length"}}');

SELECT ai_json('where?', '{"type": "object", "properties": {"city": {"type": "string"}, "n": {"type": "integer"}}, "required": ["city"]}', model => 'good');
SELECT ai_json('where?', '{"type": "object"}', model => 'fenced');
SELECT ai_json('where?', '{"type": "object", "properties": {"city": {"type": "string"}}}', model => 'mends');
-- two attempts, and the tokens of both
SELECT attempts, input_tokens, output_tokens, error_kind FROM ai_gateway.last_call();
\set VERBOSITY default
SELECT ai_json('where?', '{"type": "object", "properties": {"city": {"type": "string"}}}', model => 'never');
SELECT attempts, input_tokens, output_tokens, error_kind FROM ai_gateway.last_call();
SELECT ai_json('where?', '{"type": "object"}', model => 'prose');
SELECT ai_json('where?', '{"type": "object"}', model => 'cut');
SELECT ai_json(NULL, '{"type": "object"}', model => 'good'), ai_json('x', NULL, model => 'good');
SET ai_gateway.on_error = 'null';
SELECT ai_json('where?', '{"type": "object"}', model => 'prose');
RESET ai_gateway.on_error;

-- documents of up to 10 kB, of many rows at once
INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('says', 'mock', 'm');
SELECT count(*), max(length(document::text)), bool_and(answer = document) AS right_one
	FROM (SELECT document, ai_json(document::text, '{"type": "object", "properties": {"items": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}, "text": {"type": "string"}}, "required": ["n", "text"], "additionalProperties": false}}}, "required": ["items"], "additionalProperties": false}', model => 'says') AS answer
		FROM (SELECT jsonb_build_object('items', (SELECT jsonb_agg(jsonb_build_object('n', n, 'text', 'item "' || n || '" of ' || i)) FROM generate_series(1, i * 7) n)) AS document
			FROM generate_series(1, 35) i) d OFFSET 0) q;

-- a schema that is not understood is an error, and makes no call
SELECT ai_json('x', '{"type": "object", "patternProperties": {"a": {}}}', model => 'good');
SELECT ai_json('x', '{"type": "objet"}', model => 'good');
SELECT ai_json('x', '{"properties": {"a": {"format": "colour"}}}', model => 'good');
SELECT ai_json('x', '{"$ref": "#/$defs/nowhere"}', model => 'good');
SELECT ai_json('x', '{"pattern": "("}', model => 'good');
\echo :LAST_ERROR_SQLSTATE
-- where it is a value and no keyword, nothing is matched against it
SELECT ai_json('where?', '{"not": {"const": {"pattern": "("}}}', model => 'good');
-- the fault of a row raises when it has its turn, and not before
SELECT i FROM generate_series(1, 4) i
	WHERE ai_json(i::text, CASE WHEN i = 3 THEN '{"pattern": "("}' ELSE '{"type": "object"}' END::jsonb, model => 'good',
		options => '{"mock": {"answer": "{\"n\": {prompt}}"}}')->>'n' = '2' LIMIT 1;
SELECT ai_json('x', '[]', model => 'good');

-- each keyword: a document that is valid and one that is not
\set VERBOSITY terse
CREATE TABLE cases (schema jsonb, document jsonb, valid boolean);
INSERT INTO cases VALUES
	('{"type": "string"}', '"a"', true), ('{"type": "string"}', '1', false),
	('{"type": ["string", "null"]}', 'null', true), ('{"type": ["string", "null"]}', 'true', false),
	('{"type": "integer"}', '2.0', true), ('{"type": "integer"}', '2.5', false),
	('{"type": "number"}', '2.5', true), ('{"type": "boolean"}', '"true"', false),
	('{"enum": ["a", 1, null]}', '1', true), ('{"enum": ["a", 1]}', '"b"', false),
	('{"const": {"a": [1]}}', '{"a": [1]}', true), ('{"const": {"a": [1]}}', '{"a": [2]}', false),
	('{"minimum": 1, "maximum": 3}', '3', true), ('{"minimum": 1}', '0', false), ('{"maximum": 3}', '4', false),
	('{"exclusiveMinimum": 1}', '1', false), ('{"exclusiveMaximum": 1}', '1', false), ('{"exclusiveMaximum": 1}', '0.5', true),
	('{"multipleOf": 0.1}', '0.3', true), ('{"multipleOf": 2}', '3', false),
	('{"minLength": 2, "maxLength": 3}', '"äö"', true), ('{"minLength": 2}', '"ä"', false), ('{"maxLength": 2}', '"abc"', false),
	('{"pattern": "^[a-c]+$"}', '"abc"', true), ('{"pattern": "^[a-c]+$"}', '"abd"', false),
	('{"format": "date"}', '"2026-02-29"', true), ('{"format": "date"}', '"2026-02-30"', false), ('{"format": "date"}', '"2026-1-1"', false),
	('{"format": "time"}', '"10:00:00Z"', true), ('{"format": "time"}', '"10:00"', false),
	('{"format": "date-time"}', '"2026-01-01T10:00:00.5+02:00"', true), ('{"format": "date-time"}', '"2026-01-01 10:00"', false),
	('{"format": "uuid"}', '"123e4567-e89b-12d3-a456-426614174000"', true), ('{"format": "uuid"}', '"123e4567"', false),
	('{"format": "email"}', '"a@b.example"', true), ('{"format": "email"}', '"a.b"', false),
	('{"format": "ipv4"}', '"10.0.0.1"', true), ('{"format": "ipv4"}', '"10.0.0.256"', false),
	('{"format": "ipv6"}', '"::1"', true), ('{"format": "ipv6"}', '"1"', false),
	('{"format": "uri"}', '"https://example.org/a?b"', true), ('{"format": "uri"}', '"/a b"', false),
	('{"items": {"type": "integer"}, "minItems": 1, "maxItems": 2}', '[1, 2]', true), ('{"items": {"type": "integer"}}', '[1, "2"]', false),
	('{"minItems": 1}', '[]', false), ('{"maxItems": 1}', '[1, 2]', false),
	('{"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}', '["a", 1, 2]', true), ('{"prefixItems": [{"type": "string"}], "items": false}', '["a", 1]', false),
	('{"uniqueItems": true}', '[1, {"a": 1}, {"a": 2}]', true), ('{"uniqueItems": true}', '[{"a": 1, "b": 2}, {"b": 2, "a": 1}]', false),
	('{"required": ["a"]}', '{"a": null}', true), ('{"required": ["a"]}', '{"A": 1}', false),
	('{"additionalProperties": false, "properties": {"a": true}}', '{"a": 1}', true), ('{"additionalProperties": false, "properties": {"a": true}}', '{"b": 1}', false),
	('{"additionalProperties": {"type": "integer"}}', '{"a": 1}', true), ('{"additionalProperties": {"type": "integer"}}', '{"a": "1"}', false),
	('{"minProperties": 1}', '{}', false), ('{"maxProperties": 1}', '{"a": 1, "b": 2}', false),
	('{"anyOf": [{"type": "string"}, {"type": "integer"}]}', '1', true), ('{"anyOf": [{"type": "string"}, {"type": "integer"}]}', '1.5', false),
	('{"oneOf": [{"minimum": 1}, {"maximum": 3}]}', '0', true), ('{"oneOf": [{"minimum": 1}, {"maximum": 3}]}', '2', false),
	('{"allOf": [{"minimum": 1}, {"maximum": 3}]}', '2', true), ('{"allOf": [{"minimum": 1}, {"maximum": 3}]}', '4', false),
	('{"not": {"type": "string"}}', '1', true), ('{"not": {"type": "string"}}', '"a"', false),
	('{"$defs": {"t": {"type": "object", "properties": {"next": {"$ref": "#/$defs/t"}, "v": {"type": "integer"}}}}, "$ref": "#/$defs/t"}', '{"next": {"next": {"v": 1}}}', true),
	('{"$defs": {"t": {"type": "object", "properties": {"next": {"$ref": "#/$defs/t"}, "v": {"type": "integer"}}}}, "$ref": "#/$defs/t"}', '{"next": {"next": {"v": "1"}}}', false),
	('{"$ref": "#"}', '1', false),
	('{"title": "t", "description": "d", "default": 1, "examples": [1]}', '1', true), ('true', '1', true), ('false', '1', false);
-- numbers are those of the answer
SELECT ai_json('x', '{"type": "object"}', model => 'good', options => jsonb_build_object('mock', jsonb_build_object('answer', '{"id": 1234567890123456789, "amount": 98765432109876543.21, "z": 9007199254740991, "rate": 1.50}')));
SELECT ai_json('x', '{"enum": [9007199254740993]}', model => 'good', options => '{"mock": {"answer": "9007199254740992"}}');
SET ai_gateway.on_error = 'null';
SELECT schema, document, valid FROM cases
	WHERE (ai_json('x', schema, model => 'good', options => jsonb_build_object('mock', jsonb_build_object('answer', document::text))) IS NOT NULL) <> valid;
SELECT count(*) FROM cases;
RESET ai_gateway.on_error;

DROP TABLE cases;
DROP EXTENSION ai_gateway;
