# Every provider against a server that is not ours: aimock plays eleven vendors'
# APIs, llama-server is the real thing.  What neither serves is in the recorded
# replies (020_vectors.pl).  The table in README names these tests.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::Servers;
use AiGateway::Vectors;
use Test::More;

my $cluster = AiGateway::Cluster->new('providers');
my $mock = AiGateway::Servers::aimock();
my $tools = q('[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]');
my $schema = q('{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}');
my $png = q('\x89504e470d0a1a0a0000000d'::bytea);

# name => columns; the name is what a test is named by
my @chat = (
	[ 'openai' => provider => 'openai', endpoint => "$mock/v1" ],
	[ 'openai, chat completions' => provider => 'openai', protocol => 'openai-chat', endpoint => "$mock/v1" ],
	[ 'openai_compatible' => provider => 'openai_compatible', endpoint => $mock ],
	[ 'azure, v1' => provider => 'azure', endpoint => "$mock/v1" ],
	[ 'azure, responses' => provider => 'azure', protocol => 'openai-responses', endpoint => "$mock/v1" ],
	[ 'azure, deployments' => provider => 'azure', endpoint => $mock, settings => '{"api_version": "2024-10-21"}' ],
	[ 'azure, Claude' => provider => 'azure', protocol => 'anthropic-messages', endpoint => "$mock/v1" ],
	[ 'anthropic' => provider => 'anthropic', endpoint => $mock ],
	[ 'bedrock' => provider => 'bedrock', endpoint => $mock, remote_model => 'us.anthropic.claude-haiku-4-5-20251001-v1:0' ],
	[ 'bedrock, Claude by InvokeModel' => provider => 'bedrock', protocol => 'anthropic-messages', endpoint => $mock, remote_model => 'anthropic.claude-opus-4-6-v1:0' ],
	[ 'gemini' => provider => 'gemini', endpoint => $mock ],
	[ 'gemini, interactions' => provider => 'gemini', protocol => 'gemini-interactions', endpoint => $mock ],
	[ 'vertex' => provider => 'vertex', endpoint => $mock, settings => '{"project": "p", "location": "europe-west4"}' ],
	[ 'ollama' => provider => 'ollama', endpoint => $mock ],
	[ 'cohere' => provider => 'cohere', endpoint => $mock ],
	map { [ $_ => provider => $_, endpoint => "$mock/v1" ] } qw(llamacpp vllm lmstudio mistral openrouter groq together deepseek xai perplexity huggingface));
for (@chat)
{
	my ($name, %columns) = @$_;
	$columns{remote_model} //= 'some-model';
	$cluster->register('m', %columns);
	is($cluster->sql("SELECT ai_complete('Say hello', model => 'm', system => 'Be kind', options => '{\"max_tokens\": 100}')"), 'Hello from aimock.', "$name: chat");
	is($cluster->sql("SELECT ai_json('Where is it', $schema, model => 'm')->>'city'"), 'Bonn', "$name: JSON");
	is($cluster->sql("SELECT c->'tool_calls'->0->>'name' || '|' || (c->'tool_calls'->0->'arguments'->>'city') || '|' || (c->>'finish_reason')
		FROM ai_chat('[{\"role\":\"user\",\"content\":\"What is the weather in Bonn?\"}]', model => 'm', tools => $tools) c"),
		'get_weather|Bonn|tool_calls', "$name: tools");
	is($cluster->sql("SELECT ai_complete('Say hello', model => 'm', files => ARRAY[$png])"), 'Hello from aimock.', "$name: images")
	  unless $columns{provider} eq 'deepseek';
	is($cluster->sql("SELECT error_kind FROM ai_try_complete('Be refused', model => 'm')"), 'invalid_request', "$name: an error");
	is($cluster->sql("SELECT finish_reason || '|' || (input_tokens IS NULL OR input_tokens >= 0) FROM ai_try_complete('Say hello', model => 'm')"), 'stop|true', "$name: finish reason and usage");
	is($cluster->sql("SET ai_gateway.first_byte_timeout = '20s'; SELECT value || '|' || finish_reason FROM ai_try_complete('Say hello', model => 'm')"), 'Hello from aimock.|stop', "$name: as a stream");
	for my $stream ('0', '20s')
	{
		is($cluster->sql("SET ai_gateway.first_byte_timeout = '$stream'; SELECT ai_complete(repeat('A ticket, \"quoted\".\n', 800) || 'Count to two thousand', model => 'm') = (SELECT string_agg(i::text, ' ' ORDER BY i) FROM generate_series(1, 2000) i)"),
			't', "$name: 9 kB for 16 kB" . ($stream ? ' as a stream' : ''));
	}
	is($cluster->sql("SET ai_gateway.first_byte_timeout = '20s'; SELECT c->'tool_calls'->0->>'name' || '|' || (c->'tool_calls'->0->'arguments'->>'city')
		FROM ai_chat('[{\"role\":\"user\",\"content\":\"What is the weather in Bonn?\"}]', model => 'm', tools => $tools) c"), 'get_weather|Bonn', "$name: tools as a stream");
}

for (
	[ 'openai' => provider => 'openai', endpoint => "$mock/v1" ],
	[ 'openai_compatible' => provider => 'openai_compatible', endpoint => "$mock/v1" ],
	[ 'azure' => provider => 'azure', endpoint => $mock, settings => '{"api_version": "2024-10-21"}' ],
	[ 'gemini' => provider => 'gemini', endpoint => $mock ],
	[ 'ollama' => provider => 'ollama', endpoint => $mock ],
	[ 'cohere' => provider => 'cohere', endpoint => $mock ],
	map { [ $_ => provider => $_, endpoint => "$mock/v1" ] } qw(llamacpp vllm lmstudio mistral voyage jina openrouter together))
{
	my ($name, %columns) = @$_;
	$cluster->register('e', task => 'embed', remote_model => 'e', %columns);
	is($cluster->sql("SELECT ai_embed('red', model => 'e')"), '{1,0,0,0.5}', "$name: embeddings");
	next if $name eq 'gemini';    # of which aimock takes one text at a time
	my $dimensions = $name eq 'cohere' ? 1024 : 1536;
	is($cluster->sql("SELECT count(*), count(DISTINCT embedding), min(cardinality(embedding)), bool_and(embedding = ai_embed(t, model => 'e'))
		FROM unnest(ARRAY['a text', repeat('another ', 500), repeat('long ', 3000)]) WITH ORDINALITY u(t, n) JOIN ai_embed(ARRAY['a text', repeat('another ', 500), repeat('long ', 3000)], model => 'e') ON ord = n"),
		"3|3|$dimensions|t", "$name: vectors of $dimensions dimensions, each with its text");
}
for my $provider (qw(openai openai_compatible mistral))
{
	$cluster->register('w', task => 'moderate', remote_model => 'w', provider => $provider, endpoint => "$mock/v1");
	is($cluster->sql("SELECT ai_moderate('a text', model => 'w')->>'flagged'"), 'false', "$provider: moderation");
}
for my $provider (qw(openai openai_compatible azure vllm groq mistral together))
{
	$cluster->register('t', task => 'transcribe', remote_model => 'whisper', provider => $provider, endpoint => "$mock/v1");
	is($cluster->sql("SELECT ai_transcribe('\\x524946460000000057415645'::bytea, model => 't', options => '{\"temperature\": 0}')"), 'What was said.', "$provider: transcription");
}

# one UPDATE and nothing else changes for the caller
$cluster->register('move', provider => 'openai', endpoint => "$mock/v1", remote_model => 'some-model');
my $session = AiGateway::Session->new($cluster);
my $query = "SELECT ai_complete('Say hello', model => 'move', options => '{\"max_tokens\": 50}')";
is($session->query($query), 'Hello from aimock.', 'before the move');
for ([ 'azure', 'anthropic-messages', "$mock/v1" ], [ 'bedrock', 'bedrock-converse', $mock ], [ 'gemini', 'gemini', $mock ], [ 'ollama', 'ollama', $mock ])
{
	my ($provider, $protocol, $endpoint) = @$_;
	$cluster->sql("UPDATE ai_gateway.models SET provider = '$provider', protocol = '$protocol', endpoint = '$endpoint' WHERE name = 'move'");
	is($session->query($query), 'Hello from aimock.', "after the move to $provider by $protocol");
	is($session->query('SELECT provider FROM ai_gateway.last_call()'), $provider, "and it was $provider that answered");
}
$session->quit;

SKIP:
{
	my $llama = AiGateway::Servers::llama();
	skip 'no mirror has llama.cpp', 11 unless $llama;
	my $embed = AiGateway::Servers::llama('embedding');
	my $rank = AiGateway::Servers::llama('rerank');
	for my $protocol (qw(openai-chat openai-responses anthropic-messages))
	{
		$cluster->register('l', provider => 'llamacpp', protocol => $protocol, endpoint => "$llama/v1", remote_model => 'random');
		is($cluster->sql("SELECT (output_tokens BETWEEN 1 AND 17) || '|' || (input_tokens > 0) || '|' || (finish_reason IN ('length', 'stop')) FROM ai_try_complete('Hello', model => 'l', options => '{\"max_tokens\": 16}')"),
			'true|true|true', "llama.cpp by $protocol: chat");
		# it leaves message_start out, and the count with it, where the first token is part of a character
		is($cluster->sql("SET ai_gateway.first_byte_timeout = '60s'; SELECT (output_tokens BETWEEN 1 AND 17) || '|' || coalesce(input_tokens > 0, true) || '|' || (finish_reason IN ('length', 'stop')) FROM ai_try_complete('Hello', model => 'l', options => '{\"max_tokens\": 16}')"),
			'true|true|true', "llama.cpp by $protocol: as a stream");
	}
	$cluster->register('l', provider => 'llamacpp', endpoint => "$llama/v1", remote_model => 'random');
	is($cluster->sql("SELECT jsonb_typeof(ai_json('Give JSON', '{\"type\":\"object\",\"properties\":{\"yes\":{\"type\":\"boolean\"},\"n\":{\"enum\":[1,2,3]}},\"required\":[\"yes\",\"n\"],\"additionalProperties\":false}', model => 'l', options => '{\"max_tokens\": 300}')->'yes')"),
		'boolean', 'llama.cpp: JSON by grammar');
	is($cluster->sql("SELECT error_kind FROM ai_try_complete(repeat('long ', 20000), model => 'l')"), 'context_length', 'llama.cpp: an input that is too long');
	$cluster->register('le', task => 'embed', provider => 'llamacpp', endpoint => "$embed/v1", remote_model => 'random');
	is($cluster->sql("SELECT array_length(ai_embed('Hello', model => 'le'), 1)"), '64', 'llama.cpp: embeddings');
	$cluster->register('lr', task => 'rerank', provider => 'llamacpp', endpoint => "$rank/v1", remote_model => 'random');
	is($cluster->sql("SELECT string_agg(DISTINCT index::text, ',' ORDER BY index::text) || '|' || bool_and(score IS NOT NULL) FROM ai_rerank('q', ARRAY['a', 'bb', 'ccc'], model => 'lr')"),
		'1,2,3|true', 'llama.cpp: rerank');
	is($cluster->sql("SELECT count(*) FROM ai_gateway.validate_model('lr') WHERE ok"), '4', 'llama.cpp: validate_model of a rerank model');
}

# README's table says what was tested here (A, L) and by recorded replies (R)
my %ran = map { $_->{name} => 1 } grep { $_->{ok} } Test::More->builder->details;
my @names = keys %ran;
my %of_llama = (chat => 'chat', JSON => 'JSON by grammar', embeddings => 'embeddings', rerank => 'rerank');
my %recorded;
for my $file (glob("$FindBin::Bin/../replies/*/*.json"))
{
	my $vector = AiGateway::Vectors::read_vector($file);
	my $r = AiGateway::Vectors::registration($vector);
	next if !$r || defined $vector->{expect}{error_kind};
	my %column = (chat => 'chat', embed => 'embeddings', rerank => 'rerank', moderate => 'moderation');
	$recorded{"$r->{provider}: " . ($r->{protocol} eq 'azure-content-safety' ? 'moderation' : $column{ $r->{task} })} = 1;
}
open(my $readme, '<', "$FindBin::Bin/../../README.md") or die "README.md: $!";
my @columns;
while (<$readme>)
{
	chomp;
	if (/^\| provider \| chat/) { (undef, undef, @columns) = split / *\| */; next }
	next unless @columns && /^\| `(\w+)` \|/;
	my $provider = $1;
	my (undef, undef, @cells) = split / *\| */;
	for my $i (0 .. $#columns - 1)
	{
		for my $letter (split ' ', $cells[$i] eq 'in process' ? '' : $cells[$i])
		{
			my $cell = "$provider: $columns[$i]";
			ok( $letter eq 'A' ? scalar(grep { /^\Q$provider\E(, [\w ]+)?: \Q$columns[$i]\E$/ } @names)
				: $letter eq 'L' ? (!AiGateway::Servers::llama() || scalar(grep { /^llama\.cpp.*: \Q$of_llama{$columns[$i]}\E$/ } @names))
				: $recorded{$cell}, "README: $cell $letter");
		}
	}
}
continue { @columns = () if @columns && /^$/ }
cmp_ok(scalar(grep { $_->{name} =~ /^README/ } Test::More->builder->details), '>', 100, 'the table was read');
done_testing();
