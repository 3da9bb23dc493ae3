# Takes away what earlier runners of a core have under way: $1 machine, $2 how the names of their
# directories go on after «stage-» and «gone-»; they end with «-r» and a number. A runner makes attempts
# in one of these and moves them to their place from there: once that is gone, what has not got so far
# never will. Renamed first, which is one step: nothing half removed is moved to a place.
umask 077
base=$HOME/.kohakuriver/$1
if ! cd "$base" 2>/dev/null; then
  # A home that cannot be read just now (a stale mount) is not one without attempts.
  case $(LC_ALL=C ls -d "$base" 2>&1) in *'No such file'*) exit 0 ;; esac
  # Or it was made just now.
  cd "$base" 2>/dev/null || exit 1
fi
for entry in "stage-$2"*-r[0-9]*; do
  [ -d "$entry" ] || continue
  mv "$entry" "gone-${entry#stage-}-$$" 2>/dev/null || [ ! -d "$entry" ] || exit 1
done
for entry in "gone-$2"*-r[0-9]*; do
  if [ -d "$entry" ]; then rm -rf "$entry"; fi
done
exit 0
