package AiGateway::Servers;

# The model servers that tests talk to: aimock and llama-server.  Where the
# environment names one that is already running it is used, else it is started
# and ends with the test.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

my $test = abs_path(dirname(__FILE__) . '/../..');
my @children;

sub free_port
{
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1) or die "no port: $!";
	return $socket->sockport;
}

sub start_server
{
	my ($port, $path, @command) = @_;
	my $child = fork() // die "fork: $!";
	if ($child == 0)
	{
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', "$ENV{TESTLOGDIR}/server-$port.log") if $ENV{TESTLOGDIR};
		open(STDERR, '>&', \*STDOUT) if $ENV{TESTLOGDIR};
		exec @command or POSIX::_exit(127);
	}
	push @children, $child;
	my $end = time() + 300;
	while (time() < $end)
	{
		if (waitpid($child, POSIX::WNOHANG) == $child)
		{
			my $status = $? >> 8;
			$? = 0;
			return undef if $status == 75;
			die "$command[0] ended with status $status";
		}
		my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 1);
		if ($socket)
		{
			print {$socket} "GET $path HTTP/1.0\r\nHost: localhost\r\n\r\n";
			my $line = <$socket> // '';
			return "http://127.0.0.1:$port" if $line =~ / (200|404) /;
		}
		sleep 0.05;
	}
	die "$command[0] did not start";
}

sub aimock
{
	return $ENV{AI_GATEWAY_AIMOCK_URL} if $ENV{AI_GATEWAY_AIMOCK_URL};
	my $port = free_port();
	return start_server($port, '/health', "$test/tools/aimock", 'run', $port, "$test/fixtures/aimock.json");
}

# undef where no mirror has llama.cpp
sub llama
{
	my ($mode) = @_;
	my %name = ('' => 'AI_GATEWAY_LLAMA_URL', embedding => 'AI_GATEWAY_LLAMA_EMBED_URL', rerank => 'AI_GATEWAY_LLAMA_RERANK_URL');
	my $name = $name{ $mode // '' };
	return $ENV{$name} if $ENV{$name};
	my $port = free_port();
	return start_server($port, '/health', "$test/tools/llama-server", $port, $mode ? $mode : ());
}

END
{
	my $status = $?;
	kill 'TERM', @children if @children;
	waitpid($_, 0) for @children;
	$? = $status;
}

1;
