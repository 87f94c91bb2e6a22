# The sentences of the design on keys, endpoints and who may set what, each
# with an attack.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::CoarseClock;
use AiGateway::FaultServer;
use Fcntl;
use File::Temp qw(tempdir);
use Test::More;

my $server = AiGateway::FaultServer->new(names => ['DNS:models.localhost']);
my $directory = tempdir(CLEANUP => 1);
my $key = 'key-of-the-provider-12345';
sub write_file { my ($name, $content, $mode) = @_; open(my $f, '>', "$directory/$name") or die "$name: $!"; print {$f} $content; close $f; chmod $mode // 0600, "$directory/$name"; return }
write_file('openai', "$key\n");
mkdir "$directory/credentials";
write_file('credentials/bare', "bare-credential-1\n");
write_file('credentials/bound', '{"api_key": "bound-credential-2", "hosts": ["127.0.0.1"]}');
write_file('credentials/elsewhere', '{"api_key": "other-credential-3", "hosts": ["other.example.com"]}');
write_file('credentials/open', 'open-credential-4', 0644);
write_file('credentials/group', '{"api_key": "group-credential-5", "hosts": "127.0.0.1"}', 0640);
write_file('credentials/newline', "bad\nX-Injected: yes");
write_file('credentials/empty', '');
write_file('credentials/broken', '{"api_key": ');
write_file('credentials/large', 'x' x 70000);
system('mkfifo', '-m', '0600', "$directory/credentials/fifo");
mkdir "$directory/credentials/folder";
write_file('outside', '{"api_key": "outside-6", "hosts": ["127.0.0.1"]}');

my $own = $server->url('echo-headers/own');
my $cluster = AiGateway::Cluster->new('keys', conf => <<"CONF");
ai_gateway.max_retries = 0
ai_gateway.openai_api_key = 'file:$directory/openai'
ai_gateway.openai_endpoint = '$own/v1'
ai_gateway.credentials_directory = '$directory/credentials'
CONF
sub model { my (%columns) = @_; $cluster->register('m', provider => 'openai', %columns); return }
sub headers { return $cluster->sql("SELECT coalesce(value::jsonb->>'authorization', value::jsonb->>'x-api-key', 'no key') FROM ai_try_complete('p', model => 'm')") }
sub failure { my ($out) = $cluster->try("SELECT error_kind || ': ' || error FROM ai_try_complete('p', model => 'm')"); return $out }
sub insert_state { my (%columns) = @_; $columns{name} //= 'x'; $columns{remote_model} //= 'r'; my @n = sort keys %columns; return $cluster->sqlstate('BEGIN; INSERT INTO ai_gateway.models (' . join(', ', @n) . ') VALUES (' . join(', ', map { my $v = $columns{$_}; $v =~ s/'/''/g; "'$v'" } @n) . '); ROLLBACK') }

# A key goes only to its provider's own hosts, to the endpoint in that
# provider's GUC, or to the hosts of its file.
model();
is(headers(), "Bearer $key", "the provider's key goes to the endpoint of the provider's parameter");
model(endpoint => "$own/v1/below");
is(headers(), "Bearer $key", 'and below it');
model(endpoint => $server->url('echo-headers/other'));
is(headers(), 'no key', 'a path beside it on the same host gets no key');
model(endpoint => $own . '/v12');
is(headers(), 'no key', 'nor does a path that only begins alike');
model(endpoint => $server->url('echo-headers/own/v1', host => 'localhost'));
is(headers(), 'no key', 'nor does another name of the same machine');
model(endpoint => $server->url('echo-key'));
like(($cluster->try("SELECT ai_complete('p', model => 'm')"))[1], qr/HINT:  No key was sent: the key of provider "openai" may not go/, 'a refusal for want of the key says so');
model(endpoint => 'https://api.openai.com/v1');
my $hosted = $cluster->sql("SELECT detail FROM ai_gateway.validate_model('m') WHERE step = 'target'");
like($hosted, qr/a key is sent/, "the provider's own host gets it");

# models.credential: the plain name of a file in the directory
for my $name ('../outside', '/etc/passwd', 'env:HOME', 'file:/etc/passwd', '.', '..', '.hidden', 'a/b', '')
{
	is(insert_state(provider => 'openai', credential => $name), '22023', "credential \"$name\" is refused when it is written");
}
model(endpoint => $server->url('echo-headers'), credential => 'bound');
is(headers(), 'Bearer bound-credential-2', 'a credential goes to the hosts of its file');
model(endpoint => $server->url('echo-headers', host => 'localhost'), credential => 'bound');
like(failure(), qr/permission: .*may not be sent to host "localhost"/, 'and to no other: the call fails');
model(endpoint => $server->url('echo-headers'), credential => 'elsewhere');
like(failure(), qr/permission: .*may not be sent/, 'a credential for another host does not go');
model(endpoint => $server->url('echo-headers'), credential => 'bare');
like(failure(), qr/permission: .*may not be sent/, "a credential without hosts goes only where the provider's key would");
model(credential => 'bare');
is(headers(), 'Bearer bare-credential-1', 'such as the endpoint of the parameter');
model(endpoint => $server->url('echo-headers'), credential => 'group');
is(headers(), 'Bearer group-credential-5', 'mode 0640 is accepted');
for my $case ([ open => 'mode 0644' ], [ newline => 'line break' ], [ empty => 'is empty' ], [ broken => 'JSON object' ],
	[ large => 'larger than 64 kB' ], [ fifo => 'not a regular file' ], [ folder => 'not a regular file|cannot be opened' ], [ missing => 'cannot be opened' ])
{
	model(credential => $case->[0]);
	like(failure(), qr/authentication: credential "$case->[0]" .*$case->[1]/, "credential \"$case->[0]\": $case->[1]");
}
is(scalar(grep { $_->{headers}{'x-injected'} } $server->requests), 0, 'no header was injected');

# ---- a key that is replaced, while a session is open ----

# each file is used until its content is kept: then a look at it reads nothing
my $open = AiGateway::Session->new($cluster);
my @rotated = qw(renamed rewritten linked exposed removed);
sub use_key { my ($name) = @_; return $open->query("SELECT coalesce(value::jsonb->>'authorization', error) FROM ai_try_complete('p', model => 'rotated-$name')") }
sub read_calls { open(my $io, '<', '/proc/' . $open->pid . '/io') or die "io: $!"; my ($n) = map { /^syscr: (\d+)/ ? $1 : () } <$io>; return $n }
# all of them of one time of writing, whoever wrote when, and of one size
my $then = time() - 1000;
sub set_time { my ($path) = @_; utime($then, $then, $path) or die "$path: $!"; return }
sub overwrite { my ($path, $content) = @_; sysopen(my $f, $path, O_WRONLY) or die "$path: $!"; syswrite($f, $content) == length $content or die; close $f; return }
mkdir "$directory/data$_" for 1, 2;
write_file("data$_/key", "key-number-$_-of-linked") for 1, 2;
symlink("$directory/data1/key", "$directory/credentials/linked");
write_file("credentials/$_", "key-number-1-of-$_") for grep { $_ ne 'linked' } @rotated;
set_time("$directory/$_") for qw(data1/key data2/key openai), map { "credentials/$_" } @rotated;
$cluster->register("rotated-$_", provider => 'openai', credential => $_) for @rotated;
$cluster->register('rotated-own', provider => 'openai');
is(join(' ', map { use_key($_) } @rotated, 'own'), join(' ', (map { "Bearer key-number-1-of-$_" } @rotated), "Bearer $key"), 'six keys of files are used');
ok(AiGateway::Cluster::poll(sub { my $before = read_calls(); use_key($_) for @rotated, 'own'; return read_calls() == $before }), 'a file that stays as it is is read no more');

my $credentials = "$directory/credentials";
write_file('credentials/.new', 'key-number-2-of-renamed');
set_time("$credentials/.new");
rename("$credentials/.new", "$credentials/renamed") or die;
is(use_key('renamed'), 'Bearer key-number-2-of-renamed', 'a file that took the place of another is used by the next call, though of one size and time of writing');
overwrite("$credentials/rewritten", 'key-number-2-of-rewritten');
set_time("$credentials/rewritten");
is(use_key('rewritten'), 'Bearer key-number-2-of-rewritten', 'so is one that was written anew in its place');
symlink("$directory/data2/key", "$credentials/.link");
rename("$credentials/.link", "$credentials/linked") or die;
is(use_key('linked'), 'Bearer key-number-2-of-linked', 'and one that a link leads to now');
chmod 0644, "$credentials/exposed";
like(use_key('exposed'), qr/mode 0644/, 'a file that others may read from now on is refused');
chmod 0600, "$credentials/exposed";
is(use_key('exposed'), 'Bearer key-number-1-of-exposed', 'until they may not');
unlink "$credentials/removed";
like(use_key('removed'), qr/cannot be opened/, 'a file that was removed is not used');
is(use_key('renamed'), 'Bearer key-number-2-of-renamed', 'the others are as they were');
# under a statement that runs for longer it is looked at again, after a tenth of a second
$cluster->sql('CREATE SEQUENCE called');
write_file('credentials/.new', 'key-number-3-of-renamed');
set_time("$credentials/.new");
$open->start(<<'DO');
DO $$
DECLARE used text;
BEGIN
	LOOP
		used := ai_complete('p', model => 'rotated-renamed')::jsonb->>'authorization';
		PERFORM nextval('called');
		EXIT WHEN used = 'Bearer key-number-3-of-renamed';
	END LOOP;
	RAISE NOTICE 'last used: %', used;
END $$
DO
AiGateway::Cluster::poll(sub { $open->{run}->pump_nb; $cluster->sql('SELECT last_value FROM called') > 10 });
rename("$credentials/.new", "$credentials/renamed") or die;
$open->finish;
like($open->{err}, qr/last used: Bearer key-number-3-of-renamed/, 'a statement that runs uses a key that was replaced, before long');
write_file('openai-2', "key-of-the-provider-23456\n");
set_time("$directory/openai-2");
rename("$directory/openai-2", "$directory/openai") or die;
is(use_key('own'), 'Bearer key-of-the-provider-23456', "the provider's own key likewise");
write_file('openai', "$key\n");

# what is kept is overwritten: a key that is read and never sent is in no memory but ours
sub remembers
{
	my ($needle) = @_;
	open(my $maps, '<', '/proc/' . $open->pid . '/maps') or return;
	open(my $memory, '<:raw', '/proc/' . $open->pid . '/mem') or return;
	my $found = 0;
	while (<$maps>)
	{
		my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) rw-p/ or next;
		sysseek($memory, hex $from, 0) or next;
		sysread($memory, my $bytes, hex($to) - hex($from)) or next;
		$found++ while $bytes =~ /\Q$needle\E/g;
	}
	return $found;
}
SKIP:
{
	my $hidden = join('-', 'never', 'sent');
	my $unsent = sub { my ($n) = @_; write_file('credentials/hidden', qq({"api_key": "$hidden-$n", "hosts": ["other.example.com"]})); return like($open->query("SELECT error FROM ai_try_complete('p', model => 'hidden')"), qr/may not be sent/, "key $n is read, and goes nowhere") };
	$cluster->register('hidden', provider => 'openai', endpoint => $server->url('echo-headers'), credential => 'hidden');
	$unsent->(1);
	skip 'a sanitizer has memory of its own', 1 if $ENV{AI_GATEWAY_SLOW};
	skip 'the memory of a backend cannot be read here', 1 unless defined remembers($hidden);
	cmp_ok(remembers("$hidden-1"), '>', 0, 'it is kept');
	$unsent->(2);
	is(remembers("$hidden-1"), 0, 'and overwritten once its file was replaced');
	cmp_ok(remembers("$hidden-2"), '>', 0, 'the new one is kept');
	$cluster->node->reload;
	ok(AiGateway::Cluster::poll(sub { $open->query('SELECT 1'); return remembers("$hidden-2") == 0 }), 'and overwritten when the configuration is loaded anew');
	$unsent->(3);
	cmp_ok(remembers("$hidden-3"), '>', 0, 'the next is kept');
	$cluster->sql("DELETE FROM ai_gateway.models WHERE name = 'hidden'");
	ok(AiGateway::Cluster::poll(sub { $open->query('SELECT 1'); return remembers("$hidden-3") == 0 }), 'and overwritten when its model is dropped');
}
$open->quit;

# twice within a tick of the clock: nothing that stat() tells differs
{
	my $clock = AiGateway::CoarseClock->new;
	local $ENV{LD_PRELOAD} = $clock->preload;
	my $coarse = AiGateway::Cluster->new('coarse', conf => "ai_gateway.openai_endpoint = '$own/v1'\nai_gateway.credentials_directory = '$credentials'\n");
	my $session = AiGateway::Session->new($coarse);
	my ($together, @wrong) = (0);
	write_file('credentials/tick', 'key-0000-of-tick');
	$coarse->register('m', provider => 'openai', credential => 'tick');
	for my $n (1 .. 20)
	{
		my @written;
		for my $content (map { sprintf 'key-%04d-of-tick', 2 * $n + $_ } 0, 1)
		{
			overwrite("$credentials/tick", $content);
			push @written, (stat "$credentials/tick")[10];
			my $sent = $session->query("SELECT coalesce(value::jsonb->>'authorization', error) FROM ai_try_complete('p', model => 'm')");
			push @wrong, $sent if $sent ne "Bearer $content";
		}
		$together++ if $written[0] == $written[1];
	}
	cmp_ok($together, '>', 0, "a file is written twice within a second, $together times");
	is(join(' ', @wrong), '', 'and read twice, on a file system that tells whole seconds');
	$session->quit;
}

# A row that points elsewhere: checked at write ...
for my $endpoint ('https://evil.example.com/v1', 'http://api.openai.com/v1', 'http://10.0.0.1/v1', 'http://169.254.169.254/latest',
	'http://127.0.0.1.evil.example.com/', 'https://api.openai.com.evil.example.com/', 'http://[::ffff:127.0.0.1]/')
{
	is(insert_state(provider => 'openai', endpoint => $endpoint), '42501', "endpoint \"$endpoint\" is refused when it is written");
}
for my $endpoint ('http://2130706433/', 'http://0x7f.1/', 'ftp://127.0.0.1/', 'file:///etc/passwd', 'https://api.openai.com@evil.example.com/', 'https://user:pw@api.openai.com/', 'https://api.openai.com/v1?x=1',
	'https://api.openai.com/v1#x', 'https://api.openai.com/../x', 'https://api .openai.com/', "https://api.openai.com\\\@evil.example.com/", 'https://', 'api.openai.com', 'https://api.openai.com:0/', 'https://api.openai.com:99999/')
{
	is(insert_state(provider => 'openai', endpoint => $endpoint), '22023', "endpoint \"$endpoint\" is no endpoint");
}
# ... and at connect: the address that a name leads to counts
$cluster->node->append_conf('postgresql.conf', "ai_gateway.allowed_hosts = '*.example.com, 127.0.0.1, metadata.example.org:81'\n");
$cluster->node->reload;
ok(AiGateway::Cluster::poll(sub { insert_state(provider => 'openai', endpoint => 'https://evil.example.com/v1') eq 'none' }), 'a host in allowed_hosts is accepted');
is(insert_state(provider => 'openai', endpoint => 'https://example.com/v1'), '42501', '*.example.com is not example.com');
is(insert_state(provider => 'openai', endpoint => 'https://metadata.example.org/v1'), '42501', 'host:81 is not host:443');
model(endpoint => 'https://x.example.com/v1');
like($cluster->sql("SELECT detail FROM ai_gateway.validate_model('m') WHERE step = 'target'"), qr/withheld/, 'a listed host gets a call but no key');

# ---- what was right when the row was written is asked again at each call ----
# In a session that has called there before, over a connection that is kept.
# libcurl itself leads names below localhost to this machine; to us they are
# hosts like any other.
my $caller = AiGateway::Session->new($cluster);
sub configure
{
	my ($name, $value) = @_;
	$cluster->node->append_conf('postgresql.conf', "ai_gateway.$name = '$value'\n");
	$cluster->node->reload;
	return AiGateway::Cluster::poll(sub { $caller->query("SHOW ai_gateway.$name") eq $value }) || die $name;
}
sub arrived { my ($behaviour) = @_; return scalar(() = $server->lines($behaviour)) }
sub key_sent
{
	my ($model) = @_;
	return $caller->query("SELECT coalesce(value::jsonb->>'authorization', 'no key') FROM ai_try_complete('p', model => '$model')");
}
sub is_refused
{
	my ($name, $model, $behaviour, $detail, $hint) = @_;
	my $before = arrived($behaviour);
	$caller->query("SELECT ai_complete('p', model => '$model')");
	is($caller->{err} =~ s/\nLOCATION:.*//sr, qq(ERROR:  LM003: model "$model" was denied permission\nDETAIL:  $detail\nHINT:  $hint), "$name: refused, and why");
	is($caller->query("SELECT sqlstate, count(*) FROM (SELECT (ai_try_complete('p' || i, model => '$model')).* FROM generate_series(1, 20) i) r GROUP BY 1"),
		'LM003|20', "$name: in each row of a statement");
	is(arrived($behaviour), $before, "$name: nothing arrives");
	return;
}
configure(ca_file => $server->certificate);
my %place = (
	'https://models.localhost' => [ $server->url('ok/https', host => 'models.localhost', tls => 1),
		'Host "models.localhost" of model "https" is neither one of provider "openai" nor listed in ai_gateway.allowed_hosts, so it gets no key and no call.',
		'Add' ],
	'http://models.localhost' => [ $server->url('ok/http', host => 'models.localhost'),
		'Model "http" would be called by plain http at host "models.localhost", which is not listed in ai_gateway.allowed_hosts.',
		'Use https, or add' ]);
configure(allowed_hosts => 'other.localhost, models.localhost');
for my $place (sort keys %place)
{
	my ($name) = $place =~ /^(\w+)/;
	$cluster->register($name, provider => 'openai', endpoint => $place{$place}[0]);
	is($caller->query("SELECT ai_complete('p', model => '$name')") . arrived("ok/$name"), 'ok1', "$place is called while a list names it");
}
for my $list ('other.localhost', 'models.localhost:1', '*.models.localhost', '10.0.0.0/8', '')
{
	configure(allowed_hosts => $list);
	for my $place (sort keys %place)
	{
		my ($name) = $place =~ /^(\w+)/;
		is_refused("$place with allowed_hosts = '$list'", $name, "ok/$name", $place{$place}[1],
			"$place{$place}[2] 'models.localhost' to ai_gateway.allowed_hosts and reload the configuration.");
	}
}
for my $list ('*.localhost', 'models.localhost')
{
	configure(allowed_hosts => $list);
	is($caller->query("SELECT ai_complete('p', model => 'https') || ai_complete('p', model => 'http')"), 'okok', "and both are called again with allowed_hosts = '$list'");
}

# a credential whose file names another host from now on
write_file('credentials/moving', '{"api_key": "moving-credential-7", "hosts": ["127.0.0.1"]}');
$cluster->register('moving', provider => 'openai', endpoint => $server->url('echo-headers/moving'), credential => 'moving');
is(key_sent('moving'), 'Bearer moving-credential-7', 'a credential goes to the host of its file');
for my $hosts ('["models.localhost"]', '["127.0.0.1:1"]', '[]', '"*.localhost"')
{
	write_file('credentials/moving', qq({"api_key": "moving-credential-7", "hosts": $hosts}));
	is_refused("a credential whose file names $hosts from now on", 'moving', 'echo-headers/moving',
		'Credential "moving" may not be sent to host "127.0.0.1".', 'Make the file a JSON object with "api_key", and "hosts": ["127.0.0.1"].');
}
write_file('credentials/moving', '{"api_key": "moved-credential-8", "hosts": "127.0.0.1"}');
is(key_sent('moving'), 'Bearer moved-credential-8', 'and goes there again, as the file has it');

# the provider's own key: to the endpoint of the parameter as it is now
$cluster->register('own', provider => 'openai', endpoint => "$own/v1/below");
is(key_sent('own'), "Bearer $key", "the provider's key goes below the endpoint of the parameter");
for my $elsewhere ("$own/v2", "$own/v1/below/that", $server->url('echo-headers/own/v1', host => 'localhost'), $own =~ s/^http:/https:/r . '/v1', 'http://127.0.0.1:1/echo-headers/own/v1')
{
	configure(openai_endpoint => $elsewhere);
	is(key_sent('own'), 'no key', "not when the parameter is $elsewhere");
}
$cluster->register('key', provider => 'openai', endpoint => $server->url('echo-key'));
$caller->query("SELECT ai_complete('p', model => 'key')");
like($caller->{err}, qr/ERROR:  LM002: .*\nDETAIL:  .*bad key none.*\nHINT:  No key was sent: the key of provider "openai" may not go to the endpoint of model "key"\./, 'and a refusal for want of it says so');
# or to the hosts of its own file
write_file('openai', qq({"api_key": "$key", "hosts": ["127.0.0.1"]}));
is(key_sent('own'), "Bearer $key", "the provider's key goes to the hosts of its file");
write_file('openai', qq({"api_key": "$key", "hosts": ["models.localhost"]}));
is(key_sent('own'), 'no key', 'not to one that its file names no more');
$cluster->register('named', provider => 'openai', endpoint => $server->url('echo-headers/named', host => 'models.localhost'));
is(key_sent('named'), "Bearer $key", 'to a listed host by plain http, where its file names it');
configure(allowed_hosts => '');
is_refused('the same host, not listed any more', 'named', 'echo-headers/named',
	'Model "named" would be called by plain http at host "models.localhost", which is not listed in ai_gateway.allowed_hosts.', "Use https, or add 'models.localhost' to ai_gateway.allowed_hosts and reload the configuration.");
# a key that cannot be read stops the calls that need it, and no other
unlink "$directory/openai";
is(key_sent('own'), 'no key', 'where the key may not go, that it cannot be read is no matter');
configure(openai_endpoint => "$own/v1");
my $before = arrived('echo-headers/own');
$caller->query("SELECT ai_complete('p', model => 'own')");
like($caller->{err}, qr/\AERROR:  LM002: model "own" could not authenticate\nDETAIL:  The key file of "ai_gateway\.openai_api_key" cannot be opened: /, "the parameter's own endpoint is not called without it");
is(arrived('echo-headers/own'), $before, 'nothing arrives there');
write_file('openai', "$key\n");
is(key_sent('own'), "Bearer $key", 'until it is there again');
$cluster->register('keyless', provider => 'anthropic');
$caller->query("SELECT ai_complete('p', model => 'keyless')");
like($caller->{err}, qr/\AERROR:  LM002: .*\nDETAIL:  No key is configured for provider "anthropic"\.\nHINT:  Set ai_gateway\.anthropic_api_key = 'file:/, "a provider's own host is not called without a key");
$caller->quit;

# no proxy from the environment: it would carry the request elsewhere
{
	local $ENV{http_proxy} = 'http://127.0.0.1:1';
	local $ENV{https_proxy} = 'http://127.0.0.1:1';
	$cluster->node->restart;
	model();
	is(headers(), "Bearer $key", "the environment's proxy is not used");
}

# Who may set what
$cluster->sql('CREATE ROLE joe LOGIN; CREATE ROLE team; CREATE ROLE registrar LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ai_gateway.models TO registrar');
for my $name (qw(openai_api_key openai_endpoint allowed_hosts credentials_directory proxy ca_file))
{
	is($cluster->sqlstate("SET ai_gateway.$name = ''", user => $_), '55P02', "SET ai_gateway.$name as $_") for qw(joe postgres);
}
for my $name (qw(max_timeout max_response_size))
{
	is($cluster->sqlstate("SET ai_gateway.$name = 1000", user => 'joe'), '42501', "SET ai_gateway.$name as joe");
}
for my $name (qw(default_model default_embedding_model timeout max_retries max_in_flight on_error drop_unsupported connect_timeout))
{
	is($cluster->sqlstate("SET ai_gateway.$name = DEFAULT", user => 'joe'), 'none', "SET ai_gateway.$name as joe");
}
is($cluster->sqlstate("SET ai_gateway.no_such_thing = 1", user => 'joe'), '42602', 'an unknown parameter is refused');
$cluster->register('slow', provider => 'mock', options => '{"mock": {"latency_ms": 5000}}');
$cluster->register('stall', provider => 'openai_compatible', endpoint => $server->url('stall'));
$cluster->sql("ALTER SYSTEM SET ai_gateway.max_timeout = '200ms'");
$cluster->node->reload;
ok(AiGateway::Cluster::poll(sub { $cluster->sql('SHOW ai_gateway.max_timeout') eq '200ms' }), 'the DBA caps the timeout');
is($cluster->sql("SET ai_gateway.timeout = '1h'; SELECT error_kind || (latency_ms < 2000) FROM ai_try_complete('p', model => 'stall', options => '{\"timeout_ms\": 100000}')"), 'timeouttrue', 'and no user exceeds it');
$cluster->sql('ALTER SYSTEM RESET ai_gateway.max_timeout');
$cluster->node->reload;

# registrars write rows but see no key, and grants decide who may call
is($cluster->sqlstate("INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('y', 'mock', 'r')", user => 'registrar'), 'none', 'a registrar registers');
is($cluster->sqlstate("SELECT ai_complete('p', model => 'y')", user => 'registrar'), '42501', 'which is no right to call');
is($cluster->sqlstate("SELECT ai_complete('p', model => 'y')", user => 'joe'), '42501', 'nobody but a superuser calls without a grant');
is($cluster->sqlstate("SELECT * FROM ai_gateway.models", user => 'joe'), '42501', 'nor reads the registry');
$cluster->sql("INSERT INTO ai_gateway.model_grants VALUES ('y', 'team')");
is($cluster->sqlstate("SELECT ai_complete('p', model => 'y')", user => 'joe'), '42501', 'a grant to a role that one is not in does not help');
$cluster->sql('GRANT team TO joe');
is($cluster->sqlstate("SELECT ai_complete('p', model => 'y')", user => 'joe'), 'none', 'membership counts');
my $session = AiGateway::Session->new($cluster);
is($session->query("SELECT ai_complete('p', model => 'y')"), 'p', 'a superuser calls');
$session->query('CREATE ROLE nobody; SET ROLE nobody');
$session->query("SELECT ai_complete('p', model => 'y')");
is($session->sqlstate, '42501', 'and not past a SET ROLE');
$session->query("RESET ROLE; CREATE FUNCTION delegate() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT ai_complete(''p'', model => ''y'')'; SET ROLE nobody");
is($session->query('SELECT delegate()'), 'p', 'SECURITY DEFINER delegates');
$cluster->sql("INSERT INTO ai_gateway.model_grants VALUES ('y', 0)");
is($session->query("SELECT ai_complete('p', model => 'y')"), 'p', 'a grant to PUBLIC is for all, at once in every session');
$cluster->sql("DELETE FROM ai_gateway.model_grants");
$session->query("SELECT ai_complete('p', model => 'y')");
is($session->sqlstate, '42501', 'and its end too');

# options.extra
$cluster->register('m', provider => 'openai_compatible', endpoint => $server->url('echo-body'));
is($cluster->sqlstate(q{SELECT ai_complete('p', model => 'm', options => '{"extra": {"user": "u"}}')}), '42501', 'options.extra is refused unless the row allows it');
$cluster->sql("UPDATE ai_gateway.models SET allow_extra = true WHERE name = 'm'");
is($cluster->sql(q{SELECT ai_complete('p', model => 'm', options => '{"extra": {"user": "u"}}')::jsonb->>'user'}), 'u', 'and is merged where it does');
is($cluster->sqlstate(q{SELECT ai_complete('p', model => 'm', options => '{"extra": {"model": "another"}}')}), 'LM001', 'but overrides nothing');

# objects of the caller's own do not stand in for the registry
is($session->query("RESET ROLE; CREATE SCHEMA evil; CREATE TABLE evil.models (LIKE ai_gateway.models); SET search_path = evil, public; SELECT ai_complete('p', model => 'y')"), 'p', 'the search_path plays no part');

# without preloading, every function works; a literal key is refused
my $plain = AiGateway::Cluster->new('plain', preload => '', conf => "ai_gateway.openai_compatible_api_key = 'literal-key-123'\nai_gateway.openai_compatible_endpoint = '" . $server->url('echo-headers') . "'\n");
$plain->register('mock', provider => 'mock');
is($plain->sql("SELECT ai_complete('p', model => 'mock')"), 'p', 'without preloading a call works');
$plain->register('m', provider => 'openai_compatible');
like(($plain->try("SELECT ai_complete('p', model => 'm')"))[1], qr/LM002.*\n.*was not preloaded.*\nHINT:.*shared_preload_libraries/, 'a literal key is refused, with what to do');

done_testing();
