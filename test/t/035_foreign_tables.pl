# Calls over foreign tables that are scanned asynchronously: their reader is the
# node, which asks for one row after the other, as no Append below it does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use Test::More;

my $cluster = AiGateway::Cluster->new('foreign');
plan skip_all => 'postgres_fdw is not installed' unless $cluster->sql("SELECT 1 FROM pg_available_extensions WHERE name = 'postgres_fdw'");
my ($host, $port) = ($cluster->node->host, $cluster->node->port);
$cluster->register('m', provider => 'mock');
$cluster->sql(<<"SQL");
CREATE EXTENSION postgres_fdw;
CREATE TABLE t (id int, k int, x text);
INSERT INTO t SELECT i, i % 3, 'x' || i FROM generate_series(1, 30) i;
CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres', async_capable 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER loop;
CREATE FOREIGN TABLE f (id int, k int, x text) SERVER loop OPTIONS (table_name 't');
CREATE FOREIGN TABLE g (id int, k int, x text) SERVER loop OPTIONS (table_name 't');
CREATE TABLE parts (id int, k int, x text) PARTITION BY LIST (k);
CREATE FOREIGN TABLE parts_0 PARTITION OF parts FOR VALUES IN (0) SERVER loop OPTIONS (table_name 't0');
CREATE FOREIGN TABLE parts_1 PARTITION OF parts FOR VALUES IN (1) SERVER loop OPTIONS (table_name 't1');
CREATE TABLE t0 AS SELECT * FROM t WHERE k = 0;
CREATE TABLE t1 AS SELECT * FROM t WHERE k = 1;
SQL
like($cluster->sql("EXPLAIN SELECT x FROM f UNION ALL SELECT x FROM g"), qr/Async Foreign Scan/, 'these tables are scanned asynchronously');
my %statements = (
	'calls in each part' => "SELECT ai_complete('p' || x, model => 'm') t FROM f WHERE id < 3 UNION ALL SELECT ai_complete('q' || x, model => 'm') FROM g WHERE id < 3",
	'calls in one part' => "SELECT ai_complete('p' || x, model => 'm') t FROM f WHERE id < 5 UNION ALL SELECT x FROM g WHERE id < 5",
	'calls above the parts' => "SELECT ai_complete(t, model => 'm') FROM (SELECT 'p' || x t FROM f UNION ALL SELECT 'q' || x FROM g) q",
	'a filter in each part' => "SELECT x FROM f WHERE ai_complete(x, model => 'm') LIKE '%1' UNION ALL SELECT x FROM g WHERE ai_complete(x, model => 'm') LIKE '%2'",
	'partitions' => "SELECT id, ai_complete(x, model => 'm') FROM parts",
	'partitions with a filter' => "SELECT id FROM parts WHERE ai_complete(x, model => 'm') LIKE '%1'",
	'a subquery of each part' => "SELECT ai_complete(y, model => 'm') FROM (SELECT x || 'a' AS y FROM f OFFSET 0) q UNION ALL SELECT ai_complete(y, model => 'm') FROM (SELECT x || 'b' AS y FROM g OFFSET 0) q",
);
for my $name (sort keys %statements)
{
	# as it stands: below an aggregate over whole rows no scan is asynchronous
	my ($alone, $together) = map { join(' ', sort split "\n", $cluster->sql("SET ai_gateway.concurrent = $_; $statements{$name}")) } qw(off on);
	isnt($alone, '', "$name: there are rows");
	is($together, $alone, "$name: the same as one by one");
}
done_testing();
