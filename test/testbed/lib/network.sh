# The bed's network: one switch (a bridge in a namespace of its own), to which nodes and registry are plugged.
# In a namespace, because a dockerd on the host sets its FORWARD policy to DROP, which would cut nodes from each other.
#
# The host reaches all switches through one hub, by one interface. Were it plugged to each of them, its interfaces
# would come and go with the beds, and a browser gives up what it fetches whenever that happens (ERR_NETWORK_CHANGED).

HUB=kr-hub
HOST_ADDRESS=10.77.0.1

address() {
  case $1 in
    host) echo "$HOST_ADDRESS" ;;
    registry) echo "$NET.2" ;;
    n[0-9]*) echo "$NET.$((10 + ${1#n}))" ;;
    *) return 1 ;;
  esac
}

# An endpoint of a link: host, registry or a node.
endpoint() {
  case $1 in
    host | registry) echo "$1" ;;
    *) node_name "$1" ;;
  esac
}

make_hub() {
  ip -4 addr show kr-host up 2>/dev/null | grep -q "$HOST_ADDRESS/" && return 0
  remove_hub # what somebody who was killed has left of one
  ip netns add "$HUB" || return 1
  ip -n "$HUB" link add br0 type bridge
  ip netns exec "$HUB" sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null
  ip -n "$HUB" link set br0 up
  ip link add kr-host type veth peer name host0 netns "$HUB" &&
    ip -n "$HUB" link set host0 master br0 up &&
    ip addr add "$HOST_ADDRESS/16" dev kr-host &&
    ip link set kr-host up
}

remove_hub() {
  ip link del kr-host 2>/dev/null
  ip netns del "$HUB" 2>/dev/null
  return 0
}

# It stays while there are beds, and while somebody holds it.
remove_unused_hub() {
  [ -z "$(bed_ids)" ] && ! live_pid "$BASE/hub-holder" > /dev/null || return 0
  rm -f "$BASE/hub-holder"
  remove_hub
}

hold_hub() { # PID|none
  if [ "$1" = none ]; then rm -f "$BASE/hub-holder"; else make_hub && note_pid "$1" "$BASE/hub-holder"; fi
}

make_switch() {
  ip netns add "$SWITCH" || return 1
  ip -n "$SWITCH" link set lo up
  ip -n "$SWITCH" link add br0 type bridge
  ip netns exec "$SWITCH" sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null
  ip -n "$SWITCH" link set br0 up
  ip -n "$SWITCH" link add host type veth peer name "$ID" netns "$HUB" || return 1
  ip -n "$SWITCH" link set host master br0 up
  ip -n "$HUB" link set "$ID" master br0 up
}

remove_switch() {
  ip -n "$HUB" link del "$ID" 2>/dev/null
  ip netns del "$SWITCH" 2>/dev/null
  return 0
}

# plug NAME: a network namespace with an eth0 on the switch. The hardware address is fixed, so that a node that
# comes back is found at once instead of after the neighbour caches have expired.
plug() {
  local ns=$ID-$1 at
  [ -e "/run/netns/$ns" ] && return 0
  at=$(address "$1")
  ip netns add "$ns" || return 1
  ip -n "$SWITCH" link add "$1" type veth peer name eth0 netns "$ns"
  ip -n "$ns" link set eth0 address "$(printf '02:4b:52:%02x:00:%02x' "${ID#kr}" "${at##*.}")"
  ip -n "$SWITCH" link set "$1" master br0 up
  ip -n "$ns" addr add "$at/24" dev eth0
  ip -n "$ns" link set lo up
  ip -n "$ns" link set eth0 up
  ip -n "$ns" route add "$HOST_ADDRESS" dev eth0
  ip -n "$ns" route add unreachable default # nothing leaves the bed, and what tries is told at once
  [ -f "$DIR/$1.rate" ] && limit_rate "$1" "$(cat "$DIR/$1.rate")"
  return 0
}

unplug() {
  ip -n "$SWITCH" link del "$1" 2>/dev/null
  ip netns del "$ID-$1" 2>/dev/null
  return 0
}

unplug_node() { unplug "$1"; }

in_switch() { nsenter --net="/run/netns/$SWITCH" -- "$@"; }

drop_rules() { # -A|-D A B
  in_switch ebtables "$1" FORWARD -p IPv4 --ip-src "$2" --ip-dst "$3" -j DROP 2>/dev/null &&
    in_switch ebtables "$1" FORWARD -p IPv4 --ip-src "$3" --ip-dst "$2" -j DROP 2>/dev/null
}

# Rules sit on the switch: they outlive a power cut of either side, as a broken cable would.
do_cut() {
  local a b
  a=$(endpoint "$1") && b=$(endpoint "$2") || return 1
  do_heal "$a" "$b"
  drop_rules -A "$(address "$a")" "$(address "$b")" || fail "could not cut $a from $b"
}

do_heal() {
  local a b
  a=$(endpoint "$1") && b=$(endpoint "$2") || return 1
  while drop_rules -D "$(address "$a")" "$(address "$b")"; do :; done
  return 0
}

do_link() {
  local name
  name=$(endpoint "$1") || return 1
  case $2 in up | down) ip -n "$SWITCH" link set "$name" "$2" ;; *) fail "link NODE up|down" ;; esac
}

limit_rate() {
  ip netns exec "$SWITCH" tc qdisc replace dev "$1" root tbf rate "$2" burst 32kb latency 200ms &&
    ip netns exec "$ID-$1" tc qdisc replace dev eth0 root tbf rate "$2" burst 32kb latency 200ms
}

do_slow() {
  local name
  name=$(endpoint "$1") || return 1
  limit_rate "$name" "$2" && echo "$2" > "$DIR/$name.rate"
}

do_fast() {
  local name
  name=$(endpoint "$1") || return 1
  rm -f "$DIR/$name.rate"
  ip netns exec "$SWITCH" tc qdisc del dev "$name" root 2>/dev/null
  ip netns exec "$ID-$name" tc qdisc del dev eth0 root 2>/dev/null
  return 0
}
