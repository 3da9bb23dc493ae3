# Takes away what earlier calls and runners of a core have under way: $1 machine, $2 core, $3 the word of
# the directory in which calls of the shell make attempts from now on, $4 make or look (leaves alone a
# home without attempts), then how the names of what is taken away go on after «stage-CORE-».
# Prints one of: made; absent; disk-full, failed REASON (the directory could not be made).
# Attempts are made in one of these directories and moved to their place from there: once it is gone,
# what has not got so far never will. It is made here only, once, before anything is ordered in it, and
# never comes back. Renamed first, which is one step: nothing half removed is moved to a place.
LC_ALL=C
umask 077
base=$HOME/.kohakuriver/$1
core=$2 own=stage-$2-$3 how=$4
shift 4
make() {
  error=$(mkdir "$@" 2>&1) && return
  case $error in
    *'No space left'* | *'isk quota exceeded'* | *'I/O error'*) echo disk-full ;;
    *) echo "failed $(printf %s "$error" | tr '\n' ' ')" ;;
  esac
  exit 0
}
if [ "$how" = make ] && [ ! -d "$base" ]; then make -p "$base"; fi
if ! cd "$base" 2>/dev/null; then
  # A home that cannot be read just now (a stale mount) is not one without attempts.
  case $(ls -d "$base" 2>&1) in *'No such file'*) echo absent; exit 0 ;; esac
  # Or it was made just now.
  cd "$base" 2>/dev/null || exit 1
fi
for word; do
  for entry in "stage-$core-$word"*; do
    [ -d "$entry" ] || continue
    mv "$entry" "gone-${entry#stage-}-$$" 2>/dev/null || [ ! -d "$entry" ] || exit 1
  done
  for entry in "gone-$core-$word"*; do
    if [ -d "$entry" ]; then rm -rf "$entry"; fi
  done
done
make "$own"
echo made
