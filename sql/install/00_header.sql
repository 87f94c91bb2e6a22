\echo Use "CREATE EXTENSION ai_gateway" to load this file. \quit

-- What a DBA works with lives here; the ai_* functions live in the schema
-- that CREATE EXTENSION names.
CREATE SCHEMA ai_gateway;
COMMENT ON SCHEMA ai_gateway IS 'ai_gateway: registrations, grants and checks of AI models';
GRANT USAGE ON SCHEMA ai_gateway TO PUBLIC;
