#!/usr/bin/perl
# replay_server.pl FILE...
#
# Serves recorded replies byte for byte: a request whose path begins with /N is
# answered with the body, status and headers of the N-th file (from 0), which
# is a vector: {"status", "headers", "body" or "body_base64"}.  Where a vector
# has "request_log", nothing changes; every request is kept and can be read at
# /requests/N as JSON.  Prints its port, then serves until its input ends.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64;

my @files = @ARGV;
my $json = JSON::PP->new->utf8->canonical;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 128, ReuseAddr => 1) or die "listen: $!";
$| = 1;
print $listener->sockport, "\n";
my $select = IO::Select->new($listener, \*STDIN);
my (%input, %requests);
# headers that are of the recorded connection, not of the reply
my %of_connection = map { $_ => 1 } qw(content-length transfer-encoding content-encoding connection keep-alive);

sub slurp { my ($path) = @_; open(my $in, '<:raw', $path) or die "$path: $!"; local $/; return scalar <$in> }

sub reply
{
	my ($n) = @_;
	my $vector = $json->decode(slurp($files[$n]));
	my $body = $vector->{body};
	if (defined $vector->{body_base64}) { $body = decode_base64($vector->{body_base64}) }
	elsif (ref $body) { $body = $json->encode($body) }
	else { $body //= ''; utf8::encode($body) }
	my $out = "HTTP/1.1 $vector->{status} Recorded\r\n";
	for my $name (sort keys %{ $vector->{headers} // {} })
	{
		next if $of_connection{ lc $name };
		$out .= "$name: $_\r\n" for ref $vector->{headers}{$name} ? @{ $vector->{headers}{$name} } : $vector->{headers}{$name};
	}
	return $out . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

while (1)
{
	for my $socket ($select->can_read)
	{
		if ($socket == \*STDIN) { sysread(STDIN, my $ignored, 1) or exit 0; next }
		if ($socket == $listener)
		{
			my $client = $listener->accept or next;
			$select->add($client);
			$input{$client} = '';
			next;
		}
		if (!sysread($socket, $input{$socket}, 1 << 20, length $input{$socket}))
		{
			$select->remove($socket);
			delete $input{$socket};
			close $socket;
			next;
		}
		while ($input{$socket} =~ /\A(.*?)\r\n\r\n/s)
		{
			my $head = $1;
			my $length = $head =~ /^content-length:\s*(\d+)/mi ? $1 : 0;
			last if length($input{$socket}) < length($head) + 4 + $length;
			my $body = substr($input{$socket}, length($head) + 4, $length);
			substr($input{$socket}, 0, length($head) + 4 + $length) = '';
			my ($method, $path) = $head =~ m{^(\S+) (\S+)};
			if ($path =~ m{^/requests/(\d+)})
			{
				my $log = $json->encode($requests{$1} // []);
				syswrite($socket, "HTTP/1.1 200 OK\r\nContent-Length: " . length($log) . "\r\n\r\n$log");
			}
			elsif ($path =~ m{^/(\d+)/} && $1 < @files)
			{
				push @{ $requests{$1} }, { method => $method, path => $path, body => $body };
				my $data = reply($1);
				$socket->blocking(1);
				while (length $data) { my $n = syswrite($socket, $data) or last; substr($data, 0, $n) = '' }
			}
			else { syswrite($socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") }
		}
	}
}
