package AiGateway::MovingClock;

# A clock that moves on by some microseconds each time somebody looks, as a real one
# does where two looks are close together: a library for LD_PRELOAD.
use strict;
use warnings;
use File::Temp qw(tempdir);

my $source = <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int
clock_gettime(clockid_t id, struct timespec *now)
{
	static int	(*real) (clockid_t, struct timespec *) = NULL;
	static long looks = 0;
	int			result;

	if (real == NULL)
		real = (int (*) (clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
	result = real(id, now);
	if (result == 0 && id == CLOCK_MONOTONIC)
	{
		long		more = now->tv_nsec + ++looks * STEP % 1000000000;

		now->tv_sec += looks * STEP / 1000000000 + more / 1000000000;
		now->tv_nsec = more % 1000000000;
	}
	return result;
}
C

sub new
{
	my ($class, $microseconds) = @_;
	my $directory = tempdir(CLEANUP => 1);
	my $self = bless { library => "$directory/moving_clock.so" }, $class;
	chmod 0755, $directory;
	open(my $out, '>', "$directory/moving_clock.c") or die;
	print {$out} $source;
	close $out;
	system('cc', '-shared', '-fPIC', "-DSTEP=${microseconds}000L", '-o', $self->{library}, "$directory/moving_clock.c", '-ldl') == 0 or die 'cc failed';
	return $self;
}

# What LD_PRELOAD must be, beside what is there (a sanitizer).
sub preload { my ($self) = @_; return join ' ', grep { $_ ne '' } $ENV{LD_PRELOAD} // '', $self->{library} }

1;
