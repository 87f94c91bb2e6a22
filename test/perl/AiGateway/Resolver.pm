package AiGateway::Resolver;

# Names that a server under test resolves without DNS and without root: a library
# for LD_PRELOAD that looks a name up in a file, anew each time, and asks the
# system for what is not there.
use strict;
use warnings;
use File::Temp qw(tempdir);

my $source = <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
typedef int (*Lookup) (const char *, const char *, const struct addrinfo *, struct addrinfo **);
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	Lookup		real = (Lookup) dlsym(RTLD_NEXT, "getaddrinfo");
	FILE	   *names = node ? fopen(NAMES, "r") : NULL;
	char		name[256];
	char		address[64];
	int			found = 0;

	while (names && !found && fscanf(names, "%255s %63s", name, address) == 2)
		found = strcmp(name, node) == 0;
	if (names)
		fclose(names);
	return real(found ? address : node, service, hints, res);
}
C

sub new
{
	my ($class) = @_;
	my $directory = tempdir(CLEANUP => 1);
	my $self = bless { names => "$directory/names", library => "$directory/resolver.so", addresses => {} }, $class;
	chmod 0755, $directory;
	open(my $out, '>', "$directory/resolver.c") or die;
	print {$out} $source;
	close $out;
	system("cc -shared -fPIC -DNAMES='\"$self->{names}\"' -o $self->{library} $directory/resolver.c -ldl") == 0 or die 'cc failed';
	return $self;
}

# What LD_PRELOAD must be, beside what is there (a sanitizer).
sub preload { my ($self) = @_; return join ' ', grep { $_ ne '' } $ENV{LD_PRELOAD} // '', $self->{library} }

# From now on the name leads to the address.
sub lead
{
	my ($self, $name, $address) = @_;
	$self->{addresses}{$name} = $address;
	open(my $out, '>', "$self->{names}.new") or die;
	print {$out} "$_ $self->{addresses}{$_}\n" for sort keys %{ $self->{addresses} };
	close $out;
	rename "$self->{names}.new", $self->{names} or die;
	return;
}

1;
