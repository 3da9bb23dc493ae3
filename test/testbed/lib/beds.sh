# Which beds there are, whose they are, and how one is claimed and given back.
#
# A bed krN is the directory $BASE/beds/krN and the network 10.77.N.0/24. Claiming, sweeping and removing happen
# under one lock, so beds that come and go at the same time never meet.

use_bed() {
  ID=$1 DIR=$BASE/beds/$1 NET=10.77.${1#kr}
  SWITCH=$ID-sw
  REGISTRY=$NET.2:5000 PRIVATE_REGISTRY=$NET.2:5001
}

with_lock() {
  mkdir -p "$BASE/beds" && exec 9> "$BASE/lock"
  flock -w "$READY_TIMEOUT_S" 9 || fail "another testbed command holds $BASE/lock"
  "$@"
  local rc=$?
  exec 9>&-
  return $rc
}

bed_ids() { find "$BASE/beds" -mindepth 1 -maxdepth 1 -name 'kr*' -printf '%f\n' 2>/dev/null | sort -V; }

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# "PID STARTTIME BOOT", or "none - BOOT" for a bed that stays until it is taken down by hand.
owner_lives() {
  local pid started boot
  { read -r pid started boot < "$BASE/beds/$1/owner"; } 2>/dev/null || return 1
  [ "$boot" = "$(boot_id)" ] || return 1
  [ "$pid" = none ] || [ "$(start_time "$pid")" = "$started" ]
}

network_is_free() {
  [ ! -e "/run/netns/kr$1-sw" ] && ! ip -4 route show root "10.77.$1.0/24" | grep -q .
}

claim_bed() {
  local slot id started=-
  sweep_dead
  if [ "$OWNER" != none ]; then
    started=$(start_time "$OWNER") || fail "the owner, process $OWNER, does not run"
  fi
  for slot in {1..200}; do
    id=kr$slot
    [ ! -e "$BASE/beds/$id" ] && network_is_free "$slot" || continue
    mkdir "$BASE/beds/$id" && echo "$OWNER $started $(boot_id)" > "$BASE/beds/$id/owner"
    make_hub || fail 'could not make the network'
    use_bed "$id"
    return 0
  done
  fail "no free network among 10.77.1.0/24 to 10.77.200.0/24"
}

sweep_dead() {
  local id
  for id in $(bed_ids); do
    owner_lives "$id" && continue
    say "removing $id, whose owner is gone"
    use_bed "$id"
    remove_bed
  done
}

sweep_all() { sweep_dead; remove_unused_hub; }
sweep() { with_lock sweep_all; empty_trash; }

hold() {
  [ "$1" = none ] || start_time "$1" > /dev/null || fail "process $1 does not run"
  with_lock hold_hub "$1"
}

choose_bed() {
  local id found=
  if [ -n "${TB_BED:-}" ]; then
    [ -d "$BASE/beds/$TB_BED" ] || { say "no bed $TB_BED (see: list)"; return 1; }
    use_bed "$TB_BED"
    return 0
  fi
  for id in $(bed_ids); do
    grep -q '^none' "$BASE/beds/$id/owner" 2>/dev/null && found=$id
  done
  [ -z "$found" ] && [ "$(bed_ids | wc -l)" = 1 ] && found=$(bed_ids)
  [ -n "$found" ] || { say "which bed? set TB_BED (see: list), or bring one up"; return 1; }
  use_bed "$found"
}

list_beds() {
  local id owner
  for id in $(bed_ids); do
    owner=$(cut -d' ' -f1 "$BASE/beds/$id/owner" 2>/dev/null)
    echo "$id owner=${owner:-?} $(owner_lives "$id" && echo alive || echo dead)"
  done
}

# Stops everything of the bed, then moves its directory out of the way; the slow deletion happens without the lock.
remove_bed() {
  local dir
  for dir in "$DIR"/n[0-9]*; do
    [ -d "$dir" ] && kill_noted "$dir/pid"
  done
  stop_registry
  kill_cgroups
  for dir in "$DIR"/n[0-9]*; do
    [ -d "$dir" ] && unplug_node "${dir##*/}" && unmount_disks "${dir##*/}"
  done
  remove_switch
  remove_cgroups "$ID"
  mkdir -p "$BASE/trash" && mv "$DIR" "$BASE/trash/$ID.$$.$RANDOM"
}

empty_trash() { rm -rf --one-file-system "$BASE/trash"/* 2>/dev/null; }

take_down() { remove_bed; remove_unused_hub; }

do_down() {
  local rc
  with_lock take_down
  rc=$?
  empty_trash
  return $rc
}

# One line per thing, for people and for test/support/testbed.ts.
do_info() {
  local dir name via
  echo "bed $ID"
  echo "dir $DIR"
  echo "key $DIR/id"
  echo "known_hosts $DIR/known_hosts"
  [ -f "$DIR/registry.pid" ] && echo "registry $REGISTRY $PRIVATE_REGISTRY"
  for dir in $(printf '%s\n' "$DIR"/n[0-9]* | sort -V); do
    [ -d "$dir" ] || continue
    name=${dir##*/}
    via=$(cat "$dir/via" 2>/dev/null || echo -)
    echo "node $name $(address "$name") 22 $(ssh-keygen -lf "$dir/hostkey.pub" | cut -d' ' -f2) $via $(node_pid "$name" || echo off)"
  done
}
