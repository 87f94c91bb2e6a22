package AiGateway::Bench;

# What the benchmarks share: lines with a bar each, and a verdict at the end.
use strict;
use warnings;
use Exporter 'import';
use Test::More ();
use Time::HiRes qw(time);

our @EXPORT = qw(report median timed memory verdict);
my $missed = 0;

sub report
{
	my ($what, $value, $bar, $good) = @_;
	print { Test::More->builder->output } sprintf("%-62s %-28s bar %-22s %s\n", $what, $value, $bar, $good ? 'met' : 'MISSED');
	$missed++ unless $good;
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

sub verdict { exit($missed > 0) }

1;
