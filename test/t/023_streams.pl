# Replies asked for as streams: the answer must begin in time, what has ended
# is not waited for, and the answer is that of a reply in one piece.
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
my $cluster = AiGateway::Cluster->new('streams', conf => "ai_gateway.max_retries = 0\nai_gateway.first_byte_timeout = '1s'\n");

sub outcome
{
	my ($behaviour, $before) = @_;
	$cluster->register('m', endpoint => $server->url($behaviour));
	my $started = time();
	my $outcome = $cluster->sql(($before // '') . "SELECT coalesce(error_kind, 'ok ' || value) || '|' || attempts FROM ai_try_complete('p', model => 'm')");
	return ($outcome, (time() - $started) * 1000);
}

is((outcome('events-plain'))[0], 'ok ok|1', 'a reply in events is read');
my ($request) = $server->requests('events-plain');
my $body = decode_json($request->{body});
ok($body->{stream} && $body->{stream_options}{include_usage}, 'it was asked for as a stream, with its usage');
is($cluster->sql("SELECT input_tokens || '/' || output_tokens FROM ai_try_complete('p', model => 'm')"), '3/1', 'and the usage is there');
is((outcome('events-bytes'))[0], 'ok ok|1', 'events cut after each byte');
is((outcome('ok'))[0], 'ok ok|1', 'a server that does not stream after all');
is((outcome('status-429'))[0], 'rate_limit|1', 'an error in place of a stream');
is((outcome('gzip'))[0], 'ok ok|1', 'a compressed reply');

my ($outcome, $ms) = outcome('events-late-3000');
is($outcome, 'timeout|1', 'an answer that does not begin in time fails, though the server sends comments');
cmp_ok($ms, '<', 2500, "and was not waited for ($ms ms)");
like($cluster->sql("SELECT error FROM ai_try_complete('p', model => 'm')"), qr/did not begin within 1000 ms/, 'the error says so');
($outcome, $ms) = outcome('stall');
is($outcome, 'timeout|1', 'so does a server that says nothing');
is((outcome('events-late-3000-once', "SET ai_gateway.max_retries = 1; "))[0], 'ok ok|2', 'it is tried again');
is((outcome('events-pause-2000'))[0], 'ok ok|1', 'an answer that began may take its time');

$cluster->register('m', endpoint => $server->url('events-pause-3000'));
like($cluster->sql("SET ai_gateway.timeout = '700ms'; SELECT error_kind || '|' || error FROM ai_try_complete('p', model => 'm')"),
	qr/^timeout\|.*while the reply arrived/, 'but not more than ai_gateway.timeout');

($outcome, $ms) = outcome('events-hold');
is($outcome, 'ok ok|1', 'a server that holds the connection after the last event');
($outcome, $ms) = outcome('events-error');
is($outcome, 'overloaded|1', 'an error event ends the call');
is((outcome('events-cut'))[0], 'connection|1', 'a connection that breaks within the stream');
is((outcome('events-endless', "SET ai_gateway.max_response_size = '1MB'; "))[0], 'invalid_reply|1', 'the cap of a reply counts the events');

my $started;

# answers as long as real ones are: 10 kB in 2,500 events, after a prompt of 16 kB
$cluster->sql($server->long_text_in_sql);
my $prompt = qq{repeat('A ticket, "quoted" and gr\xc3\xbcn.\n', 500)};
for my $how ('', '-trickle-500', '-bytes', '-hold')
{
	my $bytes = $how eq '-bytes' ? 2000 : 10000;
	$cluster->register('m', endpoint => $server->url("events-long-$bytes$how"));
	is($cluster->sql("SET ai_gateway.first_byte_timeout = '1min'; SELECT (value = long_text($prompt, $bytes)) || '|' || length(value) || '|' || input_tokens || '/' || output_tokens FROM ai_try_complete($prompt, model => 'm')"),
		"true|$bytes|3/1", "a long answer in events" . ($how eq '' ? '' : ", as$how says"));
}
$cluster->register('m', endpoint => $server->url('events-long-10000-trickle-100'));
$started = time();
is($cluster->sql("SET ai_gateway.first_byte_timeout = '1min'; SET ai_gateway.max_in_flight = 32; SELECT count(*) FILTER (WHERE a = long_text(p, 10000)) || ' of ' || count(*) FROM (SELECT p, ai_complete(p, model => 'm') a FROM (SELECT repeat('row ' || i, 500) p FROM generate_series(1, 160) i) r OFFSET 0) q"),
	'160 of 160', 'streams of many rows, mixed as they come');
cmp_ok(time() - $started, '<', $ENV{AI_GATEWAY_SLOW} ? 200 : 12, 'beside each other (one by one: 16 s)');

# per model, and off
$cluster->register('m', endpoint => $server->url('slow-900'), settings => '{"first_byte_timeout_ms": 0}');
is($cluster->sql("SELECT ai_complete('p', model => 'm')"), 'ok', 'a model may have it off');
$cluster->register('m', endpoint => $server->url('slow-900'), settings => '{"first_byte_timeout_ms": 300}');
is($cluster->sql("SET ai_gateway.first_byte_timeout = 0; SELECT error_kind FROM ai_try_complete('p', model => 'm')"), 'timeout', 'or on');
my ($result, $out, $err) = $cluster->node->psql('postgres', q(UPDATE ai_gateway.models SET settings = '{"first_byte_timeout_ms": -1}'));
like($err, qr/must be a number of milliseconds from 0 to 86400000/, 'a wrong one is refused');

# cancel within a stream, and nothing is left of it
$cluster->register('m', endpoint => $server->url('events-long-10000-pause-60000'));
$started = time();
($result, $out, $err) = $cluster->node->psql('postgres', "SET statement_timeout = '500ms'; SELECT ai_complete('p', model => 'm')");
like($err, qr/statement timeout/, 'a statement ends within a stream');
cmp_ok(time() - $started, '<', 3, 'at once');

done_testing();
