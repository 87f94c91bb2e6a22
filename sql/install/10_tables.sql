-- Registrations of models.  Names collate "C", so that their order and the
-- index do not depend on the operating system's locale.
CREATE TABLE ai_gateway.models (
	name text COLLATE "C" PRIMARY KEY
		CHECK (name OPERATOR(pg_catalog.<>) '' AND pg_catalog.octet_length(name) OPERATOR(pg_catalog.<=) 200),
	task text NOT NULL DEFAULT 'chat',
	provider text NOT NULL,
	protocol text,
	remote_model text NOT NULL CHECK (remote_model OPERATOR(pg_catalog.<>) ''),
	endpoint text,
	credential text,
	settings jsonb CHECK (pg_catalog.jsonb_typeof(settings) OPERATOR(pg_catalog.=) 'object'),
	options jsonb CHECK (pg_catalog.jsonb_typeof(options) OPERATOR(pg_catalog.=) 'object'),
	allow_extra boolean NOT NULL DEFAULT false,
	input_price numeric CHECK (input_price OPERATOR(pg_catalog.>=) 0 AND input_price OPERATOR(pg_catalog.<) 'Infinity'),
	cached_input_price numeric CHECK (cached_input_price OPERATOR(pg_catalog.>=) 0 AND cached_input_price OPERATOR(pg_catalog.<) 'Infinity'),
	cache_write_price numeric CHECK (cache_write_price OPERATOR(pg_catalog.>=) 0 AND cache_write_price OPERATOR(pg_catalog.<) 'Infinity'),
	output_price numeric CHECK (output_price OPERATOR(pg_catalog.>=) 0 AND output_price OPERATOR(pg_catalog.<) 'Infinity'),
	max_in_flight integer CHECK (max_in_flight OPERATOR(pg_catalog.>) 0),
	quota_domain text,
	tags text[] NOT NULL DEFAULT '{}',
	enabled boolean NOT NULL DEFAULT true,
	comment text
);
COMMENT ON TABLE ai_gateway.models IS 'models that SQL may call: who answers, how it is spoken to, where, and at what price';
COMMENT ON COLUMN ai_gateway.models.name IS 'the name that SQL uses';
COMMENT ON COLUMN ai_gateway.models.task IS 'chat, embed, rerank, moderate or transcribe';
COMMENT ON COLUMN ai_gateway.models.provider IS 'who answers: openai, azure, anthropic, bedrock, gemini, ...; an unknown name is answered with the list';
COMMENT ON COLUMN ai_gateway.models.protocol IS 'how it is spoken to; NULL = the provider''s own';
COMMENT ON COLUMN ai_gateway.models.remote_model IS 'the provider''s name of the model or deployment';
COMMENT ON COLUMN ai_gateway.models.endpoint IS 'base URL; NULL = the provider''s';
COMMENT ON COLUMN ai_gateway.models.credential IS 'name of a file in ai_gateway.credentials_directory; NULL = the provider''s key';
COMMENT ON COLUMN ai_gateway.models.settings IS 'what the provider needs and is no secret';
COMMENT ON COLUMN ai_gateway.models.options IS 'defaults under the options of a call';
COMMENT ON COLUMN ai_gateway.models.allow_extra IS 'may a call pass options.extra?';
COMMENT ON COLUMN ai_gateway.models.input_price IS 'USD per million input tokens; NULL = unknown';
COMMENT ON COLUMN ai_gateway.models.cached_input_price IS 'USD per million input tokens read from the provider''s cache; NULL = unknown';
COMMENT ON COLUMN ai_gateway.models.cache_write_price IS 'USD per million input tokens written to the provider''s cache; NULL = unknown';
COMMENT ON COLUMN ai_gateway.models.output_price IS 'USD per million output tokens; NULL = unknown';
COMMENT ON COLUMN ai_gateway.models.max_in_flight IS 'calls under way at once; NULL = no limit of its own';
COMMENT ON COLUMN ai_gateway.models.quota_domain IS 'models that share a provider''s quota bear the same name here';
COMMENT ON COLUMN ai_gateway.models.tags IS 'what compliance asks for: region, processor, data retention';
COMMENT ON COLUMN ai_gateway.models.enabled IS 'false = every call is refused';
COMMENT ON COLUMN ai_gateway.models.comment IS 'for people';

-- Without a grant nobody but a superuser may use a model.  No foreign key: a
-- grant may name a route, and a dump is loaded in any order.
CREATE TABLE ai_gateway.model_grants (
	model text COLLATE "C" NOT NULL,
	role regrole NOT NULL,
	PRIMARY KEY (model, role)
);
COMMENT ON TABLE ai_gateway.model_grants IS 'who may use which model';
COMMENT ON COLUMN ai_gateway.model_grants.model IS 'a name in ai_gateway.models';
COMMENT ON COLUMN ai_gateway.model_grants.role IS 'a role, its members included; 0 = PUBLIC';

-- What families of models refuse, rename or require.  Rows that come with the
-- extension are builtin; a row that a DBA changed or added is not, is dumped,
-- and takes the place of a builtin one.
CREATE TABLE ai_gateway.model_profiles (
	pattern text COLLATE "C" NOT NULL CHECK (pattern OPERATOR(pg_catalog.<>) ''),
	protocol text COLLATE "C",
	refuses text[] NOT NULL DEFAULT '{}',
	renames jsonb CHECK (pg_catalog.jsonb_typeof(renames) OPERATOR(pg_catalog.=) 'object'),
	requires jsonb CHECK (pg_catalog.jsonb_typeof(requires) OPERATOR(pg_catalog.=) 'object'),
	comment text,
	builtin boolean NOT NULL DEFAULT false,
	UNIQUE NULLS NOT DISTINCT (pattern, protocol)
);
COMMENT ON TABLE ai_gateway.model_profiles IS 'what families of models refuse, rename or require; the longest pattern that matches wins';
COMMENT ON COLUMN ai_gateway.model_profiles.pattern IS 'of the remote model, or of the setting "family"; * stands for anything';
COMMENT ON COLUMN ai_gateway.model_profiles.protocol IS 'the protocol that it holds for; NULL = any';
COMMENT ON COLUMN ai_gateway.model_profiles.refuses IS 'options that are never sent, and tools, forced_tools, images, schema, dimensions';
COMMENT ON COLUMN ai_gateway.model_profiles.renames IS 'option -> the member that it is sent as';
COMMENT ON COLUMN ai_gateway.model_profiles.requires IS 'members of every request that does not have them';
COMMENT ON COLUMN ai_gateway.model_profiles.comment IS 'for people';
COMMENT ON COLUMN ai_gateway.model_profiles.builtin IS 'came with the extension, and was not changed since';

SELECT pg_catalog.pg_extension_config_dump('ai_gateway.model_profiles', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('ai_gateway.models', '');
SELECT pg_catalog.pg_extension_config_dump('ai_gateway.model_grants', '');

CREATE FUNCTION ai_gateway.models_check() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'ai_models_check_0_1';
COMMENT ON FUNCTION ai_gateway.models_check() IS 'trigger: refuses a registration that cannot work';
REVOKE ALL ON FUNCTION ai_gateway.models_check() FROM PUBLIC;

CREATE FUNCTION ai_gateway.model_profiles_check() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'ai_profiles_check_0_1';
COMMENT ON FUNCTION ai_gateway.model_profiles_check() IS 'trigger: refuses a profile that says nothing known, and lets it take the place of a builtin one';
REVOKE ALL ON FUNCTION ai_gateway.model_profiles_check() FROM PUBLIC;

CREATE FUNCTION ai_gateway.registry_changed() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'ai_registry_changed_0_1';
COMMENT ON FUNCTION ai_gateway.registry_changed() IS 'trigger: tells all sessions that registrations changed';
REVOKE ALL ON FUNCTION ai_gateway.registry_changed() FROM PUBLIC;

CREATE TRIGGER models_check BEFORE INSERT OR UPDATE ON ai_gateway.models
	FOR EACH ROW EXECUTE FUNCTION ai_gateway.models_check();
CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ai_gateway.models
	FOR EACH STATEMENT EXECUTE FUNCTION ai_gateway.registry_changed();
CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ai_gateway.model_grants
	FOR EACH STATEMENT EXECUTE FUNCTION ai_gateway.registry_changed();
CREATE TRIGGER model_profiles_check BEFORE INSERT OR UPDATE ON ai_gateway.model_profiles
	FOR EACH ROW EXECUTE FUNCTION ai_gateway.model_profiles_check();
CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ai_gateway.model_profiles
	FOR EACH STATEMENT EXECUTE FUNCTION ai_gateway.registry_changed();

-- also where rows arrive by replication, or under session_replication_role
ALTER TABLE ai_gateway.models ENABLE ALWAYS TRIGGER models_check;
ALTER TABLE ai_gateway.models ENABLE ALWAYS TRIGGER registry_changed;
ALTER TABLE ai_gateway.model_grants ENABLE ALWAYS TRIGGER registry_changed;
ALTER TABLE ai_gateway.model_profiles ENABLE ALWAYS TRIGGER model_profiles_check;
ALTER TABLE ai_gateway.model_profiles ENABLE ALWAYS TRIGGER registry_changed;
