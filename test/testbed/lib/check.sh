# Can a testbed run here? One line per obstacle: "package NAME" for a missing Debian package, "reason TEXT" otherwise.

check() {
  local docker=1 found
  [ "${1:-}" = --no-docker ] && docker=0
  found=$(obstacles $docker | sort -u)
  [ -z "$found" ] && return 0
  echo "$found"
  return 1
}

obstacles() {
  local tool package type
  [ "$(uname -s)" = Linux ] || { echo "reason needs Linux"; return; }
  [ "$(id -u)" = 0 ] || { echo "reason needs root, for namespaces and mounts"; return; }
  while read -r tool package; do
    command -v "$tool" > /dev/null || echo "package $package"
  done < <(
    printf '%s\n' 'sshd openssh-server' 'ssh openssh-client' 'ip iproute2' 'tc iproute2' 'ebtables iptables' \
      'nsenter util-linux' 'runuser util-linux' 'mke2fs e2fsprogs' 'pgrep procps' 'curl curl'
    [ "$1" = 0 ] || printf '%s\n' 'dockerd docker.io' 'iptables iptables' 'busybox busybox-static' 'docker-registry docker-registry'
  )
  unshare --mount --net --uts --ipc --pid --cgroup --fork true 2>/dev/null || echo "reason may not make namespaces"
  grep -qw overlay /proc/filesystems || echo "reason the kernel has no overlayfs"
  mkdir -p "$BASE" 2>/dev/null || { echo "reason cannot write $BASE"; return; }
  type=$(stat -f -c %T "$BASE")
  case $type in
    ext2/ext3 | xfs | btrfs) ;;
    *) echo "reason $BASE is on $type; set KOHAKURIVER_TESTBED_DIR to a directory on ext4, xfs or btrfs" ;;
  esac
}
