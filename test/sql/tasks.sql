-- ai_rerank, ai_moderate, ai_transcribe and what last_call() says of them
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never
\set VERBOSITY default
INSERT INTO ai_gateway.models (name, task, provider, remote_model, options) VALUES
	('rank', 'rerank', 'mock', 'm', NULL),
	('watch', 'moderate', 'mock', 'm', '{"mock": {"moderation": {"hate": 0.1, "violence": 0.7}}}'),
	('listen', 'transcribe', 'mock', 'm', '{"mock": {"answer": "heard {bytes} bytes"}}');
SELECT * FROM ai_rerank('red apple', ARRAY['a green pear', 'an apple', NULL, 'a red apple', 'red'], model => 'rank');
SELECT index, score FROM ai_rerank('red apple', ARRAY['a green pear', 'an apple', 'a red apple'], model => 'rank', top_n => 1);
SELECT count(*) FROM ai_rerank(NULL, ARRAY['a'], model => 'rank');
SELECT count(*) FROM ai_rerank('a', NULL, model => 'rank');
SELECT count(*) FROM ai_rerank('a', '{}', model => 'rank');
SELECT * FROM ai_rerank('a', ARRAY['a'], model => 'rank', top_n => 0);
SELECT * FROM ai_rerank('a', ARRAY['a']);
SET ai_gateway.default_rerank_model = 'rank';
SELECT * FROM ai_rerank('a', ARRAY['a']);
SELECT task, model, provider, served_by, error_kind, attempts FROM ai_gateway.last_call();

SELECT ai_moderate('a text', model => 'watch');
SELECT ai_moderate(NULL, model => 'watch');
SET ai_gateway.default_moderation_model = 'watch';
SELECT ai_moderate('a text')->>'flagged' AS flagged;

SELECT ai_transcribe('\x0102030405', model => 'listen');
SELECT ai_transcribe(NULL, model => 'listen');
SET ai_gateway.default_transcription_model = 'listen';
SELECT ai_transcribe('\x01');
SELECT ai_transcribe('\x01', model => 'rank');

-- options, the last argument of each of them
SELECT ai_moderate('a text', options => '{"mock": {"moderation": {"hate": 0.9}}}');
SELECT index FROM ai_rerank('a', ARRAY['b', 'a'], options => '{"max_retries": 0, "cache": false, "mock": {}}');
SELECT ai_moderate('a text', options => '{"max_retries": 1, "mock": {"fail": "overloaded", "retry_after_ms": 1}}');
SELECT attempts FROM ai_gateway.last_call();
SELECT * FROM ai_rerank('a', ARRAY['a'], options => '{"max_retries": 2, "mock": {"fail": "overloaded", "retry_after_ms": 1}}');
SELECT attempts FROM ai_gateway.last_call();
SELECT ai_moderate('a text', options => '{"timeout_ms": 20, "mock": {"latency_ms": 60000}}');
SELECT * FROM ai_rerank('a', ARRAY['a'], options => '{"timeout_ms": 20, "mock": {"latency_ms": 60000}}');
SELECT ai_transcribe('\x01', options => '{"timeout_ms": 20, "mock": {"latency_ms": 60000}}');
SELECT ai_moderate('a text', options => '{"extra": {"x": 1}}');
SELECT * FROM ai_rerank('a', ARRAY['a'], options => '{"extra": {"x": 1}}');
SELECT ai_moderate('a text', options => '{"temperature": 1}');
SELECT * FROM ai_rerank('a', ARRAY['a'], options => '{"bogus": 1}');
UPDATE ai_gateway.models SET allow_extra = true;
SELECT ai_moderate('a text', options => '{"extra": {"x": 1}}')->'flagged' AS flagged;
SELECT index FROM ai_rerank('a', ARRAY['a'], options => '{"extra": {"x": 1}}');

-- what went wrong is in last_call(), too
UPDATE ai_gateway.models SET options = '{"mock": {"fail": "rate_limit", "retry_after_ms": 70000}}' WHERE name = 'rank';
SELECT * FROM ai_rerank('a', ARRAY['a']);
SELECT error_kind, retryable, retry_after_ms, attempts FROM ai_gateway.last_call();
DELETE FROM ai_gateway.models;
DROP EXTENSION ai_gateway;
