# Who else is under way: calls above parallel workers, a function that calls
# within a statement that keeps calls under way, and calls outside of such a
# statement, as ai_gateway.stat_activity shows them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use List::Util qw(max);
use Test::More;

my $server = AiGateway::FaultServer->new;
my $cluster = AiGateway::Cluster->new('drivers', conf => "ai_gateway.max_retries = 0\nai_gateway.default_model = 'm'\n");
my $session = AiGateway::Session->new($cluster);

# ---- a statement whose calls stand above parallel workers ----
$cluster->register('m', endpoint => $server->url('digest-50/parallel'));
$cluster->sql("CREATE TABLE words AS SELECT i, 'word ' || i AS word FROM generate_series(1, 3000) i; CREATE TABLE names AS SELECT i * 10 AS i, 'name ' || i AS name FROM generate_series(1, 300) i; ANALYZE words, names");
$session->query('SET ai_gateway.max_in_flight = 64; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0');
for my $case (
	[ 'Gather', "SELECT i, ai_complete(word) AS answer FROM words WHERE i % 10 = 0" ],
	[ 'Gather Merge', "SELECT i, ai_complete(word) AS answer FROM words WHERE i % 10 = 0 ORDER BY word" ],
	[ 'Gather', "SELECT i, word AS answer FROM (SELECT i, word FROM words WHERE i % 10 = 0 OFFSET 0) w WHERE ai_complete(word) > '8'" ],
	[ 'Gather', "SELECT i % 300 AS i, ai_complete('group ' || i % 300) AS answer FROM words GROUP BY i % 300" ],
	[ 'Gather', "SELECT i, ai_complete(word || name) AS answer FROM words JOIN names USING (i)" ])
{
	my ($gather, $query) = @$case;
	my $all = "SELECT count(*) || ' ' || md5(string_agg(i || ' ' || answer, ',' ORDER BY i)) FROM ($query OFFSET 0) q";
	my $seen = () = $server->lines;
	my $plan = $session->query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $query");
	like($plan, qr/Custom Scan \(AiCalls\)(?s:.*)->  $gather \(.*\n\s*Workers Planned: 2\n\s*Workers Launched: [12]\n/, "the calls are made above a $gather: $query");
	my @in_flight = $server->numbers('in_flight');
	splice @in_flight, 0, $seen;
	is(scalar(@in_flight), 300, 'one for each row');
	cmp_ok(max(@in_flight), '>=', 32, 'many at once');
	my $parallel = $session->query($all);
	is($parallel, $session->query("SET max_parallel_workers_per_gather = 0; $all; RESET max_parallel_workers_per_gather"), 'and the answers are those of a plan without workers');
	like($parallel, $query =~ />/ ? qr/^1[2-7]\d [0-9a-f]{32}$/ : qr/^300 [0-9a-f]{32}$/, 'of all rows');
}

# ---- two that wait: the statement, and a function within it that calls by itself ----
# Eight calls of one row are asked for, two at once, before the argument of the
# ninth calls by itself and waits for 1.5 s: by then the eight are long answered.
$cluster->register('inner', endpoint => $server->url('slow-1500/inner'));
$cluster->sql(q{CREATE FUNCTION inner_call(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN ai_complete('inner ' || t, model => 'inner'); END $$;
	CREATE FUNCTION inner_statement(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT string_agg(a, ' ') FROM (SELECT ai_complete(t || i, model => 'inner') AS a FROM generate_series(1, 2) i OFFSET 0) q); END $$;
	CREATE FUNCTION inner_error(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN ai_complete(t, model => 'inner', options => '{"timeout_ms": 1000, "max_retries": 0}'); EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$});
my $eight = join ', ', map { "ai_complete('$_' || i)" } 'a' .. 'h';
for my $case ([ inner_call => 'ok', 1 ], [ inner_statement => 'ok ok', 2 ], [ inner_error => 'LM012', 1 ])
{
	my ($function, $inner, $n_inner) = @$case;
	$cluster->register('m', endpoint => $server->url("digest-50/$function"));
	$cluster->register('inner', endpoint => $server->url("slow-1500/$function"));
	$cluster->register('echo', endpoint => $server->url("echo-body/$function"));
	$session->query('SET ai_gateway.max_in_flight = 2');
	my @answers = split /\|/, $session->query("SELECT $eight, ai_complete('got ' || $function('x' || i), model => 'echo')::jsonb->'messages'->0->>'content' FROM generate_series(1, 1) i");
	is($answers[8], "got $inner", "$function: the ninth call has what the function gave");
	is(scalar(keys %{ { map { $_ => 1 } @answers[ 0 .. 7 ] } }), 8, "$function: the eight are answered, each its own way");
	my ($began) = sort { $a <=> $b } $server->numbers('time', "slow-1500/$function");
	my @times = $server->numbers('time', "digest-50/$function");
	is(scalar(grep { $_ < $began + ($function eq 'inner_error' ? 0.9 : 1.4) } @times), 8, "$function: all eight have been sent before the inner one is done")
	  or diag('seconds after it: ' . join ' ', map { sprintf '%.2f', $_ - $began } @times);
	cmp_ok(max($server->numbers('in_flight', "digest-50/$function")), '<=', 2 + $n_inner, "$function: two at once");
}

# ---- rows that come slowly, and rows that are read slowly ----
$cluster->register('m', endpoint => $server->url('slow-20'));
$session->query("SET ai_gateway.max_in_flight = 64; SET ai_gateway.timeout = '1s'; SET ai_gateway.max_retries = 0");
is($session->query("SELECT count(ai_complete('slow child ' || i)) FROM (SELECT i, pg_sleep(0.05) FROM generate_series(1, 60) i OFFSET 0) q"), '60',
	'calls are sent and answers read while rows come slowly: none runs out of time') or diag($session->{err});
$session->query("DO \$\$ DECLARE r record; BEGIN FOR r IN SELECT ai_complete('slow reader ' || i) FROM generate_series(1, 30) i LOOP PERFORM pg_sleep(0.1); END LOOP; END \$\$");
is($session->{err}, '', 'and while they are read slowly');
$session->query('SET ai_gateway.max_in_flight = 2; RESET ai_gateway.timeout; RESET ai_gateway.max_retries');

# ---- ai_gateway.stat_activity shows whoever waits for a call ----
my $watcher = AiGateway::Session->new($cluster);
my %task = (chat => 'm', embed => 'e', rerank => 'r', moderate => 'mo', transcribe => 't');
sub models { my ($behaviour) = @_; $cluster->register($task{$_}, task => $_, endpoint => $server->url("$behaviour/activity")) for sort keys %task; return }
sub shown { my ($what) = @_; return $watcher->query("SELECT $what FROM ai_gateway.stat_activity WHERE pid = " . $session->pid) }

# Starts a statement, and looks at it when its next request has come.
sub is_shown
{
	my ($behaviour, $sql, $name) = @_;
	my $before = () = $server->lines($behaviour);
	$session->start($sql);
	AiGateway::Cluster::poll(sub { $before < (() = $server->lines($behaviour)) }) or diag "no request: $session->{err}";
	my $seen = '';
	AiGateway::Cluster::poll(sub { ($seen = shown('calls >= 1, in_flight >= 1, failed')) eq 't|t|0' }, 0.5);
	is($seen, 't|t|0', "$name is shown while it waits");
	return;
}
sub is_gone { my ($name) = @_; return is(shown('pid'), '', "$name is shown no more") }
sub cancel
{
	$cluster->sql('SELECT pg_cancel_backend(' . $session->pid . ')');
	$session->finish;
	return $session->sqlstate;
}
models('stall');
$session->query("SET ai_gateway.default_embedding_model = 'e'; SET ai_gateway.default_rerank_model = 'r'; SET ai_gateway.default_moderation_model = 'mo'; SET ai_gateway.default_transcription_model = 't'");
for my $call ("SELECT ai_complete('x')", "SELECT ai_try_complete('x')", q{SELECT ai_chat('[{"role": "user", "content": "x"}]')}, q{SELECT ai_json('x', '{"type": "object"}')},
	"SELECT ai_embed('x')", "SELECT * FROM ai_embed(ARRAY['x', 'y'])", "SELECT * FROM ai_rerank('q', ARRAY['x', 'y'])", "SELECT ai_moderate('x')",
	"SELECT ai_transcribe(decode('524946462400000057415645666d742010000000010001', 'hex'))")
{
	is_shown('stall', $call, $call);
	is(cancel(), '57014', "$call is cancelled");
	is_gone($call);
}
# and to others, that it waits
$cluster->sql('CREATE ROLE somebody LOGIN');
is_shown('stall', "SELECT ai_complete('x')", 'a call');
is(($cluster->try('SELECT pid = ' . $session->pid . ', calls IS NULL FROM ai_gateway.stat_activity', user => 'somebody'))[0], 't|t', 'to others, that it runs');
cancel();

models('slow-600');
$cluster->sql(q{CREATE TABLE noted (word text);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.word := ai_complete(new.word); RETURN new; END $$;
	CREATE TRIGGER note BEFORE INSERT ON noted FOR EACH ROW EXECUTE FUNCTION note()});
for my $case (
	[ 'a loop in PL/pgSQL' => "DO \$\$ BEGIN FOR i IN 1 .. 2 LOOP PERFORM ai_complete('x' || i); END LOOP; END \$\$" ],
	[ 'an assignment in PL/pgSQL' => "DO \$\$ DECLARE a text; BEGIN a := ai_complete('x'); END \$\$" ],
	[ 'a BEFORE row trigger' => "INSERT INTO noted VALUES ('x'), ('y')" ],
	[ 'a call in a transaction' => "BEGIN; SELECT ai_complete('x')" ])
{
	my ($name, $sql) = @$case;
	is_shown('slow-600', $sql, $name);
	$session->finish;
	is($session->sqlstate, 'none', "$name ends well");
	is_gone($name);
	$session->query('ROLLBACK');
}
is($cluster->sql("SELECT string_agg(word, ',') FROM noted"), 'ok,ok', 'the trigger has changed what was inserted');

# a call that fails, and whose error is caught, waits no more
models('status-500-after-600');
my $lock = AiGateway::Session->new($cluster);
$lock->query('SELECT pg_advisory_lock(14)');
is_shown('status-500-after-600', "DO \$\$ BEGIN BEGIN PERFORM ai_complete('x'); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'caught %', sqlstate; END; PERFORM pg_advisory_lock(14); END \$\$", 'a call that fails');
ok(AiGateway::Cluster::poll(sub { $watcher->query("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " . $session->pid) eq '1' }), 'its error is caught, and the block goes on to something else');
like(shown('in_flight'), qr/^0?$/, 'with no call under way');
$lock->quit;
$session->finish;
like($session->{err}, qr/NOTICE:.* caught LM011/, 'the error');
is_gone('the block');
is($session->query("BEGIN; DO \$\$ BEGIN PERFORM ai_complete('x'); EXCEPTION WHEN OTHERS THEN NULL; END \$\$; SELECT 1"), '1', 'a transaction goes on after such an error');
is_gone('it');
$session->query('ROLLBACK');

# a function that has called and returned takes nothing from the statement around it
$cluster->register('m', endpoint => $server->url('stall/around'));
$cluster->register('inner', endpoint => $server->url('digest-50/within'));
is_shown('stall/around', "SELECT ai_complete(inner_call(i::text)) FROM generate_series(1, 3) i", 'a statement');
cmp_ok(scalar(() = $server->lines('digest-50/within')), '>=', 2, 'within which a function has called');
ok(AiGateway::Cluster::poll(sub { shown('in_flight') eq '2' }, 5), 'with two calls under way');
is(cancel(), '57014', 'it is cancelled');
is_gone('it');
my $pid = $session->pid;
is_shown('stall/around', "SELECT ai_complete('x')", 'a call');
$cluster->sql("SELECT pg_terminate_backend($pid)");
ok(AiGateway::Cluster::poll(sub { $watcher->query('SELECT count(*) FROM ai_gateway.running_statements()') eq '0' }), 'a session that is terminated leaves nothing');
$watcher->quit;
$session->quit;
$server->stop;
done_testing();
