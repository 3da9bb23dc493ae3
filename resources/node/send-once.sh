# Gives one file straight to another node, with a key that exists for this only. Arguments: the path, the
# first byte (from 1), the digest program or nothing. Output: the public key, and «sent» in the end.
# Input: «PORT USER ADDRESS HOSTKEY». All of it ends with its input. The hash goes to the other stream.
LC_ALL=C
export LC_ALL
umask 077
command -v ssh >/dev/null && command -v ssh-keygen >/dev/null || exit 3
d=$(mktemp -d /tmp/kohakuriver-send.XXXXXX) || exit 3
trap 'rm -rf "$d"' EXIT
ssh-keygen -q -t ed25519 -N '' -C once -f "$d/key" </dev/null || exit 3
cat "$d/key.pub"
read -r port user address hostkey || exit 1
printf 'once %s\n' "$hostkey" >"$d/hosts"
exec 4<&0
{
  cat <&4
  rm -rf "$d"
  kill -KILL 0
} >/dev/null 2>&1 &
if test -n "$3"; then $3 <"$1" >&2 & fi
hashing=${!-}
# Not tail: BusyBox's finds no place beyond 2 GiB.
{ { test "$2" -eq 1 || dd bs=1 "skip=$(($2 - 1))" count=0 2>/dev/null; } && cat; } <"$1" |
  ssh -F none -T -i "$d/key" -p "$port" -l "$user" \
    -c aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com \
    -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o ConnectTimeout=5 \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 \
    -o StrictHostKeyChecking=yes -o HostKeyAlias=once -o "UserKnownHostsFile=$d/hosts" \
    -o GlobalKnownHostsFile=/dev/null -o LogLevel=ERROR -- "$address" take >&2 || exit 4
test -z "$3" || wait "$hashing"
echo sent
cat <&4 >/dev/null
