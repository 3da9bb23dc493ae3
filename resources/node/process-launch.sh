# Makes and starts attempts: $1 machine, $2 core, $3 the word of the directory they are made in (see
# process-take-over.sh), $4 what: create, start or launch (both), $5 the text that ends every run.sh;
# then six words for each attempt: task, attempt, the shell words that start it, the lines of meta (the
# first is core=ID), the lines of env, and how its run.sh begins. For start alone the last four are empty.
# Prints «root DIR», then for each TASK/ATTEMPT one of: created, exists, started, already, missing,
# foreign, workdir, disk-full, refused (that directory was taken away: nothing is made in it any more),
# failed REASON.
# A new attempt is made aside and moved to its place when it is whole, so what is there is whole. A call
# that comes late, when somebody else has decided about its attempts, finds no directory to do so.
LC_ALL=C
umask 077
core=$2 stage=stage-$2-$3 what=$4 wrapper=$5
base=$HOME/.kohakuriver/$1
shift 5
reason() {
  case $2 in
    *'No space left'* | *'isk quota exceeded'* | *'I/O error'*) echo "$1 disk-full" ;;
    *) echo "$1 failed $(printf %s "$2" | tr '\n' ' ')" ;;
  esac
}
each() {
  verb=$1
  shift
  while [ $# -gt 0 ]; do
    "$verb" "$@"
    shift 6
  done
}
refuse() { reason "$1/$2" "$error"; }
if ! cd "$base/tasks" 2>/dev/null; then
  error=$(mkdir -p "$base/tasks" 2>&1) || { each refuse "$@"; exit 0; }
fi
cd "$base" || exit 0
echo "root $base"

# Sets `owner` when the attempt is there already, under its name or kept.
find_owner() {
  owner=
  for have in "tasks/$1" "tasks/$1.kept"; do
    if [ -f "$have/meta" ]; then
      read -r owner < "$have/meta"
      return 0
    fi
  done
  return 1
}
list_new() { find_owner "$1/$2" || new="$new $1/$2"; }
make_new() {
  # Not by its name, since -p would make it again.
  # shellcheck disable=SC2086
  (cd "$base/$stage" && mkdir -p $new)
}
drop() { rm -rf "${stage:?}/$1"; }
is_taken() {
  [ ! -d "$stage" ] || return 1
  echo "$1/$2 refused"
}
write() {
  printf '%s\n' "$3" > "$stage/$1/$2/launch" &&
    printf '%s\n' "$4" > "$stage/$1/$2/meta" &&
    printf '%s\n' "$5" > "$stage/$1/$2/env" &&
    printf '%s\n%s\n' "$6" "$wrapper" > "$stage/$1/$2/run.sh" &&
    printf 'working\n' > "$stage/$1/$2/phase" &&
    : > "$stage/$1/$2/stdout.log" &&
    : > "$stage/$1/$2/stderr.log"
}
fill() {
  [ -d "$stage/$1/$2" ] || return
  if write "$@" 2>/dev/null; then
    # Another attempt of the task is there: that directory is joined below.
    if [ -d "tasks/$1" ]; then return; fi
    whole="$whole $stage/$1"
  else
    error=$(write "$@" 2>&1)
    [ -d "$stage" ] || return
    drop "$1"
    reason "$1/$2" "$error"
    failed="$failed $1/$2 "
  fi
}
# What could not be moved with the others: its task has a directory already.
join() {
  if [ -d "$stage/$1/$2" ]; then
    mkdir -p "tasks/$1" && mv "$stage/$1/$2" "tasks/$1/$2" 2>/dev/null
    # Whoever comes second has moved its directory into the first one's.
    rm -rf "${stage:?}/$1" "tasks/$1/$2/$2"
  fi
  [ "$what" = create ] || return
  case $failed in *" $1/$2 "*) return ;; esac
  if ! find_owner "$1/$2"; then
    is_taken "$@" || echo "$1/$2 failed its directory could not be made"
  elif [ "$owner" != "core=$core" ]; then
    echo "$1/$2 foreign"
  else
    case "$new " in *" $1/$2 "*) echo "$1/$2 created" ;; *) echo "$1/$2 exists" ;; esac
  fi
}
failed=
if [ "$what" != start ]; then
  new= whole=
  each list_new "$@"
  if [ -n "$new" ]; then
    if ! make_new 2>/dev/null; then
      error=$(make_new 2>&1)
      if [ -d "$stage" ]; then
        each drop "$@"
        each refuse "$@"
      else
        each is_taken "$@"
      fi
      exit 0
    fi
    each fill "$@"
    # shellcheck disable=SC2086
    [ -z "$whole" ] || mv $whole tasks/ 2>/dev/null
  fi
  each join "$@"
  [ "$what" = launch ] || exit 0
fi

unset SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_ORIGINAL_COMMAND OLDPWD \
  NODE_OPTIONS ELECTRON_RUN_AS_NODE ELECTRON_NO_ATTACH_CONSOLE
# Without clobbering a file is created once (O_EXCL), whoever asks and however often.
mark() {
  set -C
  if { printf '' > "$1/launched"; } 2>/dev/null; then
    set +C
    return 0
  fi
  set +C
  if [ -e "$1/launched" ]; then
    echo "${1#tasks/} already"
  elif [ -w "$1" ]; then
    echo "${1#tasks/} disk-full"
  else
    echo "${1#tasks/} failed its directory cannot be written"
  fi
  return 1
}
start() {
  case $failed in *" $1/$2 "*) return ;; esac
  dir=tasks/$1/$2
  if ! find_owner "$1/$2"; then
    { [ "$what" = launch ] && is_taken "$@"; } || echo "$1/$2 missing"
  elif [ "$owner" != "core=$core" ]; then
    echo "$1/$2 foreign"
  elif [ ! -f "$dir/meta" ]; then
    echo "$1/$2 already"
  elif mark "$dir"; then
    run "$1/$2"
  fi
}
# Not with «&»: that would make the work ignore SIGINT and SIGQUIT. `setsid -f` leaves the wrapper on
# its own at once; where it is not known (busybox), a shell waits for the wrapper, which ends that
# shell when it stands on its own.
run() {
  user_flag=
  read -r launch < "tasks/$1/launch"
  case $launch in systemd-run*) [ "$(id -u)" = 0 ] || user_flag=--user ;; esac
  path=$1
  eval "set -- $launch"
  # Not zero: there is no such option, and nothing was started.
  setsid -f "$@" "$base/tasks/$path/run.sh" - 2>/dev/null && return
  # shellcheck disable=SC2016
  sh -c 'name=$1; shift; setsid "$@" $$; echo "$name failed with exit code $?"' \
    sh "$path" "$@" "$base/tasks/$path/run.sh"
}
# Each wrapper holds this output until its work runs: the end of it is when all have answered.
answers=$(each start "$@" </dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-)
printf '%s\n' "$answers"
