# Before a script of the workspace. Its arguments come by its input, one a line behind a «+» and as
# printf's %b reads them, up to a line with a full stop: any bytes, and any number of them. What is left
# of the input is a tie: it ends with the link of whoever asked, and everything that runs here with it.
set --
while IFS= read -r line && [ "$line" != . ]; do
  word=$(printf '%b.' "${line#+}")
  set -- "$@" "${word%.}"
done
exec 3<&0 </dev/null
{
  cat
  kill -KILL 0
} <&3 >/dev/null 2>&1 &
tie=$!
exec 3<&-
trap 'kill "$tie" 2>/dev/null' EXIT
