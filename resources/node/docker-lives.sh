# Since when this node and its Docker Engine are up, by the node's own clock: «node SECONDS» and
# «engine SECONDS» since the epoch. A line that cannot be known is left out.
now=$(date +%s)
{ read -r up _ < /proc/uptime; } 2>/dev/null || exit 0
up=${up%.*}
hz=$(getconf CLK_TCK 2>/dev/null || echo 100)
# Field 22 of stat: ticks between the boot of the kernel and the start of the process.
since() {
  { read -r stat < "/proc/$2/stat"; } 2>/dev/null || return
  # shellcheck disable=SC2086
  set -- "$1" ${stat##*) }
  echo "$1 $((now - up + ${21} / hz))"
}
# Its first process, not the kernel: a node that is itself a container restarts without one.
since node 1 || echo "node $((now - up))"
for file in /run/docker.pid /var/run/docker.pid "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.pid"; do
  { read -r pid || [ -n "$pid" ]; } 2>/dev/null < "$file" || continue
  since engine "$pid" && break
done
exit 0
