# Finds lines in the files of a folder and all below it. Arguments: F for plain text or E for a pattern,
# further options of grep or «-», what is looked for, the folder, names of folders to leave out.
# Output: a path, NUL, a number, a colon, the line. Exit codes: as grep's (2: some could not be read), 65
# for a pattern that is none, 66 for a folder that cannot be entered, 67 without grep.
LC_ALL=C.UTF-8
export LC_ALL
options=-$1
[ "$2" = - ] || options=$options$2
wanted=$3
cd "$4" || exit 66
shift 4
command -v grep >/dev/null || exit 67
# Some look at the pattern only when there is a line.
echo x | grep "$options" -e "$wanted" >/dev/null
[ $? -le 1 ] || exit 65

if [ "$(echo x | grep -cI --null --line-buffered --exclude-dir=y -D skip -e x 2>/dev/null)" = 1 ]; then
  for name; do
    set -- "$@" "--exclude-dir=$name"
    shift
  done
  grep -rnHI --null --line-buffered -D skip -m 1000 "$options" "$@" -e "$wanted" .
  exit
fi

# A smaller grep, as BusyBox has it, is given file by file.
for name; do
  set -- "$@" -name "$name" -o
  shift
done
each='options=$1 wanted=$2
shift 2
for file; do
  grep -q "$options" -e "$wanted" "$file" || continue
  [ "$(head -c 8192 "$file" | wc -c)" = "$(head -c 8192 "$file" | tr -d "\\000" | wc -c)" ] || continue
  grep -n -m 1000 "$options" -e "$wanted" "$file" | while IFS= read -r line; do
    printf "%s\\0%s\\n" "$file" "$line"
  done
done'
find . -type d '(' "$@" -name '' ')' -prune -o -type f -exec sh -c "$each" sh "$options" "$wanted" '{}' +
