# Sets up an SSH server inside a VPS, by root. Done twice it changes nothing. Needs a POSIX sh.
#   $1 the ID of the VPS   $2 none, upload or generate   $3 the public key that is let in
# Prints "hostkey TYPE BASE64" last. Exit codes: 41 no package manager, 42 the installation failed,
# 43 no host key could be made, 44 the server does not start.
set -u
umask 077
id=$1 mode=$2 key=$3
dir=/etc/kohakuriver
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

install_server() {
  if command -v apt-get > /dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q && apt-get install -y -q --no-install-recommends openssh-server
  elif command -v apk > /dev/null; then apk add --no-cache openssh
  elif command -v dnf > /dev/null; then dnf install -y openssh-server
  elif command -v pacman > /dev/null; then pacman -Sy --noconfirm openssh
  else
    echo 'neither apt-get, apk, dnf nor pacman is in the image'
    return 41
  fi < /dev/null 2>&1
}

if ! command -v sshd > /dev/null || ! command -v ssh-keygen > /dev/null; then
  install_server || { [ $? = 41 ] && exit 41; exit 42; }
  hash -r
  command -v sshd > /dev/null || { echo 'sshd is not there after the installation'; exit 42; }
fi

mkdir -p "$dir" && chmod 755 "$dir"
# The disk may be a copy of another VPS's: that one's identity is not ours.
[ "$(cat "$dir/vps-id" 2> /dev/null)" = "$id" ] || rm -f "$dir"/ssh_host_ed25519_key*
if [ ! -s "$dir/ssh_host_ed25519_key.pub" ]; then
  rm -f "$dir"/ssh_host_ed25519_key*
  ssh-keygen -q -t ed25519 -N '' -C kohakuriver -f "$dir/ssh_host_ed25519_key" < /dev/null || exit 43
fi
echo "$id" > "$dir/vps-id"

[ "$mode" = none ] && key=''
printf '%s\n' "$key" > "$dir/authorized_keys"
# The server reads it as the user who signs in.
chmod 644 "$dir/authorized_keys"
passwords=no root=prohibit-password hash='*'
[ "$mode" = none ] && passwords=yes root=yes hash=''
# A root whose password is locked ("!") is let in with no key either.
if [ -w /etc/shadow ]; then
  if [ "$mode" = none ]; then sed -i "s/^root:[^:]*:/root:$hash:/" /etc/shadow
  else sed -i "s/^root:!*:/root:$hash:/; s/^root:!!*\*:/root:$hash:/" /etc/shadow; fi
fi

cat > "$dir/sshd_config" << EOF
Port 22
HostKey $dir/ssh_host_ed25519_key
PidFile /run/kohakuriver-sshd.pid
PermitRootLogin $root
PasswordAuthentication $passwords
PermitEmptyPasswords $passwords
KbdInteractiveAuthentication no
AuthorizedKeysFile $dir/authorized_keys .ssh/authorized_keys
UsePAM no
UseDNS no
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
EOF

# Runs at each start of the container. People who sign in get the variables of the VPS.
cat > "$dir/boot.sh" << 'EOF'
mkdir -p /run/sshd && chmod 755 /run/sshd
(
  umask 077
  cat /etc/kohakuriver/sshd_config > /run/kohakuriver-sshd_config
  {
    printf SetEnv
    tr '\0' '\n' < /proc/1/environ | while IFS= read -r line; do
      case $line in
        *[\"\\]* | HOME=* | HOSTNAME=* | PWD=* | SHLVL=* | TERM=* | USER=* | SHELL=* | LOGNAME=*) ;;
        [A-Za-z_]*=*) printf ' "%s"' "$line" ;;
      esac
    done
    echo
  } >> /run/kohakuriver-sshd_config
)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
kohakuriver_sshd=$(command -v sshd)
"$kohakuriver_sshd" -t -f /run/kohakuriver-sshd_config 2> /dev/null ||
  cat /etc/kohakuriver/sshd_config > /run/kohakuriver-sshd_config
"$kohakuriver_sshd" -f /run/kohakuriver-sshd_config
EOF

# One that runs already reads the new configuration; it is ours by its pid file.
pid=$(cat /run/kohakuriver-sshd.pid 2> /dev/null)
if [ -n "$pid" ] && kill -0 "$pid" 2> /dev/null; then kill "$pid"; sleep 1; fi
mkdir -p /run
. "$dir/boot.sh" 2>&1 || { echo 'sshd does not start'; exit 44; }
read -r type base64 _ < "$dir/ssh_host_ed25519_key.pub"
echo "hostkey $type $base64"
