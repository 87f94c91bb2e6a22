#!/usr/bin/perl
# fault_server.pl LOGFILE [CERT KEY [ADDRESS]]
#
# A raw-socket HTTP server that plays what well-behaved mocks do not: resets,
# drips, stalls, truncation, redirects, bombs.  The first part of a path names
# the behaviour; the provider's own path follows, and decides what a good reply
# looks like.  One process, one select loop: many connections at once.
#
# Listens at ADDRESS, which is 127.0.0.1 unless told; "::" is every address of
# the machine.  Prints one line: PORT TLS_PORT SILENT_TLS_PORT FULL_PORT, then
# serves until its standard input ends.  Each request is a line of JSON in
# LOGFILE: beside what was sent, the address that it came in at, and in_flight,
# how many requests (itself among them) were not answered yet when it came.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::IP;
use JSON::PP;
use MIME::Base64;
use POSIX qw(strftime);
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);
use Compress::Zlib;

my ($log_path, $cert, $key, $address) = @ARGV;
open(my $log, '>>', $log_path) or die "$log_path: $!";
$log->autoflush(1);
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';
my $tls_child;
$SIG{TERM} = sub { kill 'TERM', $tls_child if $tls_child; exit 0 };
my $json = JSON::PP->new->canonical->allow_nonref;

sub listener
{
	my ($backlog) = @_;
	return IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => $backlog // 1024, ReuseAddr => 1)
	  || die "listen: $!";
}

# where the machine has no IPv6, every address is one of IPv4
sub listener_at_address
{
	return listener() unless $address;
	return IO::Socket::IP->new(LocalHost => $address, LocalPort => 0, Listen => 1024, ReuseAddr => 1, V6Only => 0)
	  // IO::Socket::IP->new(LocalHost => '0.0.0.0', LocalPort => 0, Listen => 1024, ReuseAddr => 1)
	  // die "listen: $@";
}

my $plain = listener_at_address();
my $silent_tls = listener();
my $full = listener(0);

# nobody accepts here: a few connections fill the queue, the next ones hang
my @fillers = map {
	IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $full->sockport, Blocking => 0)
} 1 .. 12;
my $tls_port = 0;
if ($cert)
{
	my $tls = listener_at_address();
	$tls_port = $tls->sockport;
	$tls_child = fork() // die "fork: $!";
	if ($tls_child == 0) { $SIG{TERM} = 'DEFAULT'; serve_tls($tls); exit 0 }
}
$| = 1;
print join(' ', $plain->sockport, $tls_port, $silent_tls->sockport, $full->sockport), "\n";

my %connections;    # fileno => state
my %counts;         # path => requests so far
my $in_flight = 0;  # requests that are not answered yet
my $n_connections = 0;
my $select = IO::Select->new($plain, $silent_tls, \*STDIN);
my @held;

while (1)
{
	my $now = time();
	my $next = 5;
	my @writers;
	for my $c (values %connections)
	{
		next unless @{ $c->{out} };
		my $wait = $c->{out}[0][0] - $now;
		if ($wait <= 0) { push @writers, $c->{socket} }
		elsif ($wait < $next) { $next = $wait }
	}
	my ($readable, $writable) = IO::Select->select($select, @writers ? IO::Select->new(@writers) : undef, undef, $next);
	for my $socket (@{ $readable // [] })
	{
		if ($socket == \*STDIN)
		{
			next if sysread(STDIN, my $ignored, 1024);
			kill 'TERM', $tls_child if $tls_child;
			exit 0;
		}
		elsif ($socket == $plain)
		{
			my $client = $plain->accept or next;
			$client->blocking(0);
			add_connection($client);
		}
		elsif ($socket == $silent_tls) { push @held, scalar $silent_tls->accept }
		else { receive($connections{ fileno $socket }) }
	}
	for my $socket (@{ $writable // [] })
	{
		my $c = $connections{ fileno($socket) // -1 };
		transmit($c) if $c;
	}
}

sub add_connection
{
	my ($socket) = @_;
	$select->add($socket);
	return $connections{ fileno $socket } = { socket => $socket, in => '', out => [], number => ++$n_connections, unanswered => 0 };
}

sub drop
{
	my ($c, $reset) = @_;
	answered($c);
	if (my $far = delete $c->{far}) { delete $far->{far}; drop($far) }
	$select->remove($c->{socket});
	delete $connections{ fileno $c->{socket} };
	setsockopt($c->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) if $reset;
	close $c->{socket};
	return;
}

sub answered { my ($c) = @_; $in_flight -= $c->{unanswered}; $c->{unanswered} = 0; return }

# A proxy's tunnel: wherever it is to lead, it leads to the port with TLS.
sub open_tunnel
{
	my ($c) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $tls_port) or return put($c, response(502, ''));
	$socket->blocking(0);
	my $far = add_connection($socket);
	@$c{qw(far in)} = ($far, '');
	$far->{far} = $c;
	return put($c, "HTTP/1.1 200 Connected\r\n\r\n");
}

sub receive
{
	my ($c) = @_;
	return unless $c;
	my $n = sysread($c->{socket}, $c->{in}, 1 << 20, length $c->{in});
	if (!$n)
	{
		return if !defined $n && $!{EAGAIN};
		return drop($c);
	}
	if ($c->{far})
	{
		put($c->{far}, $c->{in});
		$c->{in} = '';
		return;
	}
	while ($c->{in} =~ /\A(.*?)\r\n\r\n/s)
	{
		my $head = $1;
		my $length = $head =~ /^content-length:\s*(\d+)/mi ? $1 : 0;
		return if length($c->{in}) < length($head) + 4 + $length;
		my $body = substr($c->{in}, length($head) + 4, $length);
		substr($c->{in}, 0, length($head) + 4 + $length) = '';
		my ($line, @lines) = split /\r\n/, $head;
		my ($method, $path) = split / /, $line;
		my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } @lines;
		$c->{unanswered}++;
		$in_flight++;
		(my $local = $c->{socket}->sockhost) =~ s/^::ffff://;
		print {$log} $json->encode({ method => $method, path => $path, headers => \%headers, body => $body, time => time(),
				connection => $c->{number}, local => $local, in_flight => $in_flight }), "\n";
		if ($method eq 'CONNECT') { return open_tunnel($c) }
		behave($c, $path, \%headers, $body);
	}
	return;
}

sub transmit
{
	my ($c) = @_;
	while (@{ $c->{out} } && $c->{out}[0][0] <= time())
	{
		my $item = $c->{out}[0];
		if (ref $item->[1])
		{
			my $data = $item->[1]->($c);    # a generator of an endless body
			$item->[1] = $data;
			push @{ $c->{out} }, [ 0, $item->[2] ] if $item->[2];
		}
		if ($item->[1] eq 'CLOSE' || $item->[1] eq 'RESET') { return drop($c, $item->[1] eq 'RESET') }
		my $n = syswrite($c->{socket}, $item->[1]);
		return drop($c) if !defined $n && !$!{EAGAIN};
		return if !$n;
		substr($item->[1], 0, $n) = '';
		if (length $item->[1]) { return }
		shift @{ $c->{out} };
		answered($c) unless @{ $c->{out} };
	}
	return;
}

sub put { my ($c, $data, $delay) = @_; push @{ $c->{out} }, [ time() + ($delay // 0), $data ]; return transmit($c) }

sub response
{
	my ($status, $body, %headers) = @_;
	$headers{'Content-Type'} //= 'application/json';
	$headers{'Content-Length'} //= length $body;
	return "HTTP/1.1 $status X\r\n" . join('', map { "$_: $headers{$_}\r\n" } sort keys %headers) . "\r\n" . $body;
}

# A good reply in the shape of the provider whose path it is.
sub good
{
	my ($path, $request, $text) = @_;
	$text //= 'ok';
	if ($path =~ m{/embeddings$|/api/embed$})
	{
		my $r = eval { $json->decode($request) } // {};
		my $inputs = ref $r->{input} ? $r->{input} : [ $r->{input} ];
		my @vectors = map { [ 0.25, -0.5, length($_) + 0.0 ] } @$inputs;
		return $json->encode({ model => 'fault', embeddings => \@vectors, prompt_eval_count => 2 }) if $path =~ m{/api/embed$};
		my $i = 0;
		return $json->encode({ object => 'list', model => 'fault', usage => { prompt_tokens => 2, total_tokens => 2 },
				data => [ map { { index => $i++, embedding => $_ } } @vectors ] });
	}
	return $json->encode({ id => 'm', type => 'message', model => 'fault', stop_reason => 'end_turn',
			content => [ { type => 'text', text => $text } ], usage => { input_tokens => 3, output_tokens => 1 } })
	  if $path =~ m{/messages$};
	return $json->encode({ id => 'resp', model => 'fault', status => 'completed',
			output => [ { type => 'message', role => 'assistant', content => [ { type => 'output_text', text => $text } ] } ],
			usage => { input_tokens => 3, output_tokens => 1 } })
	  if $path =~ m{/responses$};
	return $json->encode({ model => 'fault', done => JSON::PP::true, done_reason => 'stop',
			message => { role => 'assistant', content => $text }, prompt_eval_count => 3, eval_count => 1 })
	  if $path =~ m{/api/chat$};
	return $json->encode({ id => 'c', model => 'fault', choices => [ { index => 0, finish_reason => 'stop',
					message => { role => 'assistant', content => $text } } ],
			usage => { prompt_tokens => 3, completion_tokens => 1 } });
}

# A reply whose text is given as raw JSON source.
sub raw_text { my ($source) = @_; return '{"model":"fault","choices":[{"finish_reason":"stop","message":{"content":"' . $source . '"}}]}' }

sub error_body
{
	my ($status, $more) = @_;
	return $json->encode({ error => { message => "status $status" . ($more // ''), type => "type_$status", code => undef } });
}

# Embeddings of COUNT x DIM floats, made a vector at a time.
sub huge_embedding
{
	my ($c, $count, $dimensions) = @_;
	my $vector = '[' . join(',', map { sprintf '%.9f', sin($_) } 1 .. $dimensions) . ']';
	my $length = 0;
	my $head = '{"data":[';
	my $tail = '],"model":"fault","usage":{"prompt_tokens":' . $count . '}}';
	$length += length("{\"index\":$_,\"embedding\":$vector}") for 0 .. $count - 1;
	$length += $count - 1 + length($head) + length($tail);
	put($c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: $length\r\n\r\n$head");
	my $i = 0;
	my $generate;
	$generate = sub {
		my $piece = ($i ? ',' : '') . "{\"index\":$i,\"embedding\":$vector}";
		return $piece . (++$i == $count ? $tail : '');
	};
	push @{ $c->{out} }, map { [ 0, $generate ] } 1 .. $count;
	return transmit($c);
}

# An answer of so many bytes which tells the prompt that it belongs to, each part
# of it unlike the others: what string_agg(md5(md5(prompt) || i), '') gives in SQL.
sub long_text
{
	my ($request, $bytes) = @_;
	require Digest::MD5;
	# JSON::PP takes 20 ms for 16 kB
	my ($prompt) = $request =~ /.*"content":"((?:[^"\\]++|\\.)*+)"/s;
	my %plain = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");
	$prompt =~ s{\\(?:u00([0-9a-fA-F]{2})|(.))}{defined $1 ? chr(hex $1) : $plain{$2} // $2}ge;
	my $digest = Digest::MD5::md5_hex($prompt);
	return substr(join('', map { Digest::MD5::md5_hex("$digest$_") } 1 .. ($bytes + 31) / 32), 0, $bytes);
}

# Embeddings of so many floats: the first is the length of the text, the others
# are its checksum and the same for all.
sub long_embeddings
{
	my ($request, $dimensions) = @_;
	my $tail = join(',', map { sprintf '%.9f', sin($_) } 3 .. $dimensions);
	my $i = 0;
	my @vectors = map { sprintf '{"index":%d,"embedding":[%d,%d,%s]}', $i++, length($_), unpack('%32C*', $_), $tail } @{ $json->decode($request)->{input} };
	return '{"data":[' . join(',', @vectors) . '],"model":"fault","usage":{"prompt_tokens":' . @vectors . '}}';
}

# A chat completion as events; what follows "events-" says how it comes.
sub events
{
	my ($c, $what, $count, $body) = @_;
	my $event = sub {
		my ($delta, %more) = @_;
		my $data = 'data: ' . $json->encode({ model => 'fault', choices => [ { index => 0, delta => $delta, %more } ] }) . "\n\n";
		return sprintf("%x\r\n%s\r\n", length $data, $data);
	};
	my $raw = sub { return sprintf("%x\r\n%s\r\n", length $_[0], $_[0]) };
	# "long-BYTES": four bytes at a time, about a token, as models do
	my @pieces = $what =~ /long-(\d+)/ ? long_text($body, $1) =~ /(.{1,4})/g : ('o', 'k');
	my $last = pop @pieces;
	my @events = ($event->({ role => 'assistant', content => '' }),
		(map { $raw->(qq(data: {"model":"fault","choices":[{"index":0,"delta":{"content":"$_"}}]}\n\n)) } @pieces),
		$event->({ content => $last }, finish_reason => 'stop'),
		$raw->('data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}' . "\n\ndata: [DONE]\n\n"), "0\r\n\r\n");
	my ($late) = $what =~ /late-(\d+)/;

	put($c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
	if ($late && ($what !~ /once/ || $count == 1))
	{
		# comments that say "still there" are no beginning of the answer
		push @{ $c->{out} }, map { [ time() + $_ * 0.05, $raw->(": waiting\n\n") ] } 1 .. $late / 50;
		push @{ $c->{out} }, [ time() + $late / 1000, join('', @events) ];
	}
	elsif ($what =~ /pause-(\d+)/)
	{
		my $pause = $1 / 1000;
		put($c, join('', splice(@events, 0, @events / 2 - 1)));
		push @{ $c->{out} }, [ time() + $pause, join('', @events) ];
	}
	elsif ($what =~ /trickle-(\d+)/)
	{
		# in fifty pieces, cut anywhere
		my $all = join('', @events);
		my $size = int(length($all) / 50) + 1;
		my $step = $1 / 50000;
		push @{ $c->{out} }, map { [ time() + $_ * $step, substr($all, $_ * $size, $size) ] } 0 .. 49;
	}
	elsif ($what =~ /hold/) { put($c, $_) for @events[ 0 .. $#events - 1 ] }
	elsif ($what =~ /error/)
	{
		put($c, $events[1]);
		put($c, $raw->("event: error\ndata: " . $json->encode({ error => { message => 'overloaded', status_code => 503 } }) . "\n\n"));
	}
	elsif ($what =~ /cut/) { put($c, $events[1]); put($c, 'CLOSE') }
	elsif ($what =~ /bytes/) { put($c, join('', map { $raw->($_) } split //, join('', map { /^[0-9a-f]+\r\n(.*)\r\n\z/s ? $1 : () } @events[ 0 .. $#events - 1 ]))); put($c, $events[-1]) }
	elsif ($what =~ /endless/)
	{
		push @{ $c->{out} }, map { [ 0, $event->({ content => 'x' x 65536 }) ] } 1 .. 100;
	}
	else { put($c, join('', @events)) }
	return transmit($c);
}

sub behave
{
	my ($c, $path, $headers, $body) = @_;
	my ($what) = $path =~ m{^/([^/]+)};
	my $count = ++$counts{$path};
	my $ok = good($path, $body);
	my $half = substr($ok, 0, length($ok) / 2);

	if ($what eq 'ok') { return put($c, response(200, $ok)) }
	# more tokens of a part than of the whole, as some backends tell it
	if ($what eq 'odd-usage')
	{
		return put($c, response(200, $json->encode({ model => 'fault', choices => [ { finish_reason => 'stop', message => { content => 'ok' } } ],
			usage => { prompt_tokens => 10, completion_tokens => 50, prompt_tokens_details => { cached_tokens => 1000, cache_write_tokens => 9e15 }, completion_tokens_details => { reasoning_tokens => 60 } } })));
	}
	# an answer that fits no schema and tells no tokens, then one that does
	if ($what eq 'usage-later')
	{
		return put($c, response(200, $json->encode({ model => 'fault', choices => [ { finish_reason => 'stop', message => { content => $count == 1 ? 'no JSON' : '{}' } } ],
			$count == 1 ? () : (usage => { prompt_tokens => 7, completion_tokens => 5 }) })));
	}
	# bears so many requests at once, 50 ms each
	if ($what =~ /^limit-(\d+)$/)
	{
		return put($c, response(429, error_body(429)), 0) if (grep { ($_->{busy_until} // 0) > time() } values %connections) >= $1;
		$c->{busy_until} = time() + 0.05;
		return put($c, response(200, $ok), 0.05);
	}
	if ($what =~ /^slow-(\d+)$/) { return put($c, response(200, $ok), $1 / 1000) }
	# after so many milliseconds: an answer of so many bytes, one that depends on the request alone, a status
	if ($what =~ /^answer-(\d+)-(\d+)$/) { return put($c, response(200, good($path, $body, substr('An answer. ' x ($2 / 11 + 1), 0, $2))), $1 / 1000) }
	if ($what =~ /^digest-(\d+)$/) { return put($c, response(200, good($path, $body, md5_hex($body))), $1 / 1000) }
	if ($what =~ /^status-(\d+)-after-(\d+)$/) { return put($c, response($1, error_body($1)), $2 / 1000) }
	if ($what eq 'reset') { put($c, 'RESET'); return }
	if ($what eq 'close') { return put($c, 'CLOSE') }
	if ($what eq 'stall') { return }
	if ($what eq 'stall-body') { return put($c, substr(response(200, $ok), 0, -length($half))) }
	if ($what eq 'drip' || $what eq 'drip-headers')
	{
		my $all = response(200, $ok);
		my $sent = $what eq 'drip' ? index($all, "\r\n\r\n") + 4 : 0;
		put($c, substr($all, 0, $sent)) if $sent;
		my $delay = 0;
		push @{ $c->{out} }, map { [ time() + ($delay += 0.2), $_ ] } split(//, substr($all, $sent));
		return;
	}
	if ($what eq 'truncated') { put($c, response(200, $half, 'Content-Length' => length($ok))); return put($c, 'CLOSE') }
	if ($what eq 'truncated-chunk')
	{
		put($c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
			  . sprintf('%x', length $ok) . "\r\n$half");
		return put($c, 'CLOSE');
	}
	if ($what =~ /^redirect-(\d+)$/)
	{
		return put($c, response(307, '', Location => "http://127.0.0.1:$1/ok/chat/completions"));
	}
	if ($what eq 'redirect') { return put($c, response(302, '', Location => 'http://localhost:' . $plain->sockport . '/redirected/chat/completions')) }
	if ($what eq 'big') { return put($c, response(200, raw_text('x' x (10 * 1024 * 1024)))) }
	if ($what eq 'big-chunked')
	{
		put($c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
		my $chunk = sprintf("%x\r\n", 65536) . ('x' x 65536) . "\r\n";
		my $generate;
		$generate = sub { return $chunk };
		push @{ $c->{out} }, [ 0, $generate ] for 1 .. 20000;
		return transmit($c);
	}
	if ($what eq 'gzip') { return put($c, response(200, Compress::Zlib::memGzip($ok), 'Content-Encoding' => 'gzip')) }
	if ($what eq 'gzip-bomb') { return put($c, response(200, Compress::Zlib::memGzip(raw_text('x' x (60 * 1024 * 1024))), 'Content-Encoding' => 'gzip')) }
	if ($what eq 'gzip-broken') { return put($c, response(200, 'this is no gzip', 'Content-Encoding' => 'gzip')) }
	if ($what eq 'wrong-type') { return put($c, response(200, $ok, 'Content-Type' => 'text/html')) }
	if ($what eq 'html-200') { return put($c, response(200, '<html><body>Sign in</body></html>', 'Content-Type' => 'text/html')) }
	if ($what eq 'html-502') { return put($c, response(502, '<html><h1>502 Bad Gateway</h1></html>', 'Content-Type' => 'text/html')) }
	if ($what eq 'bad-utf8') { return put($c, response(200, raw_text("a\xff\xfeb\xc3"))) }
	if ($what eq 'nul') { return put($c, response(200, raw_text('a\\u0000b'))) }
	if ($what eq 'surrogate') { return put($c, response(200, raw_text('a\\ud83db'))) }
	if ($what eq 'emoji') { return put($c, response(200, raw_text("\\ud83d\\ude00\xf0\x9f\x98\x80"))) }
	if ($what eq 'umlaut') { return put($c, response(200, raw_text("gr\xc3\xbc\xc3\x9fe"))) }
	if ($what eq 'leading-space') { return put($c, response(200, "  \n\n\r\n  $ok")) }
	if ($what eq 'trailing') { return put($c, response(200, "$ok garbage")) }
	if ($what eq 'empty') { return put($c, response(200, '')) }
	if ($what eq 'not-json') { return put($c, response(200, 'certainly')) }
	if ($what eq 'not-http') { put($c, "SSH-2.0-OpenSSH_9.2\r\n"); return put($c, 'CLOSE') }
	if ($what eq 'deep') { return put($c, response(200, '[' x 5000 . ']' x 5000)) }
	if ($what =~ /^status-(\d+)$/) { return put($c, response($1, error_body($1), 'x-request-id' => "req-$1")) }
	if ($what =~ /^rate-limit-(\d+)$/)
	{
		return put($c, $count <= $1 ? response(429, error_body(429), 'Retry-After' => 1) : response(200, $ok));
	}
	if ($what =~ /^retry-after-ms-(\d+)$/)
	{
		return put($c, $count == 1 ? response(429, error_body(429), 'retry-after-ms' => $1) : response(200, $ok));
	}
	if ($what =~ /^always-retry-after-ms-(\d+)$/) { return put($c, response(429, error_body(429), 'retry-after-ms' => $1)) }
	if ($what eq 'retry-after-date')
	{
		return put($c, $count == 1 ? response(503, error_body(503), 'Retry-After' => strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time() + 2)))
			: response(200, $ok));
	}
	if ($what eq 'retry-after-huge') { return put($c, response(429, error_body(429), 'Retry-After' => 86400)) }
	if ($what eq 'should-retry-false') { return put($c, response(500, error_body(500), 'x-should-retry' => 'false')) }
	if ($what eq 'should-retry-true') { return put($c, $count == 1 ? response(409, error_body(409), 'x-should-retry' => 'true') : response(200, $ok)) }
	if ($what =~ /^flaky-(\d+)$/) { return put($c, $count <= $1 ? response(500, error_body(500)) : response(200, $ok)) }
	if ($what eq 'quota') { return put($c, response(429, $json->encode({ error => { message => 'You exceeded your current quota', type => 'insufficient_quota', code => 'insufficient_quota' } }))) }
	if ($what eq 'context') { return put($c, response(400, $json->encode({ error => { message => 'too long', code => 'context_length_exceeded' } }))) }
	if ($what eq 'filter') { return put($c, response(400, $json->encode({ error => { message => 'filtered', code => 'content_filter' } }))) }
	if ($what eq 'refusal') { return put($c, response(200, '{"choices":[{"finish_reason":"stop","message":{"content":null,"refusal":"I will not"}}]}')) }
	if ($what eq 'length') { return put($c, response(200, '{"choices":[{"finish_reason":"length","message":{"content":""}}]}')) }
	if ($what eq 'echo-key')
	{
		my $sent = $headers->{authorization} // $headers->{'x-api-key'} // 'none';
		# model "behind-N": a long error, with the key behind N other bytes
		return put($c, response(401, error_body(401, ': ' . 'x' x $1 . " bad key $sent" . 'y' x 5000))) if $body =~ /"model":"behind-(\d+)"/;
		return put($c, response(401, error_body(401, ": bad key $sent, prompt was $body")));
	}
	if ($what =~ /^tell-(.*)$/) { return put($c, repeated($1, $headers->{authorization} // '', $body)) }
	if ($what eq 'refuse-temperature' && $body =~ /"temperature"/)
	{
		return put($c, response(400, $json->encode({ error => { message => "Unsupported parameter: 'temperature' is not supported with this model.", type => 'invalid_request_error', param => 'temperature', code => 'unsupported_parameter' } })));
	}
	if ($what =~ /^refuse-max-tokens(-oddly)?$/ && $body =~ /"max_tokens"/)
	{
		my $instead = $what =~ /oddly/ ? 'x"y' : 'max_completion_tokens';
		return put($c, response(400, $json->encode({ error => { message => "Unsupported parameter: 'max_tokens' is not supported with this model. Use '$instead' instead.", type => 'invalid_request_error', param => 'max_tokens', code => 'unsupported_parameter' } })));
	}
	if ($what =~ /^refuse-(temperature|max-tokens|max-tokens-oddly)$/) { return put($c, response(200, $ok)) }
	if ($what =~ /^events-/) { return events($c, $what, $count, $body) }
	# authorities that give tokens: OAuth 2.0, and a machine's metadata service
	# (each path of one counts for itself: its first token is tok-1)
	if ($what =~ /^token(-slow|-after-(\d+))?$/)
	{
		my $delay = !$1 ? 0 : $2 ? $2 / 1000 : 0.3;
		return put($c, response(200, $json->encode({ token_type => 'Bearer', expires_in => 3599, access_token => "tok-$count" })), $delay);
	}
	if ($what eq 'token-short') { return put($c, response(200, $json->encode({ expires_in => '1', access_token => "tok-$count" }))) }
	if ($what eq 'token-strings') { return put($c, response(200, $json->encode({ expires_in => '86399', access_token => "tok-$count" }))) }
	if ($what eq 'token-bad')
	{
		return put($c, response(401, $json->encode({ error => 'invalid_client', error_description => "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1" })));
	}
	if ($what eq 'refuse-first-token' && ($headers->{authorization} // '') eq 'Bearer tok-1') { return put($c, response(401, error_body(401))) }
	# was revoked: the refusals go out so many milliseconds apart
	if ($what =~ /^refuse-first-token-(\d+)$/ && ($headers->{authorization} // '') eq 'Bearer tok-1')
	{
		return put($c, response(401, error_body(401)), $1 / 1000 * ++$counts{"$path refused"});
	}
	if ($what =~ /^refuse-first-token(-\d+)?$/) { return put($c, response(200, good($path, $body, $json->encode($headers)))) }
	if ($what eq 'echo-prompt') { return put($c, response(400, error_body(400, ": cannot take $body"))) }
	if ($what eq 'echo-headers') { return put($c, response(200, good($path, $body, $json->encode($headers)))) }
	if ($what eq 'echo-body') { return put($c, response(200, good($path, $body, $body))) }
	if ($what eq 'many-headers') { return put($c, response(200, $ok, map { ("X-Filler-$_" => 'x' x 1000) } 1 .. 400)) }
	if ($what eq '100-continue') { return put($c, "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" . response(200, $ok)) }
	if ($what =~ /^huge-embedding-(\d+)$/) { return huge_embedding($c, scalar(@{ $json->decode($body)->{input} }), $1) }
	# a long answer, after so many milliseconds or between so many; the first half of one
	if ($what =~ /^long-(\d+)(?:-(\d+)(?:-(\d+))?)?$/)
	{
		my $late = defined $3 ? $2 + ($3 - $2) * (unpack('%32C*', $body) % 100) / 100 : $2 // 0;
		return put($c, response(200, good($path, $body, long_text($body, $1))), $late / 1000);
	}
	if ($what =~ /^stall-long-(\d+)$/)
	{
		my $reply = response(200, good($path, $body, long_text($body, $1)));
		return put($c, substr($reply, 0, length($reply) / 2));
	}
	if ($what =~ /^embed-(\d+)(-refuse-bad)?$/) { return put($c, $2 && $body =~ /bad/ ? response(400, error_body(400)) : response(200, long_embeddings($body, $1))) }
	if ($what eq 'embed-short')
	{
		my $last = $#{ $json->decode($body)->{input} };
		return put($c, response(200, $json->encode({ data => [ map { { index => $_, embedding => [ 1, 2 ] } } 0 .. $last - 1 ] })));
	}
	if ($what eq 'embed-nan') { return put($c, response(200, '{"data":[{"index":0,"embedding":[1,NaN]}]}')) }
	if ($what eq 'embed-twice') { return put($c, response(200, '{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}')) }
	if ($what eq 'embed-reversed') { return put($c, response(200, '{"data":[{"index":1,"embedding":[2,2]},{"index":0,"embedding":[1,1]}],"usage":{"prompt_tokens":7}}')) }
	if ($what eq 'embed-base64')
	{
		my $i = 0;
		my $r = $json->decode($body);
		return put($c, response(200, $json->encode({ data => [ map { { index => $i++, embedding => encode_base64(pack('f<*', 1.5, -2.25, 0.1), '') } } @{ $r->{input} } ] })));
	}
	return put($c, response(404, error_body(404)));
}

# Repeats the key and the prompt in some form, or in some place.
sub repeated
{
	my ($how, $key, $body) = @_;
	my $prompt = $json->decode($body)->{messages}[-1]{content};
	my $escaped = $json->encode([$prompt]);
	$key =~ s/^Bearer //;
	my %error = (message => 'no', type => 'invalid_request_error');
	my @headers;
	my %forms = (
		capitals => sub { uc "$key, $prompt" }, base64 => sub { require MIME::Base64; join ' ', map { MIME::Base64::encode_base64($_, '') } $key, $prompt },
		hex => sub { join ' ', map { unpack 'H*', $_ } $key, $prompt }, url => sub { $prompt =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger },
		json => sub { $escaped }, ends => sub { substr $key, 2, -2 }, line => sub { (split /\n/, $prompt)[1] },
		hint => sub { "Unsupported parameter: 'max_tokens' is not supported. Use '$key' instead." });
	$error{message} = 'told: ' . $forms{$how}->() if $forms{$how};
	$error{code} = $key if $how eq 'code-key';
	$error{code} = $prompt if $how eq 'code';
	$error{type} = $prompt if $how eq 'type';
	push @headers, 'x-request-id' => $key if $how =~ /id-key/;
	return response(200, good('/v1/chat/completions', $body), @headers) if $how eq 'good-id-key';
	return response(400, $json->encode({ error => \%error, $how eq 'id' ? (request_id => $prompt) : () }), @headers);
}

# One child a connection: TLS in a select loop would be most of this file.  Tells
# whether the client would have spoken HTTP/2, by what it offers in its first message.
sub serve_tls
{
	my ($tls) = @_;
	require IO::Socket::SSL;
	while (1)
	{
		my $client = $tls->accept or next;
		my $child = fork() // next;
		next if $child;
		recv($client, my $hello, 4096, Socket::MSG_PEEK());
		IO::Socket::SSL->start_SSL($client, SSL_server => 1, SSL_cert_file => $cert, SSL_key_file => $key) or exit 0;
		my $in = '';
		while (sysread($client, my $piece, 65536))
		{
			$in .= $piece;
			while ($in =~ /\A(.*?)\r\n\r\n/s)
			{
				my $head = $1;
				my $length = $head =~ /^content-length:\s*(\d+)/mi ? $1 : 0;
				last if length($in) < length($head) + 4 + $length;
				my $body = substr($in, length($head) + 4, $length);
				substr($in, 0, length($head) + 4 + $length) = '';
				my ($path) = $head =~ /^\S+ (\S+)/;
				my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } split /\r\n/, $head;
				print {$log} $json->encode({ path => $path, headers => \%headers, body => $body, time => time(), tls => 1, h2 => index($hello // '', "\x02h2") >= 0 ? 1 : 0 }), "\n";
				syswrite($client, response(200, good($path, $body)));
			}
		}
		exit 0;
	}
}
