# Images made on this machine and a registry that serves them, so that pulls are real without leaving the machine.
#
#   river/busybox:1   busybox and its applets           river/big:1   the same and 50 MB that do not compress
#   river/vps:1       the same, bash, an sshd, rsync, git and Perl without modules
# Layers and manifests are written by hand (image manifest v2, schema 2): no Engine has to run for it, and they are
# kept between beds, by what they are made from.

IMAGE_NAMES='river/busybox river/big river/vps'

digest() { sha256sum "$1" | cut -d' ' -f1; }

# make_layer NAME ROOT: DIR of the layer is $IMAGE_CACHE/layers/NAME with layer.tar.gz, diff_id and digest.
make_layer() {
  local dir=$IMAGE_CACHE/layers/$1
  mkdir -p "$dir" || return 1
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$2" -cf "$dir/layer.tar" . || return 1
  digest "$dir/layer.tar" > "$dir/diff_id"
  gzip -n -1 -c "$dir/layer.tar" > "$dir/layer.tar.gz" && rm "$dir/layer.tar"
  digest "$dir/layer.tar.gz" > "$dir/digest"
}

busybox_root() {
  local applet
  mkdir -p "$1"/{bin,etc,home,root,tmp,usr/bin,var,run,proc,sys,dev}
  chmod 1777 "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  for applet in $(busybox --list | grep -vx busybox); do ln -sf busybox "$1/bin/$applet"; done
  echo 'root:x:0:0:root:/root:/bin/sh' > "$1/etc/passwd"
  echo 'root:x:0:' > "$1/etc/group"
}

# bash, sshd and what works over SSH of this machine, with the libraries they ask for.
vps_root() {
  local program file
  mkdir -p "$1"/{bin,etc/ssh,run/sshd,root/.ssh,usr/sbin,usr/bin,usr/lib/openssh}
  for program in /bin/bash /usr/sbin/sshd /usr/bin/ssh-keygen /usr/lib/openssh/sftp-server /usr/bin/rsync /usr/bin/git /usr/bin/perl; do
    cp "$program" "$1$program" || return 1
    for file in $(ldd "$program" | grep -o '/[^ ]*'); do
      mkdir -p "$1$(dirname "$file")" && cp -Ln "$file" "$1$file"
    done
  done
  for program in git-receive-pack git-upload-pack; do ln -sf git "$1/usr/bin/$program"; done
  chmod 700 "$1/root/.ssh"
  printf '%s\n' 'root:x:0:0:root:/root:/bin/bash' 'sshd:x:100:65534::/run/sshd:/bin/false' > "$1/etc/passwd"
  printf '%s\n' 'root:*:19700:0:99999:7:::' 'sshd:!:19700::::::' > "$1/etc/shadow"
  printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' > "$1/etc/group"
  printf '%s\n' 'UsePAM no' 'PermitRootLogin yes' 'Subsystem sftp /usr/lib/openssh/sftp-server' > "$1/etc/ssh/sshd_config"
}

big_root() { mkdir -p "$1" && head -c 50M /dev/urandom > "$1/ballast"; }

# make_image NAME LAYER...
make_image() {
  local dir=$IMAGE_CACHE/$1 layer ids='' layers='' at
  shift
  mkdir -p "$dir" || return 1
  for layer in "$@"; do
    at=$IMAGE_CACHE/layers/$layer
    ids+=",\"sha256:$(cat "$at/diff_id")\""
    layers+=",{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":$(stat -c %s "$at/layer.tar.gz"),\"digest\":\"sha256:$(cat "$at/digest")\"}"
  done
  cat > "$dir/config.json" <<JSON
{"architecture":"$(image_arch)","os":"linux","created":"2024-01-01T00:00:00Z","config":{"Env":["PATH=$NODE_PATH"],"Cmd":["sh"],"WorkingDir":"/"},"rootfs":{"type":"layers","diff_ids":[${ids#,}]}}
JSON
  cat > "$dir/manifest.json" <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":$(stat -c %s "$dir/config.json"),"digest":"sha256:$(digest "$dir/config.json")"},"layers":[${layers#,}]}
JSON
  echo "$*" > "$dir/layers"
}

image_arch() { case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac; }

make_images() {
  local scratch layer rc=0
  [ -f "$IMAGE_CACHE/done" ] && return 0
  rm -rf "$IMAGE_CACHE"
  scratch=$(mktemp -d "$BASE/image.XXXXXX") || return 1
  for layer in busybox big vps; do
    "${layer}_root" "$scratch/$layer" && make_layer "$layer" "$scratch/$layer" || rc=1
  done
  rm -rf "$scratch"
  [ $rc = 0 ] && make_image river/busybox busybox && make_image river/big busybox big &&
    make_image river/vps busybox vps && touch "$IMAGE_CACHE/done"
}

# The cache has a lock of its own: making it takes seconds, and other beds may come and go meanwhile.
have_images() {
  IMAGE_CACHE=$BASE/images-$(cat "$HERE/lib/images.sh" "$(command -v busybox)" | sha256sum | cut -c1-12)
  (
    exec 8> "$IMAGE_CACHE.lock"
    flock -w "$READY_TIMEOUT_S" 8 && make_images
  ) || { say 'could not make the images'; return 1; }
}

start_registry() {
  have_images && plug registry && make_cgroups registry || return 1
  mkdir -p "$DIR/registry"
  # shellcheck disable=SC2016
  echo 'river:$2y$05$KohakuRiverTestbedXXuewGcrZAKyD1f.iA1/yB0EiY975Px4fSS' > "$DIR/registry/htpasswd" # river
  run_registry registry "$REGISTRY" '' || return 1
  run_registry private-registry "$PRIVATE_REGISTRY" "auth: {htpasswd: {realm: testbed, path: $DIR/registry/htpasswd}}" || return 1
  wait_until "$READY_TIMEOUT_S" curl -sf -o /dev/null "http://$REGISTRY/v2/" || return 1
  local name
  for name in $IMAGE_NAMES; do push_image "$name" || { say "could not push $name"; return 1; }; done
}

# Both registries serve the same images; only the private one asks who you are (river, password river).
run_registry() { # NAME ADDRESS AUTH
  cat > "$DIR/registry/$1.yml" <<YAML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $DIR/registry/data}, delete: {enabled: true}}
http: {addr: "$2"}
$3
YAML
  (
    join_cgroups registry
    exec setsid nsenter --net="/run/netns/$ID-registry" docker-registry serve "$DIR/registry/$1.yml"
  ) < /dev/null > "$DIR/registry/$1.log" 2>&1 &
  note_pid $! "$DIR/$1.pid"
}

stop_registry() {
  kill_noted "$DIR/registry.pid"
  kill_noted "$DIR/private-registry.pid"
  unplug registry
}

put_blob() { # NAME FILE DIGEST
  local url=http://$REGISTRY/v2/$1/blobs location
  curl -sf -o /dev/null -I "$url/sha256:$3" && return 0
  location=$(curl -sf -X POST -D - -o /dev/null "$url/uploads/" | tr -d '\r' | sed -n 's/^Location: //Ip') || return 1
  curl -sf -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' -T "$2" "$location&digest=sha256:$3"
}

push_image() {
  local dir=$IMAGE_CACHE/$1 layer at
  for layer in $(cat "$dir/layers"); do
    at=$IMAGE_CACHE/layers/$layer
    put_blob "$1" "$at/layer.tar.gz" "$(cat "$at/digest")" || return 1
  done
  put_blob "$1" "$dir/config.json" "$(digest "$dir/config.json")" || return 1
  curl -sf -o /dev/null -X PUT -H 'Content-Type: application/vnd.docker.distribution.manifest.v2+json' \
    --data-binary "@$dir/manifest.json" "http://$REGISTRY/v2/$1/manifests/1"
}

# preload NODE NAME: hands the image to the node's Engine as NAME:1 and as REGISTRY/NAME:1.
preload() {
  local dir stage layer layers='' pid rc
  have_images && dir=$IMAGE_CACHE/${2%:*} && [ -d "$dir" ] || { say "no image $2 (there are: $IMAGE_NAMES)"; return 1; }
  pid=$(node_pid "$1") && stage=$(mktemp -d "$DIR/load.XXXXXX") || return 1
  for layer in $(cat "$dir/layers"); do
    mkdir "$stage/$layer" && ln "$IMAGE_CACHE/layers/$layer/layer.tar.gz" "$stage/$layer/layer.tar"
    layers+=",\"$layer/layer.tar\""
  done
  ln "$dir/config.json" "$stage/config.json"
  echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"${2%:*}:1\",\"$REGISTRY/${2%:*}:1\"],\"Layers\":[${layers#,}]}]" > "$stage/manifest.json"
  tar -C "$stage" -c . | curl -sf -o /dev/null -X POST -H 'Content-Type: application/x-tar' -T - \
    --unix-socket "/proc/$pid/root/run/docker.sock" http://docker/images/load
  rc=$?
  rm -rf "$stage"
  return $rc
}

do_preload() {
  local name
  name=$(running_node "$1") && preload "$name" "$2"
}
