#!/bin/bash
# First process of a node's namespaces, still seeing the host's tree: builds the node's own, then becomes its init.
# Given in the environment: HERE DIR NET ID NAME DOCKER CHECKOUT HIERARCHIES
set -eu
NODE=$DIR/$NAME
ROOT=$NODE/root
. "$HERE/lib/gpu.sh"

# The host's /proc is still mounted, so this is our pid as the host sees it, and when it started.
note_host_pid() {
  local stat pid
  read -r stat < /proc/self/stat
  pid=${stat%% *}
  set -- ${stat##*) }
  echo "$pid ${20}" > "$NODE/pid.new"
  mv "$NODE/pid.new" "$NODE/pid"
}

mount_root() {
  mount -t overlay "$ID-$NAME" -o "lowerdir=/,upperdir=$NODE/upper,workdir=$NODE/work" "$ROOT"
  mount -t proc proc "$ROOT/proc"
  # Per boot, so that who compares boot IDs notices a power cut (the kernel's own is the host's).
  mount --bind "$NODE/boot_id" "$ROOT/proc/sys/kernel/random/boot_id"
  mount -t sysfs sysfs "$ROOT/sys"
  mount -t tmpfs tmpfs "$ROOT/run" -o mode=755
  mkdir -p "$ROOT"/run/{sshd,lock,testbed,.old}
}

mount_dev() {
  local dev=$ROOT/dev name major minor
  mount -t tmpfs tmpfs "$dev" -o mode=755,nosuid
  mkdir -p "$dev"/{pts,shm,net,mqueue}
  while read -r name major minor; do
    mknod -m 666 "$dev/$name" c "$major" "$minor"
  done <<< 'null 1 3
zero 1 5
full 1 7
kmsg 1 11
random 1 8
urandom 1 9
tty 5 0
net/tun 10 200
fuse 10 229'
  [ ! -e /dev/kvm ] || mknod -m 666 "$dev/kvm" c 10 232
  ln -s pts/ptmx "$dev/ptmx"
  ln -s /proc/self/fd "$dev/fd"
  ln -s /proc/self/fd/0 "$dev/stdin"
  ln -s /proc/self/fd/1 "$dev/stdout"
  ln -s /proc/self/fd/2 "$dev/stderr"
  mount -t devpts devpts "$dev/pts" -o newinstance,ptmxmode=0666,mode=620,gid=5
  mount -t tmpfs tmpfs "$dev/shm"
}

mount_cgroups() {
  local top=$ROOT/sys/fs/cgroup each
  if [ -z "$HIERARCHIES" ]; then
    mount -t cgroup2 cgroup2 "$top"
    for each in $(cat "$top/cgroup.controllers"); do echo "+$each" > "$top/cgroup.subtree_control"; done
    return
  fi
  mount -t tmpfs cgroup "$top" -o mode=755
  for each in $HIERARCHIES; do
    mkdir "$top/$each"
    if [ "$each" = systemd ]; then each=none,name=systemd; fi
    mount -t cgroup -o "$each" cgroup "$top/${each##*=}"
  done
}

# Directories with the host's people's files, and the checkout, are empty on a node. A home full of the host's shell
# start-up files would also slow down each ssh command.
hide_host() {
  local top=/${CHECKOUT#/} each hidden
  top=/$(cut -d/ -f2 <<< "$top")
  case $top in
    /usr | /etc | /var | /opt | /srv | /mnt | /media) top=$CHECKOUT ;; # too much else lives under these
  esac
  for each in /tmp /var/tmp /root /home "$top"; do
    hidden=$NODE/hide$each
    if [ ! -d "$hidden" ]; then
      mkdir -p "$hidden"
      case $each in
        /tmp | /var/tmp) chmod 1777 "$hidden" ;;
        /root) chmod 700 "$hidden" && cp -a /etc/skel/. "$hidden/" ;;
        *) chmod 755 "$hidden" ;;
      esac
    fi
    [ ! -d "$ROOT$each" ] || mount --bind "$hidden" "$ROOT$each"
  done
}

mount_disks() {
  local path number
  while read -r number path; do
    mkdir -p "$ROOT$path"
    mount --bind "$NODE/disks/$number" "$ROOT$path"
  done < <(cat "$NODE/disks/list" 2>/dev/null)
}

add_user() { # NAME ID PASSWORD-HASH; no useradd, whose locking and caches cost a tenth of a second each
  local home=$ROOT/home/$1
  echo "$1:x:$2:$2::/home/$1:/bin/bash" >> "$ROOT/etc/passwd"
  echo "$1:$3:19700:0:99999:7:::" >> "$ROOT/etc/shadow"
  echo "$1:x:$2:" >> "$ROOT/etc/group"
  mkdir -p "$home"
  chmod 755 "$home"
  cp -a /etc/skel/. "$home/"
  [ "$1" = pw ] || authorize "$home"
  chown -R "$2:$2" "$home"
}

authorize() {
  mkdir -m 700 "$1/.ssh"
  cp "$DIR/id.pub" "$1/.ssh/authorized_keys"
  chmod 600 "$1/.ssh/authorized_keys"
}

# '*' is "no password", while '!' would be "locked" to an sshd without PAM. The hash is of the word "river".
add_users() {
  authorize "$ROOT/root"
  add_user ops 2001 '*'
  add_user plain 2002 '*'
  # shellcheck disable=SC2016
  add_user pw 2003 '$6$testbed$99L8iEesQ6XIuTwy1VF7818E4r3Xrdyey57qHXL/bK1GG4bxxM4m7USjGZ9rGakZvPR/5xiGk.WsPclmHPS5E0'
  grep -q '^docker:' "$ROOT/etc/group" || echo 'docker:x:998:' >> "$ROOT/etc/group"
  sed -i -e '/^docker:/s/[^:]$/&,/' -e '/^docker:/s/$/ops/' "$ROOT/etc/group"
}

configure_sshd() {
  local etc=$ROOT/etc/ssh
  rm -f "$etc"/ssh_host_*
  cp "$NODE/hostkey.pub" "$etc/ssh_host_ed25519_key.pub"
  install -m 600 "$NODE/hostkey" "$etc/ssh_host_ed25519_key"
  # Everything not named keeps OpenSSH's default, MaxSessions and MaxStartups above all.
  cat > "$etc/sshd_config" <<'CONFIG'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
AcceptEnv LANG LC_* TERM
Subsystem sftp /usr/lib/openssh/sftp-server
CONFIG
}

name_node() {
  local i
  echo "$NAME" > "$ROOT/etc/hostname"
  tr -d - < /proc/sys/kernel/random/uuid > "$ROOT/etc/machine-id"
  rm -f "$ROOT/etc/resolv.conf"
  : > "$ROOT/etc/resolv.conf"
  {
    echo '127.0.0.1 localhost'
    echo "$HOST_ADDRESS host"
    echo "$NET.2 registry"
    for i in {1..39}; do echo "$NET.$((10 + i)) n$i"; done
  } > "$ROOT/etc/hosts"
}

note_host_pid
hostname "$NAME"
mount_root
mount_dev
mount_cgroups
mkdir -p "$ROOT/var/lib/docker" "$ROOT/etc/testbed"
mount --bind "$NODE/docker" "$ROOT/var/lib/docker" # overlay2 cannot lie on an overlay
mount --bind "$NODE/etc" "$ROOT/etc/testbed"
hide_host
mount_disks
if [ ! -f "$NODE/named" ]; then
  name_node
  configure_sshd
  add_users
  touch "$NODE/named"
fi
install_gpu_tools "$ROOT"
install -m 755 "$HERE/node/init.sh" "$ROOT/run/testbed/init.sh"
cd "$ROOT"
pivot_root . run/.old
exec env -i "DOCKER=$DOCKER" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  chroot . /bin/bash /run/testbed/init.sh
