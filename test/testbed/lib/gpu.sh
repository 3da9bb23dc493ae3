# The scripted GPUs of a node: /etc/testbed/gpus says what they are, usr/bin/nvidia-smi answers from it.

# install_gpu_tools ROOT: puts the tools of a GPU machine on a node's tree, or takes them away.
install_gpu_tools() {
  local gpus=$1/etc/testbed/gpus
  [ -f "$gpus" ] || return 0
  install -m 755 "$HERE/gpu/nvidia-container-runtime-hook" "$1/usr/bin/nvidia-container-runtime-hook"
  install -D -m 644 "$HERE/gpu/nvidia-smi.awk" "$1/usr/share/testbed/nvidia-smi.awk"
  if grep -q '^fault *= *missing' "$gpus"; then
    rm -f "$1/usr/bin/nvidia-smi"
  else
    install -m 755 "$HERE/gpu/nvidia-smi" "$1/usr/bin/nvidia-smi.new"
    mv "$1/usr/bin/nvidia-smi.new" "$1/usr/bin/nvidia-smi"
  fi
}

write_gpus() { # NODE FILE; by rename, since nvidia-smi may be reading
  if [ "$2" = none ]; then
    rm -f "$DIR/$1/etc/gpus" "$DIR/$1/etc/gpu-processes"
    return
  fi
  cat -- "$2" > "$DIR/$1/etc/gpus.new" && mv "$DIR/$1/etc/gpus.new" "$DIR/$1/etc/gpus"
}

do_gpus() {
  local name pid root had_hook=1
  name=$(node_name "$1") || return 1
  write_gpus "$name" "$2" || return 1
  pid=$(node_pid "$name") || return 0
  root=/proc/$pid/root
  [ -e "$root/usr/bin/nvidia-container-runtime-hook" ] || had_hook=0
  if [ "$2" = none ]; then
    rm -f "$root/usr/bin/nvidia-smi" "$root/usr/bin/nvidia-container-runtime-hook"
  else
    install_gpu_tools "$root"
  fi
  # The Engine looks for the hook only when it starts.
  if [ "$(cat "$DIR/docker")" = 1 ] && { [ $had_hook = 0 ] || [ "$2" = none ]; }; then
    do_dockerd "$name" stop && do_dockerd "$name" start
  fi
}

# A process of someone else that holds GPU memory: a real process of that user, listed for as long as it lives.
do_occupy() {
  local name user=$2 gpu=$3 mib=$4 title=${5:-/usr/bin/python3} pid
  name=$(running_node "$1") || return 1
  # shellcheck disable=SC2016
  pid=$(node_run -u "$user" "$name" setsid sh -c \
    'bash -c "exec -a \"\$1\" sleep infinity" bash "$1" < /dev/null > /dev/null 2>&1 & echo $!' sh "$title") || return 1
  printf '[process]\ngpu = %s\npid = %s\nname = %s\nused_memory = %s\nwhile_running = yes\n' \
    "$gpu" "$pid" "$title" "$mib" >> "$DIR/$name/etc/gpu-processes"
  echo "$pid"
}
