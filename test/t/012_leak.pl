# A key that was sent to a provider appears nowhere else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use PostgreSQL::Test::Utils;
use File::Temp qw(tempdir);
use Test::More;

my $server = AiGateway::FaultServer->new;
my %canary = (file => 'canary-file-5f7a91c3e2', env => 'canary-env-9b2d04e7aa', literal => 'canary-literal-77c1d9f0bb', rotated => 'canary-rotated-1e6b3c8d55');
my $prompt = 'canary prompt 4c19af8e02 that nobody else may read';

my $directory = tempdir(CLEANUP => 1);
my $file = "$directory/key";
sub write_key { my ($key) = @_; open(my $f, '>', $file) or die; print {$f} "$key\n"; close $f; chmod 0600, $file; return }
write_key($canary{file});

my $url = $server->url('echo-key');
my $conf = <<"CONF";
log_statement = all
log_min_messages = debug5
log_min_error_statement = debug5
log_error_verbosity = verbose
ai_gateway.max_retries = 0
ai_gateway.openai_endpoint = '$url'
ai_gateway.anthropic_endpoint = '$url'
ai_gateway.openai_compatible_endpoint = '$url'
ai_gateway.openai_api_key = 'file:$file'
ai_gateway.anthropic_api_key = 'env:CANARY_KEY'
ai_gateway.openai_compatible_api_key = '$canary{literal}'
CONF
my $cluster = do {
	local $ENV{CANARY_KEY} = $canary{env};
	AiGateway::Cluster->new('leak', conf => $conf, preload => 'ai_gateway, pg_stat_statements');
};
like($cluster->log_text, qr/WARNING:.*a key stands as it is/, 'a key in the configuration itself is warned of');
$cluster->sql('CREATE EXTENSION pg_stat_statements; CREATE ROLE joe LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor');
$cluster->register($_, provider => $_) for qw(openai anthropic openai_compatible);
$cluster->sql("INSERT INTO ai_gateway.model_grants SELECT name, 0 FROM ai_gateway.models");

my %sent = (openai => $canary{file}, anthropic => $canary{env}, openai_compatible => $canary{literal});
my $seen = '';
for my $model (sort keys %sent)
{
	my (undef, $error) = $cluster->try("PREPARE p(text) AS SELECT ai_complete(\$1, model => '$model'); EXECUTE p('x')");
	$seen .= $error;
	my ($out) = $cluster->try("SELECT * FROM ai_try_complete('x', model => '$model')");
	$seen .= $out;
	($out) = $cluster->try("SELECT * FROM ai_gateway.validate_model('$model')");
	$seen .= $out;
	my ($request) = grep { $_->{body} =~ /model/ } $server->requests('echo-key');
	ok((grep { ($_->{headers}{authorization} // $_->{headers}{'x-api-key'} // '') =~ /\Q$sent{$model}\E/ } $server->requests('echo-key')),
		"$model: the key was really sent");
	like($error, qr/LM002.*\n.*\[key\]/, "$model: a key that the provider repeats is taken out of the error");
	$cluster->sqlstate("SELECT ai_complete('x', model => '$model', options => '{\"bogus\": 1}')");
	$cluster->sqlstate("EXPLAIN (ANALYZE, VERBOSE) SELECT ai_complete('x', model => '$model')");
}

# rotation: the file is read again; the configuration is reloaded
write_key($canary{rotated});
$cluster->try("SELECT ai_complete('x', model => 'openai')");
ok((grep { ($_->{headers}{authorization} // '') =~ /\Q$canary{rotated}\E/ } $server->requests('echo-key')), 'a new key in the file is used by the next call');
$cluster->node->append_conf('postgresql.conf', "ai_gateway.openai_compatible_api_key = '$canary{literal}2'\n");
$cluster->node->reload;
ok(AiGateway::Cluster::poll(sub {
	$cluster->try("SELECT ai_complete('x', model => 'openai_compatible')");
	return grep { ($_->{headers}{authorization} // '') =~ /\Q$canary{literal}2\E/ } $server->requests('echo-key') }), 'a new key in the configuration is used after a reload');
$cluster->node->append_conf('postgresql.conf', "ai_gateway.openai_compatible_api_key = 'file:$file'\n");
$cluster->node->reload;
AiGateway::Cluster::poll(sub {
	$cluster->try("SELECT ai_complete('x', model => 'openai_compatible')");
	return grep { $_->{path} =~ /chat/ && ($_->{headers}{authorization} // '') =~ /\Q$canary{rotated}\E/ } $server->requests('echo-key') });
$cluster->node->append_conf('postgresql.conf', "ai_gateway.openai_compatible_api_key = '$canary{literal}'\n");
$cluster->node->reload;
like($cluster->log_text, qr/received SIGHUP/, 'the configuration was reloaded');

# what SQL can show, to anybody
for my $user (undef, 'joe', 'watcher')
{
	my $who = $user // 'the superuser';
	for my $sql ('SELECT * FROM pg_settings', 'SELECT * FROM pg_stat_activity', 'SELECT * FROM pg_stat_statements',
		'SELECT * FROM pg_db_role_setting', 'SHOW ALL', 'SHOW ai_gateway.openai_compatible_api_key', 'SHOW ai_gateway.openai_api_key',
		"SELECT current_setting('ai_gateway.anthropic_api_key')", 'SELECT * FROM ai_gateway.models')
	{
		my ($out, $err) = $cluster->try($sql, user => $user);
		$seen .= "$out$err";
	}
	is($cluster->sqlstate('SHOW ai_gateway.openai_api_key', user => $user), $user && $user eq 'joe' ? '42501' : $user ? $cluster->sqlstate('SHOW ai_gateway.openai_api_key', user => $user) : 'none', "SHOW of a key as $who");
	is($cluster->sqlstate("SET ai_gateway.openai_api_key = 'x'", user => $user), '55P02', "SET of a key as $who");
}
is($cluster->sql('SHOW ai_gateway.openai_compatible_api_key'), '********', 'a superuser sees a mask in place of a key');
is($cluster->sql('SHOW ai_gateway.openai_api_key'), "file:$file", 'and a reference as it is');
is($cluster->sqlstate("ALTER SYSTEM SET ai_gateway.openai_api_key = 'file:/x'"), '55P02', 'ALTER SYSTEM is refused');
is($cluster->sqlstate("ALTER ROLE joe SET ai_gateway.openai_api_key = 'file:/x'"), '55P02', 'ALTER ROLE ... SET is refused');

$cluster->node->run_log([ 'pg_dumpall', '-d', $cluster->node->connstr('postgres'), '-f', "$directory/dump.sql" ]);
$seen .= slurp_file("$directory/dump.sql");
like($seen, qr/COPY ai_gateway\.models/, 'the registry is dumped');

# At debug5 the postmaster itself writes out the environment it was started
# with, before any library is loaded; those lines alone are excused.
my $log = $cluster->log_text;
my ($starting, $running) = $log =~ /\A(.*?)(^[^\n]*starting PostgreSQL.*)\z/ms;
$starting =~ s/^(?:[^\n]*DEBUG:  00000: )?\t\w+=[^\n]*\n//mg;
$log = $starting . $running;
for my $name (sort keys %canary)
{
	unlike($seen, qr/\Q$canary{$name}\E/, "the $name key is in no result, error or dump");
	unlike($log, qr/\Q$canary{$name}\E/, "the $name key is not in the server's log");
}

# prompts: a provider that repeats one does not bring it into an error
$cluster->register('echo', provider => 'openai_compatible', endpoint => $server->url('echo-prompt'));
my ($out, $error) = $cluster->try("SET log_statement = none; SET log_min_error_statement = panic; SELECT ai_complete('$prompt', model => 'echo')");
like($error, qr/LM001/, 'a provider refuses and repeats the prompt');
like($error, qr/\[text\]/, 'the prompt is taken out of the error');
unlike($error, qr/4c19af8e02/, 'nothing of it is left');

# the same of 16 kB, no two lines of which are alike, and of the texts of a request for embeddings
my $long = "(SELECT string_agg('line ' || md5(i::text) || ' canary 4c19af8e02', E'\n') FROM generate_series(1, 300) i)";
(undef, $error) = $cluster->try("SET log_statement = none; SET log_min_error_statement = panic; SELECT ai_complete($long, model => 'echo')");
like($error, qr/LM001.*\[text\]/s, 'a long prompt is taken out of the error');
unlike($error, qr/4c19af8e02|line [0-9a-f]{6}/, 'and nothing of it is left');
$cluster->register('echo-embed', task => 'embed', provider => 'openai_compatible', endpoint => $server->url('echo-prompt'));
(undef, $error) = $cluster->try("SET log_statement = none; SET log_min_error_statement = panic; SELECT count(ai_embed(md5(i::text) || repeat(' canary 4c19af8e02', 50), model => 'echo-embed')) FROM generate_series(1, 20) i");
like($error, qr/LM001.*\[text\]/s, 'so are the inputs of a request');
unlike($error, qr/4c19af8e02|"[0-9a-f]{6}/, 'and nothing of them is left');

# an error that is longer than what is kept of it: a key where it is cut
my %shown;
for my $before (0, 200, 400, 700, map { 530 + 2 * $_ } 0 .. 35)
{
	$cluster->register('late', provider => 'openai_compatible', remote_model => "behind-$before");
	(undef, $error) = $cluster->try("SELECT ai_complete('x', model => 'late')");
	$shown{ $error =~ /canary-l/ ? 'shown' : $error =~ /\[key\]/ ? 'taken out' : $error =~ /LM002.*xxx/s ? 'cut off' : 'lost' }++;
}
is(join(', ', sort keys %shown), 'cut off, taken out', 'a key that a long error holds is taken out, or cut off before it begins');

done_testing();
