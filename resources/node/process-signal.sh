# Signals the processes of an attempt: $1 machine, $2 core, $3 task, $4 attempt, $5 signal without
# SIG, $6 whom: work (all but the wrapper, which still has to write the record) or all, $7 how many
# rounds (processes may be born while others are signalled). Without a run.sh there is no wrapper: the
# runner started the work, which leads its session.
# Prints one of: signalled COUNT, ended, missing, foreign.
dir=$HOME/.kohakuriver/$1/tasks/$3/$4
say() {
  echo "$1"
  exit 0
}
[ -f "$dir/meta" ] || say missing
read -r owner < "$dir/meta"
[ "$owner" = "core=$2" ] || say foreign
{ read -r _ _ _ oom _ < "$dir/exit_code"; } 2>/dev/null && [ -n "$oom" ] && say ended
{ read -r pid begun boot _ < "$dir/pid"; } 2>/dev/null || say ended
read -r this_boot < /proc/sys/kernel/random/boot_id
[ "$boot" = "$this_boot" ] || say ended
case $pid in '' | *[!0-9]*) say ended ;; esac
nth_20() {
  shift 19
  echo "$1"
}
# A number in use by another process means that the session is gone: as long as one member lives,
# Linux gives its number to nobody else.
frozen=
if { read -r stat < "/proc/$pid/stat"; } 2>/dev/null; then
  case ${stat##*) } in T*) frozen=1 ;; esac
  # shellcheck disable=SC2086
  [ "$(nth_20 ${stat##*) })" = "$begun" ] || say ended
fi
whom=$6
[ -f "$dir/run.sh" ] || whom=all
members() {
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$pid" -v whom="$1" '{
    pid = $1
    sub(/^.*\) /, "")
    if ($4 == session && $1 != "Z" && (whom == "all" || pid != session)) print pid
  }'
}
count=0
round=0
while [ $round -lt "$7" ]; do
  targets=$(members "$whom")
  [ -n "$targets" ] || break
  # Looked at after the list was made: an empty phase means that the wrapper's helpers may be in it.
  [ -s "$dir/phase" ] || [ ! -f "$dir/run.sh" ] || break
  for target in $targets; do
    kill -s "$5" "$target" 2>/dev/null && count=$((count + 1))
  done
  round=$((round + 1))
done
# What is frozen handles no signal, and a frozen wrapper writes no record.
case $frozen$5 in
  1STOP | 1CONT) ;;
  1*) for target in $(members all); do kill -s CONT "$target" 2>/dev/null; done ;;
esac
say "signalled $count"
