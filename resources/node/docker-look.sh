# Says where Docker is on this node and whether this user may use it. Tab-separated lines.
say() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }
look() {
  [ -S "$1" ] || return 0
  if [ -w "$1" ]; then say socket usable "$1"; else say socket denied "$1"; fi
}
PATH=$PATH:/usr/sbin:/sbin:/usr/local/bin
say user "$(id -un)"
if command -v docker >/dev/null; then say cli yes; fi
if command -v dockerd >/dev/null; then say engine yes; fi
case ${DOCKER_HOST:-} in
  unix://*) look "${DOCKER_HOST#unix://}" ;;
esac
look /var/run/docker.sock
look "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock"
look "$HOME/.docker/run/docker.sock"
look "$HOME/.docker/desktop/docker.sock"
