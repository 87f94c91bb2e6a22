# Another library with a hook at the planner, loaded before this one and after
# it: each sees the statement, and the node is in the plan.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use Test::More;

# a package of its own on other systems than Debian
my $bin = `$ENV{PG_CONFIG} --pkglibdir`;
chomp $bin;
plan skip_all => 'pg_stat_statements is not installed' if !-e "$bin/pg_stat_statements.so";

for my $preload ('pg_stat_statements,ai_gateway', 'ai_gateway,pg_stat_statements')
{
	my $cluster = AiGateway::Cluster->new('hooks_' . substr($preload, 0, 2), preload => $preload,
		conf => "pg_stat_statements.track_planning = on\nai_gateway.default_model = 'm'\n");
	$cluster->sql(q(
		CREATE EXTENSION pg_stat_statements;
		INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('m', 'mock', 'mock');
		CREATE TABLE t AS SELECT i AS id, 'text ' || i AS x FROM generate_series(1, 10) i));
	like($cluster->sql('EXPLAIN SELECT ai_complete(x) FROM t'), qr/AiCalls/, "$preload: the node is in the plan");
	is($cluster->sql('SELECT max(ai_complete(x)) FROM t WHERE id < 4'), 'text 3', "$preload: the statement answers");
	is($cluster->sql(q(SELECT plans || ' ' || calls || ' ' || rows FROM pg_stat_statements WHERE query LIKE 'SELECT max(ai_complete(x))%')),
		'1 1 1', "$preload: the other library has seen it planned and run");
	$cluster->node->stop;
}
done_testing();
