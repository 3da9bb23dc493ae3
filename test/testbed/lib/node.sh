# Nodes: booting, cutting the power, removing, and running commands inside.

up() {
  OWNER=none DOCKER=1 WITH_REGISTRY=1 COUNT='' JUMP_ONLY='' GPUS=() DISKS=() IMAGES=()
  while [ $# -gt 0 ]; do
    case $1 in
      --owner) OWNER=$2; shift ;;
      --no-docker) DOCKER=0 WITH_REGISTRY=0 ;;
      --no-registry) WITH_REGISTRY=0 ;;
      --gpus) GPUS+=("$2"); shift ;;
      --disk) DISKS+=("$2"); shift ;;
      --image) IMAGES+=("$2"); shift ;;
      --jump-only) JUMP_ONLY=$(node_name "$2") || exit 1; shift ;;
      [1-9] | [1-3][0-9]) COUNT=$1 ;;
      *) fail "up: what is $1?" ;;
    esac
    shift
  done
  [ -n "$COUNT" ] || fail "up N: how many nodes (1 to 39)?"
  with_lock claim_bed || exit 1
  empty_trash > /dev/null 2>&1 &
  trap 'give_up' INT TERM
  bring_up || give_up
  trap - INT TERM
  do_info
}

# Its caller has not learnt the bed's name, so nobody else would take it down.
give_up() {
  say "bringing up $ID failed"
  tail -n 5 "$DIR"/n*/console.log >&2
  with_lock take_down
  exit 1
}

bring_up() {
  local each name
  ssh-keygen -q -t ed25519 -N '' -C testbed -f "$DIR/id" && echo "$DOCKER" > "$DIR/docker" && make_switch || return 1
  for ((each = 1; each <= COUNT; each++)); do prepare_node "n$each" || return 1; done
  for each in ${DISKS[@]+"${DISKS[@]}"}; do make_disk "${each%%:*}" "${each#*:}" || return 1; done
  for each in ${GPUS[@]+"${GPUS[@]}"}; do write_gpus "$(node_name "${each%%=*}")" "${each#*=}" || return 1; done
  for name in $(bed_nodes); do start_node "$name" || return 1; done
  [ "$WITH_REGISTRY" = 0 ] || start_registry || return 1
  for name in $(bed_nodes); do wait_ready "$name" || return 1; done
  for each in ${IMAGES[@]+"${IMAGES[@]}"}; do
    for name in $(bed_nodes); do preload "$name" "$each" || return 1; done
  done
  [ -z "$JUMP_ONLY" ] || make_jump_only "$JUMP_ONLY" || return 1
  for name in $(bed_nodes); do known_host "$name"; done > "$DIR/known_hosts"
  install -m 755 /dev/stdin "$DIR/askpass" <<< $'#!/bin/sh\necho river'
}

known_host() { echo "$(address "$1") $(cut -d' ' -f1,2 "$DIR/$1/hostkey.pub")"; }

bed_nodes() { find "$DIR" -mindepth 1 -maxdepth 1 -type d -name 'n[0-9]*' -printf '%f\n' | sort -V; }

prepare_node() {
  local dir=$DIR/$1
  [ -d "$dir" ] && return 0
  mkdir -p "$dir"/{upper,work,root,docker,hide,disks,etc}
  ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$dir/hostkey"
  cat > "$dir/etc/daemon.json" <<JSON
{
  "bip": "10.78.${1#n}.1/24",
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "group": "docker",
  "insecure-registries": ["$REGISTRY", "$PRIVATE_REGISTRY"],
  "live-restore": true
}
JSON
}

# The host's packets to the node are lost, so that only its neighbours reach it, like a node behind a login machine.
make_jump_only() {
  local via=n1
  [ "$1" = n1 ] && via=n2
  echo "$via" > "$DIR/$1/via"
  do_cut host "$1"
}

start_node() {
  local name=$1 dir=$DIR/$1
  node_pid "$name" >/dev/null && return 0
  plug "$name"
  make_cgroups "$name"
  cat /proc/sys/kernel/random/uuid > "$dir/boot_id"
  rm -f "$dir/pid"
  (
    join_cgroups "$name"
    export HERE DIR NET HOST_ADDRESS ID NAME=$name DOCKER CHECKOUT HIERARCHIES LEAF=''
    is_cgroup2 && LEAF=$CGROUP/$ID/$name/init
    DOCKER=$(cat "$DIR/docker") CHECKOUT=$(readlink -f "$HERE/../..") HIERARCHIES=$(is_cgroup2 || cgroup1_hierarchies)
    # The group we are in becomes the root the node sees; with version 2 we then leave it, so that it can delegate.
    # shellcheck disable=SC2016
    exec setsid unshare --cgroup bash -c '[ -z "$LEAF" ] || echo 0 > "$LEAF/cgroup.procs"
      exec nsenter --net="/run/netns/$ID-$NAME" \
        unshare --mount --uts --ipc --pid --fork --propagation private bash "$HERE/node/root.sh"'
  ) < /dev/null > "$dir/console.log" 2>&1 &
}

answers() {
  local pid
  pid=$(node_pid "$1") || return 1
  # Asked from inside the node's network: a node may be out of the host's reach on purpose.
  # shellcheck disable=SC2016
  timeout 2 nsenter --net="/run/netns/$ID-$1" bash -c 'exec 3<> /dev/tcp/127.0.0.1/22 && read -t 1 -u 3 line && [[ $line == SSH-* ]]' 2>/dev/null
}

docker_answers() {
  local pid
  pid=$(node_pid "$1") && curl -sf -m 2 --unix-socket "/proc/$pid/root/run/docker.sock" http://docker/_ping > /dev/null 2>&1
}

wait_ready() {
  wait_until "$READY_TIMEOUT_S" answers "$1" || { say "$1 does not answer; see $DIR/$1/console.log"; return 1; }
  [ "$(cat "$DIR/docker")" = 0 ] || wait_until "$READY_TIMEOUT_S" docker_answers "$1" ||
    { say "the Docker Engine of $1 does not answer; see $DIR/$1/upper/var/log/dockerd.log"; return 1; }
}

do_add() {
  local name
  name=$(node_name "$1") || return 1
  prepare_node "$name" && start_node "$name" && wait_ready "$name" || return 1
  grep -q "^$(address "$name") " "$DIR/known_hosts" 2>/dev/null || known_host "$name" >> "$DIR/known_hosts"
}

# The link goes first: otherwise the dying processes' sockets would say goodbye, which no power cut does.
do_kill() {
  local name
  name=$(node_name "$1") || return 1
  [ -e "/run/netns/$ID-$name" ] && ip -n "$SWITCH" link set "$name" down 2>/dev/null
  kill_noted "$DIR/$name/pid"
  unplug_node "$name"
}

do_rm() {
  local name
  name=$(node_name "$1") || return 1
  do_kill "$name"
  unmount_disks "$name"
  remove_cgroups "$ID/$name"
  rm -rf --one-file-system "${DIR:?}/$name"
}

do_exec() {
  local user='' name pid
  [ "$1" = -u ] && { user=$2; shift 2; }
  name=$(running_node "$1") || return 1
  shift
  pid=$(node_pid "$name")
  join_cgroups "$name" leaf
  [ -z "$user" ] || set -- runuser -u "$user" -- "$@"
  exec nsenter -t "$pid" -m -u -i -n -p -C -r -w -- \
    env -i "PATH=$NODE_PATH" HOME=/root "TERM=${TERM:-dumb}" LANG=C.UTF-8 "$@"
}

# For use inside this script, where do_exec's exec would end it.
node_run() { (do_exec "$@"); }

do_dockerd() {
  local name
  name=$(running_node "$1") || return 1
  case $2 in
    kill) node_run "$name" sh -c 'kill -9 "$(cat /run/docker.pid)" && rm /run/docker.pid' ;;
    stop) node_run "$name" sh -c 'p=$(cat /run/docker.pid 2> /dev/null) || exit 0; kill "$p"; while [ -d "/proc/$p" ]; do sleep 0.1; done' ;;
    start)
      docker_answers "$name" && return 0
      node_run "$name" setsid --fork /run/testbed/init.sh dockerd < /dev/null > /dev/null 2>&1
      wait_until "$READY_TIMEOUT_S" docker_answers "$name"
      ;;
    *) fail "dockerd NODE start|stop|kill" ;;
  esac
}

do_sshd() {
  local name
  name=$(running_node "$1") || return 1
  case $2 in
    # Sessions end as well, as they do when a machine shuts down; an sshd in a container is left alone.
    stop) node_run "$name" sh -c 'set -- --ns 1 --nslist pid -x sshd; while pkill "$@"; do sleep 0.05; done' ;;
    start) answers "$name" || { node_run "$name" /usr/sbin/sshd -E /run/sshd.log && wait_until 30 answers "$name"; } ;;
    rekey)
      rm -f "$DIR/$name/hostkey" "$DIR/$name/hostkey.pub"
      ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$DIR/$name/hostkey" || return 1
      node_run "$name" sh -c 'umask 077; cat > /etc/ssh/ssh_host_ed25519_key' < "$DIR/$name/hostkey"
      node_run "$name" sh -c 'cat > /etc/ssh/ssh_host_ed25519_key.pub' < "$DIR/$name/hostkey.pub"
      do_sshd "$name" stop && do_sshd "$name" start
      ;;
    *) fail "sshd NODE start|stop|rekey" ;;
  esac
}
