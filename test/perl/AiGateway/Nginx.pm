package AiGateway::Nginx;

# nginx with Lua as a model server that costs the machine little, for
# benchmarks.  By the path of the endpoint:
#
#	/now/...	answers "ok" at once, and embeddings of four numbers
#	/now-N/...	answers N bytes of prose at once
#	/delay-MS/...	answers "ok" after so many milliseconds
#
# The request is read before it is answered: over HTTP/2 libcurl takes an answer
# that comes earlier for a broken stream.
#
# It counts its requests and its connections, and knows how long the last
# request was.  new(workers => 4): of one worker's own connections, those that
# wake together are answered one after the other; with four workers a delay is
# nearer to what it says, with one the least of the machine is taken from a
# client that is measured.  new(tls => 1) speaks TLS too, HTTP/1.1 on one port
# and HTTP/2 on another, with a certificate that nobody signed but itself.
use strict;
use warnings;
use AiGateway::Bench ();
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

my @sizes = (5, 2000, 10000);

sub free_port { return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport }

sub new
{
	my ($class, %options) = @_;
	my $directory = tempdir(CLEANUP => 1);
	chmod 0755, $directory;
	my $self = bless { directory => $directory, port => free_port() }, $class;
	my $module = (grep { -e $_ } map { "$_/ngx_http_lua_module.so" } '/usr/lib/nginx/modules', '/usr/share/nginx/modules')[0] or die 'no Lua module of nginx';
	my $ndk = ($module =~ s/ngx_http_lua_module/ndk_http_module/r);
	my $workers = $options{workers} // 4;
	my $tls = $options{tls} ? $self->tls_ports : '';
	$self->write_answers;
	open(my $conf, '>', "$directory/nginx.conf") or die;
	print {$conf} <<"CONF";
load_module $ndk;
load_module $module;
daemon off; worker_processes $workers; pid $directory/pid; error_log $directory/error.log;
worker_rlimit_nofile 16384;
events { accept_mutex off; worker_connections 8192; }
http {
	access_log off; keepalive_requests 100000000; default_type application/json; client_max_body_size 64m; client_body_buffer_size 16m;
	client_body_temp_path $directory/b; proxy_temp_path $directory/p; fastcgi_temp_path $directory/f;
	uwsgi_temp_path $directory/u; scgi_temp_path $directory/s;
	lua_shared_dict counts 1m;
	init_by_lua_block {
		answers = {}
		for _, size in ipairs({ "ok", @{[ join ', ', map { qq("$_") } @sizes ]} }) do
			local file = io.open("$directory/answer-" .. size)
			answers[size] = file:read("*a")
			file:close()
		end
		function answer(size)
			ngx.header.content_length = #answers[size]
			ngx.print(answers[size])
		end
	}
	server {
		listen 127.0.0.1:$self->{port} backlog=4096 reuseport;
		$tls
		location /count { content_by_lua_block { ngx.say(ngx.shared.counts:get("n") or 0); ngx.shared.counts:set("n", 0) } }
		location /length { content_by_lua_block { ngx.say(ngx.shared.counts:get("length") or 0) } }
		location /connections { stub_status; }
		location ~ ^/now/.*chat { content_by_lua_block { ngx.req.read_body(); answer("ok") } }
		location ~ ^/now-(?<size>[0-9]+)/.*chat { content_by_lua_block { ngx.req.read_body(); answer(ngx.var.size) } }
		location ~ ^/delay-(?<ms>[0-9]+)/.*chat { content_by_lua_block {
			ngx.shared.counts:incr("n", 1, 0); ngx.sleep(tonumber(ngx.var.ms) / 1000); answer("ok") } }
		location ~ ^/measured/.*chat { content_by_lua_block {
			ngx.req.read_body(); ngx.shared.counts:set("length", tonumber(ngx.var.request_length)); answer("ok") } }
		location ~ /embeddings { content_by_lua_block {
			ngx.shared.counts:incr("n", 1, 0)
			ngx.req.read_body()
			local _, n = string.gsub(ngx.req.get_body_data() or "", '"text ', "")
			local out = {}
			for i = 0, n - 1 do out[i + 1] = '{"index":' .. i .. ',"embedding":[0.5,0.25,0.125,' .. i .. ']}' end
			ngx.print('{"model":"bench","data":[' .. table.concat(out, ",") .. '],"usage":{"prompt_tokens":3}}') } }
	}
}
CONF
	close $conf;
	$self->{pid} = fork();
	if (!$self->{pid}) { exec 'nginx', '-c', "$directory/nginx.conf", '-e', "$directory/error.log" or POSIX::_exit(1) }
	for (1 .. 500)
	{
		return $self if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}");
		select(undef, undef, undef, 0.02);
	}
	die 'nginx did not start';
}

sub tls_ports
{
	my ($self) = @_;
	my $directory = $self->{directory};
	@$self{qw(h1_port h2_port)} = (free_port(), free_port());
	system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' "
		  . "-keyout $directory/key.pem -out $directory/cert.pem >$directory/openssl.log 2>&1") == 0 or die 'openssl failed';
	return "listen 127.0.0.1:$self->{h1_port} ssl backlog=4096 reuseport; listen 127.0.0.1:$self->{h2_port} ssl http2 backlog=4096 reuseport;\n"
	  . "\t\tssl_certificate $directory/cert.pem; ssl_certificate_key $directory/key.pem;";
}

sub write_answers
{
	my ($self) = @_;
	for my $size ('ok', @sizes)
	{
		my $text = JSON::PP->new->allow_nonref->encode($size eq 'ok' ? 'ok' : AiGateway::Bench::prose($size));
		open(my $file, '>', "$self->{directory}/answer-$size") or die;
		print {$file} qq({"id":"c","model":"bench","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":$text}}],)
		  . q("usage":{"prompt_tokens":3,"completion_tokens":1}});
		close $file;
	}
	return;
}

sub url { my ($self, $path) = @_; return "http://127.0.0.1:$self->{port}/$path" }
sub h1_url { my ($self, $path) = @_; return "https://127.0.0.1:$self->{h1_port}/$path" }
sub h2_url { my ($self, $path) = @_; return "https://127.0.0.1:$self->{h2_port}/$path" }
sub certificate { return "$_[0]{directory}/cert.pem" }

sub get
{
	my ($self, $path) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}") or die;
	print {$socket} "GET /$path HTTP/1.0\r\n\r\n";
	local $/;
	return <$socket>;
}

# Requests since it was asked last, of those that are delayed and of embeddings.
sub count { my ($self) = @_; return ($self->get('count') =~ /(\d+)\s*\z/)[0] }

# Connections that came since it was asked last.
sub connections
{
	my ($self) = @_;
	my ($accepted) = $self->get('connections') =~ /requests\s+(\d+)/ or die 'nginx does not count';
	my $new = $accepted - ($self->{accepted} // 0) - 1;
	$self->{accepted} = $accepted;
	return $new;
}

# Bytes of the last request to /measured/, its head included.
sub request_length { my ($self) = @_; return ($self->get('length') =~ /(\d+)\s*\z/)[0] }

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	my $status = $?;
	kill 'TERM', $pid;
	waitpid($pid, 0);
	$? = $status;
	return;
}

# A benchmark that dies leaves no server behind.
sub DESTROY { my ($self) = @_; $self->stop; return }

1;
