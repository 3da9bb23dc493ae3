# Files of a container, with what the smallest images have (BusyBox is enough). The first argument is
# the order; the others are its words, written for printf's %b so that names keep every byte.
# What goes wrong is told in the words of the system (LC_ALL=C), which container-errors.ts reads.
LC_ALL=C
export LC_ALL
umask 022

decode() {
  d=$(printf '%b_' "$1")
  d=${d%_}
}
refuse() {
  printf '%s\n' "$1" >&2
  exit 1
}
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
is_directory() { [ -d "$1" ] && [ ! -L "$1" ]; }
need() { is_there "$1" || refuse 'No such file or directory'; }
need_free() { ! is_there "$1" || refuse 'File exists'; }

# Replaces a file or a link that is there, as rename(2) does; mv alone would go into a directory.
move() {
  need "$1"
  if is_directory "$2"; then
    is_directory "$1" || refuse 'Is a directory'
    rmdir "$2" || exit 1
  elif [ -L "$2" ]; then
    rm -f "$2" || exit 1
  fi
  mv -f "$1" "$2"
}

order=$1
decode "${2-}"
a=$d
decode "${3-}"
b=$d

case $order in
  # A slash cannot be in a name: «mode size uid gid time/./name/» is cut at slashes alone.
  list)
    is_there "$a" || refuse 'No such file or directory'
    cd "$a" || exit 1
    [ -r . ] || refuse 'Permission denied'
    # What vanishes meanwhile is not there.
    find . ! -name . -prune -exec stat -c '%f %s %u %g %Y/%n/' {} + 2>/dev/null || :
    ;;
  stat)
    is_there "$a" || exit 44
    stat -c '%f %s %u %g %Y' "$a"
    ;;
  follow)
    [ -e "$a" ] || exit 44
    stat -L -c '%f %s %u %g %Y' "$a"
    ;;
  read)
    need "$a"
    ! [ -d "$a" ] || refuse 'Is a directory'
    [ -r "$a" ] || refuse 'Permission denied'
    # Not tail: BusyBox's finds no place beyond 2 GiB.
    {
      dd bs=1 "skip=$3" count=0 2>/dev/null
      head -c "$4"
    } <"$a"
    ;;
  # Opens without emptying it, goes to the position, and takes its input from there.
  write)
    exec 3<>"$a" || exit 1
    dd bs=1 "skip=$3" count=0 <&3 2>/dev/null
    cat >&3
    ;;
  create)
    case $4 in
      wx) need_free "$a" ;;
      r | r+) need "$a" ;;
    esac
    ! [ -d "$a" ] || refuse 'Is a directory'
    case $4 in
      r) [ -r "$a" ] || refuse 'Permission denied' ;;
      r+) [ -w "$a" ] || refuse 'Permission denied' ;;
      w | wx)
        was=$(is_there "$a" && echo yes)
        : >"$a" || exit 1
        [ -n "$was" ] || chmod "$3" "$a"
        ;;
      a)
        : >>"$a"
        ;;
    esac
    ;;
  mkdir)
    need_free "$a"
    mkdir -m "$3" "$a"
    ;;
  rename) move "$a" "$b" ;;
  remove)
    need "$a"
    ! is_directory "$a" || refuse 'Is a directory'
    rm -f "$a"
    ;;
  rmdir) rmdir "$a" ;;
  tree) rm -rf "$a" ;;
  chmod) chmod "$3" "$a" ;;
  touch)
    need "$a"
    touch -c -d "@$3" "$a"
    ;;
  link)
    need_free "$a"
    ln -s "$b" "$a"
    ;;
  readlink)
    need "$a"
    readlink -n "$a"
    ;;
  realpath)
    if [ "$a" = . ]; then
      cd || cd /
      printf %s "$(pwd -P)_"
    else
      need "$a"
      printf %s "$(readlink -f "$a")_"
    fi
    ;;
  df)
    need "$a"
    df -P -k "$a" | tail -n 1
    ;;
  *) refuse "unknown order $order" ;;
esac
