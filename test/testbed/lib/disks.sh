# Small disks: a file with an ext4 file system for one directory of a node, so that it can run full for real.
# It is mounted on the host and bound into the node: a power cut then never leaves it mounted twice.

make_disk() { # NODE PATH=SIZE
  local name path=${2%%=*} size=${2#*=} dir number image
  name=$(node_name "$1") || return 1
  dir=$DIR/$name/disks
  [ -d "$dir" ] || { say "no node $name"; return 1; }
  touch "$dir/list"
  number=$(($(wc -l < "$dir/list") + 1))
  image=$dir/$number.img
  truncate -s "$size" "$image" && mke2fs -q -t ext4 -m 0 "$image" && mkdir "$dir/$number" &&
    mount -o loop "$image" "$dir/$number" || { say "could not make a disk of $size for $path"; return 1; }
  rmdir "$dir/$number/lost+found"
  chmod 755 "$dir/$number"
  echo "$number $path" >> "$dir/list"
}

unmount_disks() {
  local number path
  while read -r number path; do
    wait_until 10 umount "$DIR/$1/disks/$number" 2>/dev/null || say "could not unmount $path of $1"
  done < <(cat "$DIR/$1/disks/list" 2>/dev/null)
  return 0
}

# The disk that holds PATH; refuses a path on the host's own disk.
disk_of() { # NODE PATH
  local number path
  while read -r number path; do
    case $2/ in "$path"/*) echo "$DIR/$1/disks/$number"; return 0 ;; esac
  done < <(cat "$DIR/$1/disks/list" 2>/dev/null)
  say "$2 of $1 is on no disk of its own (see: up --disk)"
  return 1
}

do_fill() {
  local name disk
  name=$(node_name "$1") && disk=$(disk_of "$name" "$2") || return 1
  dd if=/dev/zero of="$disk/.testbed-fill" bs=1M status=none 2>/dev/null
  dd if=/dev/zero of="$disk/.testbed-fill" bs=512 oflag=append conv=notrunc status=none 2>/dev/null # the last partial block
  sync -f "$disk"
  [ "$(stat -f -c %a "$disk")" -le 1 ]
}

do_free() {
  local name disk
  name=$(node_name "$1") && disk=$(disk_of "$name" "$2") || return 1
  rm -f "$disk/.testbed-fill"
}
