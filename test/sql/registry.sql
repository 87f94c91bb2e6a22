-- ai_gateway.models: what may stand there; ai_gateway.model_grants: who may ask
CREATE EXTENSION ai_gateway;
\set SHOW_CONTEXT never

-- a registration that cannot work is refused at once
CREATE PROCEDURE try(columns jsonb) LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text; state text;
BEGIN
	INSERT INTO ai_gateway.models SELECT * FROM jsonb_populate_record(NULL::ai_gateway.models,
		'{"name": "t", "task": "chat", "provider": "mock", "remote_model": "r", "allow_extra": false, "tags": [], "enabled": true}' || columns);
	RAISE NOTICE '% accepted', columns;
	DELETE FROM ai_gateway.models WHERE name = 't';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, state = RETURNED_SQLSTATE;
	RAISE NOTICE '% %', state, concat_ws(E'\n  ', message, nullif(detail, ''), nullif(hint, ''));
END $$;
CALL try('{}');
CALL try('{"name": ""}');
CALL try('{"remote_model": ""}');
CALL try('{"provider": "skynet"}');
CALL try('{"protocol": "telepathy"}');
CALL try('{"provider": "anthropic", "protocol": "ollama"}');
CALL try('{"provider": "anthropic", "task": "embed"}');
CALL try('{"task": "sing"}');
CALL try('{"provider": "openai_compatible"}');
CALL try('{"provider": "openai_compatible", "endpoint": "localhost:8080"}');
CALL try('{"provider": "openai_compatible", "endpoint": "ftp://localhost"}');
CALL try('{"provider": "openai_compatible", "endpoint": "http://user:secret@localhost/v1"}');
CALL try('{"provider": "openai_compatible", "endpoint": "http://localhost:8080/v1"}');
CALL try('{"provider": "openai_compatible", "endpoint": "https://example.com/v1"}');
CALL try('{"provider": "openai_compatible", "endpoint": "http://example.com/v1"}');
CALL try('{"provider": "openai", "endpoint": "http://api.openai.com/v1"}');
CALL try('{"provider": "openai", "endpoint": "https://api.openai.com/v1"}');
CALL try('{"provider": "mock", "endpoint": "https://api.openai.com/v1"}');
CALL try('{"provider": "openai", "credential": "../../etc/passwd"}');
CALL try('{"provider": "openai", "credential": "env:HOME"}');
CALL try('{"provider": "openai", "credential": "team_a.key"}');
CALL try('{"provider": "mock", "credential": "team_a.key"}');
CALL try('{"provider": "openai", "settings": {"regoin": "eu"}}');
CALL try('{"provider": "openai", "settings": {"organization": ["a"]}}');
CALL try('{"provider": "openai", "settings": {"organization": "org-1"}}');
CALL try('{"provider": "openai", "settings": {"organization": "org\n1"}}');
CALL try('{"provider": "deepseek", "task": "embed"}');
CALL try('{"settings": {"first_byte_timeout_ms": 500}}');
CALL try('{"settings": {"first_byte_timeout_ms": "500"}}');
CALL try('{"settings": {"first_byte_timeout_ms": -1}}');
CALL try('{"settings": {"first_byte_timeout_ms": 86400001}}');
CALL try('{"settings": []}');
CALL try('{"task": "embed", "settings": {"max_inputs": 64}}');
CALL try('{"task": "embed", "provider": "openai", "settings": {"max_inputs": 5000, "organization": "org-1"}}');
CALL try('{"task": "embed", "settings": {"max_inputs": 0}}');
CALL try('{"task": "embed", "settings": {"max_inputs": 2.5}}');
CALL try('{"task": "embed", "settings": {"max_inputs": 3000000000}}');
CALL try('{"task": "embed", "settings": {"max_inputs": "64"}}');
CALL try('{"settings": {"max_inputs": 64}}');
CALL try('{"options": {"bogus": 1}}');
CALL try('{"options": {"temperature": 0.2}}');
CALL try('{"provider": "openai", "options": {"mock": {}}}');
CALL try('{"input_price": -1}');
CALL try('{"input_price": "Infinity"}');
CALL try('{"input_price": "NaN"}');
-- a price is kept to the last digit, or refused
CALL try('{"input_price": 0.000001, "cached_input_price": 2.500000000, "output_price": 9223372036854.775807}');
CALL try('{"input_price": 0.0000001}');
CALL try('{"cached_input_price": 2.5000001}');
CALL try('{"cache_write_price": 9223372036854.775808}');
CALL try('{"output_price": 1e100}');
CALL try('{"max_in_flight": 0}');

-- a change is seen by the next call, also within one transaction
INSERT INTO ai_gateway.models (name, provider, remote_model, options) VALUES ('m', 'mock', 'one', '{"mock": {"answer": "{model}"}}');
SELECT ai_complete('x', model => 'm');
BEGIN;
UPDATE ai_gateway.models SET remote_model = 'two' WHERE name = 'm';
SELECT ai_complete('x', model => 'm');
SAVEPOINT s;
UPDATE ai_gateway.models SET remote_model = 'three' WHERE name = 'm';
SELECT ai_complete('x', model => 'm');
ROLLBACK TO s;
SELECT ai_complete('x', model => 'm');
ROLLBACK;
SELECT ai_complete('x', model => 'm');
UPDATE ai_gateway.models SET enabled = false WHERE name = 'm';
SELECT ai_complete('x', model => 'm');
UPDATE ai_gateway.models SET enabled = true WHERE name = 'm';
-- a statement that changes the registry sees it change only behind itself
WITH changed AS (UPDATE ai_gateway.models SET remote_model = 'four' WHERE name = 'm' RETURNING name)
	SELECT ai_complete('x', model => name) FROM changed;
SELECT ai_complete('x', model => 'm');

-- options of a call over options of the model, extra only where it is allowed
UPDATE ai_gateway.models SET options = '{"mock": {"answer": "default"}}' WHERE name = 'm';
SELECT ai_complete('x', model => 'm'), ai_complete('x', model => 'm', options => '{"mock": {"answer": "mine"}}');
SELECT ai_complete('x', model => 'm', options => '{"extra": {"a": 1}}');
UPDATE ai_gateway.models SET allow_extra = true WHERE name = 'm';
SELECT ai_complete('x', model => 'm', options => '{"extra": {"a": 1}}');

-- grants
CREATE ROLE regress_ai_alice;
CREATE ROLE regress_ai_team;
CREATE ROLE regress_ai_owner;
SET ROLE regress_ai_alice;
SELECT ai_complete('x', model => 'm');
SELECT ai_complete('x', model => 'unknown');
SELECT * FROM ai_gateway.models;
RESET ROLE;
INSERT INTO ai_gateway.model_grants VALUES ('m', 'regress_ai_team');
SET ROLE regress_ai_alice;
SELECT ai_complete('x', model => 'm');
RESET ROLE;
GRANT regress_ai_team TO regress_ai_alice;
SET ROLE regress_ai_alice;
SELECT ai_complete('x', model => 'm');
RESET ROLE;
REVOKE regress_ai_team FROM regress_ai_alice;
SET ROLE regress_ai_alice;
SELECT ai_complete('x', model => 'm');
RESET ROLE;
-- a prepared statement does not keep a grant past SET ROLE
PREPARE ask AS SELECT ai_complete('x', model => 'm');
EXECUTE ask;
SET ROLE regress_ai_alice;
EXECUTE ask;
RESET ROLE;
-- SECURITY DEFINER delegates
INSERT INTO ai_gateway.model_grants VALUES ('m', 'regress_ai_owner');
CREATE FUNCTION delegated() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT ai_complete('x', model => 'm') $$;
ALTER FUNCTION delegated() OWNER TO regress_ai_owner;
SET ROLE regress_ai_alice;
SELECT delegated();
RESET ROLE;
-- everyone
INSERT INTO ai_gateway.model_grants VALUES ('m', 0);
SET ROLE regress_ai_alice;
SELECT ai_complete('x', model => 'm');
-- an option of the mock is nothing that a grant gives away: it stays in process
SELECT step, ok, regexp_replace(regexp_replace(detail, 'role \S+', 'role ...'), '\d+ ms', '... ms') AS detail, hint FROM ai_gateway.validate_model('m');
RESET ROLE;
DELETE FROM ai_gateway.model_grants;

-- who may set what
SET ROLE regress_ai_alice;
SET ai_gateway.timeout = '5s';
SET ai_gateway.max_retries = 0;
SET ai_gateway.on_error = 'null';
SET ai_gateway.on_error = 'sometimes';
SET ai_gateway.max_timeout = '1h';
SET ai_gateway.max_response_size = '1GB';
SET ai_gateway.allowed_hosts = 'evil.example';
SET ai_gateway.openai_endpoint = 'https://evil.example';
SET ai_gateway.openai_api_key = 'env:HOME';
\set VERBOSITY sqlstate
SHOW ai_gateway.openai_api_key;
SHOW ai_gateway.allowed_hosts;
\set VERBOSITY default
SET ai_gateway.bogus = 1;
RESET ROLE;
SELECT name, context, setting, unit FROM pg_settings WHERE name LIKE 'ai\_gateway.%' AND name !~ '_(endpoint|api_key)$' ORDER BY name COLLATE "C";
SELECT count(*) FROM pg_settings WHERE name LIKE 'ai\_gateway.%key%' AND setting <> '';

-- the check of a registration
SELECT step, ok, regexp_replace(regexp_replace(detail, 'role \S+', 'role ...'), '\d+ ms', '... ms') AS detail, hint FROM ai_gateway.validate_model('m');
SELECT * FROM ai_gateway.validate_model('unknown');
UPDATE ai_gateway.models SET options = '{"max_retries": 0, "mock": {"fail": "authentication"}}' WHERE name = 'm';
SELECT step, ok, regexp_replace(regexp_replace(detail, 'role \S+', 'role ...'), '\d+ ms', '... ms') AS detail, hint FROM ai_gateway.validate_model('m');

UPDATE ai_gateway.models SET options = NULL WHERE name = 'm';
-- of each task, one that is disabled, one that is not granted, one without its key
INSERT INTO ai_gateway.models (name, task, provider, remote_model)
	SELECT 'a_' || task, task, 'mock', 'r' FROM unnest('{chat,embed,moderate,rerank,transcribe}'::text[]) task;
INSERT INTO ai_gateway.models (name, provider, remote_model, enabled) VALUES ('it''s off', 'mock', 'r', false);
INSERT INTO ai_gateway.models (name, provider, remote_model, credential) VALUES ('keyed', 'openai', 'r', 'team_a.key');
CREATE VIEW checks AS SELECT m.name, step, ok, regexp_replace(regexp_replace(detail, 'role \S+', 'role ...'), '\d+ ms', '... ms') AS detail, hint
	FROM ai_gateway.models m, ai_gateway.validate_model(m.name) WHERE m.name <> 'm';
SELECT * FROM checks WHERE step IN ('call', 'dimensions') ORDER BY name, step;
SELECT * FROM checks WHERE name IN ('it''s off', 'keyed') ORDER BY name, step = 'call', step = 'target', step = 'grant';
GRANT USAGE ON SCHEMA ai_gateway TO regress_ai_alice;
SET ROLE regress_ai_alice;
SELECT step, ok, detail, hint FROM ai_gateway.validate_model('a_chat');
RESET ROLE;
REVOKE USAGE ON SCHEMA ai_gateway FROM regress_ai_alice;
RESET ai_gateway.on_error;
-- a call without the key that the model names, and one of a name that no model has room for
SELECT ai_complete('x', model => 'keyed');
SELECT ai_complete('x', model => repeat('Summarise: ', 1000));
SELECT ai_complete('x', model => repeat('m', 200));
-- of many models the first are named
INSERT INTO ai_gateway.models (name, provider, remote_model) SELECT 'model_' || i, 'mock', 'r' FROM generate_series(100, 199) i;
SELECT ai_complete('x', model => 'model_1');
DELETE FROM ai_gateway.models WHERE name <> 'm';
DROP VIEW checks;
-- what checks a registration is no function to call
SELECT ai_gateway.models_check();
SELECT ai_gateway.model_profiles_check();
SELECT ai_gateway.registry_changed();

-- the catalog of what is there: volatile, parallel restricted, dear, commented
\pset format unaligned
SELECT p.oid::regprocedure, provolatile, proparallel, procost, d.description IS NOT NULL AS comment
	FROM pg_proc p LEFT JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
	WHERE EXISTS (SELECT FROM pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e'
		AND x.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ai_gateway'))
	ORDER BY p.oid::regprocedure::text COLLATE "C";
-- a C symbol is one signature's alone, and bears the version in which that came
SELECT prosrc, count(*) FROM pg_proc WHERE probin LIKE '%ai\_gateway' GROUP BY 1 HAVING count(*) > 1 OR prosrc !~ '_[0-9]+_[0-9]+$';

DROP FUNCTION delegated;
DROP PROCEDURE try;
DROP ROLE regress_ai_alice, regress_ai_team, regress_ai_owner;
DROP EXTENSION ai_gateway;
