# Tells about attempts: $1 machine, then all, or TASK/ATTEMPT of each. Starts no other program for a single one.
# Lines: root DIR; boot ID UPTIME; launched TASK/ATTEMPT; proc TASK/ATTEMPT STATE BEGUN (or: gone
# MEMBERS); wait TASK/ATTEMPT AGE (launched so long ago, no process yet; seconds); then the small
# files as PATH:LINE.
root=$HOME/.kohakuriver/$1
if ! cd "$root/tasks" 2>/dev/null; then
  # A home that cannot be read just now (a stale mount) is not one without attempts.
  case $(LC_ALL=C ls -d "$root/tasks" 2>&1) in
    *'No such file'*) set -- "$1" nothing ;;
    # Or it was made just now.
    *) cd "$root/tasks" 2>/dev/null || exit 1 ;;
  esac
fi
echo "root $root"
read -r boot < /proc/sys/kernel/random/boot_id
read -r up _ < /proc/uptime
echo "boot $boot ${up%.*}"
[ "$2" != nothing ] || exit 0

say_state() {
  path=$1
  shift
  echo "proc $path $1 ${20}"
}
# How much of each session in $gone lives, which are PATH:NUMBER: all of /proc is read once for all.
members() {
  # shellcheck disable=SC2086
  { printf '%s\n' $gone; cat /proc/[0-9]*/stat 2>/dev/null; } | awk '
    NF == 1 {
      colon = index($1, ":")
      session[$1] = substr($1, colon + 1)
      path[$1] = substr($1, 1, colon - 1)
      next
    }
    {
      sub(/^.*\) /, "")
      if ($1 != "Z") count[$4]++
    }
    END { for (one in session) print "proc", path[one], "gone", count[session[one]] + 0 }'
}
gone=
look() {
  [ -e "$1/launched" ] || return
  echo "launched $1"
  { read -r _ _ _ oom _ < "$1/exit_code"; } 2>/dev/null && [ -n "$oom" ] && return
  { read -r pid _ < "$1/pid"; } 2>/dev/null || pid=
  case $pid in
    '' | *[!0-9]*)
      echo "wait $1 $(($(date +%s) - $(stat -c %Y "$1/launched")))"
      return
      ;;
  esac
  if { read -r stat < "/proc/$pid/stat"; } 2>/dev/null; then
    # shellcheck disable=SC2086
    case ${stat##*) } in
      # Whoever waited for it is gone, and process 1 of a container may wait for nobody.
      'Z 1 '*) ;;
      *)
        say_state "$1" ${stat##*) }
        return
        ;;
    esac
  fi
  gone="$gone $1:$pid"
}
if [ "$2" = all ]; then
  set --
  for entry in [0-9]*/[0-9]*; do
    # Kept and half removed ones have a suffix.
    case $entry in *[!0-9/]*) ;; *) set -- "$@" "$entry" ;; esac
  done
else
  shift
  for entry; do
    [ -d "$entry" ] || entry=$entry.kept
    set -- "$@" "$entry"
    shift
  done
fi
# Processes first, records after: what is gone now has written its record before.
for entry; do look "$entry"; done
[ -z "$gone" ] || members
if [ $# -le 2 ]; then
  for entry; do
    for file in meta pid exit_code; do
      [ -f "$entry/$file" ] || continue
      while IFS= read -r line; do printf "%s\n" "$entry/$file:$line"; done < "$entry/$file"
    done
  done 2>/dev/null
  exit 0
fi
for entry; do
  for file in meta pid exit_code; do
    [ -f "$entry/$file" ] && printf '%s\0' "$entry/$file"
  done
done | xargs -0 grep -sH ''
exit 0
