# What a server can do wrong, and what becomes of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use Test::More;
use Time::HiRes qw(time);

my $server = AiGateway::FaultServer->new;
my $cluster = AiGateway::Cluster->new('faults', conf => "ai_gateway.max_retries = 0\n");

sub model { my ($behaviour, %more) = @_; $cluster->register('m', endpoint => $server->url($behaviour), %more); return }

sub outcome
{
	my ($behaviour, $options) = @_;
	model($behaviour);
	my $arguments = $options ? ", options => '$options'" : '';
	return $cluster->sql("SELECT coalesce(error_kind, 'ok ' || value) || '|' || attempts FROM ai_try_complete('p', model => 'm'$arguments)");
}

# behaviour => outcome, without retries
my @cases = (
	[ ok => 'ok ok|1' ],
	[ reset => 'connection|1' ],
	[ close => 'connection|1' ],
	[ truncated => 'connection|1' ],
	[ 'truncated-chunk' => 'connection|1' ],
	[ redirect => 'connection|1' ],
	[ gzip => 'ok ok|1' ],
	[ 'gzip-broken' => 'invalid_reply|1' ],
	[ 'wrong-type' => 'ok ok|1' ],
	[ 'html-200' => 'invalid_reply|1' ],
	[ 'html-502' => 'server_error|1' ],
	[ 'bad-utf8' => "ok a\x{ef}\x{bf}\x{bd}\x{ef}\x{bf}\x{bd}b\x{ef}\x{bf}\x{bd}|1" ],
	[ nul => "ok a\x{ef}\x{bf}\x{bd}b|1" ],
	[ surrogate => "ok a\x{ef}\x{bf}\x{bd}b|1" ],
	[ emoji => "ok \x{f0}\x{9f}\x{98}\x{80}\x{f0}\x{9f}\x{98}\x{80}|1" ],
	[ 'leading-space' => 'ok ok|1' ],
	[ trailing => 'invalid_reply|1' ],
	[ empty => 'invalid_reply|1' ],
	[ 'not-json' => 'invalid_reply|1' ],
	[ 'not-http' => 'invalid_reply|1' ],
	[ deep => 'invalid_reply|1' ],
	[ 'many-headers' => 'invalid_reply|1' ],
	[ '100-continue' => 'ok ok|1' ],
	[ 'status-400' => 'invalid_request|1' ],
	[ 'status-401' => 'authentication|1' ],
	[ 'status-402' => 'quota|1' ],
	[ 'status-403' => 'permission|1' ],
	[ 'status-404' => 'not_found|1' ],
	[ 'status-408' => 'timeout|1' ],
	[ 'status-413' => 'request_too_large|1' ],
	[ 'status-422' => 'invalid_request|1' ],
	[ 'status-429' => 'rate_limit|1' ],
	[ 'status-500' => 'server_error|1' ],
	[ 'status-503' => 'overloaded|1' ],
	[ 'status-529' => 'overloaded|1' ],
	[ quota => 'quota|1' ],
	[ context => 'context_length|1' ],
	[ filter => 'content_filter|1' ],
	[ refusal => 'refusal|1' ],
	[ length => 'invalid_reply|1' ],
);
is(outcome($_->[0]), $_->[1], "$_->[0]: $_->[1]") for @cases;
is(scalar(grep { $_->{path} =~ /^\/redirected/ } $server->requests), 0, 'a redirect is not followed');

# the facts of a failure: HTTP status, whether it may be billed, how long to wait
for my $case ([ ok => '- false - fault' ], [ 'status-400' => '400 false - -' ], [ 'status-429' => '429 false - -' ], [ 'status-408' => '408 false - -' ],
	[ 'status-500' => '500 true - -' ], [ 'html-502' => '502 true - -' ], [ 'status-529' => '529 true - -' ], [ redirect => '302 false - -' ],
	[ reset => '- true - -' ], [ close => '- true - -' ], [ truncated => '- true - -' ], [ empty => '200 true - -' ], [ stall => '- true - -' ],
	[ 'retry-after-huge' => '429 false 86400000 -' ])
{
	model($case->[0]);
	is($cluster->sql("SELECT concat_ws(' ', coalesce(http_status::text, '-'), maybe_billed::text, coalesce(retry_after_ms::text, '-'), coalesce(served_by, '-'))
		FROM ai_try_complete('p', model => 'm', options => '{\"timeout_ms\": 300}')"), $case->[1], "$case->[0]: status, maybe billed, wait, who: $case->[1]");
}

# every kind raises its own SQLSTATE
my %state = (
	'status-400' => 'LM001', 'status-401' => 'LM002', 'status-403' => 'LM003', 'status-404' => 'LM004',
	context => 'LM005', filter => 'LM006', refusal => 'LM007', 'status-429' => 'LM008', quota => 'LM009',
	'status-503' => 'LM010', 'status-500' => 'LM011', 'status-413' => 'LM013', empty => 'LM014', reset => 'LM015');
for my $behaviour (sort keys %state)
{
	model($behaviour);
	is($cluster->sqlstate("SELECT ai_complete('p', model => 'm')"), $state{$behaviour}, "$behaviour raises $state{$behaviour}");
}

# an error shows facts, and the session goes on
model('status-500');
my (undef, $error) = $cluster->try("SELECT ai_complete('p', model => 'm')");
like($error, qr/ERROR:  LM011: model "m" failed on its server\nDETAIL:  Status 500\. HTTP status 500, code "type_500", request id "req-500"\./, 'primary message and detail');
my $session = AiGateway::Session->new($cluster);
for my $behaviour (qw(reset stall-body empty ok))
{
	model($behaviour);
	$session->query("SET ai_gateway.timeout = '200ms'; SELECT ai_complete('p', model => 'm')");
}
is($session->{out}, 'ok', 'a session answers after failures');

# on_error
model('status-404');
is($cluster->sql("SET ai_gateway.on_error = 'null'; SELECT ai_complete('p', model => 'm') IS NULL"), 't', 'on_error = null gives NULL');
my ($out, $warning) = $cluster->try("SET ai_gateway.on_error = 'warn'; SELECT ai_complete('p', model => 'm') IS NULL");
like($warning, qr/WARNING:  LM004: model "m" was not found/, 'on_error = warn warns');

# retries
is(outcome('flaky-1', '{"max_retries": 2}'), 'ok ok|2', 'a failed attempt is made again');
is(outcome('flaky-9', '{"max_retries": 2}'), 'server_error|3', 'and again, until the retries are used up');
is(outcome('status-400', '{"max_retries": 2}'), 'invalid_request|1', 'a bad request is not tried again');
is(outcome('quota', '{"max_retries": 2}'), 'quota|1', 'nor is a lack of credit');
is(outcome('should-retry-false', '{"max_retries": 2}'), 'server_error|1', 'x-should-retry: false is obeyed');
is(outcome('should-retry-true', '{"max_retries": 2}'), 'ok ok|2', 'x-should-retry: true is obeyed');
is(outcome('retry-after-huge', '{"max_retries": 2}'), 'rate_limit|1', 'a Retry-After of a day means giving up now');

sub gap
{
	my ($behaviour) = @_;
	my @times = map { $_->{time} } $server->requests($behaviour);
	return @times >= 2 ? $times[1] - $times[0] : -1;
}
is(outcome('rate-limit-1', '{"max_retries": 1}'), 'ok ok|2', 'Retry-After in seconds: tried again');
cmp_ok(gap('rate-limit-1'), '>=', 0.99, 'not before the second has passed');
is(outcome('retry-after-ms-300', '{"max_retries": 1}'), 'ok ok|2', 'retry-after-ms: tried again');
cmp_ok(gap('retry-after-ms-300'), '>=', 0.29, 'not before its milliseconds have passed');
cmp_ok(gap('retry-after-ms-300'), '<', 0.9, 'and not a second later');
is(outcome('retry-after-date', '{"max_retries": 1}'), 'ok ok|2', 'Retry-After as a date: tried again');
cmp_ok(gap('retry-after-date'), '>=', 0.9, 'not before that date');
my $start = time();
is(outcome('rate-limit-5', '{"max_retries": 5, "timeout_ms": 500}'), 'rate_limit|1', 'a retry that the deadline does not allow is not waited for');
cmp_ok(time() - $start, '<', 2, 'so it ends at once');

# timeouts, and in which phase
for my $case ([ stall => 'while waiting for the reply to begin' ], [ 'stall-body' => 'while the reply arrived' ],
	[ drip => 'while the reply arrived' ], [ 'drip-headers' => 'while waiting for the reply|while the reply arrived' ])
{
	model($case->[0]);
	is($cluster->sql("SELECT error_kind || '|' || (error ~ '$case->[1]') FROM ai_try_complete('p', model => 'm', options => '{\"timeout_ms\": 200}')"),
		'timeout|true', "$case->[0]: timeout $case->[1]");
}
model('no-accept');
is($cluster->sql("SET ai_gateway.connect_timeout = '150ms'; SELECT error_kind || '|' || (error ~ 'while connecting') FROM ai_try_complete('p', model => 'm')"), 'timeout|true', 'no-accept: timeout while connecting');
model('tls-stall');
is($cluster->sql("SELECT error_kind || '|' || (error ~ 'TLS') FROM ai_try_complete('p', model => 'm', options => '{\"timeout_ms\": 200}')"), 'timeout|true', 'tls-stall: timeout during the TLS handshake');

# sizes
is($cluster->sql("SELECT 1"), 1);
model('big');
is($cluster->sql("SELECT length(ai_complete('p', model => 'm'))"), 10 * 1024 * 1024, 'a reply of 10 MB arrives');
for my $behaviour (qw(big big-chunked gzip-bomb))
{
	model($behaviour);
	my (undef, $err) = $cluster->try("SET ai_gateway.max_response_size = '1MB'; SELECT ai_complete('p', model => 'm')");
	like($err, qr/ERROR:  LM014.*\n.*exceeds 1024 kB/, "$behaviour: the cap holds");
}

# what goes out and what comes back is whole, whatever its size; "long-..." makes
# its answer from the prompt
$cluster->sql($server->long_text_in_sql);
for my $bytes (5, 900, 2000, 10000)
{
	model("long-$bytes");
	for (
		[ 'a short prompt' => "repeat('ticket ', 15)" ],
		[ '1 kB of what JSON quotes' => qq{repeat('gr\xc3\xbcn, "quoted", \\backslash/,\n\ttab. ', 30)} ],
		[ '3 kB of characters beyond the first plane' => qq{repeat(U&'\\+01F600 \\2028', 400)} ],
		[ '16 kB' => "repeat('A ticket of sixteen kilobytes. ', 520)" ])
	{
		my ($name, $prompt) = @$_;
		is($cluster->sql("SELECT length(a) || '|' || (a = long_text(p, $bytes)) FROM (SELECT p, ai_complete(p, model => 'm') a FROM (SELECT $prompt p) q OFFSET 0) r"), "$bytes|true",
			"$name, an answer of $bytes bytes");
	}
}

# embeddings
sub embed
{
	my ($behaviour, $sql) = @_;
	$cluster->register('e', task => 'embed', endpoint => $server->url($behaviour));
	return $cluster->sql("SELECT string_agg(coalesce(embedding::text, 'null'), ' ' ORDER BY ord) FROM ai_embed(ARRAY['a', 'bb'], model => 'e')");
}
is(embed('ok'), '{0.25,-0.5,1} {0.25,-0.5,2}', 'embeddings of two texts');
is(embed('embed-reversed'), '{1,1} {2,2}', 'embeddings are put in order by their index');
is(embed('embed-base64'), '{1.5,-2.25,0.1} {1.5,-2.25,0.1}', 'embeddings in base64');
for my $behaviour (qw(embed-short embed-nan embed-twice not-json deep))
{
	$cluster->register('e', task => 'embed', endpoint => $server->url($behaviour));
	is($cluster->sqlstate("SELECT * FROM ai_embed(ARRAY['a', 'bb'], model => 'e')"), 'LM014', "$behaviour is an invalid reply");
}

# 1,536 dimensions, each vector with its text, whatever its length
$cluster->register('e', task => 'embed', endpoint => $server->url('embed-1536'));
$cluster->sql("CREATE TABLE texts AS SELECT i::bigint n, repeat('w' || i, 10 + i * i) t FROM generate_series(1, 50) i");
is($cluster->sql("SELECT count(*) || '|' || count(*) FILTER (WHERE embedding[1] = length(t) AND array_length(embedding, 1) = 1536)
	FROM texts JOIN ai_embed(ARRAY(SELECT t FROM texts ORDER BY n), model => 'e') ON ord = n"),
	'50|50', 'fifty vectors of 1,536 dimensions, for texts of 22 B to 7 kB');
is($cluster->sql("SELECT count(*) || '|' || count(*) FILTER (WHERE embedding[1] = length(t) AND array_length(embedding, 1) = 1536) FROM (SELECT t, ai_embed(t, model => 'e') embedding FROM texts OFFSET 0) q"),
	'50|50', 'and row by row');

# 2,048 vectors of 3,072 floats: memory at most three times the replies
$cluster->register('e', task => 'embed', endpoint => $server->url('huge-embedding-3072'));
my $big = AiGateway::Session->new($cluster);
my $rss = sub { open(my $f, '<', "/proc/" . $big->pid . "/status"); my ($kb) = map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$f>; return $kb / 1024 };
$cluster->register('m', endpoint => $server->url('ok'));
$big->query("SELECT ai_complete('warm', model => 'm')");
my $before = $rss->();
is($big->query("SET ai_gateway.timeout = '5min'; SELECT count(*) || '|' || min(array_length(embedding, 1)) FROM ai_embed(ARRAY(SELECT 'x' || i FROM generate_series(1, 2048) i), model => 'e')"),
	'2048|3072', 'replies of 2,048 × 3,072 floats are read');
my $reply = 2048 * 3072 * 12.5 / 1024 / 1024;
my $used = $rss->() - $before;
diag(sprintf('replies about %.0f MB, peak memory grew by %.0f MB', $reply, $used));
SKIP:
{
	skip 'a sanitizer has memory of its own', 1 if $ENV{AI_GATEWAY_SLOW};
	cmp_ok($used, '<', 3 * $reply, 'with at most three times its size in memory');
}

# TLS: an unknown authority is refused, a configured one is trusted
$cluster->register('t', endpoint => $server->url('ok', tls => 1, host => 'localhost'));
(undef, $error) = $cluster->try("SELECT ai_complete('p', model => 't')");
like($error, qr/ERROR:  LM015.*\n.*[Nn]o trusted TLS connection/, 'a self-signed certificate is refused');
$cluster->node->append_conf('postgresql.conf', "ai_gateway.ca_file = '" . $server->certificate . "'\n");
$cluster->node->reload;
ok(AiGateway::Cluster::poll(sub { ($cluster->try("SELECT ai_complete('p', model => 't')"))[0] eq 'ok' }), 'and trusted with ai_gateway.ca_file');

# HTTP/2 is offered to a provider's own hosts (015_addresses.pl), and where the model says so
my $protocol = sub { $cluster->sql("SELECT ai_complete('p', model => 't')"); return ($server->requests('ok'))[-1]{h2} };
is($protocol->(), 0, 'HTTP/1.1 is spoken to a server that is not the provider\'s');
$cluster->register('t', endpoint => $server->url('ok', tls => 1, host => 'localhost'), settings => '{"http2": true}');
is($protocol->(), 1, 'and HTTP/2 where the settings say so');

# keep-alive: one connection serves many calls
$cluster->register('m', endpoint => $server->url('ok'));
my $seen = scalar $server->requests('ok');
$session->query("SET ai_gateway.max_in_flight = 1; SELECT count(ai_complete('p' || i, model => 'm')) FROM generate_series(1, 20) i; RESET ai_gateway.max_in_flight");
my @requests = $server->requests('ok');
my %connections = map { $_->{connection} => 1 } @requests[ $seen .. $#requests ];
is(scalar(@requests) - $seen, 20, 'twenty calls were made');
is(scalar(keys %connections), 1, 'over one connection');
# ---- an option that the provider refuses: the hint is the row to add ----
$cluster->register('refuses', endpoint => $server->url('refuse-temperature'), remote_model => 'new-model-7');
my ($said, $why) = $cluster->try("SELECT ai_complete('hi', model => 'refuses', options => '{\"temperature\": 0.5}')");
my ($command) = $why =~ /HINT:  (INSERT INTO ai_gateway\.model_profiles .*;)/;
is($command, "INSERT INTO ai_gateway.model_profiles (pattern, protocol, refuses) VALUES ('new-model-7', 'openai-chat', '{temperature}');", 'the hint is a command');
$cluster->sql($command // 'SELECT 1');
is($cluster->sql("SET ai_gateway.drop_unsupported = on; SELECT ai_complete('hi', model => 'refuses', options => '{\"temperature\": 0.5}')"), 'ok', 'and with it the call passes');
$cluster->register('renames', endpoint => $server->url('refuse-max-tokens'), remote_model => 'new-model-8');
($said, $why) = $cluster->try("SELECT ai_complete('hi', model => 'renames', options => '{\"max_tokens\": 5}')");
($command) = $why =~ /HINT:  (INSERT INTO ai_gateway\.model_profiles .*;)/;
is($command, "INSERT INTO ai_gateway.model_profiles (pattern, protocol, renames) VALUES ('new-model-8', 'openai-chat', '{\"max_tokens\": \"max_completion_tokens\"}');", 'a name that changed is a command too');
$cluster->sql($command // 'SELECT 1');
is($cluster->sql("SELECT ai_complete('hi', model => 'renames', options => '{\"max_tokens\": 5}')"), 'ok', 'and with it the option is sent by its new name');
# names in it are quoted, and a word of the server's that is no option's is not taken
$cluster->register('quotes', endpoint => $server->url('refuse-temperature'), remote_model => q{new'); DROP TABLE ai_gateway.models; --});
($said, $why) = $cluster->try("SELECT ai_complete('hi', model => 'quotes', options => '{\"temperature\": 0.5}')");
($command) = $why =~ /HINT:  (INSERT INTO ai_gateway\.model_profiles .*;)/;
$cluster->sql($command // 'SELECT 1');
is($cluster->sql(q{SELECT count(*) FROM ai_gateway.model_profiles WHERE pattern = 'new''); DROP TABLE ai_gateway.models; --'}), '1', 'a name with a quote is one literal of the hint');
$cluster->register('odd', endpoint => $server->url('refuse-max-tokens-oddly'), remote_model => 'new-model-9');
($said, $why) = $cluster->try("SELECT ai_complete('hi', model => 'odd', options => '{\"max_tokens\": 5}')");
like($why, qr/HINT:  INSERT INTO ai_gateway\.model_profiles \(pattern, protocol, refuses\) VALUES \('new-model-9', 'openai-chat', '\{max_tokens\}'\);/, 'what the server says to use instead is a name or nothing');

done_testing();
