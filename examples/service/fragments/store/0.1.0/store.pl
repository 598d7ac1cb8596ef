#!/usr/bin/perl
# A key-value store over HTTP: PUT and GET of /KEY, one request per connection, values as files below a folder.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $folder) = @ARGV;
my $server = IO::Socket::INET->new(LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "port $port: $!\n";
$| = 1;
print "listening on $port\n";
while (my $client = $server->accept) {
  my ($method, $key) = (<$client> // '') =~ m{^(GET|PUT) /([a-z]+) } or next;
  my $length = 0;
  while (defined(my $line = <$client>)) {
    last if $line =~ /^\r?\n$/;
    $length = $1 if $line =~ /^content-length: *(\d+)/i;
  }
  my ($status, $body) = ('404 Not Found', '');
  if ($method eq 'PUT') {
    read $client, $body, $length;
    open my $file, '>', "$folder/$key" or die "$folder/$key: $!\n";
    print $file $body;
    close $file;
    $status = '200 OK';
  } elsif (open my $file, '<', "$folder/$key") {
    local $/;
    ($status, $body) = ('200 OK', scalar <$file>);
  }
  print $client "HTTP/1.1 $status\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
  close $client;
}
