package AiGateway::Vectors;

# Replays recorded exchanges: serves each reply from loopback, makes the call
# through SQL, compares what comes out with what the vector expects.  The rules
# are those of the vectors' own INDEX.md: only keys of "expect" count, null is
# SQL's NULL, text '' is NULL, <key>_one_of overrides <key>.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Find;
use IPC::Open2;
use JSON::PP;
use MIME::Base64;

my $program = abs_path(dirname(__FILE__) . '/../replay_server.pl');
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# What serves a task that SQL has no function for: told, not counted.
my $without_function = qr{\bbatches\b|\bfiles\b|count.tokens|countTokens|input_tokens};

sub new
{
	my ($class, $cluster, $folder, $as_stream) = @_;
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.json$/ && !m{/sigv4/} } }, $folder);
	@files = sort @files;
	my $self = bless { cluster => $cluster, files => \@files, folder => $folder }, $class;
	$self->{pid} = open2(my $out, my $in, $^X, $program, @files);
	$self->{in} = $in;
	chomp($self->{port} = <$out>);
	$self->{session} = AiGateway::Session->new($cluster);
	$self->{session}->query("SET ai_gateway.on_error = 'null'; SET ai_gateway.timeout = '20s'; SET ai_gateway.max_retries = 0;
		SET ai_gateway.first_byte_timeout = " . ($as_stream ? 15000 : 0));
	return $self;
}

sub files { return @{ $_[0]{files} } }

sub read_vector
{
	my ($file) = @_;
	open(my $in, '<:raw', $file) or die "$file: $!";
	local $/;
	return $json->decode(scalar <$in>);
}

# provider, protocol, task and path of the registration that would have sent it
sub registration
{
	my ($vector) = @_;
	my $endpoint = $vector->{endpoint};
	my $expect = $vector->{expect};
	my %r = (provider => $vector->{provider}, task => 'chat', path => '/v1');
	$r{provider} = 'bedrock' if $r{provider} =~ /^bedrock/;
	$r{provider} = 'openai_compatible' if $r{provider} eq 'openai-compatible';
	return undef if $endpoint =~ $without_function;
	my ($url) = ($vector->{request}{url} // '');
	my ($in_url) = $url =~ m{/models?/([^/?]+?)(?::\w+)?(?:/(?:converse|invoke)[^/]*)?(?:\?|$)};
	my $body = $vector->{request}{body};
	$r{remote_model} = (ref $body eq 'HASH' && $body->{model}) || $in_url || 'recorded-model';
	$r{remote_model} =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
	if ($endpoint =~ /embed|:predict/i || $expect->{embeddings}) { $r{task} = 'embed' }
	elsif ($endpoint =~ /rerank/ || $expect->{rerank}) { $r{task} = 'rerank' }
	elsif ($endpoint =~ /moderations/) { $r{task} = 'moderate' }
	$r{protocol} =
		$endpoint =~ /responses/ ? 'openai-responses'
	  : $endpoint =~ m{v1/messages} ? 'anthropic-messages'
	  : $endpoint =~ /converse/ ? 'bedrock-converse'
	  : $endpoint =~ /invoke/ && $r{task} eq 'chat' ? 'anthropic-messages'
	  : $endpoint =~ /invoke/ ? 'bedrock-invoke'
	  : $endpoint =~ /:predict/ ? 'vertex-predict'
	  : $endpoint =~ /generateContent|GenerateContent|[eE]mbedContent|EmbedContents/ ? 'gemini'
	  : $endpoint =~ /interactions/ ? 'gemini-interactions'
	  : $endpoint =~ m{^/?api/(chat|generate|embed)} && $r{provider} eq 'ollama' ? 'ollama'
	  : $endpoint =~ m{^/?v2/} ? 'cohere'
	  : $endpoint =~ /contentsafety/ ? 'azure-content-safety'
	  : $r{provider} eq 'voyage' ? 'voyage'
	  : $r{provider} eq 'tei' && $endpoint !~ m{v1/} ? 'tei'
	  : 'openai-chat';
	return \%r;
}

sub quote { my ($v) = @_; $v =~ s/'/''/g; return "'$v'" }

# Registers the vector's model and makes the call; a hash of what came out.
sub call
{
	my ($self, $n, $vector, $r) = @_;
	my $expect = $vector->{expect};
	my $endpoint = "http://127.0.0.1:$self->{port}/$n";
	my $session = $self->{session};
	$session->query("DELETE FROM ai_gateway.models WHERE name = 'v'; INSERT INTO ai_gateway.models (name, task, provider, protocol, remote_model, endpoint)
		VALUES ('v', " . join(', ', map { quote($_) } $r->{task}, $r->{provider}, $r->{protocol}, $r->{remote_model}, $endpoint) . ')');
	return { refused => $session->{err} } if $session->{err} =~ /ERROR/;
	my %got;
	my $tools = q{'[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]'};
	my $sql;
	if ($r->{task} eq 'chat')
	{
		$sql = exists $expect->{tool_calls} || exists $expect->{reasoning_text}
		  ? "SELECT ai_chat('[{\"role\":\"user\",\"content\":\"hi\"}]', model => 'v')"
		  : "SELECT to_jsonb(r) FROM ai_try_complete('hi', model => 'v') r";
	}
	elsif ($r->{task} eq 'embed')
	{
		my $count = $expect->{embeddings} ? $expect->{embeddings}{count} : 1;
		$sql = "SELECT jsonb_agg(jsonb_build_object('n', array_length(embedding, 1), 'first', embedding[1:3]) ORDER BY ord)
			FROM ai_embed(ARRAY(SELECT 'text ' || i FROM generate_series(1, $count) i), model => 'v') WHERE embedding IS NOT NULL";
	}
	elsif ($r->{task} eq 'rerank')
	{
		my ($most) = sort { $b <=> $a } 0, map { $_->{index} } @{ $expect->{rerank} // [] };
		my $documents = $most + 1;
		my $sent = ref $vector->{request}{body} eq 'HASH' ? $vector->{request}{body}{documents} // $vector->{request}{body}{texts} : undef;
		$documents = @$sent if ref $sent && @$sent > $documents;
		# all of them have a score, but where the request asked for the first
		my $top = ref $vector->{request}{body} eq 'HASH' ? $vector->{request}{body}{top_n} // $vector->{request}{body}{top_k} : undef;
		# a fixture without its request holds as many as were asked for
		$top //= @{ $expect->{rerank} } if !ref $vector->{request}{body} && ref $expect->{rerank} && @{ $expect->{rerank} } < $documents;
		my $first = defined $top ? ", top_n => $top" : '';
		$sql = "SELECT jsonb_agg(jsonb_build_object('index', index - 1, 'score', score))
			FROM ai_rerank('q', ARRAY(SELECT 'document ' || i FROM generate_series(1, $documents) i), model => 'v'$first)";
	}
	else { $sql = "SELECT ai_moderate('text', model => 'v')" }
	my $out = $session->query($sql);
	$got{warning} = $session->{err};
	$got{result} = $out =~ /^[\{\[]/ ? $json->decode($out) : undef;
	$got{last} = $json->decode($session->query('SELECT to_jsonb(l) FROM ai_gateway.last_call() l'));
	return \%got;
}

sub same
{
	my ($want, $got) = @_;
	return !defined $got unless defined $want;
	return 0 unless defined $got;
	return $json->encode($want) eq $json->encode($got) if ref $want;
	$want = $want ? 1 : 0 if JSON::PP::is_bool($want);
	$got = $got ? 1 : 0 if JSON::PP::is_bool($got);
	return $want eq $got || ($want =~ /^-?[\d.]+$/ && $got =~ /^-?[\d.]+(e[-+]\d+)?$/i && abs($want - $got) <= 1e-6 * (1 + abs $want));
}

# The mismatches of one vector, as lines; undef if SQL has no function for it.
sub compare
{
	my ($self, $n) = @_;
	my $vector = read_vector($self->{files}[$n]);
	my $expect = $vector->{expect};
	my $r = registration($vector) or return undef;
	my $got = $self->call($n, $vector, $r);
	return ["the registration is refused: $got->{refused}"] if $got->{refused};
	my $result = $got->{result};
	my $last = $got->{last};
	my $chat = ref $result eq 'HASH' && exists $result->{tool_calls};
	my @wrong;
	my $check = sub {
		my ($key, $value) = @_;
		my $many = $expect->{"${key}_one_of"};
		return unless exists $expect->{$key} || $many;
		my @wanted = $many ? @$many : ($expect->{$key});
		return if grep { same($_, $value) } @wanted;
		push @wrong, "$key: expected " . join(' or ', map { $json->encode($_) } @wanted) . ', got ' . $json->encode($value);
	};

	# refusal, filter and a cut before the first word are failures of ours and results of theirs
	my $kind = $last->{error_kind};
	my $finish = $last->{finish_reason};
	if (defined $finish && defined $kind && $last->{http_status} == 200
		&& ($kind eq 'refusal' || $kind eq 'content_filter' || ($kind eq 'invalid_reply' && $finish eq 'length') || ($kind eq 'server_error' && $finish eq 'error')))
	{
		$kind = undef;
	}
	if ($r->{task} eq 'chat' && !defined $expect->{error_kind} && !$expect->{error_kind_one_of})
	{
		my $text = $chat ? $result->{text} : $result ? $result->{value} : undef;
		# what a local server leaves of its thinking in the text is taken out of it
		$expect->{text} =~ s{\A\s*<think>.*?</think>[\r\n]*}{}s if defined $expect->{text};
		if (($expect->{text} // '') ne ($text // '')) { push @wrong, 'text: expected ' . $json->encode($expect->{text}) . ', got ' . $json->encode($text) }
	}
	$check->('error_kind', $kind);
	$check->('finish_reason', $finish) if $r->{task} eq 'chat' && !defined $kind;
	if (!defined $kind)
	{
		# a count that the vector's own headers carry was reported
		my %headers = map { lc $_ => $vector->{headers}{$_} } keys %{ $vector->{headers} // {} };
		my $in_header = $headers{'x-amzn-bedrock-input-token-count'} // $headers{'x-compute-tokens'};
		$expect->{prompt_tokens} = $in_header
		  if $r->{task} ne 'chat' && defined $in_header && exists $expect->{prompt_tokens} && !defined $expect->{prompt_tokens};
		$check->('prompt_tokens', $last->{input_tokens});
		$check->('completion_tokens', $last->{output_tokens}) if $r->{task} eq 'chat';
		$check->('cached_tokens', $last->{cached_tokens});
		$check->('cache_write_tokens', $last->{cache_write_tokens});
		$check->('reasoning_tokens', $last->{reasoning_tokens});
	}
	if (exists $expect->{reasoning_text} && !defined $last->{error_kind}) { $check->('reasoning_text', $chat ? $result->{reasoning} : undef) }
	if (exists $expect->{tool_calls})
	{
		my @calls = map { { id => $_->{id}, name => $_->{name}, arguments => $_->{arguments} } } @{ $chat ? $result->{tool_calls} // [] : [] };
		my @wanted = map { { id => $_->{id}, name => $_->{name}, arguments => $_->{arguments} } } @{ $expect->{tool_calls} // [] };
		push @wrong, 'tool_calls: expected ' . $json->encode(\@wanted) . ', got ' . $json->encode(\@calls)
		  if $json->encode(\@wanted) ne $json->encode(\@calls);
	}
	if (defined $expect->{refusal})
	{
		my $error = $result ? $result->{error} // '' : '';
		push @wrong, "refusal: expected '$expect->{refusal}', got '$error'" if index($error, $expect->{refusal}) < 0;
	}
	if ($expect->{embeddings})
	{
		my $e = $expect->{embeddings};
		push @wrong, "embeddings: expected $e->{count}, got " . scalar(@{ $result // [] }) if @{ $result // [] } != $e->{count};
		push @wrong, "dimensions: expected $e->{dims}, got " . ($result->[0]{n} // 'none') if $result && $result->[0]{n} != $e->{dims};
		my @first = ref $e->{first3} && ref $e->{first3}[0] ? @{ $e->{first3} } : ($e->{first3});
		for my $i (0 .. $#first)
		{
			for my $k (0 .. 2)
			{
				next unless $result && ref $first[$i] && defined $first[$i][$k];
				my $value = $result->[$i]{first}[$k];
				push @wrong, "embedding $i, number $k: expected $first[$i][$k], got " . ($value // 'none')
				  if !defined $value || abs($value - $first[$i][$k]) > 1e-6;
			}
		}
	}
	if ($expect->{rerank})
	{
		my @wanted = sort { $b->{score} <=> $a->{score} || $a->{index} <=> $b->{index} } @{ $expect->{rerank} };
		my @scores = @{ $result // [] };
		push @wrong, 'rerank: expected ' . $json->encode(\@wanted) . ', got ' . $json->encode(\@scores)
		  if @wanted != @scores || grep { $wanted[$_]{index} != $scores[$_]{index} || abs($wanted[$_]{score} - $scores[$_]{score}) > 1e-6 } 0 .. $#wanted;
	}
	# one verdict an input; one input is sent
	$expect->{flagged} = $expect->{flagged}[0] if ref $expect->{flagged} eq 'ARRAY';
	if (ref $expect->{categories_true} && ref $expect->{categories_true}[0]) { $expect->{categories_true} = $expect->{categories_true}[0] }
	if (exists $expect->{flagged}) { $check->('flagged', $result ? $result->{flagged} : undef) }
	if (exists $expect->{categories_true})
	{
		my @true = sort grep { $result->{categories}{$_} } keys %{ $result->{categories} // {} };
		push @wrong, 'categories_true: expected ' . $json->encode($expect->{categories_true}) . ', got ' . $json->encode(\@true)
		  if $json->encode([ sort @{ $expect->{categories_true} } ]) ne $json->encode(\@true);
	}
	if (defined $kind)
	{
		$check->('error_code', $last->{error_code}) if defined $expect->{error_code};
		$check->('retryable', $last->{retryable});
		$check->('retry_after_ms', $last->{retry_after_ms});
		if (ref $expect->{request_id_headers} && @{ $expect->{request_id_headers} } && !defined $last->{request_id})
		{
			push @wrong, 'request_id: none, and the reply has one';
		}
	}
	return \@wrong;
}

sub stop { my ($self) = @_; $self->{session}->quit; close $self->{in}; waitpid($self->{pid}, 0); return }

1;
