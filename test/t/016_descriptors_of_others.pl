# Beside 015_descriptors.pl: whose time it is while a descriptor is waited for,
# connections that are kept while others have all the rest, and a process that
# may open none.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use List::Util qw(max);
use Test::More;

use constant { HOSTS => 100 };

# of 120 PostgreSQL grants some 30 to others than itself
my $server = AiGateway::FaultServer->new(everywhere => 1);
my $cluster = AiGateway::Cluster->new('others', conf => "max_files_per_process = 120\nai_gateway.default_model = 'm'\n");
my $session;
sub new_session { $session->quit if $session; $session = AiGateway::Session->new($cluster); return }

# Many calls at once: how they end, at which attempt, and how many were under way.
sub many
{
	my ($in_flight, $rows, $model, $behaviour) = @_;
	my $before = () = $server->lines($behaviour);
	my $out = $session->query("SET ai_gateway.max_in_flight = $in_flight; SELECT coalesce(sqlstate || ': ' || error, 'answered'), count(*), max(attempts) FROM (SELECT (ai_try_complete('p' || i, model => $model)).* FROM generate_series(1, $rows) i) r GROUP BY 1");
	my @seen = $server->numbers('in_flight', $behaviour);
	splice @seen, 0, $before;
	return ($out || $session->{err}, max(0, @seen));
}

# ---- more calls than descriptors: together they take 3 s, and each has half of that ----
$cluster->register('m', endpoint => $server->url('slow-300'));
new_session();
$session->query("SET ai_gateway.timeout = '1500ms'");
my ($out, $most) = many(256, 300, "'m'", 'slow-300');
is($out, 'answered|300|1', 'a call that waits for a descriptor loses neither time nor an attempt');
cmp_ok($most, '>=', 16, 'there are as many at once as there are descriptors');
cmp_ok($most, '<=', 40, 'and no more');
is($session->query("SELECT count(ai_complete('q' || i)) FROM generate_series(1, 300) i"), '300', 'the same where an error would be raised');

# ---- a hundred hosts, three calls to each, and one host behind them ----
$cluster->sql("INSERT INTO ai_gateway.models (name, provider, remote_model, endpoint) SELECT 'host' || i, 'openai_compatible', 'remote', 'http://127.0.0.' || i + 2 || ':" . $server->port . "/slow-20' FROM generate_series(0, ${\HOSTS} - 1) i");
new_session();
($out, $most) = many(256, 3 * HOSTS, "'host' || i % ${\HOSTS}", 'slow-20');
is($out, 'answered|' . 3 * HOSTS . '|1', 'a hundred hosts: all are answered');
my %hosts = map { $_->{local} => 1 } $server->requests('slow-20');
is(scalar(keys %hosts), HOSTS, 'each was called');
$cluster->register('m', endpoint => $server->url('slow-100'));
($out, $most) = many(24, 100, "'m'", 'slow-100');
is($out, 'answered|100|1', 'behind them, 24 in flight to one host: all are answered');
cmp_ok($most, '>=', 20, 'about as many at once');

# ---- one connection is kept, and others have all the rest ----
$cluster->register('m', endpoint => $server->url('ok/one'));
$cluster->register('other', endpoint => $server->url('ok/two', host => '127.0.0.2'));
SKIP:
{
	new_session();
	$session->query('CREATE EXTENSION dblink');
	skip 'no dblink here', 1 if $session->{err};
	my $connection = $cluster->node->connstr('postgres') =~ s/'/''/gr;
	$session->query("CREATE FUNCTION take_all() RETURNS int LANGUAGE plpgsql AS \$\$ DECLARE n int := 0; BEGIN LOOP
		BEGIN PERFORM dblink_connect('c' || n, '$connection'); EXCEPTION WHEN OTHERS THEN RETURN n; END; n := n + 1; END LOOP; END \$\$");
	is($session->query("SELECT ai_complete('p')"), 'ok', 'a session has one connection');
	cmp_ok($session->query('SELECT take_all()'), '>', 10, 'and dblink takes all the rest');
	is($session->query("SELECT ai_complete('p')"), 'ok', 'it is used again');
	is($session->query("SELECT coalesce(error, value) FROM ai_try_complete('p', model => 'other')"), 'ok', 'a call to another host takes its place');
	is($session->query("SELECT count(ai_complete('p' || i)) + count(ai_complete('p' || i, model => 'other')) FROM generate_series(1, 20) i"), '40', 'calls to both take turns');
}

# ---- a process that may open none; what the registry needs is open by then ----
SKIP:
{
	new_session();
	$session->query('SELECT count(*) FROM ai_gateway.models, ai_gateway.model_profiles, ai_gateway.model_grants');
	my %open = map { m{/(\d+)$} ? ($1 => 1) : () } glob('/proc/' . $session->pid . '/fd/*');
	my ($lowest) = grep { !$open{$_} } 0 .. 1000;
	skip 'no prlimit here', 1 if system('prlimit --pid ' . $session->pid . " --nofile=$lowest: 2>/dev/null") != 0;
	for my $retries (0, 2)
	{
		my $name = "max_retries = $retries";
		$session->query("SET ai_gateway.max_retries = $retries");
		is($session->query("SELECT sqlstate, error LIKE 'no file descriptor is left%', count(*) FROM (SELECT (ai_try_complete('p' || i)).* FROM generate_series(1, 5) i) r GROUP BY 1, 2"),
			'LM015|t|5', "$name: with no descriptor to be had, each row of a statement says so") or diag($session->{err});
		is($session->query("SELECT sqlstate FROM ai_try_complete('p')"), 'LM015', "$name: so does a call by itself, and does not raise") or diag($session->{err});
		$session->query("SELECT ai_complete('p')");
		like($session->{err}, qr/\AERROR:  LM015: model "m" [^\n]*\nDETAIL:  No file descriptor is left[^\n]*\nHINT:  ./, "$name: one that raises names the model and says what to do");
	}
	system('prlimit --pid ' . $session->pid . ' --nofile=1024:') == 0 or die 'prlimit';
	is($session->query("SELECT ai_complete('p') || ai_complete('p', model => 'other')"), 'okok', 'when it may again, calls are answered');
}
$session->quit;
$server->stop;
done_testing();
