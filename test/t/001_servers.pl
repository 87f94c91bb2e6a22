# Real servers: aimock as OpenAI, Anthropic and Ollama, and llama.cpp.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::Servers;
use Test::More;

my $cluster = AiGateway::Cluster->new('servers');
my $aimock = AiGateway::Servers::aimock();

my %provider = (openai => "$aimock/v1", anthropic => $aimock, ollama => $aimock, openai_compatible => "$aimock/v1");
for my $provider (sort keys %provider)
{
	$cluster->register($provider, provider => $provider, endpoint => $provider{$provider}, remote_model => 'some-model');
	is($cluster->sql("SELECT ai_complete('Say hello', model => '$provider')"), 'Hello from aimock.', "$provider answers a prompt");
	is($cluster->sql("SELECT finish_reason || '|' || provider || '|' || attempts FROM ai_try_complete('Say hello', model => '$provider')"),
		"stop|$provider|1", "$provider: finish reason and attempts");
	is($cluster->sql("SELECT c->'tool_calls'->0->>'name' || '|' || (c->'tool_calls'->0->'arguments'->>'city') || '|' || (c->>'finish_reason')
		FROM ai_chat('[{\"role\":\"user\",\"content\":\"What is the weather in Bonn?\"}]', model => '$provider',
			tools => '[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}}}]') c"),
		'get_weather|Bonn|tool_calls', "$provider: a tool call is normalised");
	is($cluster->sqlstate("SELECT ai_complete('Be refused', model => '$provider')"), 'LM001', "$provider: 400 is an invalid request");
	is($cluster->sql("SELECT error_kind || '|' || attempts FROM ai_try_complete('Too many', model => '$provider', options => '{\"max_retries\": 1}')"),
		'rate_limit|2', "$provider: 429 is a rate limit and is tried again");
	is($cluster->sql("SELECT count(*) FROM ai_gateway.validate_model('$provider') WHERE ok"), '4', "$provider: validate_model passes");
}
for my $provider (qw(openai openai_compatible ollama))
{
	$cluster->register("embed_$provider", provider => $provider, task => 'embed', endpoint => $provider{$provider}, remote_model => 'e');
	is($cluster->sql("SELECT string_agg(ord || ':' || embedding::text, ' ' ORDER BY ord) FROM ai_embed(ARRAY['red', NULL], model => 'embed_$provider')
		WHERE embedding IS NOT NULL"), '1:{1,0,0,0.5}', "$provider: embeddings of an array");
	is($cluster->sql("SELECT ai_embed('green', model => 'embed_$provider')"), '{0,1,0,0.5}', "$provider: one embedding");
}

# a change of backend in one session moves the next call of another
my $session = AiGateway::Session->new($cluster);
$cluster->register('switch', provider => 'mock', remote_model => 'm', options => '{"mock": {"answer": "from the mock"}}');
is($session->query("SELECT ai_complete('Say hello', model => 'switch')"), 'from the mock', 'the first backend answers');
$cluster->sql("UPDATE ai_gateway.models SET provider = 'anthropic', endpoint = '$aimock', options = NULL WHERE name = 'switch'");
is($session->query("SELECT ai_complete('Say hello', model => 'switch')"), 'Hello from aimock.', 'the next call goes to the other backend');
$session->quit;

SKIP:
{
	my $llama = AiGateway::Servers::llama();
	skip 'no mirror has llama.cpp', 6 unless $llama;
	my $embed = AiGateway::Servers::llama('embedding');
	$cluster->register('llama', endpoint => "$llama/v1", remote_model => 'random');
	is($cluster->sql("SELECT finish_reason || '|' || output_tokens || '|' || (input_tokens > 0) FROM ai_try_complete('Hello', model => 'llama', options => '{\"max_tokens\": 7, \"seed\": 1}')"),
		'length|7|true', 'llama.cpp answers, with usage');
	$cluster->register('llama_json', endpoint => "$llama/v1", remote_model => 'random', allow_extra => 'true');
	is($cluster->sql("SELECT (ai_complete('Give JSON', model => 'llama_json', options => jsonb_build_object('max_tokens', 300, 'extra', jsonb_build_object('response_format',
		'{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\",\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"required\":[\"a\"],\"additionalProperties\":false}}}'::jsonb)))::jsonb->'a') IN ('true', 'false')"),
		't', 'llama.cpp: output constrained by a schema is that JSON');
	is($cluster->sql("SELECT error_kind FROM ai_try_complete(repeat('long ', 20000), model => 'llama')"), 'context_length', 'llama.cpp: an input too long is a context_length failure');
	$cluster->register('llama_embed', task => 'embed', endpoint => "$embed/v1", remote_model => 'random');
	is($cluster->sql("SELECT array_length(ai_embed('Hello', model => 'llama_embed'), 1)"), '64', 'llama.cpp: an embedding');
	is($cluster->sql("SELECT count(DISTINCT embedding) || '|' || min(array_length(embedding, 1)) FROM ai_embed(ARRAY['a','b','c'], model => 'llama_embed')"), '3|64', 'llama.cpp: a batch of embeddings');
	is($cluster->sql("SELECT count(*) FROM ai_gateway.validate_model('llama_embed') WHERE ok"), '5', 'llama.cpp: validate_model reports dimensions');
}

done_testing();
