package AiGateway::Nginx;

# nginx with Lua as a model server that answers at once or after a fixed delay,
# for benchmarks: /now/..., /delay-MS/..., and embeddings of any number.  Counts
# its requests: /count tells, and sets the count back.  Of one worker's own
# connections, those that wake together are answered one after the other; with
# four workers the delay is nearer to what it says.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();

sub new
{
	my ($class) = @_;
	my $directory = tempdir(CLEANUP => 1);
	chmod 0755, $directory;
	my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
	my $module = (grep { -e $_ } map { "$_/ngx_http_lua_module.so" } '/usr/lib/nginx/modules', '/usr/share/nginx/modules')[0] or die 'no Lua module of nginx';
	my $ndk = ($module =~ s/ngx_http_lua_module/ndk_http_module/r);
	open(my $conf, '>', "$directory/nginx.conf") or die;
	print {$conf} <<"CONF";
load_module $ndk;
load_module $module;
daemon off; worker_processes 4; pid $directory/pid; error_log $directory/error.log;
events { accept_mutex off; worker_connections 4096; }
http {
	access_log off; keepalive_requests 100000000; default_type application/json; client_max_body_size 64m; client_body_buffer_size 16m;
	client_body_temp_path $directory/b; proxy_temp_path $directory/p; fastcgi_temp_path $directory/f;
	uwsgi_temp_path $directory/u; scgi_temp_path $directory/s;
	lua_shared_dict counts 1m;
	server {
		listen 127.0.0.1:$port backlog=4096 reuseport;
		set \$reply '{"id":"c","model":"bench","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"ok"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}';
		location /count { content_by_lua_block { ngx.say(ngx.shared.counts:get("n") or 0); ngx.shared.counts:set("n", 0) } }
		location ~ ^/now/.*chat { return 200 \$reply; }
		location ~ ^/delay-(?<ms>[0-9]+)/.*chat { content_by_lua_block {
			ngx.shared.counts:incr("n", 1, 0); ngx.sleep(tonumber(ngx.var.ms) / 1000); ngx.print(ngx.var.reply) } }
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
	my $pid = fork();
	if (!$pid) { exec 'nginx', '-c', "$directory/nginx.conf", '-e', "$directory/error.log" or POSIX::_exit(1) }
	my $self = bless { pid => $pid, port => $port, directory => $directory }, $class;
	for (1 .. 500)
	{
		last if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
		select(undef, undef, undef, 0.02);
	}
	return $self;
}

sub url { my ($self, $path) = @_; return "http://127.0.0.1:$self->{port}/$path" }

# Requests since it was asked last.
sub count
{
	my ($self) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}") or die;
	print {$socket} "GET /count HTTP/1.0\r\n\r\n";
	local $/;
	my ($n) = <$socket> =~ /(\d+)\s*\z/;
	return $n;
}

sub stop { my ($self) = @_; kill 'TERM', $self->{pid}; waitpid($self->{pid}, 0); return }

1;
