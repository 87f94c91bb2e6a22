# Entra ID, managed identity, Google's service accounts, AWS signatures: over
# real HTTP, with the fault server as the authority and as the model.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use File::Temp qw(tempdir);
use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use MIME::Base64 qw(decode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

my $server = AiGateway::FaultServer->new;
my $directory = tempdir(CLEANUP => 1);
my $cluster = AiGateway::Cluster->new('tokens', conf => "ai_gateway.credentials_directory = '$directory'\nlog_statement = all\nlog_min_messages = debug2\nai_gateway.max_retries = 0\n");
my $base = 'http://127.0.0.1:' . $server->port;

sub credential
{
	my ($name, $content) = @_;
	open(my $out, '>', "$directory/$name") or die;
	print {$out} ref $content ? encode_json($content) : $content;
	close $out;
	chmod 0600, "$directory/$name";
	return;
}

sub configure
{
	my (%parameters) = @_;
	$cluster->node->append_conf('postgresql.conf', join '', map { "ai_gateway.$_ = '$parameters{$_}'\n" } sort keys %parameters);
	$cluster->node->reload;
	for my $name (keys %parameters)
	{
		AiGateway::Cluster::poll(sub { $cluster->sql("SELECT current_setting('ai_gateway.$name')") eq $parameters{$name} }) or die "$name";
	}
	return;
}

sub headers_of { my ($text) = @_; return eval { decode_json($text) } // {} }

# ---- Entra ID: client credentials ----

my $secret = 'q7~Rk-wZ2vT9&1234567890';
credential('entra', { client_secret => $secret, client_id => 'app-1', hosts => ['127.0.0.1'] });
configure(azure_tenant_id => 'tenant-1', azure_login_endpoint => "$base/token");
$cluster->register('az', provider => 'azure', endpoint => "$base/echo-headers/openai/v1", credential => 'entra');
my $session = AiGateway::Session->new($cluster);
my $headers = headers_of($session->query("SELECT ai_complete('hi', model => 'az')"));
is($headers->{authorization}, 'Bearer tok-1', 'azure: the token of Entra ID goes to the model');
is($headers->{'api-key'}, undef, 'azure: and no key');
my ($asked) = $server->requests('token');
is($asked->{path}, '/token/tenant-1/oauth2/v2.0/token', 'azure: the tenant is asked');
is($asked->{body}, 'grant_type=client_credentials&client_id=app-1&client_secret=q7~Rk-wZ2vT9%261234567890&scope=https%3A%2F%2Fai.azure.com%2F.default',
	'azure: with the client\'s credentials');
is($asked->{headers}{'content-type'}, 'application/x-www-form-urlencoded', 'azure: as a form');
$session->query("SELECT ai_complete('hi', model => 'az') FROM generate_series(1, 5)");
is(scalar($server->requests('token')), 1, 'azure: a token is kept for the session');
$session->quit;

# many calls at once want one token
configure(azure_login_endpoint => "$base/token-slow");
$cluster->register('aze', task => 'embed', provider => 'azure', endpoint => "$base/ok/openai/v1", credential => 'entra');
is($cluster->sql("SELECT count(*) FROM ai_embed(ARRAY(SELECT repeat('x', 500000) || i FROM generate_series(1, 8) i), model => 'aze')"), '8', 'azure: eight requests at once');
is(scalar($server->requests('ok')), 8, 'azure: they are eight');
is(scalar($server->requests('token-slow')), 1, 'azure: wait for one token');

# A token that the server refuses is renewed once.  An authority whose first
# token is the refused one: its path counts for itself.
configure(azure_login_endpoint => "$base/token/renewal");
$cluster->register('az', provider => 'azure', endpoint => "$base/refuse-first-token/openai/v1", credential => 'entra');
sub authorizations { my ($behaviour) = @_; return map { $_->{headers}{authorization} // 'none' } $server->requests($behaviour) }
$session = AiGateway::Session->new($cluster);
$headers = headers_of($session->query("SELECT ai_complete('hi', model => 'az')"));
is($headers->{authorization}, 'Bearer tok-2', 'azure: a token that is refused is renewed');
is_deeply([ authorizations('refuse-first-token') ], [ 'Bearer tok-1', 'Bearer tok-2' ], 'azure: the call is made again with the new one');
is(scalar($server->requests('token/renewal')), 2, 'azure: two tokens are asked for');
$session->query("SELECT ai_complete('hi', model => 'az') FROM generate_series(1, 3)");
is(scalar($server->requests('token/renewal')), 2, 'azure: the new one is kept');
$session->quit;

# a server that refuses the new one too is not asked a third time
configure(azure_login_endpoint => "$base/token/in-vain");
$cluster->register('az', provider => 'azure', endpoint => "$base/status-401/openai/v1", credential => 'entra');
like(($cluster->try("SET ai_gateway.max_retries = 2; SELECT ai_complete('hi', model => 'az')"))[1], qr/ERROR:  LM002: /, 'azure: both tokens are refused');
is_deeply([ authorizations('status-401') ], [ 'Bearer tok-1', 'Bearer tok-2' ], 'azure: the model was asked with each');
is(scalar($server->requests('token/in-vain')), 2, 'azure: two tokens are asked for and no more');

# one that ends at once is fetched again
configure(azure_login_endpoint => "$base/token-short");
$cluster->register('az', provider => 'azure', endpoint => "$base/echo-headers/openai/v1", credential => 'entra');
$session = AiGateway::Session->new($cluster);
$session->query("SELECT ai_complete('hi', model => 'az')");
$session->query("SELECT ai_complete('hi', model => 'az')");
is(scalar($server->requests('token-short')), 2, 'azure: a token that has ended is not used');
$session->quit;

# the authority says no
configure(azure_login_endpoint => "$base/token-bad");
my ($out, $err) = $cluster->try("SET ai_gateway.max_retries = 2; SELECT ai_complete('hi', model => 'az')");
like($err, qr/ERROR:  LM002: .*AADSTS7000215: Invalid client secret provided\.(?!.*Trace)/s, 'azure: why no token was given is said');
is(scalar($server->requests('token-bad')), 1, 'azure: a wrong secret is not tried again');
configure(azure_login_endpoint => "$base/stall");
is($cluster->sqlstate("SET statement_timeout = '300ms'; SELECT ai_complete('hi', model => 'az')"), '57014', 'azure: cancel while a token is awaited');
is(scalar($server->requests('stall')), 1, 'azure: it was awaited');

# the same secret elsewhere: not to a host that may not have it
configure(azure_login_endpoint => "$base/token");
credential('entra-bound', { client_secret => $secret, client_id => 'app-2', hosts => ['models.example'] });
$cluster->register('az', provider => 'azure', endpoint => "$base/echo-headers/openai/v1", credential => 'entra-bound');
my $before = scalar($server->requests('token'));
like(($cluster->try("SELECT ai_complete('hi', model => 'az')"))[1], qr/Credential "entra-bound" may not be sent to host "127\.0\.0\.1"/, 'azure: a token goes where its secret may go');
is(scalar($server->requests('token')), $before, 'azure: and is not even fetched');

# ---- managed identity ----

configure(azure_identity_endpoint => "$base/token-strings/metadata", azure_endpoint => "$base/echo-headers");
$cluster->register('mi', provider => 'azure', endpoint => "$base/echo-headers/openai/v1", settings => '{"managed_identity": true, "client_id": "mi-1"}');
$headers = headers_of($cluster->sql("SELECT ai_complete('hi', model => 'mi')"));
is($headers->{authorization}, 'Bearer tok-1', 'azure: the token of a managed identity');
($asked) = $server->requests('token-strings');
is("$asked->{method} $asked->{path}", 'GET /token-strings/metadata?api-version=2018-02-01&resource=https%3A%2F%2Fai.azure.com&client_id=mi-1', 'azure: the metadata service is asked');
is($asked->{headers}{metadata}, 'true', 'azure: with its header');
$cluster->register('mi', provider => 'azure', endpoint => "$base/ok/openai/v1", settings => '{"managed_identity": true}');
$before = scalar($server->requests('token-strings'));
$cluster->try("SELECT ai_complete('hi', model => 'mi')");
is(scalar($server->requests('token-strings')), $before, 'azure: an endpoint that is not the provider\'s gets no token of the machine');

# ---- Google: a service account ----

my $google = tempdir(CLEANUP => 1);
system("openssl genrsa -out $google/key.pem 2048 2>/dev/null; openssl rsa -in $google/key.pem -pubout -out $google/public.pem 2>/dev/null") == 0 or die;
credential('service-account', { type => 'service_account', client_email => 'robot@p.example', private_key => scalar(slurp_file("$google/key.pem")), token_uri => 'http://evil.example/', hosts => ['127.0.0.1'] });
configure(vertex_token_endpoint => "$base/token/google", vertex_project => 'p1', vertex_location => 'europe-west4');
$cluster->register('vx', provider => 'vertex', protocol => 'openai-chat', endpoint => "$base/echo-headers/v1", credential => 'service-account');
$headers = headers_of($cluster->sql("SELECT ai_complete('hi', model => 'vx')"));
is($headers->{authorization}, 'Bearer tok-1', 'vertex: the token of a service account');
($asked) = grep { $_->{path} eq '/token/google' } $server->requests('token');
like($asked->{body}, qr/^grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=/, 'vertex: by an assertion');
my ($head, $claims, $signature) = $asked->{body} =~ /assertion=([^.]+)\.([^.]+)\.([^.&]+)$/;
my $claim = decode_json(decode_base64url($claims));
is("$claim->{iss} $claim->{aud} " . ($claim->{exp} - $claim->{iat}), 'robot@p.example https://oauth2.googleapis.com/token 3600', 'vertex: for an hour, from whom and to whom');
for (['signed', "$head.$claims"], ['signature', decode_base64url($signature)]) { open(my $f, '>:raw', "$google/$_->[0]") or die; print {$f} $_->[1] }
like(`openssl dgst -sha256 -verify $google/public.pem -signature $google/signature $google/signed 2>&1`, qr/Verified OK/, 'vertex: the assertion is signed by the account\'s key');
credential('broken-account', { client_email => 'robot@p.example', private_key => "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n", hosts => ['127.0.0.1'] });
$cluster->sql("UPDATE ai_gateway.models SET credential = 'broken-account' WHERE name = 'vx'");
like(($cluster->try("SELECT ai_complete('hi', model => 'vx')"))[1], qr/LM002.*cannot sign/s, 'vertex: a key that is none');

# ---- AWS: Signature Version 4 of what was really sent ----

my ($id, $key, $aws_token) = ('AKIDEXAMPLE1', 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY', 'session-token-of-aws-123456');
credential('aws', { access_key_id => $id, secret_access_key => $key, session_token => $aws_token, hosts => ['127.0.0.1'] });
$cluster->register('br', provider => 'bedrock', endpoint => "$base/status-500", remote_model => 'us.vendor.model-v1:0', credential => 'aws', settings => '{"region": "eu-west-1"}');
$cluster->try("SELECT ai_complete(repeat(U&'gr\\00fcn, \"quoted\"; ', 900), model => 'br')");
my ($sent) = $server->requests('status-500');
is($sent->{path}, '/status-500/model/us.vendor.model-v1%3A0/converse', 'bedrock: the model is one segment');
is($sent->{headers}{'x-amz-security-token'}, $aws_token, 'bedrock: the session token goes along');
sub signature_of
{
	my ($request) = @_;
	(my $path = $request->{path}) =~ s/([^A-Za-z0-9\-._~\/])/sprintf '%%%02X', ord $1/ge;
	my $date = $request->{headers}{'x-amz-date'};
	my ($day) = $date =~ /^(\d{8})T/;
	utf8::encode(my $bytes = $request->{body});
	my $canonical = join "\n", 'POST', $path, '', (map { "$_:$request->{headers}{$_}" } qw(content-type host x-amz-date x-amz-security-token)), '',
	  'content-type;host;x-amz-date;x-amz-security-token', sha256_hex($bytes);
	my $to_sign = join "\n", 'AWS4-HMAC-SHA256', $date, "$day/eu-west-1/bedrock/aws4_request", sha256_hex($canonical);
	my $k = hmac_sha256('aws4_request', hmac_sha256('bedrock', hmac_sha256('eu-west-1', hmac_sha256($day, "AWS4$key"))));
	return "AWS4-HMAC-SHA256 Credential=$id/$day/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
	  . hmac_sha256_hex($to_sign, $k);
}
is($sent->{headers}{authorization}, signature_of($sent), 'bedrock: the signature of what was sent');
# the retry comes in another second than the first attempt, so that it has another signature
$cluster->register('br', provider => 'bedrock', endpoint => "$base/retry-after-ms-1100", remote_model => 'us.vendor.model-v1:0', credential => 'aws', settings => '{"region": "eu-west-1"}');
$cluster->try("SELECT ai_complete('hi', model => 'br', options => '{\"max_retries\": 1}')");
my @by_retry = $server->requests('retry-after-ms-1100');
is(scalar(@by_retry), 2, 'bedrock: a retry is made');
isnt($by_retry[1]{headers}{'x-amz-date'}, $by_retry[0]{headers}{'x-amz-date'}, 'bedrock: at another time');
is($_->{headers}{authorization}, signature_of($_), 'bedrock: and signed anew') for @by_retry;
$cluster->register('br', provider => 'bedrock', protocol => 'openai-chat', endpoint => "$base/echo-headers", remote_model => 'm', settings => '{"region": "eu-west-1"}');
credential('bedrock-json', { api_key => 'bedrock-api-key-1234567890', hosts => ['127.0.0.1'] });
$cluster->sql("UPDATE ai_gateway.models SET credential = 'bedrock-json' WHERE name = 'br'");
is(headers_of($cluster->sql("SELECT ai_complete('hi', model => 'br')"))->{authorization}, 'Bearer bedrock-api-key-1234567890', 'bedrock: an API key is a bearer');

# ---- nothing of it in the log ----

my $log = $cluster->log_text;
for ([ 'client secret', $secret ], [ 'AWS secret', $key ], [ 'AWS session token', $aws_token ], [ 'token', 'tok-1' ], [ 'private key', 'BEGIN PRIVATE' ], [ 'API key', 'bedrock-api-key-1234567890' ])
{
	my ($what, $canary) = @$_;
	my @lines = grep { index($_, $canary) >= 0 && !/LOG:  statement/ } split /\n/, $log;
	is("@lines", '', "the $what is not in the log");
}
$server->stop;
done_testing();
