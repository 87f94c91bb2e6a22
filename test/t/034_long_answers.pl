# Statements over rows with long prompts and long answers keep their calls in
# flight to the end: the memory of rows that are done is given back whole.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::FaultServer;
use List::Util qw(max sum);
use Test::More;

use constant { ROWS => 400, IN_FLIGHT => 32 };

my $server = AiGateway::FaultServer->new;
my $cluster = AiGateway::Cluster->new('long', conf => "ai_gateway.max_in_flight = ${\IN_FLIGHT}\n");

# 0.6 s each with all of the calls in flight, 20 s one after the other; a
# sanitizer must not be what the server waits for
my $delay = $ENV{AI_GATEWAY_SLOW} ? 500 : 50;
for my $case ([ 500, '4MB' ], [ 2048, '4MB' ], [ 10240, '4MB' ], [ 10240, '64MB' ])
{
	my ($bytes, $memory) = @$case;
	my $name = "answers of $bytes bytes with work_mem = $memory";
	my $behaviour = "answer-$delay-$bytes";
	my $before = () = $server->lines($behaviour);
	$cluster->register('m', endpoint => $server->url($behaviour));
	is($cluster->sql("SET work_mem = '$memory'; SELECT count(*) || ' rows of ' || min(length(a)) || ' to ' || max(length(a))
		FROM (SELECT ai_complete(i || repeat(' word', 800), model => 'm') a FROM generate_series(1, ${\ROWS}) i OFFSET 0) q"),
		"${\ROWS} rows of $bytes to $bytes", "$name: all come whole");
	my @in_flight = $server->numbers('in_flight', $behaviour);
	splice @in_flight, 0, $before;
	is(scalar(@in_flight), ROWS, "$name: one request a row");
	is(max(@in_flight), IN_FLIGHT, "$name: up to ai_gateway.max_in_flight are under way");
	# not the last filling, which only empties
	my @second_half = @in_flight[ ROWS / 2 .. ROWS - IN_FLIGHT ];
	cmp_ok(sum(@second_half) / @second_half, '>', IN_FLIGHT / 2, "$name: in the second half, half of that and more");
}
$server->stop;
done_testing();
