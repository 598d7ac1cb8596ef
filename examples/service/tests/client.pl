#!/usr/bin/perl
# Puts a value into the store that $STORE names, and prints what it gives back.
use strict;
use warnings;
use IO::Socket::INET;

my ($key, $value) = @ARGV;

sub ask {
  my ($request) = @_;
  my $socket = IO::Socket::INET->new(PeerAddr => $ENV{STORE}, Timeout => 5) or die "$ENV{STORE}: $@\n";
  print $socket $request;
  local $/;
  return (split /\r\n\r\n/, <$socket>, 2)[1];
}

ask("PUT /$key HTTP/1.1\r\nContent-Length: " . length($value) . "\r\n\r\n$value");
print ask("GET /$key HTTP/1.1\r\n\r\n");
