# Cancel, terminate and statement_timeout work at once in every phase of a
# call, and leave nothing behind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(time);

my $server = AiGateway::FaultServer->new;

# a resolver that hangs for one name, to cancel a call during name resolution
my $directory = tempdir(CLEANUP => 1);
chmod 0755, $directory;
open(my $source, '>', "$directory/slow_dns.c") or die;
print {$source} <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	static int (*real) (const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!real)
		real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (node && strcmp(node, "slow.example.com") == 0)
	{
		sleep(6);
		return EAI_AGAIN;
	}
	return real(node, service, hints, res);
}
C
close $source;
system("cc -shared -fPIC -o $directory/slow_dns.so $directory/slow_dns.c -ldl") == 0 or die 'cc failed';

my $sanitized = $ENV{LD_PRELOAD} // '';
my $cluster = do {
	local $ENV{LD_PRELOAD} = join(' ', grep { $_ ne '' } $sanitized, "$directory/slow_dns.so");
	AiGateway::Cluster->new('cancel', conf => "ai_gateway.max_retries = 0\nai_gateway.allowed_hosts = 'slow.example.com'\n");
};

# where the whole suite runs many times slower, so may this
my $slack = $ENV{AI_GATEWAY_SLOW} ? 20 : 1;

my %phase = (
	'name resolution' => 'http://slow.example.com:1/ok',
	'connecting' => $server->url('no-accept'),
	'TLS handshake' => $server->url('tls-stall'),
	'waiting' => $server->url('stall'),
	'headers' => $server->url('drip-headers'),
	'body' => $server->url('stall-long-10000'),
	'a stream' => $server->url('events-long-10000-pause-60000'),
	'back-off' => $server->url('always-retry-after-ms-20000'),
	'mock latency' => undef);

sub register
{
	my ($endpoint) = @_;
	if (defined $endpoint) { $cluster->register('m', endpoint => $endpoint, options => '{"max_retries": 1}', settings => $endpoint =~ /events/ ? '{"first_byte_timeout_ms": 60000}' : '{}') }
	else { $cluster->register('m', provider => 'mock', options => '{"mock": {"latency_ms": 20000}}') }
	return;
}

my $session;

# Sockets come and go under new numbers; how many there are stays.  A call that
# is cancelled within getaddrinfo() leaves that to a thread of libcurl, which
# nothing can stop and which closes its last socket when the resolver returns.
sub same_descriptors
{
	my ($before) = @_;
	my @after;
	AiGateway::Cluster::poll(sub { @after = $session->descriptors; @after <= @$before }, 15 * $slack);
	cmp_ok(scalar @after, "<=", scalar @$before, "no more descriptors are open than before (" . @$before . ")")
	  or diag("before:\n" . join("\n", sort @$before) . "\nafter:\n" . join("\n", sort @after));
	return;
}

$session = AiGateway::Session->new($cluster);
my $admin = AiGateway::Session->new($cluster);

# one call of each kind, so that what is kept for the session's life is there
for my $name (sort keys %phase)
{
	register($phase{$name});
	$session->query("SET statement_timeout = '50ms'; SELECT ai_complete('p', model => 'm')");
}
$session->query("SET statement_timeout = 0");
$cluster->register('ok', endpoint => $server->url('ok'));
$session->query("SELECT ai_complete('p', model => 'ok')");
my @before = $session->descriptors;

# a prompt of 16 kB, halves of answers of 10 kB
my $call = "SELECT ai_complete(repeat('A ticket of sixteen kilobytes. ', 520), model => 'm')";
for my $name (sort keys %phase)
{
	register($phase{$name});
	my $start = time();
	$session->query("SET statement_timeout = '300ms'; $call");
	my $took = time() - $start;
	is($session->sqlstate, '57014', "statement_timeout during $name");
	diag(sprintf('statement_timeout of 300 ms during %s ended after %.0f ms', $name, $took * 1000));
	cmp_ok($took, '<', 0.4 * $slack, "within 100 ms of its time");

	$session->query('SET statement_timeout = 0');
	$session->start($call);
	ok(AiGateway::Cluster::poll(sub {
		$session->{run}->pump_nb;
		$admin->query("SELECT wait_event IN ('Extension', 'AiGatewayModelCall') FROM pg_stat_activity WHERE pid = " . $session->pid . " AND state = 'active'") eq 't' }),
		"the call waits in $name");
	$start = time();
	$admin->query('SELECT pg_cancel_backend(' . $session->pid . ')');
	$session->finish;
	$took = time() - $start;
	is($session->sqlstate, '57014', "pg_cancel_backend during $name");
	cmp_ok($took, '<', 0.1 * $slack + 0.05, sprintf('within 100 ms (%.0f ms, with two round trips)', $took * 1000));

	my $victim = AiGateway::Session->new($cluster);
	$victim->start($call);
	AiGateway::Cluster::poll(sub {
		$victim->{run}->pump_nb;
		$admin->query("SELECT wait_event IN ('Extension', 'AiGatewayModelCall') FROM pg_stat_activity WHERE pid = " . $victim->pid . " AND state = 'active'") eq 't' });
	$start = time();
	$admin->query('SELECT pg_terminate_backend(' . $victim->pid . ')');
	my $gone = AiGateway::Cluster::poll(sub { !-e '/proc/' . $victim->pid }, 5);
	$took = time() - $start;
	ok($gone, "pg_terminate_backend during $name");
	cmp_ok($took, '<', 0.1 * $slack + 0.05, sprintf('within 100 ms (%.0f ms)', $took * 1000));
	$victim->finish;
}
$session->query("SELECT ai_complete('p', model => 'ok')");
same_descriptors(\@before);

# a thousand failures in a PL/pgSQL loop
$cluster->register('m', endpoint => $server->url('status-500'));
$cluster->register('r', endpoint => $server->url('reset'));
$cluster->sql(<<'SQL');
CREATE FUNCTION fail_often(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE failed int := 0;
BEGIN
	FOR i IN 1 .. n LOOP
		BEGIN
			PERFORM ai_complete('p' || i, model => CASE WHEN i % 2 = 0 THEN 'm' ELSE 'r' END);
		EXCEPTION WHEN sqlstate 'LM011' OR sqlstate 'LM015' THEN
			failed := failed + 1;
		END;
	END LOOP;
	RETURN failed;
END $$
SQL
my $memory = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name ~ 'ai_gateway'};
$session->query('SELECT fail_often(10)');
@before = $session->descriptors;
my $bytes = $session->query($memory);
is($session->query('SELECT fail_often(1000)'), '1000', 'a thousand calls fail one by one');
same_descriptors(\@before);
is($session->query($memory), $bytes, 'the memory of the extension is as before');

# a thousand long answers and vectors: nothing of them stays, neither in
# PostgreSQL's memory nor in malloc()'s
$cluster->register('l', endpoint => $server->url('long-10000'));
$cluster->register('e', task => 'embed', endpoint => $server->url('embed-1536'));
$cluster->sql(<<'SQL');
CREATE FUNCTION ask_often(n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE bytes bigint := 0;
BEGIN
	FOR i IN 1 .. n LOOP
		bytes := bytes + length(ai_complete(repeat('p', 4000) || i, model => 'l')) + cardinality(ai_embed(repeat('e', 900) || i, model => 'e'));
	END LOOP;
	RETURN bytes;
END $$
SQL
my $resident = sub { open(my $f, '<', '/proc/' . $session->pid . '/status') or die; my ($kb) = map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$f>; return $kb };
my $together = "SELECT sum(length(ai_complete(repeat('p', 4000) || i, model => 'l'))), sum(cardinality(ai_embed(repeat('e', 900) || i, model => 'e'))) FROM generate_series(1, 500) i";
# The heap settles within some rounds; what was lost with each answer would make
# every round grow by as much: a kB of each of a thousand, and of as many vectors.
$session->query('SELECT ask_often(50)');
$session->query($together);
$bytes = $session->query($memory);
my ($grew, $rounds) = (undef, 0);
do
{
	my $kilobytes = $resident->();
	is($session->query('SELECT ask_often(500)'), 500 * 11536, 'five hundred long answers and vectors one by one');
	is($session->query($together), (500 * 10000) . '|' . (500 * 1536), 'and beside each other');
	$grew = $resident->() - $kilobytes;
} while ($grew >= 1000 && ++$rounds < 6);
is($session->query($memory), $bytes, 'the memory of the extension is as before');
SKIP:
{
	skip 'a sanitizer has memory of its own', 1 if $ENV{AI_GATEWAY_SLOW};
	cmp_ok($grew, '<', 1000, "and after at most six rounds that of the backend grows no more ($grew of 25,000 kB that came, after $rounds)");
}

# a failed call within a savepoint
is($session->query("BEGIN; SAVEPOINT s; SELECT ai_complete('p', model => 'm')"), '', 'a call fails within a savepoint');
is($session->query("ROLLBACK TO s; SELECT ai_complete('p', model => 'ok'); COMMIT"), 'ok', 'and the transaction goes on behind it');

# other sessions do not wait for a call
$cluster->register('m', endpoint => $server->url('stall'));
$cluster->sql('CREATE DATABASE other');
$cluster->node->safe_psql('other', 'SELECT 1');
$session->start($call);
AiGateway::Cluster::poll(sub {
	$session->{run}->pump_nb;
	$admin->query("SELECT wait_event IN ('Extension', 'AiGatewayModelCall') FROM pg_stat_activity WHERE pid = " . $session->pid . " AND state = 'active'") eq 't' });
my $start = time();
$admin->query('DROP DATABASE other');
my $took = time() - $start;
is($admin->{err}, '', 'DROP DATABASE while a call waits');
diag(sprintf('DROP DATABASE took %.0f ms beside a waiting call', $took * 1000));
cmp_ok($took, '<', 1.5 * $slack, 'does not wait for it');
$admin->query('SELECT pg_cancel_backend(' . $session->pid . ')');
$session->finish;

# the server goes down at once
$session->start($call);
AiGateway::Cluster::poll(sub { $session->{run}->pump_nb; ($server->counts('stall'))[0] > 1 });
$start = time();
$cluster->node->stop('fast');
cmp_ok(time() - $start, '<', 5 * $slack, 'a fast shutdown does not wait for a call');

# a stand-alone backend has no postmaster whose death it could wait for
SKIP:
{
	skip 'the suite runs as root', 1 if $> == 0;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'postgres', '--single', '-D', $cluster->node->data_dir, 'postgres' ],
		'<', \"SELECT ai_complete('p', model => 'ok') AS answer\n", '>', \$out, '2>', \$err, IPC::Run::timeout(60));
	like($out, qr/answer = "ok"/, 'a stand-alone backend calls');
}

done_testing();
