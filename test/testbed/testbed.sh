#!/bin/bash
# Real nodes on one machine: each has its own hostname, file system, sshd and Docker Engine, in namespaces.
#
#   up N [--owner PID] [--no-docker] [--no-registry] [--gpus NODE=FILE] [--disk NODE:PATH=SIZE]
#        [--jump-only NODE] [--image NAME]      bring up nodes n1..nN, print them, and say when they answer
#   down | sweep | list | info                  remove this bed | remove beds whose owner is dead | all beds | this bed
#   hold PID|none                               keep the host's interface between beds while that process lives
#   add NODE | kill NODE | rm NODE              boot (again) | power cut, the disk stays | remove
#   exec [-u USER] NODE CMD...                  run CMD inside NODE
#   cut A B | heal A B                          lose all packets between two of: nodes, host, registry
#   link NODE up|down                           pull the cable, or plug it in
#   slow NODE RATE | fast NODE                  limit both directions (5mbit); NODE may be: registry
#   mem NODE BYTES|max                          memory limit of the whole node
#   fill NODE PATH | free NODE PATH             use up a directory given to --disk | give it back
#   gpus NODE FILE|none                         what nvidia-smi says from now on (format: gpu/nvidia-smi)
#   occupy NODE USER GPU MIB [NAME]             a foreign process of USER on a GPU; prints its pid
#   dockerd NODE start|stop|kill                sshd NODE start|stop|rekey
#   preload NODE NAME                           load a testbed image without pulling it
#   check [--no-docker]                         can a testbed run here? prints what is missing
#
# TB_BED chooses the bed (kr1, kr2...); without it, the newest one without an owner, or else the only one.
set -u
HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
for part in common beds network cgroups node gpu disks images check; do
  # shellcheck source=/dev/null
  . "$HERE/lib/$part.sh"
done

main() {
  local verb=${1:-}
  [ $# -gt 0 ] && shift
  case $verb in
    up) up "$@" ;;
    check) check "$@" ;;
    sweep) sweep ;;
    hold) hold "$@" ;;
    list) list_beds ;;
    add | kill | rm | exec | cut | heal | link | slow | fast | mem | fill | free | gpus | occupy | dockerd | sshd | preload | info | down)
      choose_bed || return 1
      "do_$verb" "$@"
      ;;
    *) sed -n '2,/^$/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; return 2 ;;
  esac
}

main "$@"
