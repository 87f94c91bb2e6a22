# A call's own time and its attempts where many calls share a token: it is not to
# be had, it comes late, or it is refused.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use AiGateway::MovingClock;
use Test::More;
use Time::HiRes qw(time);

my $server = AiGateway::FaultServer->new;
my $base = 'http://127.0.0.1:' . $server->port;
my $directory = tempdir(CLEANUP => 1);
my $cluster = AiGateway::Cluster->new('attempts', conf => <<"CONF");
ai_gateway.credentials_directory = '$directory'
ai_gateway.azure_tenant_id = 'tenant-1'
CONF
open(my $entra, '>', "$directory/entra") or die;
print {$entra} encode_json({ client_secret => 'secret-1234567890', client_id => 'app-1', hosts => ['127.0.0.1'] });
close $entra;
chmod 0600, "$directory/entra";
my $session;

# A session without a token, an authority and a model that wants one of it.
sub authority_and_model
{
	my ($authority, $model) = @_;
	$cluster->node->append_conf('postgresql.conf', "ai_gateway.azure_login_endpoint = '$base/$authority'\n");
	$cluster->node->reload;
	AiGateway::Cluster::poll(sub { $cluster->sql('SHOW ai_gateway.azure_login_endpoint') eq "$base/$authority" }) or die $authority;
	$cluster->register('az', provider => 'azure', endpoint => "$base/$model/openai/v1", credential => 'entra');
	$session->quit if $session;
	$session = AiGateway::Session->new($cluster);
	return;
}

# The result of a statement, and the seconds that it took.
sub timed
{
	my ($sql) = @_;
	my $start = time();
	my $out = $session->query($sql);
	return ($out, time() - $start);
}

# where the whole suite runs many times slower, so may this
my $slack = $ENV{AI_GATEWAY_SLOW} ? 10 : 1;
my $many = "FROM generate_series(1, 64) i";
my $each = sub { my ($from) = @_; return "SELECT string_agg(DISTINCT coalesce(r.sqlstate, 'answered'), ',' ORDER BY coalesce(r.sqlstate, 'answered')), count(*), max(r.attempts) <= 3, max(r.latency_ms) FROM (SELECT (ai_try_complete('p' || i, model => 'az')).* $from) r" };

# ---- an authority that is out of order: 503, after 400 ms ----
authority_and_model('status-503-after-400/each', 'ok');
$session->query("SET ai_gateway.timeout = '2s'; SET ai_gateway.max_in_flight = 64");
my ($out, $took) = timed($each->($many));
like($out, qr/^(LM01[01]|LM012|LM01[01],LM012)\|64\|t\|/, '64 calls whose token is not to be had: each fails, as the authority does or for want of time');
my ($slowest) = $out =~ /([\d.]+)$/;
cmp_ok($slowest, '<', 2600 * $slack, 'each within its own two seconds');
cmp_ok($took, '<', 4 * $slack, 'and the statement with them');
cmp_ok(scalar(() = $server->lines('status-503-after-400/each')), '<=', 6, 'the authority is asked for one token at a time, not once a call');

authority_and_model('status-503-after-400/raised', 'ok');
$session->query("SET ai_gateway.timeout = '2s'; SET ai_gateway.max_in_flight = 64");
(undef, $took) = timed("SELECT ai_complete('p' || i, model => 'az') $many");
like($session->{err}, qr/\AERROR:  LM01[012]: model "az" [^\n]*\nDETAIL:  [^\n]*\n((?!ERROR)[^\n]*\n?)*\z/, 'the same in a statement that raises: one error');
cmp_ok($took, '<', 4 * $slack, 'in time');
cmp_ok(scalar(() = $server->lines('status-503-after-400/raised')), '<=', 6, 'after few requests');
is(scalar(() = $server->lines('ok')), 0, 'without a token, nothing is sent to the model');

# ---- a token that is waited for past a call's own time ----
for my $retries (0, 2)
{
	authority_and_model("stall/$retries", 'ok');
	$session->query("SET ai_gateway.timeout = '500ms'; SET ai_gateway.max_retries = $retries; SET ai_gateway.max_in_flight = 64");
	$session->query("SELECT ai_complete('p', model => 'az')");
	is($session->sqlstate, 'LM012', "max_retries = $retries: who fetches a token that does not come runs out of time");
	($out, $took) = timed($each->('FROM generate_series(1, 8) i'));
	like($out, qr/^LM012\|8\|t/, "max_retries = $retries: so do those who wait for it");
	cmp_ok($took, '<', 1.5 * $slack, "max_retries = $retries: all at their own time");
}
my $each_time = sub { my ($first, $other) = @_; return "SELECT string_agg(coalesce(r.sqlstate, 'answered'), ',' ORDER BY i), max(r.latency_ms) FILTER (WHERE r.sqlstate IS NOT NULL) < 1000 * $slack "
	. "FROM (SELECT i, (ai_try_complete('p' || i, model => 'az', options => jsonb_build_object('timeout_ms', CASE WHEN i = 1 THEN $first ELSE $other END))).* FROM generate_series(1, 4) i) r" };
authority_and_model('token-after-1000/one', 'ok');
is($session->query($each_time->(60000, 300)), 'answered,LM012,LM012,LM012|t', 'who has less time than the one that fetches the token does not wait for it');
authority_and_model('token-after-1000/two', 'ok');
is($session->query($each_time->(300, 60000)), 'LM012,answered,answered,answered|t', 'who has more gets it');
cmp_ok(scalar(() = $server->lines('token-after-1000/two')), '<=', 2, 'and asks at most once more');

# ---- a token that was revoked: the server refuses it sixteen times, 30 ms apart ----
authority_and_model('token-after-20/revoked', 'echo-headers');
is(decode_json($session->query("SELECT ai_complete('p', model => 'az')"))->{authorization}, 'Bearer tok-1', 'a session has a token');
$cluster->register('az', provider => 'azure', endpoint => "$base/refuse-first-token-30/openai/v1", credential => 'entra');
is($session->query("SELECT value::jsonb->>'authorization', count(*) FROM (SELECT ai_complete('p' || i, model => 'az') AS value FROM generate_series(1, 16) i) r GROUP BY 1"),
	'Bearer tok-2|16', 'sixteen calls that are refused with it are answered with the next');
is(scalar(() = $server->lines('token-after-20/revoked')), 2, 'one new token is asked for');
my %sent;
$sent{ $_->{headers}{authorization} }++ for $server->requests('refuse-first-token-30');
is_deeply(\%sent, { 'Bearer tok-1' => 16, 'Bearer tok-2' => 16 }, 'each call was made once with each');

$session->quit;
$server->stop;

# ---- a clock that moves on between two looks at it ----
# what is due in a moment may be due already when that is looked at again
{
	my $clock = AiGateway::MovingClock->new(20);
	local $ENV{LD_PRELOAD} = $clock->preload;
	my $moving = AiGateway::Cluster->new('moving');
	$moving->register('m', provider => 'mock', options => '{"mock": {"latency_ms": [0, 3]}}');
	my $impatient = AiGateway::Session->new($moving);
	$impatient->query("SET statement_timeout = '60s'; SET ai_gateway.max_in_flight = 4");
	is($impatient->query("SELECT count(ai_complete('p' || i, model => 'm', options => '{\"cache\": false}')) FROM generate_series(1, 4000) i"), '4000', 'no wait is for ever');
	$impatient->quit;
	$moving->node->stop;
}
done_testing();
