# Carries datagrams between the core (frames on standard input and output, as domain/forwards/
# datagrams.ts has them) and sockets of the node, one for each flow. Ends with its input. What the
# core does not take in time is lost in the sockets' buffers, as datagrams are.
use strict;
use warnings;
use Errno;
use Socket qw(getaddrinfo SOCK_DGRAM MSG_DONTWAIT);

my ($open, $datagram, $failed) = (1, 2, 4);
my (%socket_of, $rest);
$rest = '';
$SIG{PIPE} = 'DEFAULT';

sub put {
  my ($kind, $flow, $payload) = @_;
  my $data = pack('CNn', $kind, $flow, length $payload) . $payload;
  while (length $data) {
    my $written = syswrite(STDOUT, $data);
    exit 0 if !defined $written && !$!{EINTR};
    substr($data, 0, $written // 0, '');
  }
}

# A port that nobody listens on may be listened on again; what comes before that is lost.
sub is_passing { return $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR} || $!{ECONNREFUSED} || $!{EMSGSIZE} }

sub fail {
  my ($flow) = @_;
  delete $socket_of{$flow};
  put($failed, $flow, '');
}

sub open_flow {
  my ($flow, $host, $port) = @_;
  my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_DGRAM });
  for my $address (@found) {
    my $socket;
    next unless socket($socket, $address->{family}, SOCK_DGRAM, 0) && connect($socket, $address->{addr});
    $socket_of{$flow} = $socket;
    return;
  }
  fail($flow);
}

sub take {
  my ($kind, $flow, $payload) = @_;
  if ($kind == $open) { open_flow($flow, split(/ /, $payload)) }
  elsif (!$socket_of{$flow}) { return }
  elsif ($kind == $datagram) {
    fail($flow) unless defined send($socket_of{$flow}, $payload, MSG_DONTWAIT) || is_passing();
  }
  else { delete $socket_of{$flow} }
}

sub take_input {
  my $got = sysread(STDIN, $rest, 65536, length $rest);
  exit 0 if defined $got ? $got == 0 : !$!{EINTR};
  while (length $rest >= 7) {
    my ($kind, $flow, $size) = unpack('CNn', $rest);
    last if length $rest < 7 + $size;
    my $payload = substr($rest, 7, $size);
    substr($rest, 0, 7 + $size, '');
    take($kind, $flow, $payload);
  }
}

sub take_answer {
  my ($flow) = @_;
  my $bytes = '';
  if (defined recv($socket_of{$flow}, $bytes, 65535, MSG_DONTWAIT)) { put($datagram, $flow, $bytes) }
  elsif (!is_passing()) { fail($flow) }
}

while (1) {
  my $wanted = '';
  vec($wanted, fileno(STDIN), 1) = 1;
  vec($wanted, fileno($_), 1) = 1 for values %socket_of;
  next if select(my $ready = $wanted, undef, undef, undef) < 0;
  for my $flow (grep { vec($ready, fileno($socket_of{$_}), 1) } keys %socket_of) { take_answer($flow) }
  take_input() if vec($ready, fileno(STDIN), 1);
}
