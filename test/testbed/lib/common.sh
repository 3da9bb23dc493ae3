# Names, places and small helpers that everything else uses.

# Beds of one machine share a directory, so that they can see each other's claims. It must lie on a file system
# that overlayfs accepts as an upper layer (ext4, xfs, btrfs).
BASE=${KOHAKURIVER_TESTBED_DIR:-/var/tmp/kohakuriver-testbed}
# Two busy cores and a cold page cache make a boot of one second take twenty.
READY_TIMEOUT_S=${TB_READY_TIMEOUT_S:-180}
NODE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "testbed: $*" >&2; }
fail() { say "$*"; exit 1; }

# Field 22 of /proc/PID/stat: with it, a pid that was given to another process is not mistaken for the old one.
# A zombie counts as gone; some machines' init is slow to reap.
start_time() {
  local stat
  { read -r stat < "/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" != Z ] && echo "${20}"
}

# The pid in a file of "PID STARTTIME", if that very process still lives.
live_pid() {
  local pid started
  { read -r pid started < "$1"; } 2>/dev/null || return 1
  [ "$(start_time "$pid")" = "$started" ] || return 1
  echo "$pid"
}

note_pid() { echo "$1 $(start_time "$1")" > "$2"; }

kill_noted() {
  local pid
  pid=$(live_pid "$1") || return 0
  kill -9 "$pid" 2>/dev/null
  wait_until 10 eval '! live_pid "'"$1"'" >/dev/null'
}

# wait_until SECONDS COMMAND...: polls until the command succeeds.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -le "$end" ] || return 1
    sleep 0.05
  done
}

# Node names are n1, n2...; "3" is accepted for "n3".
node_name() {
  local number=${1#n}
  [[ $number =~ ^[1-9][0-9]?$ ]] || { say "no such node: $1"; return 1; }
  echo "n$number"
}

# The name of a running node.
running_node() {
  local name
  name=$(node_name "$1") || return 1
  node_pid "$name" >/dev/null || { say "$name is not running"; return 1; }
  echo "$name"
}

node_pid() { live_pid "$DIR/$1/pid"; }
