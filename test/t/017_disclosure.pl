# What a provider repeats of a key or a prompt, in whatever form and place, reaches
# no error, no function's result and no log.  The forms themselves: test_redact.c.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use Test::More;

my $key = 'CANARY-oc-key-0123456789abcdefXYZ';
my $prompt = qq(Patient Mueller, born 1961-04-23\nHIV pos\nand "smokes" a lot);
my $server = AiGateway::FaultServer->new;
my $cluster = AiGateway::Cluster->new('disclosure', conf => "ai_gateway.max_retries = 0\nlog_min_messages = debug5\nlog_min_error_statement = panic\n");
my $directory = $cluster->node->basedir;
open(my $file, '>', "$directory/key") or die;
print {$file} "$key\n";
close $file;
chmod 0600, "$directory/key";
$cluster->node->append_conf('postgresql.conf', "ai_gateway.openai_compatible_endpoint = '" . $server->url('any') =~ s{/any$}{}r . "'\nai_gateway.openai_compatible_api_key = 'file:$directory/key'\n");
$cluster->node->restart;
$cluster->sql("CREATE ROLE joe LOGIN; GRANT USAGE ON SCHEMA ai_gateway TO joe");

# what stands for them, as far as it would be read
my @forms = map { my $text = $_; ($text, uc $text, unpack('H*', $text), $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger) } 'Patient Mueller', 'HIV pos', 'smokes', substr($key, 4, 20);
require MIME::Base64;
push @forms, map { substr MIME::Base64::encode_base64($_, ''), 0, 24 } $key, $prompt;
sub seen { my ($text) = @_; return join ', ', grep { index($text, $_) >= 0 } @forms }

my $quoted = $prompt =~ s/'/''/gr;
$cluster->sql("SET log_statement = none; CREATE TABLE prompts AS SELECT '$quoted'::text AS p; GRANT SELECT ON prompts TO joe");
for my $how (qw(capitals base64 hex url json ends line hint code-key code type id id-key good-id-key))
{
	$cluster->register('m', endpoint => $server->url("tell-$how"));
	$cluster->sql("INSERT INTO ai_gateway.model_grants (model, role) VALUES ('m', 'joe') ON CONFLICT DO NOTHING");
	my $from = length $cluster->log_text;
	my ($out, $error) = $cluster->try("SET client_min_messages = debug1; SELECT ai_complete(p, model => 'm', options => '{\"max_tokens\": 5}') FROM prompts", user => 'joe');
	my ($more, $other) = $cluster->try("SELECT to_jsonb(ai_try_complete(p, model => 'm')) FROM prompts; SELECT to_jsonb(ai_gateway.last_call())", user => 'joe');
	like($error . $out, $how =~ /good/ ? qr/ok/ : qr/LM001/, "$how: the provider answers");
	is(seen($error . $more . $other), '', "$how: no error or result repeats anything");
	is(seen(substr $cluster->log_text, $from), '', "$how: and no log");
}

# what is needed to mend a request stays
$cluster->register('m', endpoint => $server->url('refuse-max-tokens'));
my (undef, $error) = $cluster->try("SELECT ai_complete('a text of the maximum length', model => 'm', options => '{\"max_tokens\": 5}')");
like($error, qr/max_tokens.*HINT:.*model_profiles/s, 'a refusal says what is refused, and what to write');
done_testing();
