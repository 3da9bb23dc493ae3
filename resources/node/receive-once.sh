# Takes one file straight from another node: an SSH server of its own, for one key, one command and one
# file. Nothing of the account is changed, and all of it ends with this script's input, that is, with the
# link of whoever asked for it. Arguments: the path, how many bytes of it are there, the digest program.
# Input: the public key of the sender. Output: «ready PORT USER ADDRESS HOSTKEY», then what was written.
LC_ALL=C
export LC_ALL
umask 077
sshd=$(command -v sshd) && command -v ssh-keygen >/dev/null && command -v tee >/dev/null || exit 3
d=$(mktemp -d /tmp/kohakuriver-receive.XXXXXX) || exit 3
trap 'rm -rf "$d"' EXIT
IFS= read -r key || exit 1
exec 4<&0
# The session of the sender is no member of this process group, but of one of its own.
{
  cat <&4
  ! read -r group <"$d/group" || kill -KILL -- "-$group"
  rm -rf "$d"
  kill -KILL 0
} >/dev/null 2>&1 &
ssh-keygen -q -t ed25519 -N '' -f "$d/host" </dev/null || exit 3
mkfifo "$d/log" "$d/over" || exit 3
printf '%s' "$1" >"$d/path"
cat >"$d/take" <<'END'
umask 077
# The key is good for one connection.
mkdir "$1/taken" || exit 1
cut -d ' ' -f 5 "/proc/$$/stat" >"$1/group" || exit 1
path=$(cat "$1/path"; echo _)
path=${path%_}
{
  {
    test "$2" -eq 0 || head -c "$2" "$path"
    tee -a "$path" 2>&3
    echo "tee $?" >&3
  } | $3 >&3
} 3>"$1/over"
END
printf 'restrict,command="sh %s/take %s %s '\''%s'\''" %s\n' "$d" "$d" "$2" "$3" "$key" >"$d/keys"
cat >"$d/config" <<END
HostKey $d/host
AuthorizedKeysFile $d/keys
AuthenticationMethods publickey
PermitRootLogin forced-commands-only
StrictModes no
UsePAM no
UseDNS no
MaxSessions 1
PidFile none
END

# The address at which this end was reached is the one others are most likely to reach it at.
set -- ${SSH_CONNECTION-}
address=${3-}
test -n "$address" || exit 3
tries=0
while :; do
  port=$((20000 + ($$ * 7919 + tries * 10473) % 40000))
  "$sshd" -D -e -f "$d/config" -p "$port" 2>"$d/log" &
  exec 5<"$d/log"
  is_up=
  while test -z "$is_up" && IFS= read -r line <&5; do
    case $line in *'Server listening'*) is_up=yes ;; esac
  done
  test -z "$is_up" || break
  tries=$((tries + 1))
  test "$tries" -lt 5 || exit 3
done
cat <&5 >/dev/null 2>&1 &
read -r type key _ <"$d/host.pub"
printf 'ready %s %s %s %s %s\n' "$port" "$(id -un)" "$address" "$type" "$key"
cat "$d/over"
echo over
# What is left goes when the input ends.
cat <&4 >/dev/null
