# Tells of changes to files and folders, as long as it is let. Arguments: how many files, the files, then
# the folders: those that count, and those of the files. Output: a line when it is ready, then paths in
# which something happened, a line each. Where the system does not tell (there is no inotifywait, or too
# much is watched already), they are looked at every two seconds, and each time a line says so. Exit code
# 67 where neither can be done.
files=$1
shift

by_events() {
  shift "$files"
  for folder; do
    shift
    ! [ -d "$folder" ] || set -- "$@" "$folder"
  done
  # A file that is replaced is told by its folder, not by itself.
  inotifywait -m -e modify -e attrib -e move -e create -e delete -e delete_self \
    --format '%w%f' "$@" 2>&1
}

# What is different of a path after a change: its size, its place on the disk, its times.
facts() { stat -L -c '%s %i %y %z' "$@" 2>/dev/null; }
stat -L -c %s / >/dev/null 2>&1 || facts() { stat -L -f '%z %i %Fm %Fc' "$@" 2>/dev/null; }

differ() {
  at=0
  for path; do
    at=$((at + 1))
    now=$(facts "$path")
    eval "was=\$was_$at"
    [ "$now" != "$was" ] || continue
    eval "was_$at=\$now"
    printf '%s\n' "$path"
  done
}

by_looking() {
  differ "$@" >/dev/null
  echo 'Looking.'
  echo 'Watches established.'
  all=$(facts "$@")
  while sleep 2; do
    now=$(facts "$@")
    if [ "$now" != "$all" ]; then
      all=$now
      differ "$@"
    fi
    echo 'Looked.'
  done
}

! command -v inotifywait >/dev/null || by_events "$@"
[ -n "$(facts /)" ] || exit 67
by_looking "$@"
