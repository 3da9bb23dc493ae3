# Starts an attempt once: $1 machine, $2 core, $3 task, $4 attempt.
# Prints one of: started, already, missing, foreign, workdir, disk-full, failed REASON.
dir=$HOME/.kohakuriver/$1/tasks/$3/$4
if [ ! -f "$dir/meta" ]; then
  if [ -f "$dir.kept/meta" ]; then echo already; else echo missing; fi
  exit 0
fi
read -r owner < "$dir/meta"
if [ "$owner" != "core=$2" ]; then
  echo foreign
  exit 0
fi
# Without clobbering a file is created once (O_EXCL), whoever asks and however often.
set -C
if ! { printf '' > "$dir/launched"; } 2>/dev/null; then
  if [ -e "$dir/launched" ]; then
    echo already
  elif [ -w "$dir" ]; then
    echo disk-full
  else
    echo 'failed its directory cannot be written'
  fi
  exit 0
fi
set +C
user_flag=
read -r launch < "$dir/launch"
case $launch in systemd-run*) [ "$(id -u)" = 0 ] || user_flag=--user ;; esac
eval "set -- $launch"
unset SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_ORIGINAL_COMMAND OLDPWD \
  NODE_OPTIONS ELECTRON_RUN_AS_NODE ELECTRON_NO_ATTACH_CONSOLE
# Not with «&»: that would make the work ignore SIGINT and SIGQUIT. Instead a shell waits for the
# wrapper, and the wrapper ends that shell once it stands on its own.
answer=$(
  sh -c 'setsid "$@" $$ </dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; echo "failed with exit code $?"' \
    sh "$@" "$dir/run.sh"
) 2>/dev/null
echo "$answer"
