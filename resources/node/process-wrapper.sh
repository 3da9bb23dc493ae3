# The rest of an attempt's run.sh. Set above: kr_dir (of the attempt), kr_events (start of the names
# of the FIFOs that want to know), kr_id, kr_attempt, kr_at (when it was ordered, in milliseconds by
# the core's clock), kr_workdir, kr_limited (1 inside a cgroup of its own), kr_cpus and
# kr_memory_node, kr_starter (the shell that waits for this one, or «-»), and the work as "$@".
# Started once, by process-launch.sh, as the leader of a session; the start reads what it prints.
# A program costs more than all the rest here: what the shell can do by itself it does.
umask 077
# Handlers instead of «ignore»: ignored signals are inherited by the work, handlers are not.
trap : HUP INT QUIT TERM USR1 USR2 ALRM
cd "$kr_dir" || { echo "$kr_id/$kr_attempt failed the directory of the attempt is gone"; exit 1; }

# Hundredths of a second since the boot.
kr_read_up() {
  read -r kr_up _ < /proc/uptime
  kr_up=$((${kr_up%.*} * 100 + 1${kr_up#*.} - 100))
}

# Kills all of session $1 but its leader, one by one. The shell does it by itself: there may be no room for a
# process more.
kr_kill_each='kr_kill_each() {
  for kr_entry in /proc/[0-9]*; do
    { read -r kr_stat < "$kr_entry/stat"; } 2>/dev/null || continue
    set -- "$1" ${kr_stat##*) }
    [ "$5" = "$1" ] && [ "${kr_entry#/proc/}" != "$1" ] && [ "$2" != Z ] || continue
    kill -KILL "${kr_entry#/proc/}" 2>/dev/null
  done
}'
eval "$kr_kill_each"
# Ends all of session $1 but its leader, from outside of it. What forks faster than it can be listed
# is caught by its group: a signal to that gets past no fork. The leader is in one of them, so this one
# is held (again, if somebody let it go on), killed one by one, and goes on.
# /proc/PID/stat is «pid (name) state ppid pgrp session …».
kr_end_rest='
  finish() {
    [ -n "$is_over" ] || kr_kill_each "$1"
    kill -CONT "-$1"
  }
  is_over=
  trap "finish $1" EXIT
  trap "exit 1" HUP INT TERM
  round=0
  while kill -STOP "-$1" && [ $round -lt 50 ]; do
    left=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v leader="$1" "$2")
    case $left in *-) left=${left%-} ;; *) exit 1 ;; esac
    [ -n "$left" ] || break
    kill -KILL $left
    round=$((round + 1))
  done
  is_over=1'
# Then a dash, if all were seen.
kr_list_rest='{
  pid = $1
  sub(/^.*\) /, "")
  if (pid == leader) is_listed = 1
  if ($4 != leader || pid == leader || $1 == "Z") next
  if ($3 == leader) print pid
  else if (!($3 in seen)) print "-" $3
  seen[$3] = 1
}
END { if (is_listed) print "-" }'

kr_oom_kills() {
  kr_group=$(sed -n 's/^0:://p' /proc/self/cgroup)
  sed -n 's/^oom_kill //p' "/sys/fs/cgroup$kr_group/memory.events" 2>/dev/null
}

# Written over a file that has its final size since before the work began, in one go: a full disk does
# not stop it. «2 CODE HUNDREDTHS-SINCE-THE-START OOM»; it counts once all four words are there.
kr_record() {
  printf '%-62s\n' "2 $1 $((kr_up - kr_up_begun)) $2" 1<>exit_code
}

# Whether nothing of this session is left but this shell. Numbers are given in order: what was started
# here is between this shell and the newest process, the last word of loadavg. Of a short run those few
# are looked at one by one; after a long one the numbers may have begun anew, and one program tells.
kr_is_alone() {
  kr_pid=$$
  while [ $((kr_up - kr_up_begun)) -lt 100 ] && read -r _ _ _ _ kr_last < /proc/loadavg; do
    [ "$kr_last" != "$kr_pid" ] || return 0
    [ "$kr_last" -gt "$kr_pid" ] && [ $((kr_last - $$)) -le 400 ] || break
    while [ "$kr_pid" -lt "$kr_last" ]; do
      kr_pid=$((kr_pid + 1))
      [ -e "/proc/$kr_pid" ] && read -r kr_stat < "/proc/$kr_pid/stat" || continue
      case ${kr_stat##*) } in [!Z]*" $$ "*) return 1 ;; esac
    done
  done
  [ "$(pgrep -s $$)" = $$ ]
}

# Field 22 of stat, the 20th after the name: the time it began, in ticks since boot.
kr_read_begun() {
  shift 19
  kr_begun=$1
}

kr_register() {
  read -r kr_stat < /proc/$$/stat
  read -r kr_boot < /proc/sys/kernel/random/boot_id
  kr_read_up
  kr_up_begun=$kr_up
  printf '%-62s\n' 'not yet' > exit_code || return 1
  # shellcheck disable=SC2086
  kr_read_begun ${kr_stat##*) }
  printf '%s %s %s %s\n' $$ "$kr_begun" "$kr_boot" "${kr_at}000000" > pid
}

if ! kr_register 2>/dev/null; then
  echo "$kr_id/$kr_attempt disk-full"
  exit 1
fi
[ "$kr_limited" = 0 ] || kr_oom_before=$(kr_oom_kills)
if ! cd "$kr_workdir" 2>/dev/null; then
  : > env
  kr_record 126 0
  echo "$kr_id/$kr_attempt workdir"
  exit 1
fi
echo "$kr_id/$kr_attempt started"
exec >/dev/null 2>&1
# Who waits has heard enough.
[ "$PPID" = "$kr_starter" ] && kill -s TERM "$PPID"

# In the foreground: what a shell runs in the background ignores SIGINT for ever.
(
  unset OLDPWD
  set -- "$kr_dir/env" "$kr_cpus" "$kr_memory_node" "$@"
  # Secrets: read the file, then empty it, before anything else runs.
  . "$1"
  : > "$1"
  if [ -n "$2" ]; then
    kr_cpus=$2 kr_memory_node=$3
    shift 3
    if command -v numactl >/dev/null; then
      set -- numactl "--physcpubind=$kr_cpus" "--membind=$kr_memory_node" -- "$@"
    elif command -v taskset >/dev/null; then
      set -- taskset -c "$kr_cpus" "$@"
    fi
  else
    shift 3
  fi
  exec "$@"
) >>"$kr_dir/stdout.log" 2>>"$kr_dir/stderr.log"
kr_code=$?
cd "$kr_dir" || exit 1
# Emptied (which needs no space): from here on the processes of this session are helpers that must
# not be signalled; what is left of the work is ended below.
: > phase

kr_oom=0
kr_read_up
kr_tell_end() {
  kr_logs=
  for kr_log in stdout stderr; do
    if [ -s $kr_log.log ]; then kr_logs="$kr_logs $kr_log"; fi
  done
  for kr_fifo in "$kr_events"*; do
    # Opened for reading, too: opening for writing alone would wait for a reader.
    [ -p "$kr_fifo" ] &&
      printf 'exit %s/%s %s %s %s%s\n' "$kr_id" "$kr_attempt" "$kr_code" "$((kr_up - kr_up_begun))" "$kr_oom" "$kr_logs" 1<>"$kr_fifo"
  done
}
# Where no process can be made any more, the shell ends at the first that it needs: the end is recorded all
# the same.
kr_end_alone() {
  trap - EXIT
  kr_kill_each $$
  kr_record "$kr_code" "$kr_oom" && kr_tell_end
}
trap kr_end_alone EXIT
# What the work left running ends with it, as in a container.
kr_is_alone || setsid sh -c "$kr_kill_each
$kr_end_rest" sh $$ "$kr_list_rest"

[ "$kr_limited" = 0 ] || [ "$(kr_oom_kills)" = "$kr_oom_before" ] || kr_oom=1
kr_round=0
until kr_record "$kr_code" "$kr_oom"; do
  kr_round=$((kr_round + 1))
  [ $kr_round -lt 600 ] || break
  sleep 1
done
trap - EXIT
kr_tell_end
exit 0
