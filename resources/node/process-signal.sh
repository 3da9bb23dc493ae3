# Signals the processes of attempts: $1 machine, $2 core, then five words for each: task, attempt, signal
# without SIG, whom: work (all but the wrapper, which still has to write the record) or all, in how many
# rounds (processes may be born while others are signalled). Without a run.sh there is no wrapper: the
# runner started the work, which leads its session.
# Prints a line for each: a number, by their order from 1 on, and one of: signalled COUNT, ended, missing,
# foreign.
# All of /proc is read once for a round of all, since that costs more than the signals.
LC_ALL=C
core=$2
tasks=$HOME/.kohakuriver/$1/tasks
shift 2
cd "$tasks" 2>/dev/null || tasks=
read -r this_boot < /proc/sys/kernel/random/boot_id

# Sets `stat` to what /proc says of a process behind its name.
read_stat() {
  { read -r stat < "/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) }
}
has_begun() {
  shift 19
  [ "$1" = "$begun" ]
}
is_in() { [ "$5" = "$1" ]; }
set_group() { group=$3; }
is_in_group() { [ "$6" = "$1" ] && [ "$5" = "$2" ]; }
# Sets `answer` where there is nothing to signal, and otherwise `pid`, which is that of the session, too.
look() {
  answer=missing
  [ -n "$tasks" ] && [ -f "$1/meta" ] || return
  read -r owner < "$1/meta"
  answer=foreign
  [ "$owner" = "core=$core" ] || return
  answer=ended
  { read -r _ _ _ oom _ < "$1/exit_code"; } 2>/dev/null && [ -n "$oom" ] && return
  { read -r pid begun boot _ < "$1/pid"; } 2>/dev/null && [ "$boot" = "$this_boot" ] || return
  case $pid in '' | *[!0-9]*) return ;; esac
  # A number in use by another process means that the session is gone: as long as one member lives,
  # Linux gives its number to nobody else.
  stat=
  if read_stat "$pid"; then
    # shellcheck disable=SC2086
    has_begun $stat || return
  fi
  answer=
}
# Lines of six words for each: number, session, directory, signal, whom, rounds.
newline='
'
number=0 most=0 orders= frozen= held=
enter() {
  number=$((number + 1))
  whom=$4
  look "$1/$2"
  if [ -n "$answer" ]; then
    echo "$number $answer"
    return
  fi
  # Whose wrapper is gone, or has none.
  [ -f "$1/$2/run.sh" ] || whom=all
  case $stat in '' | Z*) whom=all ;; esac
  orders="$orders$number $pid $1/$2 $3 $whom $5$newline"
  [ "$5" -le "$most" ] || most=$5
  # What is frozen handles no signal, and a frozen wrapper writes no record.
  case $stat in
    T*) case $3 in STOP | CONT) ;; *) frozen="$frozen$number $pid $1/$2 CONT all 1$newline" ;; esac ;;
  esac
}
# Of the orders $1 that have a round $2: number, session, directory, signal, whom, process and its group,
# for each process; then a dash, which is missing where the list could not be made.
targets() {
  { printf '%s-\n' "$1"; exec cat /proc/[0-9]*/stat 2>/dev/null; } | awk -v round="$2" '
    is_past == 0 {
      if ($1 == "-") is_past = 1
      else if ($6 >= round) asked[$2] = asked[$2] " " NR
      whom[NR] = $5
      told[NR] = $1 " " $2 " " $3 " " $4 " " $5
      next
    }
    {
      pid = $1
      sub(/^.*\) /, "")
      is_listed = 1
      if (!($4 in asked) || $1 == "Z") next
      count = split(asked[$4], of, " ")
      for (i = 1; i <= count; i++) if (whom[of[i]] == "all" || pid != $4) print told[of[i]], pid, $3
    }
    END { if (is_listed) print "-" }'
}
# Its number may be that of another process by now.
send() {
  # shellcheck disable=SC2086
  read_stat "$6" && is_in "$2" $stat && kill -s "$4" "$6" 2>/dev/null
}
# A signal to a group gets past no fork: what is born meanwhile has it, too. One to a process after the
# other never catches up with work that forks faster than it can be listed.
# Not «-s STOP -- -1»: BusyBox takes the «--» for a number.
send_to_group() {
  case $groups in *" $1:$7 "*) return 0 ;; esac
  # shellcheck disable=SC2086
  read_stat "$6" && is_in_group "$2" "$7" $stat && kill "-$4" "-$7" 2>/dev/null || return
  groups="$groups$1:$7 "
}
reach() {
  case $4 in KILL | STOP | CONT) ;; *) set -- "$@" alone ;; esac
  # The wrapper is in the group of its session.
  [ "$5" = all ] || [ "$7" != "$2" ] || set -- "$@" alone
  if [ $# -gt 7 ]; then send "$@"; else send_to_group "$@"; fi
}
# Looked at after the list was made: an empty phase means that the wrapper's helpers may be in it.
signal() {
  [ "$4" = CONT ] || [ -s "$3/phase" ] || [ ! -f "$3/run.sh" ] || return
  reach "$@" || return
  reached=1
  eval "count_$1=\$((\${count_$1:-0} + 1))"
}
# The work that a wrapper is among cannot be killed by its group. That is held while its processes are
# listed and killed one by one, and goes on when there is nothing in it but the wrapper.
hold() {
  [ "$4 $5" = 'KILL work' ] && [ -s "$3/phase" ] || return
  # shellcheck disable=SC2086
  read_stat "$2" && is_in_group "$2" "$2" $stat || return
  held="$held $2"
  stop "$2"
  # The work may have ended before that.
  [ -s "$3/phase" ] || let_go "$2"
}
stop() { kill -STOP "-$1" 2>/dev/null; }
let_go() { kill -CONT "-$1" 2>/dev/null; }
# What `signal` does to all that is listed, for one order, without a list: the shell does it by itself.
signal_all() {
  for entry in /proc/[0-9]*; do
    pid=${entry#/proc/}
    # shellcheck disable=SC2086
    read_stat "$pid" && is_in "$2" $stat || continue
    case $stat in Z*) continue ;; esac
    [ "$5" = all ] || [ "$pid" != "$2" ] || continue
    # shellcheck disable=SC2086
    set_group $stat
    signal "$1" "$2" "$3" "$4" "$5" "$pid" "$group"
  done
}
tell() {
  eval "count=\${count_$1:-0}"
  echo "$1 signalled $count"
}
# Calls $1 for each so many words, $2, of the rest. It is given seven, however many there are: to pass on
# all that is left, each time, takes minutes where there are thousands.
each() {
  verb=$1 width=$2
  shift 2
  while [ $# -gt 0 ]; do
    "$verb" "$1" "$2" "$3" "$4" "$5" "$6" "$7"
    shift "$width"
  done
}
each enter 5 "$@"
[ -n "$orders" ] || exit 0
# Where no process can be made any more, as work that forks without end may have it, the shell ends at the
# list, or has none. Then, and when this is broken off, all is signalled without one. Nothing stays held.
is_over=
finish() {
  trap - EXIT
  if [ -z "$is_over" ]; then
    groups=' '
    # shellcheck disable=SC2086
    each signal_all 6 $orders
    # shellcheck disable=SC2086
    each thaw 6 $frozen
  fi
  # shellcheck disable=SC2086
  each let_go 1 $held
  # shellcheck disable=SC2086
  each tell 6 $orders
}
thaw() { let_go "$2"; }
# Sets `list`.
list() {
  groups=' '
  list=$(targets "$1" "$2")
  case $list in *-) list=${list%-} ;; *) exit 1 ;; esac
}
trap finish EXIT
trap 'exit 1' HUP INT PIPE TERM
# shellcheck disable=SC2086
each hold 6 $orders
round=1 reached=1
while [ -n "$reached" ] && [ "$round" -le "$most" ]; do
  reached=
  list "$orders" "$round"
  # The kernel lets a held group go on when a process was the last of it with a parent elsewhere in the session.
  # shellcheck disable=SC2086
  [ "$round" = 1 ] || each stop 1 $held
  # shellcheck disable=SC2086
  each signal 7 $list
  round=$((round + 1))
done
if [ -n "$frozen" ]; then
  list "$frozen" 1
  # shellcheck disable=SC2086
  each reach 7 $list
fi
is_over=1
exit 0
