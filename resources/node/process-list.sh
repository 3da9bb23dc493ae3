# Tells about attempts: $1 machine, $2 all or TASK/ATTEMPT.
# Lines: root DIR; boot ID SECONDS; now SECONDS; proc TASK/ATTEMPT STATE BEGUN (or: gone MEMBERS);
# wait TASK/ATTEMPT SECONDS (launched then, no process yet); launched TASK/ATTEMPT; then the small files as PATH:LINE.
root=$HOME/.kohakuriver/$1
echo "root $root"
read -r boot < /proc/sys/kernel/random/boot_id
while read -r key value; do
  case $key in btime) echo "boot $boot $value" ;; esac
done < /proc/stat
echo "now $(date +%s)"
cd "$root/tasks" 2>/dev/null || exit 0

state_and_begun() {
  echo "$1 ${20}"
}
members() {
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$1" '{
    sub(/^.*\) /, "")
    if ($4 == session && $1 != "Z") count++
  }
  END { print count + 0 }'
}
look() {
  [ -d "$1/launched" ] || return
  echo "launched $1"
  [ -f "$1/exit_code" ] && return
  if ! { read -r pid _ < "$1/pid"; } 2>/dev/null; then
    echo "wait $1 $(stat -c %Y "$1/launched")"
    return
  fi
  case $pid in '' | *[!0-9]*) return ;; esac
  if { read -r stat < "/proc/$pid/stat"; } 2>/dev/null; then
    # shellcheck disable=SC2086
    echo "proc $1 $(state_and_begun ${stat##*) })"
  else
    echo "proc $1 gone $(members "$pid")"
  fi
}
if [ "$2" = all ]; then
  set --
  for entry in [0-9]*/[0-9]*; do
    # Kept and half removed ones have a suffix.
    case $entry in *[!0-9/]*) ;; *) set -- "$@" "$entry" ;; esac
  done
elif [ -d "$2" ]; then
  set -- "$2"
else
  set -- "$2.kept"
fi
# Processes first, records after: what is gone now has written its record before.
for entry; do look "$entry"; done
for entry; do
  for file in meta pid exit_code; do
    [ -f "$entry/$file" ] && printf '%s\0' "$entry/$file"
  done
done | xargs -0 grep -sH ''
exit 0
