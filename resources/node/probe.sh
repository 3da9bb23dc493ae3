# What a node is, in one go: sections `@name`, each line of their bodies behind a `|`.
# POSIX sh with what dash and busybox offer. Anything that could hang runs in the background with a
# deadline of its own, and nothing waits for a process that cannot be killed.
# $1: seconds the vendor tools may take (default 10).
set -u
LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/rocm/bin:/usr/lib/wsl/lib:/snap/bin
export LC_ALL PATH
umask 077
limit=${1:-10}

section() { printf '@%s\n' "$1"; }
lines() { sed -e 's/^/|/' 2>/dev/null; }
line() { printf '|%s\n' "$1"; }
file() { [ -r "$1" ] && head -n "${2:-50}" "$1" 2>/dev/null | cut -c 1-400 | lines; }
has() { command -v "$1" >/dev/null 2>&1; }
yes_if() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
nap() { sleep 0.1 2>/dev/null || sleep 1; }

# A private directory for answers that may never come; memory first, since disks may be full.
scratch=''
for place in /dev/shm "${XDG_RUNTIME_DIR:-/dev/shm}" "${TMPDIR:-/tmp}" /tmp "${HOME:-/tmp}"; do
  if mkdir "$place/kohakuriver-probe-$$" 2>/dev/null; then
    scratch=$place/kohakuriver-probe-$$
    break
  fi
done
if [ -n "$scratch" ]; then
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 143' HUP INT TERM PIPE
  # What a killed probe left behind. Old ones of this user only: others may be at work.
  find "${scratch%/*}" -maxdepth 1 -name 'kohakuriver-probe-*' -user "$(id -u)" -mmin +60 -exec rm -rf {} + 2>/dev/null
fi

# ask NAME CMD...: starts it aside; its output goes to a file, and its exit code when it ends.
ask() {
  [ -n "$scratch" ] || return 0
  name=$1
  shift
  (
    "$@" >"$scratch/$name.out" 2>&1 </dev/null &
    echo $! >"$scratch/$name.pid"
    wait $!
    echo $? >"$scratch/$name.code"
  ) >/dev/null 2>&1 </dev/null &
}

# answer NAME TENTHS: prints `|code N` (or `timeout`, `unavailable`) and the output; waits at most so long.
answer() {
  if [ -z "$scratch" ]; then
    line 'code unavailable'
    return
  fi
  waited=0
  while [ ! -s "$scratch/$1.code" ] && [ $waited -lt "$2" ]; do
    nap
    waited=$((waited + 1))
  done
  if [ -s "$scratch/$1.code" ]; then
    read -r code <"$scratch/$1.code"
  else
    code=timeout
    read -r stuck <"$scratch/$1.pid" && kill -9 "$stuck" 2>/dev/null
  fi
  line "code $code"
  [ "$code" = timeout ] || file "$scratch/$1.out" 400
}

gpu_fields=index,uuid,name,memory.total,pci.bus_id,driver_version
# Where there is `timeout`, what hangs is ended by it; else it is left behind when it cannot be killed.
within_limit() {
  if has timeout; then timeout -s KILL "$limit" "$@"; else "$@"; fi
}
query_nvidia() {
  within_limit nvidia-smi --query-gpu=$gpu_fields,mig.mode.current,ecc.errors.uncorrected.volatile.total --format=csv,noheader,nounits &&
    return
  code=$?
  # Drivers from before MIG refuse fields they do not know with 2.
  [ $code = 2 ] || return $code
  echo retry
  within_limit nvidia-smi --query-gpu=$gpu_fields --format=csv,noheader,nounits
}
name_amd() {
  if has amd-smi; then within_limit amd-smi static --asic --bus --json; else within_limit rocm-smi --showproductname --showbus --json; fi
}
try_scope() {
  if [ "$(id -u)" = 0 ]; then
    systemd-run --quiet --scope -p MemoryMax=1G true
  else
    XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} systemd-run --user --quiet --scope -p MemoryMax=1G true
  fi
}
# Faults the NVIDIA driver reported since the boot; not every user may read the kernel's log.
read_xids() { dmesg 2>/dev/null | grep -e 'NVRM: Xid' | tail -n 5; }
disk_of() {
  path=$1
  while [ ! -e "$path" ] && [ "$path" != / ]; do path=$(dirname "$path"); done
  df -Pk "$path" | tail -n 1
}
read_qemu() {
  for tool in qemu-system-x86_64 qemu-system-aarch64 /usr/libexec/qemu-kvm; do
    if has "$tool"; then
      "$tool" --version | head -n 1
      return
    fi
  done
  return 127
}

system=$(uname -s)
user=$(id -un 2>/dev/null || echo "${USER:-unknown}")
has nvidia-smi && ask nvidia query_nvidia
{ has amd-smi || has rocm-smi; } && ask amd name_amd
[ -d /run/systemd/system ] && has systemd-run && ask scope try_scope
ask qemu read_qemu
ask xid read_xids
# A dead network file system blocks whoever asks for its free space.
ask home-disk disk_of "${HOME:-/}"
ask docker-disk disk_of /var/lib/docker

section uname
line "$system"
line "$(uname -r)"
line "$(uname -m)"
section os
file /etc/os-release 40 || file /usr/lib/os-release 40
has sw_vers && line "PRETTY_NAME=macOS $(sw_vers -productVersion)"
section host
line "hostname $(uname -n)"
line "user $user"
line "uid $(id -u)"
line "home ${HOME:-/}"
line "groups $(id -Gn 2>/dev/null)"
section machine-id
file /etc/machine-id 1 || file /var/lib/dbus/machine-id 1
section boot-id
file /proc/sys/kernel/random/boot_id 1

section cores
line "$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo)"
section cpu-model
if [ -r /proc/cpuinfo ]; then
  sed -n -e '/^model name/{' -e 's/^[^:]*: */|/p' -e q -e '}' /proc/cpuinfo
  [ -r /proc/device-tree/model ] && line "$(tr -d '\000' </proc/device-tree/model)"
else
  line "$(sysctl -n machdep.cpu.brand_string 2>/dev/null)"
fi
section memory
if [ -r /proc/meminfo ]; then
  sed -n -e 's/^MemTotal:/|&/p' /proc/meminfo
else
  line "MemTotal: $(($(sysctl -n hw.memsize 2>/dev/null || echo 0) / 1024)) kB"
fi
section numa
for dir in /sys/devices/system/node/node[0-9]*; do
  [ -r "$dir/cpulist" ] || continue
  # Not `read`: these files may not be read a byte at a time.
  line "${dir##*/node} $(sed -n -e 's/^Node.*MemTotal: *\([0-9]*\).*/\1/p' "$dir/meminfo") $(cat "$dir/cpulist")"
done

# Display controllers and accelerators, whether a driver drives them or not.
section pci
for dir in /sys/bus/pci/devices/*; do
  [ -r "$dir/class" ] || continue
  read -r class <"$dir/class"
  case $class in 0x03* | 0x12*) ;; *) continue ;; esac
  vendor='' numa=''
  read -r vendor <"$dir/vendor"
  read -r numa <"$dir/numa_node"
  line "${dir##*/} $vendor $class ${numa:--1}"
done 2>/dev/null
section amd-sysfs
for dir in /sys/class/drm/card[0-9]*/device; do
  [ -r "$dir/mem_info_vram_total" ] && [ -e /dev/kfd ] || continue
  id='' name='' vram='' model=''
  read -r vram <"$dir/mem_info_vram_total"
  read -r id <"$dir/unique_id"
  read -r name <"$dir/product_name"
  read -r model <"$dir/device"
  address=$(readlink -f "$dir")
  line "${address##*/} ${vram:-0} ${id:--} ${model:--} $name"
done 2>/dev/null
section amd-driver
file /sys/module/amdgpu/version 1

section docker
line "cli $(yes_if has docker)"
line "podman $(yes_if has podman)"
for socket in /var/run/docker.sock "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock"; do
  [ -S "$socket" ] || continue
  if [ -r "$socket" ] && [ -w "$socket" ]; then access=usable; else access=denied; fi
  line "socket $access $socket"
done
line "group $(yes_if grep -q '^docker:' /etc/group)"
line "toolkit $(if has nvidia-ctk || has nvidia-container-cli || has nvidia-container-runtime-hook; then echo yes; else echo no; fi)"
section kvm
line "there $(yes_if test -e /dev/kvm)"
line "usable $(if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then echo yes; else echo no; fi)"
set -- /sys/kernel/iommu_groups/[0-9]*
[ -e "$1" ] && line "iommu-groups $#"
section process
line "setsid $(yes_if has setsid)"
line "systemd $(yes_if test -d /run/systemd/system)"
line "linger $(yes_if test -e "/var/lib/systemd/linger/$user")"
section sshd
cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null |
  sed -n -e 's/^[[:space:]]*\([Mm]ax[SsAa][a-z]*[[:space:]].*\)$/|\1/p' | head -n 10
section disk
line "home $(answer home-disk 30 | tr '\n' ' ')"
line "docker $(answer docker-disk 30 | tr '\n' ' ')"

section qemu
answer qemu 30
[ -d /run/systemd/system ] && has systemd-run && section scope && answer scope 30
section xid
answer xid 20
if has nvidia-smi; then
  section nvidia
  answer nvidia $((limit * 10 + 10))
fi
if has amd-smi || has rocm-smi; then
  section amd-names
  answer amd $((limit * 10))
fi
# Last, so that it is as near as possible to when it arrives.
section clock
line "$(date +%s.%N 2>/dev/null)"
section end
