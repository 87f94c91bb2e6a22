-- ai_chat on the mock
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES
	('m', 'mock', 'm1', '{"max_retries": 0, "mock": {"tokens": {"input": 7, "output": 3, "reasoning": 2}}}'),
	('e', 'mock', 'm1', NULL);
UPDATE ai_gateway.models SET task = 'embed' WHERE name = 'e';

SELECT jsonb_pretty(ai_chat('[{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]', model => 'm'));
-- parts of content
SELECT ai_chat('[{"role": "user", "content": [{"type": "text", "text": "in parts"}]}]', model => 'm')->>'text';
-- tool calls come normalised, and their results go back
SELECT jsonb_pretty(ai_chat('[{"role": "user", "content": "weather?"}]', model => 'm',
	tools => '[{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]',
	options => '{"mock": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Bonn"}}]}}')->'tool_calls');
-- a tool call in OpenAI's own form is taken too
SELECT ai_chat('[{"role": "user", "content": "weather?"},
	{"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
	{"role": "tool", "tool_call_id": "c1", "content": "sunny"}]', model => 'm')->>'text';

SELECT ai_chat('[{"role": "user", "content": "weather?"},
	{"role": "assistant", "tool_calls": [{"id": "c1", "name": "get_weather", "arguments": {}}]},
	{"role": "tool", "tool_call_id": "c1", "content": "rain"}]', model => 'm')->>'text';
SELECT ai_chat('[{"role": "user", "content": "weather?"},
	{"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{"}}]}]', model => 'm');

-- a conversation as long as they get, and an answer of 10 kB
SELECT length(m::text), c->>'text' = repeat('message 61 ', 30) AS right_one, length(ai_chat(m, model => 'm', options => '{"mock": {"answer_bytes": 10000}}')->>'text')
	FROM (SELECT jsonb_agg(jsonb_build_object('role', CASE WHEN i % 2 = 0 THEN 'assistant' ELSE 'user' END, 'content', repeat('message ' || i || ' ', 30)) ORDER BY i) AS m
		FROM generate_series(1, 61) i) q, ai_chat(m, model => 'm') c;

-- NULL gives NULL
SELECT ai_chat(NULL, model => 'nobody') IS NULL AS nothing;

-- what is no conversation
SELECT ai_chat('{}', model => 'm');
SELECT ai_chat('[]', model => 'm');
SELECT ai_chat('["hello"]', model => 'm');
SELECT ai_chat('[{"role": "wizard", "content": "x"}]', model => 'm');
SELECT ai_chat('[{"role": "user"}]', model => 'm');
SELECT ai_chat('[{"role": "user", "content": 1}]', model => 'm');
SELECT ai_chat('[{"role": "user", "content": [{"type": "smell"}]}]', model => 'm');
SELECT ai_chat('[{"role": "user", "content": "x", "colour": "red"}]', model => 'm');
SELECT ai_chat('[{"role": "tool", "content": "x"}]', model => 'm');
SELECT ai_chat('[{"role": "user", "content": "x"}]', model => 'm', tools => '{}');
SELECT ai_chat('[{"role": "user", "content": "x"}]', model => 'm', tools => '[{"type": "function"}]');
SELECT ai_chat('[{"role": "user", "content": "x"}]', model => 'm', tools => '[{"type": "function", "function": {"name": "get weather"}}]');
SELECT ai_chat('[{"role": "user", "content": "x"}]', model => 'm', tools => jsonb_build_array(jsonb_build_object('type', 'function', 'function', jsonb_build_object('name', repeat('f', 65)))));
SELECT ai_chat('[{"role": "user", "content": "x", "tool_calls": [{"id": "c1", "name": "f", "arguments": {}}]}]', model => 'm');
SELECT ai_chat('[{"role": "assistant", "tool_calls": {}}]', model => 'm');
SELECT ai_chat('[{"role": "user", "content": "x"}]', model => 'm', options => '{"tool_choice": "sometimes"}');

-- a model of another task
SELECT ai_chat('[{"role": "user", "content": "x"}]', model => 'e');
SELECT ai_embed('x', model => 'm');

-- failures
SET ai_gateway.on_error = 'null';
SELECT ai_chat('[{"role": "user", "content": "x"}]', model => 'm', options => '{"mock": {"fail": "quota"}}') IS NULL AS nothing;
DROP EXTENSION ai_gateway;
