# Statements over many rows on a real server: connections, cancel, leaks, errors
# of single rows, progress.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $server = AiGateway::FaultServer->new;
my $cluster = AiGateway::Cluster->new('many', conf => "ai_gateway.max_retries = 0\nai_gateway.default_model = 'm'\nai_gateway.max_in_flight = 50\n");
my $session = AiGateway::Session->new($cluster);
my $over = sub { my ($n) = @_; return "FROM generate_series(1, $n) i" };
# how many requests there were so far, without reading them
sub asked { my ($behaviour) = @_; return ($server->counts($behaviour))[0] }
sub alive { my ($s) = @_; return $s->query('SELECT 1') eq '1' }

# ---- connections: prompts of 2 kB, answers of 900 B ----
$cluster->register('m', endpoint => $server->url('long-900-100'));
my $started = time();
is($session->query("SELECT count(ai_complete(repeat('row ' || i || ' ', 250))) " . $over->(200)), '200', '200 rows, 100 ms a call');
cmp_ok(time() - $started, '<', 5, 'took less than one after the other (20 s)');
my ($calls, $connections) = $server->counts('long-900-100');
cmp_ok($connections, '<=', 50, 'over no more connections than requests under way');
is($calls, 200, 'and 200 requests');

# a first reply is not waited for to learn that the server speaks HTTP/1.1
my $fresh = AiGateway::Session->new($cluster);
$cluster->register('m', endpoint => $server->url('stall'));
$fresh->start("SELECT count(ai_complete(repeat('cold ' || i || ' ', 250))) " . $over->(200));
ok(AiGateway::Cluster::poll(sub { asked('stall') >= 50 }), 'the first 50 requests of a session are under way before any is answered');
$cluster->sql('SELECT pg_cancel_backend(' . $fresh->pid . ')');
$fresh->finish;
$fresh->quit;
$cluster->register('m', endpoint => $server->url('slow-100'));

# ---- cancel, terminate, statement_timeout: at once, and nothing stays ----
$session->query("SELECT count(ai_complete('warm ' || i)) " . $over->(100));
my $descriptors = scalar $session->descriptors;
$cluster->register('m', endpoint => $server->url('stall'));
for my $query (
	"SELECT ai_complete(repeat('c ' || i, 3000)) " . $over->(1000),
	"SELECT count(*) " . $over->(1000) . " WHERE ai_complete(repeat('f ' || i, 400)) = 'x'",
	"SELECT count(ai_complete('a ' || i)) " . $over->(1000),
	"CREATE TEMP TABLE made AS SELECT ai_complete(repeat('t ' || i, 100)) " . $over->(1000),
	"SELECT i, (SELECT count(ai_complete('s ' || i || j)) FROM generate_series(1, 100) j) " . $over->(10))
{
	my $before = asked('stall');
	$session->start($query);
	ok(AiGateway::Cluster::poll(sub { asked('stall') >= $before + 50 }), "50 requests wait: $query");
	my $began = time();
	$cluster->sql('SELECT pg_cancel_backend(' . $session->pid . ')');
	$session->finish;
	is($session->sqlstate, '57014', 'it is cancelled');
	cmp_ok(time() - $began, '<', 1, 'at once');
}
$session->query("SET statement_timeout = '300ms'; SELECT ai_complete('c ' || i) " . $over->(1000));
is($session->sqlstate, '57014', 'statement_timeout');
$session->query('RESET statement_timeout');
cmp_ok(scalar($session->descriptors), '<=', $descriptors, 'no descriptor is left');

# ---- an error ends the statement and gives the others up ----
$cluster->register('m', endpoint => $server->url('status-500'));
$session->query("DO \$\$ BEGIN FOR n IN 1..200 LOOP BEGIN PERFORM ai_complete('e ' || i || n) " . $over->(60) . "; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END \$\$");
is($session->sqlstate, 'none', 'two hundred failing statements in PL/pgSQL');
cmp_ok(scalar($session->descriptors), '<=', $descriptors, 'leave no descriptor behind');
$cluster->register('r', endpoint => 'http://127.0.0.1:1/v1');
is($session->query("DO \$\$ DECLARE said text; BEGIN FOR n IN 1..600 LOOP BEGIN PERFORM ai_complete('r ' || n, model => 'r'); EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL; "
	. "IF said LIKE '%descriptor%' THEN RAISE; END IF; END; END LOOP; END \$\$"), '', 'six hundred refused connections use up no descriptor');
is($session->sqlstate, 'none', 'not in the count that PostgreSQL keeps either');
is($session->query("SET ai_gateway.on_error = 'null'; SELECT count(ai_complete('n ' || i)), count(*) " . $over->(60)), '0|60', 'on_error = null: all rows come');
$session->query('RESET ai_gateway.on_error');

# ---- a model's own limit, and what its provider bears ----
my $narrow = AiGateway::Session->new($cluster);
$cluster->register('m', endpoint => $server->url('slow-20'), max_in_flight => 4);
is($narrow->query("SELECT count(ai_complete('four ' || i)) " . $over->(60)), '60', 'a model with max_in_flight = 4');
is(($server->counts('slow-20'))[1], 4, 'has four requests under way');
is($narrow->query("SELECT count(ai_complete('outer ' || ai_complete('inner ' || i))), (SELECT count(ai_complete('beside ' || i)) FROM generate_series(1, 9) i) " . $over->(20)), '20|9', 'calls within calls and beside them share the places');
$cluster->register('m', endpoint => $server->url('limit-8'), max_in_flight => 100);
is($narrow->query("SET ai_gateway.max_retries = 6; SET ai_gateway.max_in_flight = 100; SELECT count(ai_complete('bear ' || i)) " . $over->(600)), '600', 'a server that bears eight requests at once answers all rows');
my @refused = ($narrow->query('EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF, TIMING OFF) SELECT count(ai_complete(\'again \' || i)) ' . $over->(600)) =~ /retries=(\d+)/);
cmp_ok($refused[0] // 0, '<', 200, 'and the next statement, with the window known, is refused ' . ($refused[0] // 0) . ' times');
$narrow->quit;

# ---- a long beginning that is billed for less the second time ----
my $policy = "SELECT ai_complete(repeat('Read the policy. ', 300) || 'Ticket ' || i) " . $over->(40);
my $sent = sub {
	my ($query, $expected, %columns) = @_;
	my $before = asked('stall');
	$cluster->register('m', endpoint => $server->url('stall'), %columns);
	$session->start($query);
	AiGateway::Cluster::poll(sub { asked('stall') >= $before + $expected });
	$cluster->sql('SELECT pg_cancel_backend(' . $session->pid . ')');
	$session->finish;
	my @lines = $server->lines('stall');
	return [ map { decode_json($_) } @lines[ $before .. $#lines ] ];
};
is(scalar(@{ $sent->($policy, 1, input_price => 2, cached_input_price => 0.2) }), 1, 'one call goes ahead of those that begin alike');
is(scalar(@{ $sent->("SELECT ai_complete('Ticket ' || i) " . $over->(40), 40, input_price => 2, cached_input_price => 0.2) }), 40, 'none of short ones');
is(scalar(@{ $sent->($policy, 40, input_price => 2, cached_input_price => 2) }), 40, 'nor where cached input costs as much');
my @bodies = map { $_->{body} } @{ $sent->($policy, 40) };
is(scalar(@bodies), 40, 'nor where that is not known');
my $static = length(('Read the policy. ' x 300) . 'Ticket ');
is(scalar(grep { index($_, 'Ticket ') == index($bodies[0], 'Ticket ') && substr($_, 0, index($_, 'Ticket ')) eq substr($bodies[0], 0, index($bodies[0], 'Ticket ')) && index($_, 'Ticket ') > $static } @bodies), 40, 'all requests begin with the same bytes');
$cluster->register('m', endpoint => $server->url('slow-20'), input_price => 2, cached_input_price => 0.2);
is($session->query("SELECT count(*) FROM ($policy) q"), '40', 'and the others follow it');

# ---- embeddings of 1,536 dimensions: one bad input is alone in its error ----
$cluster->register('e', task => 'embed', endpoint => $server->url('embed-1536-refuse-bad'));
$session->query("SET ai_gateway.default_embedding_model = 'e'; SET ai_gateway.on_error = 'null'");
is($session->query("SELECT count(ai_embed(CASE WHEN i = 37 THEN 'bad' ELSE repeat('good ' || i || ' ', 100) END)), count(*) " . $over->(100)), '99|100', 'a request that is refused for one of its inputs is split');
my $requests = asked('embed-1536-refuse-bad');
cmp_ok($requests, '<=', 15, "in $requests requests");
is($session->query("SELECT count(*) FILTER (WHERE e[1] = 100 * i), count(DISTINCT e), min(cardinality(e)) FROM (SELECT i, ai_embed(repeat('x', 100 * i)) e " . $over->(60) . ' OFFSET 0) q'), '60|60|1536', 'each row has the vector of its own text');
$session->query('RESET ai_gateway.on_error');
$cluster->register('e', task => 'embed', endpoint => $server->url('embed-1536'));
is($session->query("SELECT count(*) FILTER (WHERE e[1] = length(t)), count(*) FROM (SELECT t, ai_embed(t) e FROM (SELECT repeat('word ', 1 + i % 400) || i t " . $over->(2000) . ') r OFFSET 0) q'), '2000|2000', 'two thousand of them');
$requests = asked('embed-1536');
cmp_ok($requests, '<=', 20, "in $requests requests");

# ---- texts that PostgreSQL stores out of line, answers that come in any order ----
$cluster->sql($server->long_text_in_sql);
$cluster->sql(q{CREATE TABLE ticket (id int PRIMARY KEY, body text, answer text, embedding real[]);
	ALTER TABLE ticket ALTER body SET STORAGE EXTERNAL;
	INSERT INTO ticket SELECT i, repeat('ticket ' || i || ' ', ('{8,80,350,1400}'::int[])[1 + i % 4]) FROM generate_series(1, 300) i});
$cluster->register('m', endpoint => $server->url('long-10000-0-80'));
my $right = "count(*), count(*) FILTER (WHERE answer = long_text(body, 10000)), sum(length(body))";
my $all = $cluster->sql("SELECT count(*), count(*), sum(length(body)) FROM ticket");
like($all, qr/^300\|300\|14\d{5}$/, 'tickets of 80 B to 16 kB');
for my $work_mem ('64kB', '4MB')
{
	$session->query("SET work_mem = '$work_mem'");
	is($session->query("SELECT $right FROM (SELECT body, ai_complete(body) answer FROM ticket OFFSET 0) q"), $all, "work_mem = $work_mem: each row has its own answer of 10 kB");
	is($session->query("SELECT bool_and(id = n), $right FROM (SELECT row_number() OVER () n, q.* FROM (SELECT id, body, ai_complete(body) answer FROM ticket ORDER BY id) q) r"), "t|$all", 'in the order of the rows');
	is($session->query("BEGIN; DECLARE c CURSOR FOR SELECT body, ai_complete(body) answer FROM ticket; MOVE 100 FROM c; CREATE TEMP TABLE rest (body text, answer text);
		DO \$\$ DECLARE b text; a text; c refcursor = 'c'; BEGIN LOOP FETCH c INTO b, a; EXIT WHEN NOT FOUND; INSERT INTO rest VALUES (b, a); END LOOP; END \$\$;
		SELECT count(*), count(*) FILTER (WHERE answer = long_text(body, 10000)) FROM rest; ROLLBACK"), '200|200', 'and in a cursor');
	is($session->query("BEGIN; UPDATE ticket SET answer = ai_complete(body), body = body || ' closed', embedding = ai_embed(body) WHERE id % 3 = 0; ALTER TABLE ticket ADD COLUMN more text; DELETE FROM ticket WHERE id % 3 > 0;
		SELECT count(*), count(*) FILTER (WHERE answer = long_text(left(body, -7), 10000)), count(*) FILTER (WHERE embedding[1] = length(body) - 7) FROM ticket; ROLLBACK"), '100|100|100', 'and in UPDATE, with the vector of its own text');
	is($session->query("BEGIN; WITH gone AS (DELETE FROM ticket WHERE id <= 100 RETURNING body, ai_complete(body) answer) SELECT count(*), count(*) FILTER (WHERE answer = long_text(body, 10000)) FROM gone; ROLLBACK"), '100|100', 'and in RETURNING of rows that are gone');
}
$session->query('RESET work_mem');

# ---- what a statement over many long rows holds: 40 MB pass through it ----
$cluster->register('m', endpoint => $server->url('long-10000'));
my $wide = AiGateway::Session->new($cluster);
my $peak = sub { open(my $f, '<', '/proc/' . $wide->pid . '/status') or die; my ($kb) = map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$f>; return $kb / 1024 };
$wide->query("SELECT count(ai_complete(repeat('warm ' || i, 1000))) " . $over->(100));
my $megabytes = $peak->();
is($wide->query("SELECT sum(length(ai_complete(repeat('wide ' || i || ' ', 1500)))) " . $over->(1500)), '15000000', '1,500 answers of 10 kB to prompts of 16 kB');
SKIP:
{
	skip 'a sanitizer has memory of its own', 1 if $ENV{AI_GATEWAY_SLOW};
	my $grew = $peak->() - $megabytes;
	cmp_ok($grew, '<', 12, sprintf('are never held all at once (%.1f MB)', $grew));
}
$wide->quit;

# ---- tokens: one sum, whoever tells it ----
$cluster->register('m', endpoint => $server->url('odd-usage'), input_price => 2, cached_input_price => 1, cache_write_price => 3, output_price => 4);
my $told = "SELECT input_tokens, output_tokens, cost FROM ai_try_complete('odd')";
is($session->query($told), '10|50|0.00021', 'where a part is more than the whole, the whole counts, and is paid for');
like($session->query("EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF, TIMING OFF) SELECT ai_complete('odd ' || i) " . $over->(3)), qr/tokens=30\+150 cost=0\.00063 /, 'EXPLAIN counts the same');
$cluster->register('m', endpoint => $server->url('usage-later'), input_price => 2, output_price => 4);
is($session->query(q{SELECT ai_json('x', '{"type": "object"}')}), '{}', 'an answer that is asked for twice, the first without its tokens');
is($session->query("SELECT attempts, input_tokens IS NULL, output_tokens IS NULL FROM ai_gateway.last_call()"), '2|t|t', 'took more than the second alone, so that its tokens are not known');

# ---- progress ----
$cluster->register('m', endpoint => $server->url('long-2000-200'));
$session->start("SET ai_gateway.progress = on; SELECT count(ai_complete(repeat('p ' || i, 100))) " . $over->(1200));
ok(AiGateway::Cluster::poll(sub { $cluster->sql('SELECT count(*) FROM ai_gateway.stat_activity WHERE pid = ' . $session->pid
		. ' AND answered > 100 AND in_flight BETWEEN 1 AND 50 AND calls >= answered AND failed = 0') eq '1' }), 'ai_gateway.stat_activity shows how far it is');
$cluster->sql('CREATE ROLE somebody LOGIN');
is(($cluster->try('SELECT pid IS NOT NULL, answered IS NULL FROM ai_gateway.stat_activity', user => 'somebody'))[0], 't|t', 'and to others, that it runs');
is($session->finish, '1200', 'it ends');
like($session->{err}, qr/NOTICE:.*model calls: \d+ answered, \d+ under way, 0 failed/, 'a NOTICE told of it');
is($cluster->sql('SELECT count(*) FROM ai_gateway.stat_activity'), '0', 'nothing is shown when nothing runs');
ok(alive($session), 'the session lives');
$session->quit;
done_testing();
