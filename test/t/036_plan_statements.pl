# Statements of the second generator (tools/plan-statements) give the same answers and
# errors with the plan node as without it, and no more calls than the slow start
# before a filter explains.  AI_GATEWAY_STATEMENTS says how many (1000),
# AI_GATEWAY_SEED which ones.  Without asynchronous scans, whose rows come in any
# order (035 is about these).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use Test::More;

plan skip_all => 'there is no python3' unless -x '/usr/bin/python3';
my $count = $ENV{AI_GATEWAY_STATEMENTS} || 1000;
my $seed = $ENV{AI_GATEWAY_SEED} || 4711;
my $cluster = AiGateway::Cluster->new('statements', no_extension => 1, conf => "autovacuum = off\nenable_async_append = off\n");
plan skip_all => 'postgres_fdw is not installed' unless $cluster->sql("SELECT 1 FROM pg_available_extensions WHERE name = 'postgres_fdw'");
$cluster->node->safe_psql('postgres', <<'SQL');
create extension if not exists ai_gateway; create extension if not exists postgres_fdw;
select format('alter database %I set ai_gateway.default_model = ''m''', current_database()) \gexec
set ai_gateway.default_model = 'm';
do $$ begin create role joe login; exception when duplicate_object then null; end $$;
insert into ai_gateway.models (name, provider, remote_model) values ('m','mock','mock');
insert into ai_gateway.models (name, task, provider, remote_model) values ('e','embed','mock','mock');
insert into ai_gateway.models (name, provider, remote_model, options) values ('w','mock','mock','{"temperature":0.5}');
insert into ai_gateway.model_grants values ('m',0),('e',0),('w',0);
create domain dom as text check (value is null or value <> 'zzz');
create type comp as (p int, q text);
create table t (id int primary key, k int, x text, arr text[], c comp, d dom);
insert into t select i, nullif(i%5,4), case when i%6=0 then null else 'x'||i%8 end, array['e'||i%3, null, 'f'||i], row(i,'c'||i%4)::comp, 'd'||i%3 from generate_series(1,30) i;
alter table t add column gone int; alter table t drop column gone;
create index on t(k);
create table s (id int, k int, y text, j jsonb); insert into s select i, i%4, case when i%5=0 then null else 'y'||i%6 end, jsonb_build_object('a','j'||i%4,'b',i) from generate_series(1,20) i; create index on s(k); create index on s(id);
create table par (id int, k int, x text) partition by list (k);
create table par0 partition of par for values in (0); create table par1 (x text, dead int, k int, id int); alter table par1 drop column dead; alter table par attach partition par1 for values in (1);
create table par2 partition of par for values in (2,3) partition by range (id); create table par2a partition of par2 for values from (0) to (10); create table par2b partition of par2 default;
create table pard partition of par default; insert into par select id,k,x from t;
create table inh (id int, k int, x text); create table inhc (extra text) inherits (inh); insert into inh select id,k,x from t where id<10; insert into inhc select id,k,x,'ex' from t where id>=10;
create table uq (id int primary key, x text, n int default 0); insert into uq select id, x from t where id%3=0;
create table rl (id int, own text, x text); insert into rl select id, case when id%2=0 then 'joe' else 'ann' end, x from t; alter table rl enable row level security; create policy p on rl using (own = current_user);
create view sb with (security_barrier) as select id, own, x, ai_complete(x) as cx from rl where own = 'joe' or ai_complete(own) = 'ann';
create view vv as select id, k, ai_complete(x) as x, ai_complete(x||'!') as y from t;
create view vu as select id, k, ai_complete('p'||x) as x from t union all select id, k, ai_complete('q'||y) from s;
create view vw as select id, k, ai_complete(x||id) x, row_number() over (order by id) rn, rank() over (partition by k order by id) rk from t;
select format('create server loop foreign data wrapper postgres_fdw options (host %L, port %L, dbname %L, async_capable ''true'')',
  split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database()) \gexec
create user mapping for public server loop options (user :'USER', password_required 'false');
create foreign table ft (id int, k int, x text) server loop options (table_name 't'); create foreign table fs (id int, k int, y text) server loop options (table_name 's');
create function fe(i int) returns int language plpgsql as $$ begin perform 1/(i-i); return 1; exception when division_by_zero then return i; end$$;
create function fn(text) returns text language sql as $$ select ai_complete($1) $$;
create function fp(t text) returns text language plpgsql as $$ begin return ai_complete(t); end$$;
create function fst(text) returns text language sql strict immutable as $$ select $1 || '#' $$;
create function trg() returns trigger language plpgsql as $$ begin new.n := length(ai_complete(new.x)); return new; end$$;
create trigger trg before insert or update on uq for each row execute function trg();
grant all on all tables in schema public to joe;
analyze;
SQL
local @ENV{qw(PGHOST PGPORT PGDATABASE)} = ($cluster->node->host, $cluster->node->port, 'postgres');
# psql keeps the script, so that few at a time are asked
for (my $done = 0; $done < $count; $done += 500)
{
	my $n = $count - $done < 500 ? $count - $done : 500;
	my $out = `$FindBin::Bin/../tools/plan-statements $seed$done $n 2>&1`;
	is($? >> 8, 0, "$n statements of seed $seed$done: no other answer, no more calls, none lost") or diag($out);
	like($out, qr/'same': [1-9]\d\d/, 'most of them run');
	my ($totals) = $out =~ /^(\{'same'.*\})$/m;
	diag("statements of seed $seed$done: $totals") if $totals;
}
done_testing();
