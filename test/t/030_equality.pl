# The heart of the plan rewrite: generated queries give the same answers with
# it on and off, and never make more calls with it on, unless an error ends
# them.  The one exception is what the window's slow start is for: where a
# filter stands between the rows and a reader that stops early, some calls are
# made for rows that it does not come to, at most about twice as many as needed.
#
# Prompts are of 2 B to 16 kB and more, answers of 5 B to 10 kB, embeddings of 8
# and 1,536 dimensions, mixed within a query: the model may differ by row.  The
# queries run in two databases that differ in one point: in the one where calls
# are made together, answers take times that differ, so that they come in
# another order than they were asked for.
#
# AI_GATEWAY_QUERIES says how many (2000), AI_GATEWAY_SEED which ones.  A query
# depends on the seed and its number alone; AI_GATEWAY_ONLY=12,345 runs just
# those.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use Digest::MD5 qw(md5 md5_hex);
use PostgreSQL::Test::Utils;
use Test::More;

my $count = $ENV{AI_GATEWAY_QUERIES} || 2000;
my $seed = $ENV{AI_GATEWAY_SEED} || 4711;

my $cluster = AiGateway::Cluster->new('equality', no_extension => 1, conf => "ai_gateway.default_model = 'm'\nmax_parallel_workers_per_gather = 0\nautovacuum = off\n");
my %database = (off => 'one_by_one', on => 'together');
for my $mode (sort keys %database)
{
	# [from, to] in milliseconds
	my $latency = sub { return $mode eq 'on' ? qq(, "latency_ms": [0, $_[0]]) : '' };
	$cluster->sql("CREATE DATABASE $database{$mode}");
	$cluster->node->safe_psql($database{$mode}, 'CREATE EXTENSION ai_gateway;'
		  . join('', map { my ($name, $mock) = @$_; "INSERT INTO ai_gateway.models (name, task, provider, remote_model, options) VALUES ('$name', '" . ($name =~ /^e/ ? 'embed' : $name eq 'rank' ? 'rerank' : 'chat') . "', 'mock', '$name', '{\"mock\": {$mock}}');\n" }
			[ m => '"answer": "{prompt}"' ], [ late => '"answer": "{prompt}"' . $latency->(2) ],
			[ m5 => '"answer_bytes": 5' ], [ m900 => '"answer_bytes": 900' . $latency->(1) ],
			[ m2k => '"answer_bytes": 2000' ], [ m10k => '"answer_bytes": 10000' ],
			[ fails => '"fail": "content_filter"' ], [ efails => '"fail": "context_length"' ],
			[ e => '"dimensions": 8' ], [ e1536 => '"dimensions": 1536' ],
			[ rank => '"answer": ""' . $latency->(2) ])
		  . q(
	CREATE TABLE a (id int PRIMARY KEY, k int, x text, m text);
	CREATE TABLE b (id int PRIMARY KEY, k int, y text, m text);
	-- text that begins with its name, without any other digit; long ones are stored out of line
	CREATE FUNCTION words(name text, bytes int) RETURNS text LANGUAGE sql AS $$
		SELECT left(name || ' ' || coalesce((SELECT string_agg(translate(md5(name || i), '0123456789', 'ghijklmnop'), ' ') FROM generate_series(1, bytes / 33) i), ''), greatest(bytes, 2)) $$;
	INSERT INTO a SELECT i, nullif(i % 4, 3), CASE WHEN i % 7 > 0 THEN words('x' || i % 9, ('{2,100,4000,2,2,16000,900,2,100}'::int[])[i % 9 + 1]) END,
		('{NULL,m5,m900,m,m10k,NULL,m2k,late}'::text[])[i % 8 + 1] FROM generate_series(1, 23) i;
	INSERT INTO b SELECT i, i % 3, CASE WHEN i % 5 > 0 THEN words('y' || i % 6, ('{900,2,4000,2,100,2}'::int[])[i % 6 + 1]) END,
		('{m2k,NULL,m5,late,m900}'::text[])[i % 5 + 1] FROM generate_series(1, 17) i;
	UPDATE b SET y = words('y16', 16000) WHERE id = 16;
	CREATE INDEX ON a (k);
	CREATE SCHEMA parted;
	CREATE TABLE parted.a (id int PRIMARY KEY, k int, x text, m text) PARTITION BY RANGE (id);
	CREATE TABLE parted.b (id int PRIMARY KEY, k int, y text, m text) PARTITION BY RANGE (id);
	CREATE TABLE parted.a1 PARTITION OF parted.a FOR VALUES FROM (0) TO (4);
	CREATE TABLE parted.a2 (x text, k int, m text, id int NOT NULL);
	ALTER TABLE parted.a ATTACH PARTITION parted.a2 FOR VALUES FROM (4) TO (17);
	CREATE TABLE parted.a3 PARTITION OF parted.a DEFAULT;
	CREATE TABLE parted.b1 PARTITION OF parted.b FOR VALUES FROM (0) TO (9);
	CREATE TABLE parted.b2 PARTITION OF parted.b DEFAULT;
	INSERT INTO parted.a SELECT * FROM a;
	INSERT INTO parted.b SELECT * FROM b;
	CREATE TABLE d (id int, t text);
	VACUUM ANALYZE));
}

sub pick { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }

# Errors that single rows have in a tenth of the queries, and where readers may
# end before them.  AI_GATEWAY_EQUALITY_ERRORS names those to have in place of
# these, 1 = all, 0 = none: what is 0 here is known to fail.
my %errors = (
	# the call fails
	fails => 1,
	# the caller's fault: a model that is not there
	nobody => 1,
	# in an argument, or beside the calls
	division => 1,
	# behind a cursor that scrolls: a node that works ahead of it takes the error
	# of a node below it in before its turn
	scroll => 0,
	# no error: a reader that stops early wants a row, and for no more than about
	# as many again is called that it does not come to; but the window doubles at
	# each answer that is waited for, so with calls within calls it is soon wide
	window => 0);
my $wanted = $ENV{AI_GATEWAY_EQUALITY_ERRORS} // '';
for (split /,/, $wanted) { die "no such error: $_" unless exists $errors{$_} || /^[01]$/ }
%errors = map { my $name = $_; $name => $wanted eq '1' || (grep { $_ eq $name } split /,/, $wanted) || 0 } keys %errors if $wanted ne '';
my @kinds = grep { $errors{$_} } qw(fails nobody division);
my $erring = 0;    # is there still to be one in this query?
my %has_error;     # the numbers of queries that have one

# what a query can refer to: {int, text, model} of column names
my %tables = (a => { int => [ 'id', 'k' ], text => ['x'], model => ['m'] }, b => { int => [ 'id', 'k' ], text => ['y'], model => ['m'] });

sub columns
{
	my ($from, $type) = @_;
	return map { my $alias = $_; map { "$alias.$_" } @{ $from->{$alias}{$type} // [] } } sort keys %$from;
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

# A name that a subquery may give a table, and what is outside is read by its own still.
sub unused
{
	my ($from) = @_;
	my ($name) = grep { !exists $from->{$_} } 's', map { "s$_" } 1 .. 9;
	return $name;
}

sub text_expression
{
	my ($from, $depth) = @_;
	my @columns = columns($from, 'text');
	return wrong_text($from, $depth) if $erring && chance(0.2);
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
		sub { my $s = unused($from); return '(SELECT ' . text_expression({ %$from, $s => $tables{b} }, $depth - 1) . " FROM b $s WHERE $s.id = " . int_expression($from, 0) . ')' },
		sub { '(SELECT ' . text_expression($from, $depth - 1) . ')' },
		sub { '(SELECT ai_complete(' . text_expression({ s => $tables{b} }, 0) . ' || ' . text_expression($from, 0) . ') FROM b s WHERE s.id ' . pick('=', '>') . ' ' . int_expression($from, 0) . ' ORDER BY s.id LIMIT 1)' },
		sub { my $s = unused($from); return "(SELECT z FROM b $s, ai_complete(" . text_expression({ $s => $tables{b} }, $depth - 1) . ") z WHERE $s.id = " . int_expression($from, 0) . ')' },
		sub { my $s = unused($from); return '(SELECT z FROM (SELECT s.id, ' . text_expression({ s => $tables{b} }, $depth - 1) . ' AS z FROM b s' . (chance(0.3) ? ' OFFSET 0' : '') . ") $s WHERE $s.id " . pick('= ' . int_expression($from, 0), '< ' . int_expression($from, 0) . ' ORDER BY id DESC LIMIT 1') . ')' },
		sub { '(ARRAY[' . text_expression($from, $depth - 1) . ', ' . text_expression($from, 0) . '])[' . pick(1, 2) . ']' },
		sub { "(ai_try_complete(" . text_expression($from, $depth - 1) . model($from) . ")).value" },
		sub { my $e = embedding($from, $depth - 1); return pick("$e\::text", "md5($e\::text)", "($e)[7]::text") },
		sub { "(ai_chat(jsonb_build_array(jsonb_build_object('role', 'user', 'content', coalesce(" . text_expression($from, $depth - 1) . ", '?')))" . model($from) . "))->>'text'" },
	)->();
}

sub call
{
	my ($from, $depth) = @_;
	my $more = chance(0.1) ? ", system => " . text_expression($from, 0) : chance(0.1) ? q(, options => '{"cache": false}') : '';
	return 'ai_complete(' . text_expression($from, $depth) . model($from) . "$more)";
}

# A text that one row of a table, or a few of a join, cannot have.
sub wrong_text
{
	my ($from, $depth) = @_;
	$erring = 0;
	my $column = pick(grep { /id$/ } columns($from, 'int')) // pick(columns($from, 'int'));
	my $row = 2 + int rand 10;
	my $text = text_expression($from, $depth - 1);
	my $of_row = sub { my ($name, $other) = @_; return "model => CASE WHEN $column = $row THEN '$name' ELSE $other END" };
	my $misnamed = sub {
		my ($name) = @_;
		return pick(map { "ai_complete($text, " . $of_row->($name, $_) . ')' } columns($from, 'model'), "'m900'", "'m'"),
		  pick('(ai_try_complete(' . "$text, " . $of_row->($name, "'m2k'") . ')).value', "md5(ai_embed($text, " . $of_row->("e$name", "'e1536'") . ')::text)');
	};
	my %wrong = (
		nobody => sub { return $misnamed->('nobody') },
		fails => sub { return $misnamed->('fails') },
		division => sub { my $division = "6 / ($column - $row)"; return "($division)::text", "ai_complete($text || $division)", "ai_complete($text, model => CASE WHEN $division < 7 THEN 'm10k' END)", "md5(ai_embed($text || $division, model => 'e1536')::text)" });
	my $wrong = pick($wrong{ pick(@kinds) }->());
	return pick($wrong, $wrong, "coalesce($wrong, $text)", "($text || $wrong)", "ai_complete($wrong" . model($from) . ')', 'CASE WHEN ' . bool_expression($from, 0) . " THEN $text ELSE $wrong END");
}

sub wrong_bool
{
	my ($from, $depth) = @_;
	my $wrong = wrong_text($from, $depth);
	return pick("$wrong LIKE '%" . pick(0 .. 8, 'a' .. 'c') . "%'", "$wrong < " . text_expression($from, 0), "$wrong IS NOT NULL",
		'(' . bool_expression($from, $depth - 1) . pick(' AND ', ' OR ') . "length($wrong) > 3)", "ai_complete($wrong) > 'm'");
}

# the model of a call: the default one, or one that is named, by row perhaps
sub model
{
	my ($from) = @_;
	return '' if chance(0.6);
	return ', model => ' . pick((columns($from, 'model')) x 2, map { "'$_'" } qw(m5 m900 m2k m10k));
}

sub embedding
{
	my ($from, $depth) = @_;
	return 'ai_embed(' . text_expression($from, $depth) . pick(", model => 'e'", ", model => 'e1536'", ", model => 'e', dimensions => 1536") . ')';
}

# a set that a model answers with
sub ranking
{
	my ($from, $depth) = @_;
	return 'ai_rerank(' . text_expression($from, $depth) . ', ' . pick('ARRAY[' . text_expression($from, $depth) . ', NULL, ' . text_expression($from, 0) . ']', "string_to_array(" . text_expression($from, $depth) . ", ' ')")
	  . ", model => 'rank'" . pick('', '', ', top_n => 1 + ' . int(rand 3), q(, options => '{"cache": false}')) . ')';
}

sub embeddings
{
	my ($from, $depth) = @_;
	return 'ai_embed(ARRAY[' . text_expression($from, $depth) . ', ' . text_expression($from, 0) . ', ' . text_expression($from, $depth) . ']' . pick(", model => 'e'", ", model => 'e1536'", ", model => 'e', dimensions => 1536") . ')';
}

sub bool_expression
{
	my ($from, $depth) = @_;
	return pick(columns($from, 'int')) . ' ' . pick('<', '=', '>') . ' ' . int(rand 6) if $depth <= 0;
	return pick(
		sub { int_expression($from, $depth - 1) . ' ' . pick('<', '=', '>', '<>') . ' ' . int_expression($from, $depth - 1) },
		sub { text_expression($from, $depth - 1) . " LIKE '%" . pick(0 .. 8, 'a' .. 'c') . "%'" },
		sub { call($from, $depth - 1) . ' ' . pick('<', '>') . ' ' . text_expression($from, $depth - 1) },
		sub { '(' . bool_expression($from, $depth - 1) . ' AND ' . bool_expression($from, $depth - 1) . ')' },
		sub { '(' . bool_expression($from, $depth - 1) . ' OR ' . bool_expression($from, $depth - 1) . ')' },
		sub { 'NOT ' . bool_expression($from, $depth - 1) },
		sub { text_expression($from, $depth - 1) . ' IS ' . pick('', 'NOT ') . 'NULL' },
		sub { text_expression($from, $depth - 1) . " IN ('x0', " . text_expression($from, $depth - 1) . ')' },
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
		sub { ('(SELECT id, k, m, ' . text_expression({ a => $tables{a} }, $depth) . ' AS x FROM a' . where({ a => $tables{a} }, $depth) . (chance(0.3) ? ' OFFSET 0' : '') . ') a', { a => $tables{a} }) },
		sub { ('a, ai_complete(' . text_expression({ a => $tables{a} }, $depth) . (chance(0.2) ? q(, options => '{"cache": false}') : '') . ') y', { a => $tables{a}, y => { int => [], text => ['y'] } }) },
		sub { ('a, ai_try_complete(' . text_expression({ a => $tables{a} }, $depth) . ') y', { a => $tables{a}, y => { int => ['attempts'], text => [ 'value', 'error' ] } }) },
		sub { ('a LEFT JOIN LATERAL ai_complete(' . text_expression({ a => $tables{a} }, $depth) . ') y ON ' . pick('true', "y LIKE '%1%'", 'a.k = 1'), { a => $tables{a}, y => { int => [], text => ['y'] } }) },
		sub { ('a CROSS JOIN LATERAL (SELECT ' . text_expression({ a => $tables{a} }, $depth) . ' AS y, ' . int_expression({ a => $tables{a} }, 1) . ' AS k' . (chance(0.3) ? ' WHERE ' . bool_expression({ a => $tables{a} }, 1) : '') . (chance(0.2) ? ' OFFSET 0' : '') . ') b', { a => $tables{a}, b => { int => ['k'], text => ['y'] } }) },
		sub { ('a' . pick(', ', ' CROSS JOIN LATERAL ') . ranking({ a => $tables{a} }, $depth) . ' r', { a => $tables{a}, r => { int => ['index'], text => ['document'] } }) },
		sub { ('a LEFT JOIN LATERAL ' . ranking({ a => $tables{a} }, $depth) . ' r ON ' . pick('true', 'r.score > 0', 'a.k = 1'), { a => $tables{a}, r => { int => ['index'], text => ['document'] } }) },
		sub { ('a, ' . embeddings({ a => $tables{a} }, $depth) . ' v(ord, e), LATERAL (SELECT md5(v.e::text) AS t) h', { a => $tables{a}, v => { int => ['ord'], text => [] }, h => { int => [], text => ['t'] } }) },
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
			my $list = join(', ', map { chance(0.05) ? embedding($from, $depth - 1) : chance(0.7) ? text_expression($from, $depth) : int_expression($from, $depth) } 1 .. 1 + int rand 3);
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
		sub { 'SELECT unnest((string_to_array(' . text_expression($from, $depth) . ", '1'))[1:4])" . (chance(0.5) ? ', ' . text_expression($from, $depth) : '') . (chance(0.3) ? ', generate_series(1, least(' . int_expression($from, 1) . ', 4))' : '') . " FROM $clause" . where($from, 1) },
		sub { 'SELECT ' . pick('(' . ranking($from, $depth) . ').document', '(' . embeddings($from, $depth) . ').ord') . (chance(0.5) ? ', ' . text_expression($from, $depth) : '') . " FROM $clause" . where($from, 1) },
		sub { 'SELECT ' . text_expression({ a => $tables{a} }, $depth) . ' FROM a ORDER BY id FOR UPDATE' },
	)->();
}

# Queries whose reader may end before it comes to the row that is wrong.
sub early_end
{
	my ($depth) = @_;
	my %a = (a => $tables{a});
	my %as = (%a, s => $tables{b});
	return pick(
		sub { my ($clause, $from) = from_clause($depth); $from = {%$from, %a}; return 'SELECT ' . wrong_text($from, $depth) . ', ' . text_expression($from, 1) . ' FROM ' . ($clause =~ /\ba\b(?!\.)/ ? $clause : "a, $clause") . where($from, 1) . ' LIMIT ' . int(rand 8) . ';' },
		(sub { 'SELECT id, ' . wrong_text(\%a, $depth) . ' FROM a' . where(\%a, $depth) . ' ORDER BY id LIMIT ' . (1 + int rand 6) . (chance(0.3) ? ' OFFSET ' . int(rand 4) : '') . ';' }) x 2,
		(sub { 'SELECT id, ' . text_expression(\%a, 1) . ' FROM a WHERE ' . wrong_bool(\%a, $depth) . pick('', ' ORDER BY id') . ' LIMIT ' . (1 + int rand 4) . ';' }) x 2,
		sub { 'SELECT EXISTS (SELECT 1 FROM a WHERE ' . wrong_bool(\%a, $depth) . ');' },
		sub { 'SELECT id FROM b WHERE ' . pick('', 'NOT ') . 'EXISTS (SELECT 1 FROM a WHERE a.k = b.k AND ' . wrong_bool({ %a, b => $tables{b} }, $depth) . ');' },
		sub { 'SELECT ' . text_expression(\%a, 1) . ' IN (SELECT ' . wrong_text({ s => $tables{b} }, $depth) . ' FROM b s) FROM a ORDER BY id LIMIT 4;' },
		sub { 'SELECT id, (SELECT ' . wrong_text(\%as, $depth) . ' FROM b s WHERE s.k = a.k ORDER BY s.id LIMIT 1) FROM a ORDER BY id LIMIT ' . (1 + int rand 9) . ';' },
		(sub { cursor($depth, wrong_text(\%a, $depth)) }) x 2,
		sub { cursor($depth, text_expression(\%a, 1), wrong_bool(\%a, $depth)) },
		sub { loop_that_exits($depth, wrong_text(\%a, $depth)) })->();
}

sub cursor
{
	my ($depth, $text, $where) = @_;
	my %a = (a => $tables{a});
	my $with_error = defined $text;
	$text //= text_expression(\%a, $depth);
	$where = $where ? " WHERE $where" : where(\%a, 1);
	my $scroll = pick('', 'NO SCROLL ', 'SCROLL ');
	$scroll = '' if $scroll eq 'SCROLL ' && $with_error && !$errors{scroll};
	my $back = $scroll eq 'SCROLL ' ? 'FETCH BACKWARD 2 FROM c; FETCH 3 FROM c; FETCH ABSOLUTE 2 FROM c; ' : '';
	return 'BEGIN; DECLARE c ' . $scroll . "CURSOR FOR SELECT id, $text FROM a$where ORDER BY id; FETCH 3 FROM c; FETCH 2 FROM c; ${back}FETCH 7 FROM c; CLOSE c; COMMIT;";
}

sub loop_that_exits
{
	my ($depth, $text) = @_;
	my %a = (a => $tables{a});
	$text //= text_expression(\%a, $depth);
	return 'DO $$DECLARE r record; n int = 0; BEGIN FOR r IN SELECT id, ' . $text . ' AS t FROM a' . where(\%a, 1) . " ORDER BY id LOOP RAISE INFO '% %', r.id, r.t; n = n + 1; EXIT WHEN n = 4; END LOOP; END\$\$;";
}

# a statement as a list of lines; what it changes is looked at and undone
sub statement
{
	my ($n) = @_;
	my $depth = 1 + int rand 3;
	my %a = (a => $tables{a});
	$erring = @kinds && chance(0.1);
	$has_error{$n} = $erring;
	return early_end($depth) if $erring && chance(0.8);
	return pick(
		(sub { select_query($depth) . ';' }) x 8,
		sub { cursor($depth) },
		sub { 'BEGIN; UPDATE a SET x = ' . text_expression(\%a, $depth) . where(\%a, $depth) . (chance(0.5) ? ' RETURNING id, x' : '') . '; SELECT * FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; DELETE FROM a' . where(\%a, $depth) . (chance(0.5) ? ' RETURNING ' . text_expression(\%a, 1) : '') . '; SELECT id FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; INSERT INTO d SELECT id, ' . text_expression(\%a, $depth) . ' FROM a' . where(\%a, $depth) . '; SELECT * FROM d ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; INSERT INTO d SELECT id, ' . text_expression(\%a, 1) . ' FROM a' . where(\%a, 1) . ' RETURNING id, ' . text_expression({ d => { int => ['id'], text => ['t'] } }, $depth) . ', t; SELECT * FROM d ORDER BY id; ROLLBACK;' },
		sub { "BEGIN; INSERT INTO d VALUES (1, ai_complete('v1')), (2, " . pick("ai_complete('v2')", "ai_complete('v2' || 'a')", 'NULL') . '); SELECT * FROM d ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; WITH w AS (DELETE FROM a' . where(\%a, 1) . ' RETURNING id, ' . text_expression(\%a, $depth) . ' AS t) SELECT * FROM w ORDER BY id' . (chance(0.3) ? ' LIMIT 2' : '') . '; SELECT id FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; CREATE TABLE made AS SELECT id, ' . text_expression(\%a, $depth) . ' AS t FROM a' . where(\%a, $depth) . '; SELECT * FROM made ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; MERGE INTO a USING b ON a.id = b.id WHEN MATCHED AND ' . bool_expression({ %a, b => $tables{b} }, $depth) . ' THEN UPDATE SET x = ' . text_expression({ %a, b => $tables{b} }, $depth) . ' WHEN NOT MATCHED THEN INSERT VALUES (b.id + 100, b.k, ' . text_expression({ b => $tables{b} }, 1) . '); SELECT * FROM a ORDER BY id; ROLLBACK;' },
		sub { 'BEGIN; MERGE INTO a USING ' . pick('b', '(SELECT id, k, m, ' . text_expression({ b => $tables{b} }, 1) . ' AS y FROM b) b', '(SELECT * FROM b WHERE k > 0) b') . ' ON a.id = b.id'
			. join('', map { my $tables = $_ ? { b => $tables{b} } : { %a, b => $tables{b} };
				' WHEN ' . ($_ ? 'NOT ' : '') . 'MATCHED' . (chance(0.6) ? ' AND ' . bool_expression($tables, $depth) : '') . ' THEN '
				  . ($_ ? pick('DO NOTHING', ('INSERT VALUES (b.id + 100, b.k, ' . text_expression($tables, 1) . ')') x 3) : pick('DELETE', ('UPDATE SET x = ' . text_expression($tables, $depth)) x 3)) } sort map { int rand 2 } 1 .. 4)
			. '; SELECT * FROM a ORDER BY id; ROLLBACK;' },
		sub { "PREPARE p(int) AS SELECT id, " . text_expression(\%a, $depth) . ' FROM a WHERE k = $1 AND ' . bool_expression(\%a, $depth) . ' ORDER BY id LIMIT $1 + 1; EXECUTE p(1); EXECUTE p(2); DEALLOCATE p;' },
		sub { loop_that_exits($depth) },
		sub { 'COPY (' . select_query($depth) . ') TO STDOUT;' },
	)->();
}

# what a query runs under: the same in both databases
sub settings
{
	my ($n) = @_;
	my %settings = (
		# a merge join is a reader that stops early too
		enable_mergejoin => $n % 4 ? 'off' : 'on',
		# the same tables in parts
		search_path => $n % 5 == 2 ? 'parted, public' : 'public',
		work_mem => "'" . pick('64kB', '1MB', ('4MB') x 3) . "'",
		'ai_gateway.max_in_flight' => pick(1, 2, 1024, (32) x 3),
		'ai_gateway.default_model' => pick(('m') x 6, 'late', qw(m5 m900 m2k m10k)));
	return join(' ', map { "SET $_ = $settings{$_};" } sort keys %settings);
}

my @numbers = $ENV{AI_GATEWAY_ONLY} ? split(/,/, $ENV{AI_GATEWAY_ONLY}) : (0 .. $count - 1);
my (@settings, @statements);
for my $n (@numbers)
{
	srand(unpack('L', md5("$seed $n")));
	$settings[$n] = settings($n);
	$statements[$n] = statement($n);
}

# a long line is kept as its beginning, its length and its hash
my $squeeze = 'while (<STDIN>) { chomp; $_ = substr($_, 0, 100) . "... " . length() . " " . md5_hex($_) if length > 200; print "$_\n" }';
my $directory = $ENV{TESTDATADIR} && -d $ENV{TESTDATADIR} ? $ENV{TESTDATADIR} : $cluster->node->basedir;
my @runs;
for my $mode (qw(off on))
{
	my $file = "$directory/equality_$mode";
	open(my $out, '>', "$file.sql") or die "$file.sql: $!";
	print {$out} "\\set VERBOSITY terse\n\\pset null NULL\nSET statement_timeout = '60s';\nSET ai_gateway.concurrent = $mode;\n";
	# what is left of rows that were undone would count in plans, more or less of it in one database than in the other
	print {$out} "$settings[$_]\n\\echo \@\@ $_\n\\warn \@\@ $_\nSELECT coalesce((ai_gateway.last_call()).calls, 0) AS before \\gset\n"
	  . "$statements[$_]\n\\echo \@calls\nROLLBACK;\nSELECT coalesce((ai_gateway.last_call()).calls, 0) - :before;\n"
	  . ($statements[$_] =~ /^BEGIN; (?!DECLARE)/ ? "VACUUM a, d;\n" : '') for @numbers;
	close $out;
	push @runs, IPC::Run::start([ 'psql', '-XAtq', '-d', $cluster->node->connstr($database{$mode}), '-f', "$file.sql" ], '2>', "$file.err",
		'|', [ $^X, '-MDigest::MD5=md5_hex', '-e', $squeeze ], '>', "$file.out");
}
$_->finish for @runs;

my (%answer, %printed, %calls);
for my $mode (qw(off on))
{
	for (split /^(?=@@ )/m, slurp_file("$directory/equality_$mode.out"))
	{
		my ($n, $rest) = /^@@ (\d+)\n(.*)/s or next;
		$rest =~ s/\@calls\n(\d+)\n\z// and $calls{$n}{$mode} = $1;
		$answer{$n}{$mode} = $printed{$n}{$mode} = $rest;
	}
	for (split /^(?=@@ )|(?<=\n)(?=@@ )/m, slurp_file("$directory/equality_$mode.err"))
	{
		my ($n, $rest) = /^@@ (\d+)\n(.*)/s or next;
		$rest =~ s/^.*there is no transaction in progress\n//mg;
		$rest =~ s/^psql:[^ ]*:\d+: //mg;
		$rest =~ s/^(.{100}).{101,}$/"$1... " . length($&) . ' ' . md5_hex($&)/mge;
		$answer{$n}{$mode} .= $rest;
	}
}
my ($same, $ahead, $failed, $saved, $errors, $spared) = (0, 0, 0, 0, 0, 0);
my $report = sub {
	my ($n, $what) = @_;
	fail("$what (AI_GATEWAY_SEED=$seed AI_GATEWAY_ONLY=$n)");
	diag("$settings[$n]\n$statements[$n]\n-- off\n" . ($answer{$n}{off} // '') . "\n-- on\n" . ($answer{$n}{on} // '')) if $failed++ < 5;
};
for my $n (@numbers)
{
	my ($off, $on) = map { $answer{$n}{$_} // 'nothing' } qw(off on);
	my ($calls_off, $calls_on) = map { $calls{$n}{$_} // -1 } qw(off on);
	$errors++ if $off =~ /ERROR/;
	# what is sent before an error in a stream is not the answer
	map { s/\A.*?(?=ERROR)//s } $off, $on if $statements[$n] =~ /^COPY/ && $off =~ /ERROR/ && $on =~ /ERROR/;
	# a column that nobody reads, or a row that another condition drops, is not
	# called for; and of two rows that are wrong in different places either may come first
	if ($off ne $on && $has_error{$n} && $off =~ /ERROR/ && index($printed{$n}{on} // '', $printed{$n}{off} // '') == 0)
	{
		$same++;
		$spared++;
	}
	# a constant costs the planner nothing: its filter comes before those that would
	# leave no row for its error
	elsif ($off ne $on && $has_error{$n} && $on =~ /ERROR/ && $statements[$n] =~ /ai_embed\('c\d'[,)]/ && index($printed{$n}{off} // '', $printed{$n}{on} // '') == 0)
	{
		$same++;
		$spared++;
	}
	elsif ($off ne $on || $off eq 'nothing')
	{
		$report->($n, "the answers of query $n differ");
	}
	# the same, without an error
	elsif ($calls_on > $calls_off && $calls_off >= 0 && $calls_on <= $calls_off + (() = $statements[$n] =~ /ai_embed\('c\d'[,)]/g)) { $same++; $ahead++ }
	# what an error ends was worked ahead of
	elsif ($calls_on > $calls_off && $calls_off >= 0 && $off =~ /ERROR/) { $same++ }
	# a reader that stops early: below it the window starts small; a hash join
	# looks at one row before it knows whether the other side has any
	elsif ($calls_on > $calls_off && ($calls_on <= 3 * $calls_off + 2 || !$errors{window})
		&& ($n % 4 == 0 || $statements[$n] =~ /LIMIT|CURSOR|EXIT|EXISTS| IN \(SELECT|SELECT DISTINCT/
			|| ($statements[$n] =~ /JOIN|LATERAL/ && $calls_on <= $calls_off + 2)))
	{
		$same++;
		$ahead++;
	}
	elsif ($calls_on > $calls_off || $calls_off < 0)
	{
		$report->($n, "query $n makes $calls_on calls and not $calls_off");
	}
	else { $same++; $saved += $calls_off - $calls_on }
}
$count = @numbers;
is($same, $count, "$count generated queries answer alike, with no more calls");
cmp_ok($errors, '<', $count / 4, "most of them have an answer ($errors do not)");
cmp_ok($ahead, '<=', $count / 50 + 1, "few of them work ahead in vain ($ahead do)");
cmp_ok($spared, '<=', $count / 400 + 1, "few have another error, or one that the others are spared ($spared)");
diag("$same of $count queries agree, $saved calls saved, $errors with an error");

# ---- size takes nothing from how many calls are under way ----

# What EXPLAIN counts of one place that calls.  The mean number under way is told
# by the time: that of all requests by that which the node waited.
sub counts
{
	my ($call, $rows, %settings) = @_;
	my $out = $cluster->node->safe_psql($database{on}, join('', map { "SET $_ = $settings{$_};" } sort keys %settings)
		  . "EXPLAIN (ANALYZE, FORMAT JSON) SELECT $call FROM generate_series(1, $rows) i");
	my %found = $out =~ /"(Requests|Mean Latency|Waiting|Peak In Flight)": ([\d.]+)/g;
	return $found{Requests}, $found{Requests} * $found{'Mean Latency'} / ($found{Waiting} || 1), $found{'Peak In Flight'};
}

$cluster->node->safe_psql($database{on}, "INSERT INTO ai_gateway.models (name, provider, remote_model, options) SELECT 'slow' || n, 'mock', 'm', jsonb_build_object('mock', jsonb_build_object('latency_ms', 20, 'answer_bytes', n)) FROM unnest('{5,900,2000,10000}'::int[]) n");
for my $bytes (5, 900, 2000, 10000)
{
	for my $prompt (100, 16000)
	{
		my ($requests, $mean, $peak) = counts("ai_complete(repeat('x', $prompt) || i, model => 'slow$bytes')", 320, 'ai_gateway.max_in_flight' => 32);
		is("$requests $peak", '320 32', "320 answers of $bytes bytes to prompts of $prompt, 32 under way at once");
		cmp_ok($mean, '>', 16, sprintf('and %.1f in the mean', $mean));
	}
}
for my $call ("ai_embed('text ' || i, model => 'e1536')", "ai_embed(repeat('text ', 200) || i, model => 'e1536')", "ai_embed('text ' || i, model => 'e', dimensions => 3072)")
{
	my ($requests) = counts($call, 5000);
	cmp_ok($requests, '<=', 5000 / 100, "5,000 embeddings travel together, in $requests requests: $call");
}
done_testing();
