# A control group per node, in whichever version the machine has. The node sees its own group as the root.

CGROUP=/sys/fs/cgroup

is_cgroup2() { [ -f "$CGROUP/cgroup.controllers" ]; }

# Version 1: the mounted hierarchies ("memory", "cpu,cpuacct", "systemd"...). Only they have a file "tasks".
cgroup1_hierarchies() {
  local dir
  for dir in "$CGROUP"/*; do
    [ ! -L "$dir" ] && [ -f "$dir/tasks" ] && echo "${dir##*/}"
  done
}

# Paths of a node's groups: one per hierarchy in version 1, one in version 2.
node_cgroups() {
  local hierarchy
  if is_cgroup2; then echo "$CGROUP/$ID/$1"; return; fi
  for hierarchy in $(cgroup1_hierarchies); do echo "$CGROUP/$hierarchy/$ID/$1"; done
}

make_cgroups() {
  local dir each
  remove_cgroups "$ID/$1" # what a power cut left; a real machine would come back without it
  for dir in $(node_cgroups "$1"); do
    mkdir -p "$dir"
    case $dir in
      "$CGROUP"/*cpuset*) # new groups have no processors until told
        for each in "$(dirname "$dir")" "$dir"; do
          cat "$each/../cpuset.cpus" > "$each/cpuset.cpus"
          cat "$each/../cpuset.mems" > "$each/cpuset.mems"
        done
        ;;
    esac
  done
  if is_cgroup2; then
    delegate_controllers "$CGROUP"
    delegate_controllers "$CGROUP/$ID"
    mkdir -p "$CGROUP/$ID/$1/init" # a group that delegates may hold no processes itself
  fi
}

delegate_controllers() {
  local controller
  for controller in $(cat "$1/cgroup.controllers"); do
    echo "+$controller" > "$1/cgroup.subtree_control" 2>/dev/null
  done
}

# Moves the calling shell ("0" is whoever writes) into a node's groups.
join_cgroups() {
  local dir leaf=
  is_cgroup2 && [ "${2:-}" = leaf ] && leaf=/init
  for dir in $(node_cgroups "$1"); do echo 0 > "$dir$leaf/cgroup.procs"; done
}

# Whatever runs in a bed's groups is the bed's, even what was started just before somebody killed "up".
kill_cgroups() {
  local top
  top=$(dirname "$(node_cgroups x | head -n 1)")
  [ -d "$top" ] && wait_until 20 kill_cgroup_tree "$top"
  return 0
}

kill_cgroup_tree() {
  local pids
  pids=$(find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null | grep -vxF "$$")
  [ -z "$pids" ] && return 0
  # shellcheck disable=SC2086
  kill -9 $pids 2>/dev/null
  return 1
}

remove_cgroups() { # BED or BED/NODE
  local top
  for top in "$CGROUP/$1" "$CGROUP"/*/"$1"; do
    [ -d "$top" ] && wait_until 5 remove_cgroup_tree "$top"
  done
  return 0
}

remove_cgroup_tree() {
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
  [ ! -d "$1" ]
}

do_mem() {
  local name bytes=$2
  name=$(node_name "$1") || return 1
  if is_cgroup2; then
    echo "$bytes" > "$CGROUP/$ID/$name/memory.max"
  else
    [ "$bytes" = max ] && bytes=-1
    echo "$bytes" > "$CGROUP/memory/$ID/$name/memory.limit_in_bytes"
  fi
}
