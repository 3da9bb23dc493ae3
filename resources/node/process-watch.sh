# Tells the core at once what happens to its attempts: $1 machine, $2 core, $3 a word of its own.
# Prints: ready; exit TASK/ATTEMPT; size FILE BYTES (relative to tasks/).
# Reads: watch PAUSE FILE…, which replaces the files whose growth is told; PAUSE is the longest time
# in seconds between two looks. Ends when its input does.
set -f
umask 077
root=$HOME/.kohakuriver/$1
mkdir -p "$root/tasks" || exit 1
fifo=$root/events-$2-$3
# One core has one watcher on a node: older FIFOs belong to connections that are gone.
set +f
rm -f "$root/events-$2-"*
set -f
mkfifo "$fifo" || exit 1
exec 3<>"$fifo"
cd "$root/tasks" || exit 1
newline='
'

# A line is one write, so that lines of the two loops do not mix.
pass_on() {
  while IFS= read -r line <&3; do printf '%s\n' "$line"; done
}
tell_sizes() {
  longest=$1
  shift
  pause=0.2
  last=$newline
  while :; do
    now=$newline$(stat -c '%n %s' "$@" 2>/dev/null)$newline
    if [ "$now" = "$last" ]; then
      case $pause in 0.2) pause=0.4 ;; 0.4) pause=0.8 ;; *) pause=$longest ;; esac
    else
      pause=0.2
      IFS=$newline
      for line in $now; do
        case $last in *"$newline$line$newline"*) ;; *) printf 'size %s\n' "$line" ;; esac
      done
      unset IFS
      last=$now
    fi
    [ "$longest" = 0.2 ] && pause=0.2
    # Nobody is left to tell once the main loop is gone, however it went.
    kill -0 $$ 2>/dev/null || exit 0
    sleep "$pause" 2>/dev/null || sleep 1
  done
}

finish() {
  [ -z "$teller" ] || kill -KILL "$teller" 2>/dev/null
  kill -KILL "$passer" 2>/dev/null
  rm -f "$fifo"
  exit 0
}

teller=
pass_on </dev/null &
passer=$!
trap finish HUP INT TERM
echo ready
while read -r verb pause files; do
  [ "$verb" = watch ] || continue
  # KILL: a TERM that meets a shell just forked, before it has dropped our trap, would be lost.
  [ -z "$teller" ] || kill -KILL "$teller" 2>/dev/null
  teller=
  if [ -n "$files" ]; then
    # shellcheck disable=SC2086
    tell_sizes "$pause" $files </dev/null &
    teller=$!
  fi
done
finish
