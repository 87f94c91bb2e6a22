# Recorded replies of providers, served byte for byte, called through SQL.
#
# Folders: those that come with the project (test/replies), and the one that
# AI_GATEWAY_VECTORS names, else the shared one beside the project.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use AiGateway::Cluster;
use AiGateway::Vectors;
use Test::More;

my $cluster = AiGateway::Cluster->new('vectors');
my $shared = $ENV{AI_GATEWAY_VECTORS} // (($ENV{AI_GATEWAY_SHARED} // "$FindBin::Bin/../../../shared") . '/vectors');
for my $folder ("$FindBin::Bin/../replies", $shared)
{
	if (!-d $folder)
	{
		diag("SKIPPED: the recorded replies of $folder, which does not exist");
		next;
	}
	for my $as_stream (0, 1)
	{
	my $vectors = AiGateway::Vectors->new($cluster, $folder, $as_stream);
	my ($agree, $differ, $without) = (0, 0, 0);
	my $n = 0;
	for my $file ($vectors->files)
	{
		my $wrong = $vectors->compare($n++);
		(my $name = $file) =~ s{^\Q$folder\E/?}{};
		if (!defined $wrong) { $without++; next }
		$name .= ', taken in as it comes' if $as_stream;
		ok(!@$wrong, $name) or diag(join "\n", @$wrong);
		if (@$wrong) { $differ++ } else { $agree++ }
	}
	$vectors->stop;
	diag("$folder" . ($as_stream ? ', asked for as streams' : '') . ": $agree agree, $differ differ, $without have no SQL function (batches, files, counting tokens)");
	}
}
done_testing();
