# Which addresses may be connected to: asked at connect, of the address that the
# name leads to by then, by names, wildcards and networks of
# ai_gateway.allowed_hosts.
#
# 0.0.0.0 stands for a private address that a server answers at: it is of a
# network that no public service has, and leads to this machine.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use AiGateway::Resolver;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(time);

my $host = 'models.example.com';
my @own = grep { /^[0-9a-f.:]+$/ } split ' ', `hostname -I 2>/dev/null` // '';
my $server = AiGateway::FaultServer->new(everywhere => 1,
	names => [ "DNS:$host", 'DNS:api.openai.com', map { "IP:$_" } '0.0.0.0', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', @own ]);
my $resolver = AiGateway::Resolver->new;
my $directory = tempdir(CLEANUP => 1);
open(my $file, '>', "$directory/key") or die;
print {$file} 'key-of-the-provider-12345';
close $file;
chmod 0600, "$directory/key";

# The provider's parameter is the DBA's word: such a place is called although no
# list names it, but only at public addresses.
my $endpoint = $server->url('ok/v1', host => $host, tls => 1);
my $cluster = do {
	local $ENV{LD_PRELOAD} = $resolver->preload;
	AiGateway::Cluster->new('addresses', conf => "ai_gateway.max_retries = 0\nai_gateway.ca_file = '" . $server->certificate . "'\nai_gateway.openai_api_key = 'file:$directory/key'\n");
};
$cluster->register('m', provider => 'openai');
my $session;
my %set = (allowed_hosts => '', openai_endpoint => '', proxy => '');

# The configuration of all sessions, those that are open too.
sub configure
{
	my (%parameters) = @_;
	my @changed = grep { $set{$_} ne $parameters{$_} } keys %parameters;
	%set = (%set, %parameters);
	$cluster->node->append_conf('postgresql.conf', join '', map { "ai_gateway.$_ = '$parameters{$_}'\n" } @changed);
	$cluster->node->reload;
	for my $name (@changed)
	{
		AiGateway::Cluster::poll(sub { $session->query("SHOW ai_gateway.$name") eq $parameters{$name} }) or die $name;
	}
	return;
}
sub new_session { $session->quit if $session; $session = AiGateway::Session->new($cluster); return }
sub call { return $session->query("SELECT coalesce(value, sqlstate || ': ' || error) FROM ai_try_complete('p', model => 'm')") }
new_session();
configure(openai_endpoint => $endpoint);

my $refused = qr/^LM003: host "\Q$host\E" resolves to a private address, and it is not listed in ai_gateway\.allowed_hosts$/;
sub is_answered { my ($name) = @_; return is(call(), 'ok', $name) }
sub is_refused
{
	my ($name, $like) = @_;
	my $before = () = $server->lines;
	like(call(), $like // $refused, $name);
	return is(scalar(() = $server->lines), $before, "$name: nothing arrives");
}

# ---- a name, and where it leads ----
$resolver->lead($host, '127.0.0.1');
is_answered('a name that leads to this machine is called');
my $ipv6 = -e '/proc/net/if_inet6' && grep { /^0{31}1 / } do { open(my $if, '<', '/proc/net/if_inet6') or die; <$if> };
SKIP:
{
	skip 'no IPv6 here', 1 unless $ipv6;
	new_session();
	$resolver->lead($host, '::1');
	is_answered('by IPv6 as well');
}
# what was looked up and checked before helps a name nothing that moves (DNS rebinding)
new_session();
$resolver->lead($host, '0.0.0.0');
is_refused('a name that has moved to a private address');
like($session->query("SELECT ai_complete('p', model => 'm')") . $session->{err}, qr/ERROR:  LM003: .*\nDETAIL:  Host "\Q$host\E" resolves .*\nHINT:  Add '\Q$host\E' to ai_gateway\.allowed_hosts and reload the configuration\./, 'the error says what to do');

# nobody is there: refused before it is tried, else the time would run out
for my $address (qw(10.1.2.3 172.16.0.1 192.168.0.1 100.64.0.1 169.254.169.254 224.0.0.1), $ipv6 ? qw(fd00:ec2::254 fe80::1 ff02::1 ::ffff:10.1.2.3) : ())
{
	$resolver->lead($host, $address);
	new_session();
	my $start = time();
	is_refused("$address");
	cmp_ok(time() - $start, '<', 2, "$address: at once");
}

# ---- names, wildcards and networks of the list ----
$resolver->lead($host, '0.0.0.0');
for my $list ($host, "other.example.com, $host", '*.example.com', '0.0.0.0/8', '0.0.0.0/32', '10.0.0.0/8, 0.0.0.0/31', uc $host)
{
	configure(allowed_hosts => $list);
	is_answered("allowed_hosts = '$list'");
}
for my $list ('example.com', '*.models.example.com', '*.xample.com', 'odels.example.com', "$host.evil.example.com", "$host:1", '10.0.0.0/8', '0.128.0.0/9', '::/0', '127.0.0.0/8')
{
	configure(allowed_hosts => $list);
	is_refused("allowed_hosts = '$list'");
}

# the machine's own addresses, where it has others than loopback
for my $address (grep { !/^(127\.|::1$)/ } @own)
{
	my $v6 = $address =~ /:/;
	$resolver->lead($host, $address);
	my ($wide) = $v6 ? $address =~ /^([0-9a-f]+):/ : $address =~ /^(\d+)\./;
	my $network = $v6 ? "$wide\::/16" : "$wide.0.0.0/8";
	configure(allowed_hosts => $network);
	new_session();
	is_answered("$address by its network $network");
	next unless $address =~ /^(10\.|192\.168\.|192\.0\.2\.|172\.(1[6-9]|2\d|3[01])\.|f[cd]|fe[89ab])/;
	configure(allowed_hosts => $v6 ? "$address/128, ::1" : "$address/32");
	is_answered("$address by itself");
	configure(allowed_hosts => $v6 ? 'fc00::/16, 0.0.0.0/0' : '11.0.0.0/8, ::/0');
	is_refused("$address by no network of its own");
}

# ---- a connection that is kept is no way past a list that has changed ----
$resolver->lead($host, '0.0.0.0');
configure(allowed_hosts => '0.0.0.0/8');
new_session();
is_answered('a first call leaves a connection');
configure(allowed_hosts => '');
is_refused('the next, in the same session, is refused when the list has shrunk');
is($session->query("SELECT count(*), count(DISTINCT sqlstate), min(sqlstate), max(attempts) FROM ai_gateway.models, LATERAL (SELECT (ai_try_complete('p' || i, model => 'm')).* FROM generate_series(1, 40) i) r WHERE name = 'm'"),
	'40|1|LM003|1', 'and so is each row of a statement');
configure(allowed_hosts => '0.0.0.0/8');
is_answered('and is made when the list has grown again');

# ---- addresses in the place of a name ----
for my $case (
	[ '0.0.0.0', '0.0.0.0/8', qr/^LM003: host "0\.0\.0\.0" resolves to a private address/ ],
	[ '[::ffff:127.0.0.1]', '', undef ],
	[ '[::1]', '', undef ],
	(map { [ /:/ ? "[$_]" : $_, /:/ ? "$_/64" : "$_/24", qr/^LM003: host "\Q$_\E" resolves to a private address/ ] } grep { /^(10\.|192\.168\.|192\.0\.2\.|172\.(1[6-9]|2\d|3[01])\.|fd)/ } @own))
{
	my ($address, $network, $like) = @$case;
	next if $address =~ /:/ && !$ipv6;
	configure(openai_endpoint => $server->url('ok/v1', host => $address, tls => 1), allowed_hosts => '');
	if (!$like) { is_answered("$address is this machine"); next }
	is_refused("the address $address", $like);
	configure(allowed_hosts => $network);
	is_answered("$address in the network $network");
	# a network in the list is the DBA's word for plain http, too
	$cluster->register('plain', endpoint => $server->url('echo-headers/v1', host => $address));
	like($session->query("SELECT ai_complete('p', model => 'plain')"), qr/"host":"\Q$address\E:/, "$address in the network $network by plain http");
}

# ---- a proxy is the DBA's own word ----
configure(openai_endpoint => '', allowed_hosts => '', proxy => 'http://0.0.0.0:' . $server->port);
is_answered("the provider's own host is called through a proxy at a private address");
my ($tunnel) = grep { ($_->{method} // '') eq 'CONNECT' } $server->requests;
is($tunnel->{path}, 'api.openai.com:443', 'which is asked for a tunnel there');
is($tunnel->{headers}{authorization}, undef, 'and does not get the key');
my ($through) = grep { ($_->{headers}{host} // '') eq 'api.openai.com' && $_->{tls} } $server->requests;
is($through->{headers}{authorization}, 'Bearer key-of-the-provider-12345', 'but the host at its end does');
is($through->{h2}, 1, 'HTTP/2 is offered to it');
# loopback is this machine and not the proxy's, listed or not
for my $case ([ '127.0.0.1', '' ], [ 'localhost', '' ], [ '127.0.0.2', '' ], [ '127.0.0.2', '127.0.0.2' ])
{
	my ($loopback, $listed) = @$case;
	configure(allowed_hosts => $listed);
	$cluster->register('m', endpoint => $server->url('ok/v1', host => $loopback));
	call();
	is(scalar(grep { $_->{path} =~ m{^https?://} || $_->{path} =~ /^\Q$loopback\E:/ } $server->requests), 0, "the proxy is not asked for $loopback, allowed_hosts = '$listed'");
}
$session->quit;
$server->stop;
done_testing();
