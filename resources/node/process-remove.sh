# Removes ended or never started attempts: $1 machine, $2 core, $3 the word of this core's launches,
# $4 keep or drop; then task and attempt of each.
# Prints for each TASK/ATTEMPT one of: removed, running, foreign, failed REASON.
LC_ALL=C
umask 077
base=$HOME/.kohakuriver/$1
core=$2 word=$3 how=$4 gone=gone-$2-$3
shift 4
each() {
  verb=$1
  shift
  while [ $# -gt 0 ]; do
    "$verb" "$1" "$2"
    shift 2
  done
}
all_removed() { echo "$1/$2 removed"; }
cd "$base/tasks" 2>/dev/null || { each all_removed "$@"; exit 0; }
read -r this_boot < /proc/sys/kernel/random/boot_id
nth_20() {
  shift 19
  begun_now=$1
}
is_running() {
  { read -r _ _ _ oom _ < "$1/exit_code"; } 2>/dev/null && [ -n "$oom" ] && return 1
  { read -r pid begun boot _ < "$1/pid"; } 2>/dev/null || return 1
  [ "$boot" = "$this_boot" ] && { read -r stat < "/proc/$pid/stat"; } 2>/dev/null || return 1
  # What has ended and was left to process 1 may stay there for good.
  case ${stat##*) } in 'Z 1 '*) return 1 ;; esac
  # shellcheck disable=SC2086
  nth_20 ${stat##*) }
  [ "$begun_now" = "$begun" ]
}
# Whether nothing of it can begin any more. One that never began is claimed by the file that says that it
# was started, as process-launch.sh does: an order to start it that is late finds it then. Where that is
# there and no process yet, it is just being started, unless that was cut short long ago.
may_go() {
  case $1 in *.kept) return 0 ;; esac
  { read -r _ _ _ oom _ < "$1/exit_code"; } 2>/dev/null && [ -n "$oom" ] && return 0
  pid=
  { read -r pid _ < "$1/pid"; } 2>/dev/null
  case $pid in '' | *[!0-9]*) ;; *) return 0 ;; esac
  set -C
  { printf '' > "$1/launched"; } 2>/dev/null && set +C && return 0
  set +C
  [ ! -e "$1/launched" ] || [ $(($(date +%s) - $(stat -c %Y "$1/launched"))) -ge 60 ]
}
# Where nothing else of the task is there, all of its directory goes, together with others.
is_alone() {
  for entry in "$1"/*; do [ "$entry" = "$2" ] || return 1; done
}
look() {
  dir=$1/$2
  [ -d "$dir" ] || { [ "$how" = drop ] && [ -d "$dir.kept" ] && dir=$dir.kept; }
  if [ -f "$dir/meta" ]; then
    read -r owner < "$dir/meta"
    if [ "$owner" != "core=$core" ]; then
      echo "$1/$2 foreign"
      return
    elif is_running "$dir" || ! may_go "$dir"; then
      echo "$1/$2 running"
      return
    fi
  fi
  if [ ! -d "$dir" ]; then
    echo "$1/$2 removed"
  elif [ "$how" = keep ]; then
    tell "$1/$2" "$(mv "$dir" "$dir.kept" 2>&1)"
  elif is_alone "$1" "$dir" && [ ! -e "../$gone/$1" ]; then
    whole="$whole $1"
    asked="$asked $1 $2"
  else
    # Renamed first: what is half removed must not look like an attempt.
    tell "$1/$2" "$({ rm -rf "$1/$2.gone" && mv "$dir" "$1/$2.gone" && rm -rf "$1/$2.gone"; } 2>&1)"
    rmdir "$1" 2>/dev/null
  fi
}
tell() {
  if [ -z "$2" ]; then echo "$1 removed"; else echo "$1 failed $(printf %s "$2" | tr '\n' ' ')"; fi
}
told() {
  if [ -d "$1" ]; then echo "$1/$2 failed its directory could not be moved"; else echo "$1/$2 removed"; fi
}
whole= asked=
each look "$@"
if [ -n "$whole" ]; then
  [ -d "../$gone" ] || mkdir -p "../$gone"
  # shellcheck disable=SC2086
  mv $whole "../$gone/" 2>/dev/null
  # Twice, for a file that is written just then.
  rm -rf "../$gone"/* 2>/dev/null || { sleep 1; rm -rf "../$gone"; }
  # shellcheck disable=SC2086
  each told $asked
fi
exit 0
