package AiGateway::FaultServer;

# Runs fault_server.pl beside a test and reads what it was asked.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Open2;
use JSON::PP;

my $program = abs_path(dirname(__FILE__) . '/../fault_server.pl');

# "everywhere" has it listen at every address of the machine; "names" are more
# names (DNS:..., IP:...) of its certificate.
sub new
{
	my ($class, %options) = @_;
	my $names = join ',', 'DNS:localhost', 'IP:127.0.0.1', @{ $options{names} // [] };
	my $self = bless { directory => tempdir(CLEANUP => 1) }, $class;
	my $directory = $self->{directory};

	# a certificate that nobody signed but itself
	system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
		  . "-addext 'subjectAltName=$names' "
		  . "-keyout $directory/key.pem -out $directory/cert.pem >$directory/openssl.log 2>&1") == 0
	  or die "openssl failed";
	chmod 0755, $directory;
	$self->{log} = "$directory/requests.jsonl";
	$self->{pid} = open2(my $out, my $in, $^X, $program, $self->{log}, "$directory/cert.pem", "$directory/key.pem",
		$options{everywhere} ? '::' : ());
	$self->{in} = $in;
	my $line = <$out> // die "the fault server did not start";
	@$self{qw(port tls_port silent_tls_port full_port)} = split ' ', $line;
	return $self;
}

sub port { return $_[0]{port} }
sub certificate { return "$_[0]{directory}/cert.pem" }

# What the server's long answers are, as a function long_text(prompt, bytes).
sub long_text_in_sql
{
	return q(CREATE FUNCTION long_text(prompt text, bytes int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
		SELECT left(string_agg(md5(md5(prompt) || i), '' ORDER BY i), bytes) FROM generate_series(1, (bytes + 31) / 32) i $$);
}

sub url
{
	my ($self, $behaviour, %options) = @_;
	my $host = $options{host} // '127.0.0.1';
	return "https://$host:$self->{tls_port}/$behaviour" if $options{tls};
	return "https://$host:$self->{silent_tls_port}/$behaviour" if $behaviour eq 'tls-stall';
	return "http://$host:$self->{full_port}/$behaviour" if $behaviour eq 'no-accept';
	return "http://$host:$self->{port}/$behaviour";
}

# The requests so far whose path begins with the behaviour, or all.
sub requests
{
	my ($self, $behaviour) = @_;
	return map { decode_json($_) } $self->lines($behaviour);
}

# The same as lines of JSON: reading long bodies takes a while.  A quotation
# mark within a body has a backslash before it.
sub lines
{
	my ($self, $behaviour) = @_;
	open(my $log, '<', $self->{log}) or return ();
	my @all = <$log>;
	close $log;
	return @all unless defined $behaviour;
	return grep { m{"path":"/\Q$behaviour\E[/"]} } @all;
}

# How many requests those were, and over how many connections: without reading
# their bodies, which takes its time.
sub counts
{
	my ($self, $behaviour) = @_;
	my ($n, %connections) = 0;
	open(my $log, '<', $self->{log}) or return (0, 0);
	while (<$log>)
	{
		next unless m{"path":"/\Q$behaviour\E[/"]};
		$n++;
		$connections{$1} = 1 if /"connection":(\d+)/;
	}
	close $log;
	return ($n, scalar keys %connections);
}
# One number of each of them.
sub numbers { my ($self, $field, $behaviour) = @_; return map { /"\Q$field\E":([\d.]+)/ ? $1 : () } $self->lines($behaviour) }

sub stop
{
	my ($self) = @_;
	return unless $self->{pid};
	my $status = $?;
	close $self->{in};
	kill 'TERM', $self->{pid};
	waitpid($self->{pid}, 0);
	delete $self->{pid};
	$? = $status;
	return;
}

sub DESTROY { my ($self) = @_; $self->stop; return }

1;
