-- A tour of a minute.  The model 'chat' is registered, and is the default.
SELECT ai_complete('Say hello in five words.');

-- a column of answers
SELECT id, ai_complete('Summarise in one line: ' || body) AS summary
FROM tickets WHERE id <= 5 ORDER BY id;

-- answers are text like any other
SELECT lower(trim(ai_complete('One word - billing, shipping, technical, account or praise: ' || body))) AS topic, count(*)
FROM tickets GROUP BY topic ORDER BY count(*) DESC, topic;

-- what a call took, and what went wrong, as columns
SELECT left(value, 30) AS value, error_kind, finish_reason, model, input_tokens, output_tokens, attempts
FROM ai_try_complete('Say hello in five words.');

-- in a trigger
CREATE OR REPLACE FUNCTION summarise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.summary := ai_complete('Summarise in one line: ' || NEW.body);
	RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER summarise BEFORE UPDATE OF body ON tickets FOR EACH ROW EXECUTE FUNCTION summarise();
UPDATE tickets SET body = body WHERE id = 8 RETURNING id, summary;

-- another model, for everyone, from the next call on: no SQL changes
BEGIN;
UPDATE ai_gateway.models SET provider = 'mock', protocol = NULL, endpoint = NULL, remote_model = 'in process', credential = NULL,
	options = '{"mock": {"answer": "this came from the mock"}}' WHERE name = 'chat';
SELECT ai_complete('Say hello in five words.');
ROLLBACK;

-- what is wrong is said, with what to do about it
SELECT ai_complete('Say hello.', model => 'gpt-9');
