package AiGateway::Cluster;

# A PostgreSQL node with the library preloaded and the extension created, and
# what tests of a network client need to see of a backend.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time sleep);

# A server that is stopped at once does not let its backends exit, who count
# then for nothing in what was executed.
my @started;
END
{
	my $status = $?;
	if ($ENV{AI_GATEWAY_CLEAN_EXIT}) { $_->stop('fast', fail_ok => 1) for @started }
	$? = $status;
}

sub new
{
	my ($class, $name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => $options{streaming} // 0, extra => [ '--encoding', $options{encoding} // 'UTF8', '--no-locale' ]);
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '" . ($options{preload} // 'ai_gateway') . "'\n"
		  . ($options{conf} // ''));
	$node->start;
	push @started, $node;
	$node->safe_psql('postgres', 'CREATE EXTENSION ai_gateway') unless $options{no_extension};
	return bless { node => $node }, $class;
}

sub node { return $_[0]{node} }
sub sql { my ($self, $sql) = @_; return $self->{node}->safe_psql('postgres', $sql) }

# (standard output, standard error, exit status) of a statement that may fail
sub try
{
	my ($self, $sql, %options) = @_;
	my ($out, $err);
	my $status = $self->{node}->psql($options{database} // 'postgres', "\\set VERBOSITY verbose\n$sql",
		stdout => \$out, stderr => \$err,
		extra_params => $options{user} ? [ '-U', $options{user} ] : []);
	return ($out, $err, $status);
}

sub sqlstate
{
	my ($self, $sql, %options) = @_;
	my ($out, $err) = $self->try($sql, %options);
	return $err =~ /ERROR:\s+([0-9A-Z]{5}):/ ? $1 : $err =~ /FATAL:\s+([0-9A-Z]{5}):/ ? $1 : 'none';
}

# Registers a model by name and columns; replaces one of that name.
sub register
{
	my ($self, $name, %columns) = @_;
	$columns{provider} //= 'openai_compatible';
	$columns{remote_model} //= 'remote';
	my @names = sort keys %columns;
	my @values = map { my $v = $columns{$_}; $v =~ s/'/''/g; "'$v'" } @names;
	$self->sql("DELETE FROM ai_gateway.models WHERE name = '$name';"
		  . "INSERT INTO ai_gateway.models (name, " . join(', ', @names) . ") VALUES ('$name', " . join(', ', @values) . ")");
	return;
}

sub log_text { my ($self) = @_; return slurp_file($self->{node}->logfile) }

# Runs until the code returns true; false after the time.
sub poll
{
	my ($code, $seconds) = @_;
	my $end = time() + ($seconds // 30);
	while (time() < $end)
	{
		return 1 if $code->();
		sleep 0.01;
	}
	return 0;
}

# ---- a session that stays open ----

package AiGateway::Session;
use Time::HiRes qw(time);

sub new
{
	my ($class, $cluster, %options) = @_;
	my $self = bless { in => '', out => '', err => '', n => 0 }, $class;
	my @command = ('psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $cluster->node->connstr($options{database} // 'postgres'));
	push @command, '-U', $options{user} if $options{user};
	$self->{run} = IPC::Run::start(\@command, '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
		IPC::Run::timeout(600));
	$self->{pid} = $self->query('SELECT pg_backend_pid()');
	return $self;
}

sub pid { return $_[0]{pid} }

sub start
{
	my ($self, $sql) = @_;
	my $mark = 'done_' . ++$self->{n};
	$self->{mark} = $mark;
	$self->{out} = '';
	$self->{err} = '';
	$self->{in} .= "$sql;\n\\echo $mark\n\\warn $mark\n";
	$self->{run}->pump_nb;
	return;
}

# The result of what was started; the error text is left in {err}.
sub finish
{
	my ($self) = @_;
	my $mark = $self->{mark};
	eval { $self->{run}->pump until $self->{out} =~ /$mark\n/ && $self->{err} =~ /$mark\n/; 1 } or do { $self->{ended} = 1 };
	$self->{out} =~ s/\n?$mark\n//;
	$self->{err} =~ s/\n?$mark\n//;
	return $self->{out};
}

sub query { my ($self, $sql) = @_; $self->start($sql); return $self->finish }

sub sqlstate { my ($self) = @_; return $self->{err} =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5}):/ ? $1 : 'none' }

# What the backend has open, but for the tables that PostgreSQL keeps open.
sub descriptors
{
	my ($self) = @_;
	return grep { !m{/pgdata/(base|global)/} } map { readlink($_) // () } glob("/proc/$self->{pid}/fd/*");
}

sub quit { my ($self) = @_; $self->{in} .= "\\q\n"; eval { $self->{run}->finish }; return }

1;
