# Who else is under way: calls above parallel workers, and a function that calls
# within a statement that keeps calls under way.
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

$session->quit;
$server->stop;
done_testing();
