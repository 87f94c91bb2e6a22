# Databases that are not UTF-8, dump and restore of the registry, standbys, and
# sessions without shared_preload_libraries.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use File::Temp qw(tempdir);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = AiGateway::FaultServer->new;
my $primary = AiGateway::Cluster->new('primary', conf => "wal_level = replica\nmax_wal_senders = 4\nai_gateway.max_retries = 0\n", streaming => 1);
my $node = $primary->node;

# ---- encodings ----
# psql speaks UTF-8 in every case; the database speaks its own
for my $encoding (qw(LATIN1 SQL_ASCII EUC_JP))
{
	my $database = lc $encoding;
	$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	my $utf8 = $encoding eq 'SQL_ASCII' ? '' : "SET client_encoding = 'UTF8';";
	my $ask = sub {
		my ($behaviour, $prompt) = @_;
		my ($out, $err);
		$node->psql($database, "\\set VERBOSITY verbose\n$utf8 UPDATE ai_gateway.models SET endpoint = '" . $server->url($behaviour) . "' WHERE name = 'm';
			SELECT ai_complete('$prompt', model => 'm')", stdout => \$out, stderr => \$err);
		utf8::decode($out);
		return $err =~ /ERROR:\s+(\w{5})/ ? $1 : $out;
	};
	$node->safe_psql($database, "CREATE EXTENSION ai_gateway;
		INSERT INTO ai_gateway.models (name, provider, remote_model, endpoint) VALUES ('m', 'openai_compatible', 'r', 'http://127.0.0.1:1')");
	my $word = $encoding eq 'EUC_JP' ? '日本' : 'Größe';
	utf8::encode(my $octets = $word);
	is($ask->('ok', $octets), 'ok', "$encoding: a prompt outside of ASCII is sent");
	my ($request) = grep { $_->{body} =~ /\Q$word\E/ } $server->requests('ok');
	ok($request || $encoding eq 'SQL_ASCII' && (grep { $_->{body} =~ /\Q$octets\E|\Q$word\E/ } $server->requests('ok')), "$encoding: as UTF-8");
	is($ask->('umlaut', 'x'), 'grüße', "$encoding: a reply outside of ASCII is converted")
	  if $encoding ne 'EUC_JP';
	is($ask->('emoji', 'x'), $encoding eq 'SQL_ASCII' ? '😀😀' : '22P05', "$encoding: a character that it lacks is an error of its own");

	# a row ahead of the last that is wanted: as if it had not been asked for
	is($node->safe_psql($database, "INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('mock', 'mock', 'mock');
		SELECT i FROM generate_series(1, 50) i WHERE ai_complete(i::text, model => CASE i WHEN 21 THEN 'm' ELSE 'mock' END,
			options => CASE WHEN i <> 21 THEN '{\"mock\": {\"latency_ms\": 50}}'::jsonb END) = '20' LIMIT 1"),
		'20', "$encoding: of a row that is only read ahead it is none");
	is($ask->('nul', 'x'), $encoding eq 'SQL_ASCII' ? "a\x{fffd}b" : '22P05', "$encoding: U+0000 in a reply becomes U+FFFD, where that can be");
	my $named = $node->safe_psql($database, "$utf8 INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('$octets', 'mock', 'r');
		SELECT (ai_try_complete('x', model => '$octets')).model = '$octets', (SELECT model FROM ai_gateway.last_call()) = '$octets'");
	is($named, 't|t', "$encoding: the name of a model outside of ASCII comes back as it is");
}

# what one row holds is its own fault, in its turn, and not that of the rows before it
my $octets = $node->safe_psql('sql_ascii', q{INSERT INTO ai_gateway.models (name, task, provider, remote_model) VALUES ('c', 'chat', 'mock', 'r'), ('e', 'embed', 'mock', 'r'), ('k', 'rerank', 'mock', 'r');
	CREATE TABLE t (id int, x text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, E'bad \\xff'), (4, 'd')});
is($node->safe_psql('sql_ascii', q{SELECT id FROM t WHERE ai_complete(x, model => 'c') = 'b' LIMIT 1}), '2', 'a row before one that is not UTF-8 is answered');
is($node->safe_psql('sql_ascii', q{SELECT id FROM t WHERE ai_complete('b', system => x, options => jsonb_build_object('stop', jsonb_build_array(x)), model => 'c') = 'b' AND id > 1 LIMIT 1}), '2', 'also in the system prompt and the options');
for my $call ("ai_complete(x, model => 'c')", "ai_complete('x', system => x, model => 'c')", "ai_embed(x, model => 'e')", "(SELECT count(*) FROM ai_embed(ARRAY['a', x], model => 'e'))",
	"(SELECT count(*) FROM ai_rerank('a', ARRAY['a', x], model => 'k'))", "(SELECT count(*) FROM ai_rerank(x, ARRAY['a'], model => 'k'))", "ai_try_complete(x, model => 'c')",
	"ai_json(x, '{}', model => 'c')", "ai_chat(jsonb_build_array(jsonb_build_object('role', 'user', 'content', x)), model => 'c')")
{
	my ($out, $err);
	$node->psql('sql_ascii', "\\set VERBOSITY verbose\nSET ai_gateway.on_error = 'null'; SELECT $call FROM t WHERE id = 3", stdout => \$out, stderr => \$err);
	like($err, qr/ERROR:  22021: text for a model is not valid UTF-8\nDETAIL:  The database's encoding is SQL_ASCII, so the text is sent as it is\.\nHINT:  SELECT convert_from/, "22021 and what to do: $call");
}
my (undef, undef, $unknown) = $node->psql('sql_ascii', "\\set VERBOSITY verbose\nSELECT ai_complete('x', model => E'\\xff')");
like($unknown, qr/ERROR:  42704: model "." is not registered/, 'so can the name of a model be, which is not registered then');
$node->safe_psql('euc_jp', q{INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('c', 'mock', 'r');
	CREATE TABLE t (id int, x text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, E'\\xa9\\xa9'), (4, 'd')});
is($node->safe_psql('euc_jp', q{SELECT id FROM t WHERE ai_complete(x, model => 'c') = 'b' LIMIT 1}), '2', 'a row before one that cannot be UTF-8 is answered');
(undef, undef, my $lacking) = $node->psql('euc_jp', "\\set VERBOSITY verbose\nSELECT ai_complete(x, model => 'c') FROM t");
like($lacking, qr/ERROR:  22P05: text for a model holds a character of encoding "EUC_JP" that has no equivalent in encoding "UTF8"/, 'which is a fault of its own');

# ---- dump and restore ----
$primary->register('plain', provider => 'mock');
$primary->register('priced', provider => 'openai', endpoint => 'https://api.openai.com/v1', credential => 'team.key',
	options => '{"temperature": 0}', input_price => '2.5', output_price => '10', tags => '{eu,"no retention"}');
$primary->sql("CREATE ROLE team; INSERT INTO ai_gateway.model_grants VALUES ('plain', 'team'), ('priced', 0)");
my $directory = tempdir(CLEANUP => 1);
my $all = 'SELECT m.*, g.role::regrole FROM ai_gateway.models m LEFT JOIN ai_gateway.model_grants g ON g.model = m.name ORDER BY m.name';
my $expected = $primary->sql($all);
$primary->sql("UPDATE ai_gateway.model_profiles SET comment = 'changed here' WHERE pattern = 'gpt-oss*';
	INSERT INTO ai_gateway.model_profiles (pattern, refuses) VALUES ('mine*', '{seed}')");
my $profiles = "SELECT pattern, protocol, refuses, renames, comment, builtin FROM ai_gateway.model_profiles ORDER BY pattern, protocol";
my $expected_profiles = $primary->sql($profiles);
for my $format (qw(plain custom))
{
	$node->command_ok([ 'pg_dump', '-F', $format, '-f', "$directory/$format.dump", $node->connstr('postgres') ], "pg_dump in $format format");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format TEMPLATE template0");
	$node->command_ok($format eq 'plain'
		? [ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-q', '-o', '/dev/null', '-f', "$directory/$format.dump", $node->connstr("restored_$format") ]
		: [ 'pg_restore', '-j', '2', '-d', $node->connstr("restored_$format"), "$directory/$format.dump" ], "and its restore");
	is($node->safe_psql("restored_$format", $all), $expected, "the registry is as before ($format)");
	is($node->safe_psql("restored_$format", $profiles), $expected_profiles, "and so are the profiles, those that came with the extension and those that did not ($format)");
	is($node->safe_psql("restored_$format", "SET ROLE team; SELECT ai_complete('x', model => 'plain')"), 'x', 'and it works');
}

# ---- a standby answers too, and follows the registry ----
$node->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'b', has_streaming => 1);
$standby->start;
my $session = AiGateway::Session->new(bless { node => $standby }, 'AiGateway::Cluster');
is($session->query("SELECT ai_complete('x', model => 'plain')"), 'x', 'a standby calls models');
$primary->sql(q{UPDATE ai_gateway.models SET options = '{"mock": {"answer": "changed"}}' WHERE name = 'plain'});
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($session->query("SELECT ai_complete('x', model => 'plain')"), 'changed', 'and sees a change of the registry');
$session->quit;
$standby->stop;

# ---- without preloading ----
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart;
is($primary->sql("SELECT ai_complete('x', model => 'plain')"), 'changed', 'without shared_preload_libraries functions work');
is($primary->sql("SET ai_gateway.default_model = 'plain'; SELECT ai_complete('x')"), 'changed', 'and parameters that were set before the library was loaded');
my ($out, $error) = $primary->try("SET ai_gateway.openai_api_key = 'sk-canary-placeholder'; SELECT ai_complete('x', model => 'plain')");
unlike($error, qr/canary/, 'a key set as a placeholder is not repeated in a warning');
is($primary->sql("SELECT ai_gateway.version() ~ '^ai_gateway 0\\.1'"), 't', 'version() tells the versions');

# ---- databases without the extension, and a dropped one ----
is($primary->sqlstate("SELECT ai_gateway.version()", database => 'template1'), '3F000', 'a database without the extension has nothing');
$session = AiGateway::Session->new($primary);
is($session->query("SELECT ai_complete('x', model => 'plain')"), 'changed', 'a session has the registry in its cache');
$primary->sql('DROP EXTENSION ai_gateway');
$session->query("SELECT ai_complete('x', model => 'plain')");
is($session->sqlstate, '42883', 'the extension is gone for it, too');
$primary->sql('CREATE SCHEMA ai; CREATE EXTENSION ai_gateway SCHEMA ai');
$primary->register('again', provider => 'mock');
is($session->query("SELECT ai.ai_complete('x', model => 'again')"), 'x', 'and comes back in another schema');
$session->quit;

done_testing();
