# How a node is doing, for as long as somebody listens: a frame `@tick … @end` per interval on
# standard output, and one `@gpu … @end` per answer of nvidia-smi on standard error, so that a slow
# or hanging nvidia-smi never delays the rest. Bodies of sections stand behind a `|`.
# POSIX sh with what dash and busybox offer.
# $1: seconds between two frames; $2: `fast` to begin with one a second. Lines on standard input: `fast` (every second) and `slow` (as
# given). The end of standard input, which a dropped link brings about, ends everything.
set -u
LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/opt/rocm/bin:/usr/lib/wsl/lib
export LC_ALL PATH
slow=${1:-5}
interval=$slow
[ "${2:-}" != fast ] || interval=1
main=$$
sleeper=''

# Sleeps, unless USR1 (fast) or USR2 (slow) comes. Ends the loop when the listener is gone.
pause() {
  kill -0 "$main" 2>/dev/null || exit 0
  sleep "$interval" </dev/null >/dev/null 2>&1 &
  sleeper=$!
  wait "$sleeper"
  kill "$sleeper" 2>/dev/null
}
listen() {
  trap 'interval=1' USR1
  trap 'interval=$slow' USR2
  trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
}

temperatures() {
  for dir in /sys/class/hwmon/hwmon*; do
    kind=''
    read -r kind <"$dir/name"
    case $kind in coretemp | k10temp | zenpower | cpu_thermal | acpitz) ;; *) continue ;; esac
    for input in "$dir"/temp*_input; do
      degrees=''
      read -r degrees <"$input" && printf '|%s %s\n' "$kind" "$degrees"
    done
  done 2>/dev/null
}
amd_gpus() {
  for dir in /sys/class/drm/card[0-9]*/device; do
    [ -r "$dir/mem_info_vram_used" ] && [ -e /dev/kfd ] || continue
    address=$(readlink -f "$dir")
    printf '|%s %s %s' "${address##*/}" "$(cat "$dir/mem_info_vram_used")" "$(cat "$dir/gpu_busy_percent" || echo -)"
    for name in temp1_input power1_average power1_cap pwm1; do
      value=-
      for input in "$dir"/hwmon/hwmon*/$name; do [ -r "$input" ] && value=$(cat "$input"); done
      printf ' %s' "${value:--}"
    done
    printf '\n'
  done 2>/dev/null
}

# What the kernel keeps, by one program: each one more would cost the node more than reading does.
# Interrupt counters, virtual interfaces and loop devices are left out here already: on large machines they
# are most of the bytes. A file that is not there is an empty section.
kernel() {
  awk '
    function show(section, file, keep, drop,    line) {
      print "@" section
      while ((getline line < file) > 0)
        if (line ~ keep && (drop == "" || line !~ drop)) print "|" line
    }
    BEGIN {
      show("uptime", "/proc/uptime", ".")
      show("stat", "/proc/stat", "^cpu")
      show("meminfo", "/proc/meminfo", "^(MemTotal|MemFree|MemAvailable|Cached|SwapTotal|SwapFree):")
      show("loadavg", "/proc/loadavg", ".")
      show("diskstats", "/proc/diskstats", ".", " (loop|ram)[0-9]")
      show("net", "/proc/net/dev", ":", "^ *(lo|br-[^:]*|veth[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]+):")
    }' </dev/null
}
tick() {
  printf '@tick\n' || exit 0
  kernel
  printf '@temperatures\n'
  temperatures
  # Free space changes slowly. Only where Docker keeps its data (or the root): a home may lie on a
  # dead network file system, and asking that would block.
  if [ $((ticks % 12)) = 0 ]; then
    printf '@disk\n'
    df -Pk "$data" | awk 'NR == 2 { print "|" $0 }'
  fi
  ticks=$((ticks + 1))
  printf '@end\n' || exit 0
}

# Who owns a process on a GPU, and in which container it runs.
process_owners() {
  printf '@owners\n'
  for pid in $1; do
    [ -d "/proc/$pid" ] || continue
    owner=$(ls -ld "/proc/$pid" 2>/dev/null) || continue
    # shellcheck disable=SC2086 # split into its fields
    set -- $owner
    group=''
    while read -r entry; do
      case $entry in *docker* | *libpod* | *kubepods*) group=$entry ;; esac
    done <"/proc/$pid/cgroup"
    printf '|%s %s %s\n' "$pid" "${3:--}" "${group:--}"
  done 2>/dev/null
}
# The first lines of what a tool said, as the body of a section.
body() { printf '%s\n' "$2" | awk -v most="$1" 'NR <= most { print "|" substr($0, 1, 300) }'; }
# Of the processes that compute, each once.
pids_of() {
  printf '%s\n' "$1" | awk -F , '
    { pid = $2; gsub(/ /, "", pid) }
    NF > 2 && pid ~ /^[0-9]+$/ && length(pid) < 10 && !(pid in seen) && found < 64 {
      seen[pid] = 1
      found++
      print pid
    }'
}
gpus() {
  cards=$(smi --query-gpu=uuid,utilization.gpu,memory.used,temperature.gpu,power.draw,power.limit,fan.speed,ecc.errors.uncorrected.volatile.total --format=csv,noheader,nounits 2>&1 </dev/null)
  code=$?
  apps='' owners='@owners'
  [ $code != 0 ] ||
    apps=$(smi --query-compute-apps=gpu_uuid,pid,used_memory,process_name --format=csv,noheader,nounits 2>/dev/null </dev/null)
  [ -z "$apps" ] || owners=$(process_owners "$(pids_of "$apps")")
  printf '@gpu\n@nvidia\n|code %s\n%s\n@apps\n%s\n%s\n@amd\n%s\n@end\n' "$code" \
    "$(body 80 "$cards")" "$(body 400 "$apps")" "$owners" "$(amd_gpus)" >&3 || exit 0
}

# With `timeout`, a nvidia-smi that hangs is ended; one that cannot be ended holds up only its loop.
if command -v nvidia-smi >/dev/null 2>&1; then
  if command -v timeout >/dev/null 2>&1; then
    smi() { timeout -s KILL 10 nvidia-smi "$@"; }
  else
    smi() { nvidia-smi "$@"; }
  fi
else
  smi() { return 127; }
fi
data=/var/lib/docker
[ -e "$data" ] || data=/
ticks=0
loops=''

if command -v nvidia-smi >/dev/null 2>&1 || [ -e /dev/kfd ]; then
  (
    listen
    # The errors of the shell itself must not get between the frames.
    exec 3>&2 2>/dev/null
    while :; do
      gpus
      pause
    done
  ) </dev/null >/dev/null &
  loops=$!
fi
(
  listen
  exec 2>/dev/null
  # Rates take two frames: the second one soon, so that there is something to show.
  tick
  sleep 1
  while :; do
    tick
    pause
  done
) </dev/null &
loops="$loops $!"
exec >/dev/null 2>&1

while read -r order; do
  case $order in
    fast) signal=USR1 ;;
    slow) signal=USR2 ;;
    *) continue ;;
  esac
  for loop in $loops; do kill -$signal "$loop"; done
done
for loop in $loops; do kill -TERM "$loop"; done
