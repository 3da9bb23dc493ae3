#!/bin/bash
# Process 1 of a node: starts its daemons and reaps orphans. "init.sh dockerd" starts the Engine again.
set -u

start_dockerd() {
  rm -f /run/docker.pid
  exec dockerd --config-file /etc/testbed/daemon.json >> /var/log/dockerd.log 2>&1
}

if [ "${1:-}" = dockerd ]; then
  start_dockerd
fi
exec > /run/console.log 2>&1
umount -l /run/.old
rmdir /run/.old
/usr/sbin/sshd -E /run/sshd.log
if [ "$DOCKER" = 1 ]; then
  start_dockerd &
fi
# bash waits for adopted children too; "wait -n" returns at once only when there are none.
while :; do
  wait -n || sleep 1
done
