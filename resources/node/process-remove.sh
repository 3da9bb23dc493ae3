# Removes an ended or never started attempt: $1 machine, $2 core, $3 task, $4 attempt, $5 keep or drop.
# Prints one of: removed, running, foreign, failed REASON.
LC_ALL=C
task=$HOME/.kohakuriver/$1/tasks/$3
dir=$task/$4
say() {
  echo "$1"
  exit 0
}
[ -d "$dir" ] || { [ "$5" = drop ] && [ -d "$dir.kept" ] && dir=$dir.kept; }
if [ -f "$dir/meta" ]; then
  read -r owner < "$dir/meta"
  [ "$owner" = "core=$2" ] || say foreign
  if [ ! -f "$dir/exit_code" ] && { read -r pid begun boot _ < "$dir/pid"; } 2>/dev/null; then
    read -r this_boot < /proc/sys/kernel/random/boot_id
    nth_20() {
      shift 19
      echo "$1"
    }
    if [ "$boot" = "$this_boot" ] && { read -r stat < "/proc/$pid/stat"; } 2>/dev/null; then
      # shellcheck disable=SC2086
      [ "$(nth_20 ${stat##*) })" = "$begun" ] && say running
    fi
  fi
fi
if [ "$5" = keep ]; then
  [ -d "$dir" ] || say removed
  error=$(mv "$dir" "$dir.kept" 2>&1) || say "failed $error"
  say removed
fi
# Renamed first: what is half removed must not look like an attempt.
if [ -d "$dir" ]; then
  error=$(rm -rf "$task/$4.gone" 2>&1 && mv "$dir" "$task/$4.gone" 2>&1) || say "failed $error"
fi
# Twice, for a file that is written just then.
error=$(rm -rf "$task/$4.gone" "$task/$4.new."* 2>&1) ||
  error=$(sleep 1; rm -rf "$task/$4.gone" 2>&1) || say "failed $error"
rmdir "$task" 2>/dev/null
say removed
