package AiGateway::CoarseClock;

# A file system whose clock ticks once a second, as older ones do: a library for
# LD_PRELOAD that cuts the times off which stat() and fstat() tell.
use strict;
use warnings;
use File::Temp qw(tempdir);

my $source = <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/stat.h>
static int
cut_off(int result, struct stat *status)
{
	if (result == 0)
		status->st_mtim.tv_nsec = status->st_ctim.tv_nsec = 0;
	return result;
}
int
stat(const char *path, struct stat *status)
{
	int			(*real) (const char *, struct stat *) = (int (*) (const char *, struct stat *)) dlsym(RTLD_NEXT, "stat");

	return cut_off(real(path, status), status);
}
int
fstat(int fd, struct stat *status)
{
	int			(*real) (int, struct stat *) = (int (*) (int, struct stat *)) dlsym(RTLD_NEXT, "fstat");

	return cut_off(real(fd, status), status);
}
C

sub new
{
	my ($class) = @_;
	my $directory = tempdir(CLEANUP => 1);
	my $self = bless { library => "$directory/coarse_clock.so" }, $class;
	chmod 0755, $directory;
	open(my $out, '>', "$directory/coarse_clock.c") or die;
	print {$out} $source;
	close $out;
	system("cc -shared -fPIC -o $self->{library} $directory/coarse_clock.c -ldl") == 0 or die 'cc failed';
	return $self;
}

# What LD_PRELOAD must be, beside what is there (a sanitizer).
sub preload { my ($self) = @_; return join ' ', grep { $_ ne '' } $ENV{LD_PRELOAD} // '', $self->{library} }

1;
