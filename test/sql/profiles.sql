-- model_profiles: what a family of models refuses, renames or requires
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
SET ai_gateway.max_retries = 0;
SELECT count(*) > 30 AS seeded, bool_and(builtin) AS all_builtin FROM ai_gateway.model_profiles;
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES
	('m', 'mock', 'us.vendor.family-x-large', '{"mock": {"answer": "ok"}}');
SELECT ai_complete('hi', model => 'm', options => '{"temperature": 0.5}');
INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('family-x*', '{temperature,images}');
SELECT ai_complete('hi', model => 'm', options => '{"temperature": 0.5}');
SELECT ai_complete('hi', model => 'm', files => ARRAY['\x89504e470d0a1a0a'::bytea]);
-- dropped where the user says so, but for what is never dropped
SET ai_gateway.drop_unsupported = on;
SELECT ai_complete('hi', model => 'm', options => '{"temperature": 0.5}');
UPDATE ai_gateway.model_profiles SET refuses = '{seed}' WHERE pattern = 'family-x*';
SELECT ai_complete('hi', model => 'm', options => '{"seed": 5}');
RESET ai_gateway.drop_unsupported;
-- the longest pattern wins, and of two as long the one for the protocol
INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('family-x-large', '{}');
SELECT ai_complete('hi', model => 'm', options => '{"seed": 5}');
INSERT INTO ai_gateway.model_profiles (pattern, protocol, refuses) VALUES ('family-x-large', 'mock', '{tools,forced_tools}');
SELECT ai_chat('[{"role": "user", "content": "hi"}]', model => 'm', tools => '[{"type": "function", "function": {"name": "f"}}]');
UPDATE ai_gateway.model_profiles SET refuses = '{forced_tools}' WHERE protocol = 'mock';
SELECT ai_chat('[{"role": "user", "content": "hi"}]', model => 'm', options => '{"tool_choice": "required"}', tools => '[{"type": "function", "function": {"name": "f"}}]');
INSERT INTO ai_gateway.models (name, task, provider, remote_model) VALUES ('e', 'embed', 'mock', 'tiny-embed');
INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('tiny-embed*', '{dimensions}');
SELECT ai_embed('hi', model => 'e', dimensions => 4);
-- mistakes
\set VERBOSITY default
INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('a', '{temperatur}');
INSERT INTO ai_gateway.model_profiles (pattern, protocol) VALUES ('a', 'telepathy');
INSERT INTO ai_gateway.model_profiles (pattern, renames) VALUES ('a', '{"max_token": "x"}');
INSERT INTO ai_gateway.model_profiles (pattern, renames) VALUES ('a', '{"max_tokens": 5}');
INSERT INTO ai_gateway.model_profiles (pattern, requires) VALUES ('a', '[]');
INSERT INTO ai_gateway.model_profiles (pattern) VALUES ('');
-- a row of the DBA's own takes the place of a builtin one; a change makes it the DBA's
INSERT INTO ai_gateway.model_profiles (pattern, comment) VALUES ('gpt-oss*', 'mine');
SELECT comment, builtin FROM ai_gateway.model_profiles WHERE pattern = 'gpt-oss*';
UPDATE ai_gateway.model_profiles SET comment = 'mine too' WHERE pattern = 'mistral-embed*';
SELECT comment, builtin FROM ai_gateway.model_profiles WHERE pattern = 'mistral-embed*';
INSERT INTO ai_gateway.model_profiles (pattern, comment) VALUES ('gpt-oss*', 'again');
-- one without a pattern, one for a protocol, one without what it refuses, two that are as long
INSERT INTO ai_gateway.model_profiles (pattern) VALUES (NULL);
INSERT INTO ai_gateway.model_profiles (pattern, protocol, comment) VALUES ('o1*', 'ollama', 'beside it'), ('o3*', 'openai-chat', 'in its place');
SELECT pattern, protocol, builtin, CASE WHEN NOT builtin THEN comment END AS comment FROM ai_gateway.model_profiles WHERE pattern IN ('o1*', 'o3*') ORDER BY 1, 2;
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES ('two', 'mock', 'abcd', '{"mock": {"answer": "ok"}}');
INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('abc*', NULL);
INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('*bcd', '{temperature}'), ('abc*', '{}');
SELECT ai_complete('hi', model => 'two', options => '{"temperature": 0.5}');
INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('abcd*', '{}');
SELECT ai_complete('hi', model => 'two', options => '{"temperature": 0.5}');
DROP EXTENSION ai_gateway;
