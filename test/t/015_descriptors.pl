# A file descriptor that is not to be had is a place to wait for: more calls in
# flight than there are descriptors, more hosts, other users of the backend's
# descriptors.  And connections are used again, however many calls are in flight.
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

# every name of example.com is this machine, found after a tenth of a second
my $directory = tempdir(CLEANUP => 1);
chmod 0755, $directory;
open(my $source, '>', "$directory/names.c") or die;
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
	if (node && strstr(node, ".example.com") != NULL)
	{
		usleep(100000);
		node = "127.0.0.1";
	}
	return real(node, service, hints, res);
}
C
close $source;
system("cc -shared -fPIC -o $directory/names.so $directory/names.c -ldl") == 0 or die 'cc failed';
my $sanitized = $ENV{LD_PRELOAD} // '';
my $cluster = do {
	local $ENV{LD_PRELOAD} = join(' ', grep { $_ ne '' } $sanitized, "$directory/names.so");
	AiGateway::Cluster->new('descriptors', conf => "ai_gateway.max_retries = 0\nai_gateway.default_model = 'm'\n"
		  . "ai_gateway.max_in_flight = 256\nai_gateway.allowed_hosts = '*.example.com'\nmax_files_per_process = 150\n");
};
$cluster->sql('CREATE EXTENSION dblink');
# prompts of 100 B to 16 kB
my $prompt = "'row ' || i || repeat(' lorem ipsum', 8 << (i % 8))";
my $all = sub { my ($n) = @_; return "SELECT count(ai_complete($prompt)), count(*) FROM generate_series(1, $n) i" };
sub sockets { my ($session) = @_; return scalar grep { /^socket:/ } $session->descriptors }

sub peak
{
	my ($session, $sql) = @_;
	my $peak = 0;
	$session->start($sql);
	AiGateway::Cluster::poll(sub {
		my $n = sockets($session);
		$peak = $n if $n > $peak;
		$session->{run}->pump_nb;
		return $session->{out} =~ /$session->{mark}/ }, 120);
	return ($session->finish, $peak);
}

# ---- more calls in flight than descriptors ----
my $session = AiGateway::Session->new($cluster);
$cluster->register('m', endpoint => $server->url('slow-20'));
my ($answered, $peak) = peak($session, $all->(600));
is($answered, '600|600', '256 calls in flight where there are some 40 descriptors: all rows are answered');
is($session->{err}, '', 'without a word of it');
cmp_ok($peak, '>', 10, "over many connections at once ($peak)");
cmp_ok($peak, '<', 50, 'but no more than a third of the descriptors');
my ($requests, $connections) = $server->counts('slow-20');
is($requests, 600, 'one request each');
cmp_ok($connections, '<', 50, "and connections are used again ($connections)");

# ---- idle connections give way ----
for my $i (1 .. 60) { $cluster->register("h$i", endpoint => $server->url('ok', host => "h$i.example.com")) }
is($session->query("SELECT count(ai_complete('h', model => 'h' || i)) FROM generate_series(1, 60) i"), '60', 'calls to sixty hosts, whose names are looked up');
is($session->query("SELECT count(ai_complete('h', model => 'h' || i)) FROM generate_series(1, 60) i"), '60', 'and again');
is($session->query($all->(300)), '300|300', 'and what they left open is in nobody\'s way');

# ---- the resolver's own descriptors ----
my $fresh = AiGateway::Session->new($cluster);
$cluster->register('m', endpoint => $server->url('slow-20', host => 'cold.example.com'));
system('prlimit', '--pid', $fresh->pid, '--nofile=160:160') == 0 or die 'prlimit failed';
is($fresh->query($all->(400)), '400|400', '256 calls that look up one name at once, where the system has not many more descriptors either');
is($fresh->{err}, '', 'none says that there is no such host');
$fresh->quit;

# ---- others who have descriptors ----
$cluster->register('m', endpoint => $server->url('slow-20'));
my $connection = $cluster->node->connstr('postgres') =~ s/'/''/gr;
$cluster->sql("CREATE FUNCTION grab() RETURNS int LANGUAGE plpgsql AS \$\$ DECLARE n int := 0; BEGIN LOOP
	BEGIN PERFORM dblink_connect('c' || n, '$connection'); EXCEPTION WHEN OTHERS THEN RETURN n; END;
	n := n + 1; EXIT WHEN n > 60; END LOOP; RETURN n; END \$\$");
my $n = $session->query('SELECT grab()');
cmp_ok($n, '>', 0, "others find some beside the idle connections ($n)");
cmp_ok($n, '<', 20, 'until they are refused');
is($session->query($all->(300)), '300|300', 'calls use the connections that are kept, and what was theirs');
is($session->{err}, '', 'without a word of it');

# a session that never made a call has nothing to wait with
my $late = AiGateway::Session->new($cluster);
$n = $late->query('SELECT grab()');
cmp_ok($n, '>', 10, "dblink takes all descriptors of a session ($n)");
# some are needed to wait with, then one for a connection
my $left = 0;
while ($left < 8)
{
	$late->query("SELECT ai_complete('p')");
	last if $late->sqlstate eq 'none';
	is($late->sqlstate, '53000', "a call is refused, $left left");
	like($late->{err}, qr/DETAIL:.*[Nn]o file descriptor is left/, 'with the reason');
	like($late->{err}, qr/HINT:.*max_files_per_process/, 'and what to do');
	is($late->query("SET ai_gateway.on_error = 'null'; " . $all->(20)), '0|20', "as data, $left left");
	$late->query('RESET ai_gateway.on_error');
	$late->query("SELECT dblink_disconnect('c$left')");
	$left++;
}
cmp_ok($left, '>=', 3, 'there is none with two left');
cmp_ok($left, '<=', 5, 'and one with five');
($answered, $peak) = peak($late, $all->(100));
is($answered, '100|100', 'with one for a connection, all calls go over it');
is($late->query("SELECT count(dblink_disconnect('c' || i)) FROM generate_series(8, 12) i"), '5', 'others give theirs back');
is($late->query($all->(100)), '100|100', 'and it goes on');
$late->quit;
$session->quit;

# ---- above 256 in flight connections last, too ----
$cluster->node->append_conf('postgresql.conf', "max_files_per_process = 2000\n");
$cluster->node->restart;
$session = AiGateway::Session->new($cluster);
$cluster->register('m', endpoint => $server->url('slow-200'));
is($session->query("SET ai_gateway.max_in_flight = 300; " . $all->(900)), '900|900', '300 in flight');
($requests, $connections) = $server->counts('slow-200');
cmp_ok($connections, '<=', 300, "open no more than 300 connections for 900 calls ($connections)");
$session->quit;
done_testing();
