# Makes the directory of an attempt: $1 machine, $2 core, $3 task, $4 attempt, $5 a word of its own.
# Standard input: «META ENV», the numbers of lines of two parts; the shell words that start it; the
# lines of meta, the first of which is core=ID; the lines of env; then run.sh.
# Prints one of: created, exists, foreign, disk-full, failed REASON.
LC_ALL=C
umask 077
dir=$HOME/.kohakuriver/$1/tasks/$3/$4
new=$dir.new.$5
finish() {
  cat >/dev/null
  echo "$1"
  exit 0
}
fail() {
  rm -rf "$new"
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
  lines 1 > "$new/launch" &&
    lines "$1" > "$new/meta" &&
    lines "$2" > "$new/env" &&
    cat > "$new/run.sh" &&
    echo working > "$new/phase" &&
    : > "$new/stdout.log" &&
    : > "$new/stderr.log" &&
    mv "$new" "$dir"
}
finish_if_there() {
  for have in "$dir" "$dir.kept"; do
    [ -f "$have/meta" ] || continue
    read -r owner < "$have/meta"
    if [ "$owner" = "core=$1" ]; then finish exists; else finish foreign; fi
  done
}
finish_if_there "$2"
error=$(mkdir -p "$new" 2>&1) || fail "$error"
read -r meta_lines env_lines
error=$(write "$meta_lines" "$env_lines" 2>&1) || fail "$error"
# Whoever comes second has moved its directory into the first one's.
if [ -d "$dir/${new##*/}" ]; then
  rm -rf "$dir/${new##*/}"
  finish_if_there "$2"
fi
echo created
