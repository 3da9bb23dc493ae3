# Makes the directory of an attempt: $1 machine, $2 core, $3 task, $4 attempt. The first line of meta is core=ID.
# Standard input: «META ENV», the numbers of lines of two parts; the shell words that start it; the
# lines of meta; the lines of env; then run.sh.
# Prints one of: created, exists, foreign, disk-full, failed REASON.
LC_ALL=C
umask 077
dir=$HOME/.kohakuriver/$1/tasks/$3/$4
finish() {
  cat >/dev/null
  echo "$1"
  exit 0
}
fail() {
  rm -rf "$dir"
  case $1 in
    *'No space left'* | *'isk quota exceeded'* | *'I/O error'*) finish disk-full ;;
    *) finish "failed $(printf %s "$1" | tr '\n' ' ')" ;;
  esac
}
lines() {
  i=0
  while [ "$i" -lt "$1" ]; do
    IFS= read -r line || return 1
    printf '%s\n' "$line" || return 1
    i=$((i + 1))
  done
}
write() {
  lines 1 > "$dir/launch" &&
    lines "$1" > "$dir/meta.new" &&
    lines "$2" > "$dir/env" &&
    cat > "$dir/run.sh" &&
    : > "$dir/stdout.log" &&
    : > "$dir/stderr.log" &&
    mv "$dir/meta.new" "$dir/meta"
}
for have in "$dir" "$dir.kept"; do
  [ -f "$have/meta" ] || continue
  read -r owner < "$have/meta"
  if [ "$owner" = "core=$2" ]; then finish exists; else finish foreign; fi
done
error=$(mkdir -p "$dir" 2>&1) || fail "$error"
read -r meta_lines env_lines
error=$(write "$meta_lines" "$env_lines" 2>&1) || fail "$error"
echo created
