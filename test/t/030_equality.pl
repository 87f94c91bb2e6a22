# The heart of the plan rewrite: generated queries give the same answers with
# it on and off, and never make more calls with it on, unless an error ends
# them.  The one exception is what the window's slow start is for: where a
# filter stands between the rows and a reader that stops early, some calls are
# made for rows that it does not come to, at most about twice as many as needed.
#
# AI_GATEWAY_QUERIES says how many (2000), AI_GATEWAY_SEED which ones.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use Test::More;

my $count = $ENV{AI_GATEWAY_QUERIES} || 2000;
my $seed = $ENV{AI_GATEWAY_SEED} || 4711;
srand($seed);

my $cluster = AiGateway::Cluster->new('equality', conf => "ai_gateway.default_model = 'm'\nmax_parallel_workers_per_gather = 0\n");
$cluster->sql(q(
	INSERT INTO ai_gateway.models (name, provider, remote_model) VALUES ('m', 'mock', 'mock');
	INSERT INTO ai_gateway.models (name, task, provider, remote_model) VALUES ('e', 'embed', 'mock', 'mock');
	CREATE TABLE a (id int PRIMARY KEY, k int, x text);
	CREATE TABLE b (id int PRIMARY KEY, k int, y text);
	INSERT INTO a SELECT i, nullif(i % 4, 3), CASE WHEN i % 7 = 0 THEN NULL ELSE 'x' || i % 9 END FROM generate_series(1, 23) i;
	INSERT INTO b SELECT i, i % 3, CASE WHEN i % 5 = 0 THEN NULL ELSE 'y' || i % 6 END FROM generate_series(1, 17) i;
	CREATE INDEX ON a (k);
	CREATE SCHEMA parted;
	CREATE TABLE parted.a (id int PRIMARY KEY, k int, x text) PARTITION BY RANGE (id);
	CREATE TABLE parted.b (id int PRIMARY KEY, k int, y text) PARTITION BY RANGE (id);
	CREATE TABLE parted.a1 PARTITION OF parted.a FOR VALUES FROM (0) TO (4);
	CREATE TABLE parted.a2 (x text, k int, id int NOT NULL);
	ALTER TABLE parted.a ATTACH PARTITION parted.a2 FOR VALUES FROM (4) TO (17);
	CREATE TABLE parted.a3 PARTITION OF parted.a DEFAULT;
	CREATE TABLE parted.b1 PARTITION OF parted.b FOR VALUES FROM (0) TO (9);
	CREATE TABLE parted.b2 PARTITION OF parted.b DEFAULT;
	INSERT INTO parted.a SELECT * FROM a;
	INSERT INTO parted.b SELECT * FROM b;
	CREATE TABLE d (id int, t text);
	ANALYZE));

sub pick { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }

# what a query can refer to: {int, text} of column names
my %tables = (a => { int => [ 'id', 'k' ], text => ['x'] }, b => { int => [ 'id', 'k' ], text => ['y'] });

sub columns
{
	my ($from, $type) = @_;
	return map { my $alias = $_; map { "$alias.$_" } @{ $from->{$alias}{$type} } } sort keys %$from;
}

sub int_expression
{
	my ($from, $depth) = @_;
	my @columns = columns($from, 'int');
	return pick(@columns, int rand 5) if $depth <= 0;
	return pick(
		sub { pick(@columns) },
		sub { '(' . int_expression($from, $depth - 1) . ' + ' . int_expression($from, $depth - 1) . ')' },
		sub { 'length(' . text_expression($from, $depth - 1) . ')' },
		sub { 'CASE WHEN ' . bool_expression($from, $depth - 1) . ' THEN ' . int_expression($from, $depth - 1) . ' ELSE ' . int_expression($from, 0) . ' END' },
	)->();
}

sub text_expression
{
	my ($from, $depth) = @_;
	my @columns = columns($from, 'text');
	return pick(@columns, @columns, "'c" . int(rand 3) . "'") if $depth <= 0;
	return pick(
		sub { call($from, $depth - 1) },
		sub { call($from, $depth - 1) },
		sub { '(' . text_expression($from, $depth - 1) . ' || ' . text_expression($from, $depth - 1) . ')' },
		sub { 'CASE WHEN ' . bool_expression($from, $depth - 1) . ' THEN ' . text_expression($from, $depth - 1) . (chance(0.5) ? ' WHEN ' . bool_expression($from, $depth - 1) . ' THEN ' . text_expression($from, $depth - 1) : '') . (chance(0.7) ? ' ELSE ' . text_expression($from, $depth - 1) : '') . ' END' },
		sub { 'CASE ' . int_expression($from, $depth - 1) . ' WHEN 1 THEN ' . text_expression($from, $depth - 1) . ' WHEN 2 THEN ' . text_expression($from, $depth - 1) . ' END' },
		sub { 'coalesce(' . text_expression($from, $depth - 1) . ', ' . text_expression($from, $depth - 1) . ')' },
		sub { 'nullif(' . text_expression($from, $depth - 1) . ', ' . text_expression($from, $depth - 1) . ')' },
		sub { int_expression($from, $depth - 1) . '::text' },
		sub { 'upper(' . text_expression($from, $depth - 1) . ')' },
		sub { 'greatest(' . text_expression($from, $depth - 1) . ', ' . text_expression($from, 0) . ')' },
		sub { '(SELECT max(' . text_expression({ %$from, s => $tables{b} }, $depth - 1) . ') FROM b s WHERE s.k = ' . int_expression($from, 0) . ')' },
		sub { '(SELECT ' . text_expression({ %$from, s => $tables{b} }, $depth - 1) . ' FROM b s WHERE s.id = ' . int_expression($from, 0) . ')' },
		sub { '(SELECT ' . text_expression($from, $depth - 1) . ')' },
		sub { '(SELECT ai_complete(' . text_expression({ s => $tables{b} }, 0) . ' || ' . text_expression($from, 0) . ') FROM b s WHERE s.id ' . pick('=', '>') . ' ' . int_expression($from, 0) . ' ORDER BY s.id LIMIT 1)' },
		sub { '(SELECT z FROM b s, ai_complete(' . text_expression({ s => $tables{b} }, $depth - 1) . ') z WHERE s.id = ' . int_expression($from, 0) . ')' },
		sub { '(SELECT z FROM (SELECT s.id, ' . text_expression({ s => $tables{b} }, $depth - 1) . ' AS z FROM b s' . (chance(0.3) ? ' OFFSET 0' : '') . ') s WHERE s.id ' . pick('= ' . int_expression($from, 0), '< ' . int_expression($from, 0) . ' ORDER BY id DESC LIMIT 1') . ')' },
		sub { '(ARRAY[' . text_expression($from, $depth - 1) . ', ' . text_expression($from, 0) . '])[' . pick(1, 2) . ']' },
		sub { "(ai_try_complete(" . text_expression($from, $depth - 1) . ")).value" },
		sub { "ai_embed(" . text_expression($from, $depth - 1) . ", model => 'e')::text" },
		sub { "(ai_chat(jsonb_build_array(jsonb_build_object('role', 'user', 'content', coalesce(" . text_expression($from, $depth - 1) . ", '?')))))->>'text'" },
	)->();
}

sub call
{
	my ($from, $depth) = @_;
	my $more = chance(0.1) ? ", system => " . text_expression($from, 0) : chance(0.1) ? q(, options => '{"cache": false}') : '';
	return 'ai_complete(' . text_expression($from, $depth) . "$more)";
}

sub bool_expression
{
	my ($from, $depth) = @_;
	return pick(columns($from, 'int')) . ' ' . pick('<', '=', '>') . ' ' . int(rand 6) if $depth <= 0;
	return pick(
		sub { int_expression($from, $depth - 1) . ' ' . pick('<', '=', '>', '<>') . ' ' . int_expression($from, $depth - 1) },
		sub { text_expression($from, $depth - 1) . " LIKE '%" . int(rand 9) . "%'" },
		sub { call($from, $depth - 1) . ' ' . pick('<', '>') . ' ' . text_expression($from, $depth - 1) },
		sub { '(' . bool_expression($from, $depth - 1) . ' AND ' . bool_expression($from, $depth - 1) . ')' },
		sub { '(' . bool_expression($from, $depth - 1) . ' OR ' . bool_expression($from, $depth - 1) . ')' },
		sub { 'NOT ' . bool_expression($from, $depth - 1) },
		sub { text_expression($from, $depth - 1) . ' IS ' . pick('', 'NOT ') . 'NULL' },
		sub { text_expression($from, $depth - 1) . " IN ('x1', " . text_expression($from, $depth - 1) . ')' },
		sub { 'EXISTS (SELECT 1 FROM b s WHERE ' . bool_expression({ %$from, s => $tables{b} }, $depth - 1) . ')' },
		sub { text_expression($from, $depth - 1) . ' IN (SELECT ' . text_expression({ s => $tables{b} }, $depth - 1) . ' FROM b s)' },
		sub { '(' . text_expression($from, $depth - 1) . ', ' . text_expression($from, 0) . ') > (' . text_expression($from, 0) . ', ' . text_expression($from, $depth - 1) . ')' },
	)->();
}

sub where { my ($from, $depth) = @_; return chance(0.6) ? ' WHERE ' . bool_expression($from, $depth) : '' }

# (text after FROM, what it offers)
sub from_clause
{
	my ($depth) = @_;
	my %ab = (a => $tables{a}, b => $tables{b});
	return pick(
		sub { ('a', { a => $tables{a} }) },
		sub { ('b', { b => $tables{b} }) },
		sub { ('a JOIN b ON a.k = b.k' . (chance(0.4) ? ' AND ' . bool_expression(\%ab, $depth) : ''), \%ab) },
		sub { ('a LEFT JOIN b ON a.id = b.id' . (chance(0.4) ? ' AND ' . bool_expression(\%ab, $depth) : ''), \%ab) },
		sub { ('a FULL JOIN b ON a.id = b.id + 5', \%ab) },
		sub { ('a, b', \%ab) },
		sub { ('a CROSS JOIN LATERAL (SELECT ' . text_expression({ a => $tables{a}, s => $tables{b} }, $depth) . ' AS y, s.k FROM b s WHERE s.k = a.k' . (chance(0.3) ? ' ORDER BY s.id LIMIT 2' : '') . ') b', { a => $tables{a}, b => { int => ['k'], text => ['y'] } }) },
		sub { ('(SELECT id, k, ' . text_expression({ a => $tables{a} }, $depth) . ' AS x FROM a' . where({ a => $tables{a} }, $depth) . (chance(0.3) ? ' OFFSET 0' : '') . ') a', { a => $tables{a} }) },
		sub { ('a, ai_complete(' . text_expression({ a => $tables{a} }, $depth) . (chance(0.2) ? q(, options => '{"cache": false}') : '') . ') y', { a => $tables{a}, y => { int => [], text => ['y'] } }) },
		sub { ('a, ai_try_complete(' . text_expression({ a => $tables{a} }, $depth) . ') y', { a => $tables{a}, y => { int => ['attempts'], text => [ 'value', 'error' ] } }) },
		sub { ('a LEFT JOIN LATERAL ai_complete(' . text_expression({ a => $tables{a} }, $depth) . ') y ON ' . pick('true', "y LIKE '%1%'", 'a.k = 1'), { a => $tables{a}, y => { int => [], text => ['y'] } }) },
		sub { ('a CROSS JOIN LATERAL (SELECT ' . text_expression({ a => $tables{a} }, $depth) . ' AS y, ' . int_expression({ a => $tables{a} }, 1) . ' AS k' . (chance(0.3) ? ' WHERE ' . bool_expression({ a => $tables{a} }, 1) : '') . (chance(0.2) ? ' OFFSET 0' : '') . ') b', { a => $tables{a}, b => { int => ['k'], text => ['y'] } }) },
		sub { ('a JOIN b ON a.id = b.id, ai_complete(' . text_expression(\%ab, $depth) . ') y, LATERAL (SELECT ' . text_expression({ %ab, y => { int => [], text => ['y'] } }, 1) . ' AS z) z', { %ab, y => { int => [], text => ['y'] }, z => { int => [], text => ['z'] } }) },
		sub { ('a, LATERAL (SELECT s.id, ' . text_expression({ a => $tables{a}, s => $tables{b} }, $depth) . ' AS y FROM b s WHERE s.id = a.id' . (chance(0.5) ? ' AND ' . bool_expression({ a => $tables{a}, s => $tables{b} }, $depth) : '') . ') b', { a => $tables{a}, b => { int => ['id'], text => ['y'] } }) },
		sub { ('(VALUES (1, ' .join('), (2, ', map { pick("'v1'", 'NULL', "'v' || 3") } 1 .. 3) . ')) v(n, t)', { v => { int => ['n'], text => ['t'] } }) },
		sub { ("(VALUES (1, ai_complete('v1')), (2, " . pick("ai_complete('v2')", "ai_complete('v2' || 'a')", 'NULL', "'v'") . "), (3, ai_complete('v3'))) v(n, t)", { v => { int => ['n'], text => ['t'] } }) },
		sub { ("(VALUES (1, 'v1'), (2, NULL), (3, 'v3')) v(n, t)", { v => { int => ['n'], text => ['t'] } }) },
		sub { ('generate_series(1, 5) n', { n => { int => ['n'], text => [] } }) },
	)->();
}

sub select_query
{
	my ($depth) = @_;
	my ($clause, $from) = from_clause($depth);
	$from = { %$from, a => $tables{a} } and $clause .= ' CROSS JOIN a' if !columns($from, 'text');
	return pick(
		sub {
			my $list = join(', ', map { chance(0.7) ? text_expression($from, $depth) : int_expression($from, $depth) } 1 .. 1 + int rand 3);
			my $order = chance(0.5) ? ' ORDER BY ' . pick('1', columns($from, 'int')) . ', ' . join(', ', columns($from, 'int')) : '';
			my $limit = chance(0.35) ? ' LIMIT ' . int(rand 8) . (chance(0.3) ? ' OFFSET ' . int(rand 4) : '') : '';
			return "SELECT $list FROM $clause" . where($from, $depth) . "$order$limit";
		},
		sub {
			my $filter = chance(0.3) ? ' FILTER (WHERE ' . bool_expression($from, 1) . ')' : '';
			my $key = pick(columns($from, 'int'));
			return "SELECT $key, count(" . text_expression($from, $depth) . ")$filter, max(" . text_expression($from, $depth) . '), string_agg(' . text_expression($from, 1) . ", ',' ORDER BY " . join(', ', columns($from, 'int')) . ") FROM $clause" . where($from, $depth)
			  . " GROUP BY $key" . (chance(0.3) ? ' HAVING count(*) > 1 AND ai_complete(max(' . pick(columns($from, 'text')) . ")) <> 'x'" : '') . " ORDER BY $key";
		},
		sub { 'SELECT ' . pick('DISTINCT ', '') . text_expression($from, $depth) . " AS t FROM $clause" . where($from, 1) . ' ORDER BY 1' },
		sub { 'SELECT t, count(*) FROM (SELECT ' . text_expression($from, $depth) . " AS t FROM $clause) q GROUP BY t ORDER BY t" },
		sub { 'SELECT ' . text_expression($from, $depth) . ", row_number() OVER (ORDER BY " . join(', ', columns($from, 'int')) . '), max(' . text_expression($from, $depth) . ') OVER (PARTITION BY ' . pick(columns($from, 'int')) . ") FROM $clause ORDER BY 2" },
		sub { 'SELECT ' . text_expression($from, $depth) . " FROM $clause" . where($from, 1) . ' UNION ' . pick('ALL ', '') . 'SELECT ' . text_expression({ b => $tables{b} }, $depth) . ' FROM b ORDER BY 1' },
		sub {
			my @part = ('SELECT id, x, t FROM a, ai_complete(' . text_expression({ a => $tables{a} }, $depth) . ') t' . where({ a => $tables{a} }, 1)) x 2;
			return 'WITH q AS ' . pick('MATERIALIZED ', '') . "($part[0] UNION ALL $part[1]) SELECT * FROM q " . pick('', 'JOIN a USING (id) ', 'WHERE EXISTS (SELECT FROM q r WHERE r.id > q.id) ') . 'ORDER BY 1, 2, 3';
		},
		sub { 'SELECT id, ' . pick('EXISTS ', 'ARRAY') . '(SELECT t FROM b s, ai_complete(' . text_expression({ s => $tables{b} }, 0) . ') t WHERE s.k = a.k UNION ALL SELECT t FROM b s, ai_complete(' . text_expression({ s => $tables{b} }, 0) . ') t WHERE s.id = a.id) FROM a ORDER BY id' },
		sub { 'WITH q AS ' . pick('MATERIALIZED ', '') . '(SELECT ' . text_expression($from, $depth) . " AS t FROM $clause" . where($from, 1) . ') SELECT ai_complete(t), count(*) FROM q GROUP BY 1 ORDER BY 1' },
		sub { 'SELECT unnest(string_to_array(' . text_expression($from, $depth) . ", '1'))" . (chance(0.5) ? ', ' . text_expression($from, $depth) : '') . (chance(0.3) ? ', generate_series(1, ' . int_expression($from, 1) . ')' : '') . " FROM $clause" . where($from, 1) },
		sub { 'SELECT ' . text_expression({ a => $tables{a} }, $depth) . ' FROM a ORDER BY id FOR UPDATE' },
	)->();
}

# a statement as a list of lines; what it changes is looked at and undone
sub statement
{
	my ($n) = @_;
	my $depth = 1 + int rand 3;
	my %a = (a => $tables{a});
	return pick(
		(sub { select_query($depth) . ';' }) x 8,
		sub {
			my $scroll = pick('', 'NO SCROLL ', 'SCROLL ');
			my $back = $scroll eq 'SCROLL ' ? 'FETCH BACKWARD 2 FROM c; FETCH 3 FROM c; FETCH ABSOLUTE 2 FROM c; ' : '';
			return 'BEGIN; DECLARE c ' . $scroll . 'CURSOR FOR SELECT id, ' . text_expression(\%a, $depth) . ' FROM a' . where(\%a, 1) . " ORDER BY id; FETCH 3 FROM c; FETCH 2 FROM c; ${back}FETCH 7 FROM c; CLOSE c; COMMIT;";
		},
		sub { 'BEGIN; UPDATE a SET x = ' . text_expression(\%a, $depth) . where(\%a, $depth) . (chance(0.5) ? ' RETURNING id, x' : '') . '; SELECT * FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; DELETE FROM a' . where(\%a, $depth) . (chance(0.5) ? ' RETURNING ' . text_expression(\%a, 1) : '') . '; SELECT id FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; INSERT INTO d SELECT id, ' . text_expression(\%a, $depth) . ' FROM a' . where(\%a, $depth) . '; SELECT * FROM d ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; INSERT INTO d SELECT id, ' . text_expression(\%a, 1) . ' FROM a' . where(\%a, 1) . ' RETURNING id, ' . text_expression({ d => { int => ['id'], text => ['t'] } }, $depth) . ', t; SELECT * FROM d ORDER BY id; ROLLBACK;' },
		sub { "BEGIN; INSERT INTO d VALUES (1, ai_complete('v1')), (2, " . pick("ai_complete('v2')", "ai_complete('v2' || 'a')", 'NULL') . '); SELECT * FROM d ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; WITH w AS (DELETE FROM a' . where(\%a, 1) . ' RETURNING id, ' . text_expression(\%a, $depth) . ' AS t) SELECT * FROM w ORDER BY id' . (chance(0.3) ? ' LIMIT 2' : '') . '; SELECT id FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; CREATE TABLE made AS SELECT id, ' . text_expression(\%a, $depth) . ' AS t FROM a' . where(\%a, $depth) . '; SELECT * FROM made ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; MERGE INTO a USING b ON a.id = b.id WHEN MATCHED AND ' . bool_expression({ %a, b => $tables{b} }, $depth) . ' THEN UPDATE SET x = ' . text_expression({ %a, b => $tables{b} }, $depth) . ' WHEN NOT MATCHED THEN INSERT VALUES (b.id + 100, b.k, ' . text_expression({ b => $tables{b} }, 1) . '); SELECT * FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; MERGE INTO a USING ' . pick('b', '(SELECT id, k, ' . text_expression({ b => $tables{b} }, 1) . ' AS y FROM b) b', '(SELECT * FROM b WHERE k > 0) b') . ' ON a.id = b.id'
			. join('', map { my $tables = $_ ? { b => $tables{b} } : { %a, b => $tables{b} };
				' WHEN ' . ($_ ? 'NOT ' : '') . 'MATCHED' . (chance(0.6) ? ' AND ' . bool_expression($tables, $depth) : '') . ' THEN '
				  . ($_ ? pick('DO NOTHING', ('INSERT VALUES (b.id + 100, b.k, ' . text_expression($tables, 1) . ')') x 3) : pick('DELETE', ('UPDATE SET x = ' . text_expression($tables, $depth)) x 3)) } sort map { int rand 2 } 1 .. 4)
			. '; SELECT * FROM a ORDER BY id; ROLLBACK;' },
		sub { "PREPARE p(int) AS SELECT id, " . text_expression(\%a, $depth) . ' FROM a WHERE k = $1 AND ' . bool_expression(\%a, $depth) . ' ORDER BY id LIMIT $1 + 1; EXECUTE p(1); EXECUTE p(2); DEALLOCATE p;' },
		sub { 'DO $$DECLARE r record; n int = 0; BEGIN FOR r IN SELECT id, ' . text_expression(\%a, $depth) . ' AS t FROM a' . where(\%a, 1) . " ORDER BY id LOOP RAISE INFO '% %', r.id, r.t; n = n + 1; EXIT WHEN n = 4; END LOOP; END\$\$;" },
		sub { 'COPY (' . select_query($depth) . ') TO STDOUT;' },
	)->();
}

my @statements = map { statement($_) } 1 .. $count;
my $script = "\\set VERBOSITY terse\n\\pset null NULL\nSET statement_timeout = '60s';\n";
for my $n (0 .. $#statements)
{
	# a merge join is a reader that stops early too
	$script .= 'SET enable_mergejoin = ' . ($n % 4 ? 'off' : 'on') . ";\n";
	# the same tables in parts
	$script .= 'SET search_path = ' . ($n % 5 == 2 ? 'parted, public' : 'public') . ";\n";
	for my $mode (qw(off on))
	{
		$script .= "SET ai_gateway.concurrent = $mode;\n\\echo \@\@ $n $mode\n\\warn \@\@ $n $mode\nSELECT coalesce((ai_gateway.last_call()).calls, 0) AS before \\gset\n"
		  . "$statements[$n]\n\\echo \@calls\nROLLBACK;\nSELECT coalesce((ai_gateway.last_call()).calls, 0) - :before;\n";
	}
}
my $file = "$ENV{TESTDATADIR}/equality.sql";
$file = "$cluster->{node}{_basedir}/equality.sql" if !$ENV{TESTDATADIR} || !-d $ENV{TESTDATADIR};
open(my $out, '>', $file) or die "$file: $!";
print {$out} $script;
close $out;
my ($stdout, $stderr) = ('', '');
IPC::Run::run([ 'psql', '-XAtq', '-d', $cluster->node->connstr('postgres'), '-f', $file ], '>', \$stdout, '2>', \$stderr);

my (%answer, %calls);
for (split /^(?=@@ )/m, $stdout)
{
	my ($n, $mode, $rest) = /^@@ (\d+) (\w+)\n(.*)/s or next;
	$rest =~ s/\@calls\n(\d+)\n\z// and $calls{$n}{$mode} = $1;
	$answer{$n}{$mode} = $rest;
}
for (split /^(?=@@ )|(?<=\n)(?=@@ )/m, $stderr)
{
	my ($n, $mode, $rest) = /^@@ (\d+) (\w+)\n(.*)/s or next;
	$rest =~ s/^.*there is no transaction in progress\n//mg;
	$rest =~ s/^psql:[^ ]*:\d+: //mg;
	$answer{$n}{$mode} .= $rest;
}
my ($same, $ahead, $failed, $saved, $errors) = (0, 0, 0, 0, 0);
for my $n (0 .. $#statements)
{
	my ($off, $on) = map { $answer{$n}{$_} // 'nothing' } qw(off on);
	my ($calls_off, $calls_on) = map { $calls{$n}{$_} // -1 } qw(off on);
	$errors++ if $off =~ /ERROR/;
	if ($off ne $on || $off eq 'nothing')
	{
		fail("the answers of query $n differ");
		diag("$statements[$n]\n-- off\n$off\n-- on\n$on") if $failed++ < 5;
	}
	# what an error ends was worked ahead of
	elsif ($calls_on > $calls_off && $calls_off >= 0 && $off =~ /ERROR/) { $same++ }
	# a reader that stops early: below it the window starts small; a hash join
	# looks at one row before it knows whether the other side has any
	elsif ($calls_on > $calls_off && $calls_on <= 3 * $calls_off + 2
		&& ($n % 4 == 0 || $statements[$n] =~ /LIMIT|CURSOR|EXIT|EXISTS| IN \(SELECT|SELECT DISTINCT/
			|| ($statements[$n] =~ /JOIN|LATERAL/ && $calls_on <= $calls_off + 2)))
	{
		$same++;
		$ahead++;
	}
	elsif ($calls_on > $calls_off || $calls_off < 0)
	{
		fail("query $n makes $calls_on calls and not $calls_off");
		diag($statements[$n]) if $failed++ < 5;
	}
	else { $same++; $saved += $calls_off - $calls_on }
}
is($same, $count, "$count generated queries answer alike, with no more calls");
cmp_ok($errors, '<', $count / 4, "most of them have an answer ($errors do not)");
cmp_ok($ahead, '<=', $count / 100, "few of them work ahead in vain ($ahead do)");
diag("$same of $count queries agree, $saved calls saved, $errors with an error");
done_testing();
