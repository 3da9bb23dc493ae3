# The busiest processes of a node, a line each: pid, user, %cpu, resident KiB, elapsed time, command.
# POSIX sh; busybox's ps knows neither %cpu nor rss in KiB and is read for what it has.
# $1: how many lines at most.
set -u
LC_ALL=C
export LC_ALL
printf '@processes\n'
if ps -e -o pid= -o user= -o pcpu= -o rss= -o etime= -o args= >/dev/null 2>&1; then
  ps -e -o pid= -o user= -o pcpu= -o rss= -o etime= -o args= |
    sort -k 3,3nr -k 4,4nr | head -n "$1" | cut -c 1-1200 | sed -e 's/^/|/'
else
  ps -o pid,user,rss,args | sed -e 1d | head -n "$1" |
    while read -r pid user memory command; do
      case $memory in
        *m) memory=${memory%m} memory=$((${memory%%.*} * 1024)) ;;
        *g) memory=${memory%g} memory=$((${memory%%.*} * 1048576)) ;;
      esac
      printf '|%s %s 0 %s - %s\n' "$pid" "$user" "$memory" "$command"
    done
fi
printf '@end\n'
