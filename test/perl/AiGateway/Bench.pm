package AiGateway::Bench;

# What the benchmarks share: CPU of a backend, the bare loop beside it, rounds
# in turn, lines with a bar each, and a verdict at the end.
#
# How noise is treated.  The machine is nobody's own: what a client costs wanders
# by a factor of two within an hour, and wall time by more, since client and
# server share its cores.  So two things are always measured in turn within one
# run, ours, theirs, ours, theirs ..., and what is judged is the median of the
# ratios of neighbours.  CPU is judged wherever the machine's work is the cost;
# wall time only where the server's delay is.
use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempdir);
use FindBin;
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(time);

our @EXPORT = qw(report median timed memory cpu measured in_turn prose program bare chat_body verdict);
my $missed = 0;
my $directory;

# A line; without a bar it only tells.
sub report
{
	my ($what, $value, $bar, $good) = @_;
	print { Test::More->builder->output } sprintf("%-62s %-36s bar %-22s %s\n", $what, $value, $bar, $bar eq '-' ? '-' : $good ? 'met' : 'MISSED');
	$missed++ unless $bar eq '-' || $good;
	return;
}

sub median { return (sort { $a <=> $b } @_)[ @_ / 2 ] }

sub timed
{
	my ($session, $sql) = @_;
	my $start = time();
	$session->query($sql);
	die "$sql: $session->{err}" if $session->{err} =~ /ERROR/;
	return time() - $start;
}

# Of a session's backend, in MB.
sub memory
{
	my ($session, $what) = @_;
	open(my $status, '<', '/proc/' . $session->pid . '/status') or die;
	while (<$status>) { return $1 / 1024 if /^$what:\s+(\d+)/ }
	return;
}

# What a session's backend has had of the CPU, in seconds.  Exact while it waits
# for a statement: the kernel books a running process late.
sub cpu
{
	my ($session) = @_;
	open(my $file, '<', '/proc/' . $session->pid . '/schedstat') or die 'the kernel does not tell of schedstat';
	my ($ns) = split ' ', <$file>;
	die 'the kernel does not count in schedstat' if $ns == 0;
	return $ns / 1e9;
}

# Runs a statement that must give the result: { wall, cpu } in seconds.
sub measured
{
	my ($session, $sql, $result) = @_;
	my $cpu = cpu($session);
	my $wall = timed($session, $sql);
	my $out = $session->{out} =~ s/\s+\z//r;
	die "$sql: '$out' where '$result' was expected" if defined $result && $out ne $result;
	return { wall => $wall, cpu => cpu($session) - $cpu };
}

# Two pieces of code in turn; each gives { wall, cpu, ... }.  Gives the medians
# of a field of both and of the ratios of neighbours.  Rounds that take long are
# fewer, but three at least, and five where CPU is measured.
sub in_turn
{
	my ($rounds, $field, $ours, $theirs) = @_;
	my (@ours, @theirs, @ratios);
	my $end = time() + 25;
	my $least = $field eq 'cpu' ? 5 : 3;
	for (1 .. $rounds)
	{
		last if time() > $end && @ratios >= $least;
		push @ours, $ours->()->{$field};
		push @theirs, $theirs->()->{$field};
		push @ratios, $ours[-1] / $theirs[-1];
	}
	return (median(@ours), median(@theirs), median(@ratios));
}

# Text as people write it, in lines and with a quotation here and there.
sub prose
{
	my ($bytes) = @_;
	return substr('hello', 0, $bytes) if $bytes <= 5;
	my @words = qw(the parcel was left at a depot near Leipzig and customer asks why nobody has answered "urgently" since Monday although two letters were sent);
	my ($text, $line, $n) = ('', 0, 0);
	while (length $text < $bytes)
	{
		my $word = $words[ $n++ * 7 % @words ];
		my $break = $line + length $word > 80;
		$text .= ($text eq '' ? '' : $break ? "\n" : ' ') . $word;
		$line = $break ? length $word : $line + 1 + length $word;
	}
	return substr($text, 0, $bytes - 1) . '.';
}

# Compiles a program of this directory once.
sub program
{
	my ($name, @libraries) = @_;
	$directory //= tempdir(CLEANUP => 1);
	my $path = "$directory/$name";
	-e $path or system('cc', '-O2', '-o', $path, "$FindBin::Bin/$name.c", @libraries) == 0 or die "$name.c cannot be compiled";
	return $path;
}

# The body of a chat request as the extension writes it.
sub chat_body
{
	my ($prompt) = @_;
	return '{"model":"remote","messages":[{"role":"user","content":' . JSON::PP->new->allow_nonref->encode($prompt) . '}]}';
}

# The bare loop (floor.c): { wall, cpu, bytes, vectors, connections }.
sub bare
{
	my (%o) = @_;
	my $file = program('floor', '-lcurl') . '.body';
	open(my $body, '>', $file) or die;
	print {$body} $o{body};
	close $body;
	my @command = (program('floor', '-lcurl'), '-n', $o{n}, '-f', $o{in_flight});
	push @command, map { ('-H', $_) } @{ $o{headers} };
	push @command, '-c', $o{ca} if $o{ca};
	push @command, '-v' if $o{vectors};
	open(my $out, '-|', @command, $o{url}, $file) or die;
	my @numbers = split ' ', <$out> // '';
	close $out or die 'the bare loop failed';
	my %result;
	@result{qw(wall cpu bytes vectors connections)} = @numbers;
	return \%result;
}

# 3, since a benchmark that dies may end with 1
sub verdict { exit($missed > 0 ? 3 : 0) }

1;
