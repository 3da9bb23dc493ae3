# Starts attempts of one core and waits for them: what process-launch.sh and process-wrapper.sh do, in
# one program, for times when many start. For a shell each attempt costs three forks and three programs;
# here it is the work, and a shell where the work is none, started with vfork where Python has it (3.10).
# Arguments: machine, core, a word of its own, the number of the shell that started it.
# Reads lines of JSON. To start: path (TASK/ATTEMPT), meta, env, argv, workdir (null: home), at
# (milliseconds, by the core's clock). To remove: remove (TASK/ATTEMPT); it is answered as
# process-remove.sh does. Prints: root DIR; ready; answer TASK/ATTEMPT WORDS (as process-launch.sh does;
# also «created»: it is there and was not started; «refused»: not by this program); exit TASK/ATTEMPT
# CODE HUNDREDTHS OOM [stdout] [stderr].
# An attempt is made in a directory of this program and moved to its place from there. Whoever takes
# that directory away (process-take-over.sh) can be sure that nothing is started here afterwards.
# It ends when its input has ended and so have all attempts: it outlives its connection.
# The work leads a session of its own, so nothing of ours is in it, and there is no run.sh.
import collections
import errno
import fcntl
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

machine, core, word, shell = sys.argv[1:5]
base = os.path.join(os.path.expanduser('~'), '.kohakuriver', machine)
stage = '%s/stage-%s-%s' % (base, core, word)
gone = '%s/gone-%s-%s' % (base, core, word)
own_line = 'core=' + core
record_bytes, process_bytes = 62, 84
# A disk that does not answer must hold up nobody else: so long it is waited for, in seconds, and so
# long an answer counts.
patience, believed = 2, 10
# What is not taken by then is not waited for: a core that reads nothing must not hold up records.
most_waiting = 1 << 20
# After so many lines within so long (in seconds) what is said waits for company: for each piece that it
# reads, whoever listens commits to its disk.
company, crowded, gathering = 12, 0.25, 0.02

# In seconds: how long a place for a new process is waited for, and how long room for a record.
patience_for_process, patience_for_record = 5, 600
scarce = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
# The work is held until its number is written down and it is in its place. When this program dies
# before that, the input ends, and so does what was held: nothing runs that nobody knows of.
gate = b'IFS= read -r _ && exec </dev/null || exit 125; '
longest_argument = 131071

# Others must be seen: a number in use by somebody else would look like one that is free.
with open('/proc/1/stat') as file:
    file.read()
# As it was before a wrapper around Python (pyenv…) and Python itself added to it.
with open('/proc/%s/environ' % shell, 'rb') as file:
    inherited = dict(pair.split(b'=', 1) for pair in file.read().split(b'\0') if b'=' in pair)
for name in ('SSH_CLIENT', 'SSH_CONNECTION', 'SSH_TTY', 'SSH_ORIGINAL_COMMAND', 'OLDPWD',
             'NODE_OPTIONS', 'ELECTRON_RUN_AS_NODE', 'ELECTRON_NO_ATTACH_CONSOLE',
             'ENV', 'BASH_ENV', 'CDPATH', 'GREP_OPTIONS', 'SHELLOPTS', 'BASHOPTS'):
    inherited.pop(name.encode(), None)
with open('/proc/sys/kernel/random/boot_id') as file:
    boot_id = file.read().strip()
clock = getattr(time, 'CLOCK_BOOTTIME', time.CLOCK_MONOTONIC)

running = {}
# Numbers of what was held and is not wanted any more.
dropped = set()
unrecorded = []
# Those whose end was recorded here: to remove them, nothing has to be looked up.
recorded = set()
most_remembered = 10000
waiting = bytearray()
# When the last lines were said, and when they were written.
said = collections.deque(maxlen=company)
flushed_at = 0
# Whoever listens takes no more for now.
is_full = False
answering = {}
looking = set()
is_connected = True


class Attempt:
    def __init__(self, path, child, begun):
        self.path, self.child, self.begun = path, child, begun
        # Of its end: the exit code, hundredths of a second, and until when it is tried to record it.
        self.code, self.ran, self.limit = 0, 0, 0


def hundredths():
    return int(time.clock_gettime(clock) * 100)


def encoded(text):
    return text.encode('utf-8', 'surrogatepass')


def write_new(path, text):
    data = encoded(text + '\n')
    fd = open_alone(path, os.O_WRONLY)
    try:
        write_all(fd, data)
        # What an earlier attempt has left behind it.
        if os.lseek(fd, 0, os.SEEK_END) > len(data):
            os.ftruncate(fd, len(data))
    finally:
        os.close(fd)


def write_over(path, text, size):
    fd = os.open(path, os.O_WRONLY)
    try:
        write_all(fd, text.ljust(size).encode() + b'\n')
    finally:
        os.close(fd)


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def say(line):
    if is_connected:
        said.append(time.monotonic())
        waiting.extend((line + '\n').encode('utf-8', 'replace'))


# When what waits is to be written. What comes alone is not held up, nor where no company is to come.
def due(has_orders):
    is_crowded = len(said) == company and said[-1] - said[0] < crowded
    return flushed_at + gathering if is_crowded and (running or has_orders) else 0


def flush():
    global flushed_at, is_full
    flushed_at = time.monotonic()
    is_full = False
    try:
        while waiting:
            del waiting[:os.write(1, waiting[:65536])]
    except BlockingIOError:
        is_full = True
        if len(waiting) > most_waiting:
            disconnect()
    except OSError:
        disconnect()


def disconnect():
    global is_connected, is_full
    is_connected = is_full = False
    waiting.clear()
    # So that the other side sees that it ended, and nothing more comes from there.
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(null, 2)


def reason(error):
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return 'disk-full'
    return 'failed ' + str(error).replace('\n', ' ')


# None, or the owner of an attempt that is there, under its name or kept.
def owner_of(path):
    if not os.path.isdir('%s/tasks/%s' % (base, os.path.dirname(path))):
        return None
    for name in (path, path + '.kept'):
        try:
            with open('%s/tasks/%s/meta' % (base, name), errors='replace') as file:
                return file.readline().rstrip('\n')
        except FileNotFoundError:
            pass
    return None


def answer_for_existing(path, owner):
    if owner != own_line:
        return 'foreign'
    place = '%s/tasks/%s' % (base, path)
    is_made_only = os.path.exists(place + '/meta') and not os.path.exists(place + '/launched')
    return 'created' if is_made_only else 'already'


our_files = ('stdout.log', 'stderr.log', 'meta', 'launched', 'exit_code', 'pid')
# Directories of attempts that were removed are used for new ones: to make and remove files is most of
# what a short task costs. (To find a place for a new one, ext4 looks through all that were removed
# within the last minutes.) Each with the name of the directory in it.
spares = []
most_spares = 64
# How often in a row a file could not be used again; so often, and it is tried no more.
refusals, most_refusals = 0, 12
folders = 0


def next_folder():
    global folders
    folders += 1
    return '%s/%d' % (stage, folders)


# For an attempt of this number: its directory in one for its task.
def make_folder(number):
    if spares:
        made, earlier = spares.pop()
        if earlier != number:
            os.rename('%s/%s' % (made, earlier), '%s/%s' % (made, number))
        return made
    made = next_folder()
    os.mkdir(made)
    os.mkdir('%s/%s' % (made, number))
    return made


# Takes the directory of an attempt from its place, for another one. False: it is not fit for that.
def spare(path):
    task, number = path.split('/')
    home = '%s/tasks/%s' % (base, task)
    taken = next_folder()
    if len(spares) >= most_spares:
        return False
    try:
        if os.listdir(home) != [number] or set(os.listdir(home + '/' + number)) != set(our_files):
            return False
        os.rename(home, taken)
    except OSError:
        return False
    try:
        for name in our_files[:2]:
            log = '%s/%s/%s' % (taken, number, name)
            if os.stat(log).st_size > 0:
                os.truncate(log, 0)
        spares.append((taken, number))
    except OSError:
        shutil.rmtree(taken, ignore_errors=True)
    return True


# Opens a file that nobody else has open, which is what a lease asks for: neither somebody who read it
# when it was another attempt's, nor what that left running. One that is in use is made anew.
def open_alone(path, flags):
    global refusals, most_spares
    try:
        fd = os.open(path, flags)
    except FileNotFoundError:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        refusals = 0
        return fd
    except OSError:
        os.close(fd)
    # Not every file system has leases.
    refusals += 1
    if refusals >= most_refusals:
        most_spares = 0
    os.unlink(path)
    return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)


# Files have their final size before the work begins, so that a full disk stops no record.
def fill(folder, order, process, end):
    line = '%s %s %d000000' % (process, boot_id, order['at'])
    write_new(folder + '/meta', order['meta'])
    os.close(os.open(folder + '/launched', os.O_WRONLY | os.O_CREAT, 0o600))
    write_new(folder + '/exit_code', end.ljust(record_bytes))
    write_new(folder + '/pid', line.ljust(process_bytes))


def open_log(path):
    fd = open_alone(path, os.O_WRONLY | os.O_APPEND)
    if os.lseek(fd, 0, os.SEEK_END) > 0:
        os.ftruncate(fd, 0)
    return fd


# What is there is whole and counts as launched: it was started, or never will be. None: it was moved.
def put_in_place(made, path):
    place = '%s/tasks/%s' % (base, path)
    folder = '%s/%s' % (made, os.path.basename(place))
    # With its task's directory, unless that is there from another attempt.
    moves = ((made, os.path.dirname(place)), (folder, place))
    for _ in range(3):
        for source, target in moves:
            try:
                os.rename(source, target)
                return None
            except OSError as error:
                problem = error.errno
                if problem not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOENT):
                    raise
        if problem != errno.ENOENT:
            return answer_for_existing(path, owner_of(path))
        if not os.path.isdir(stage):
            return 'refused'
        os.makedirs(base + '/tasks', exist_ok=True)
    return 'failed its directory could not be made'


# Whether it can be looked at. In a thread, since a file system that is gone keeps whoever asks.
def answers(path):
    until, is_there = answering.get(path, (0, False))
    if until > time.monotonic():
        return is_there
    if path in looking:
        return False
    seen = threading.Event()

    def look():
        os.path.exists(path)
        looking.discard(path)
        seen.set()
    looking.add(path)
    try:
        threading.Thread(target=look, daemon=True).start()
    except RuntimeError:
        # There is no room for one.
        looking.discard(path)
        return False
    is_there = seen.wait(patience)
    if len(answering) > 1000:
        answering.clear()
    answering[path] = (time.monotonic() + believed, is_there)
    return is_there


def launch(order):
    path = order['path']
    workdir = os.fsencode(os.path.expanduser('~'))
    if order['workdir'] is not None:
        workdir = encoded(order['workdir'])
    if not answers(workdir):
        return 'refused'
    owner = owner_of(path)
    if owner is not None:
        return answer_for_existing(path, owner)
    made = None
    answer = None
    try:
        made = make_folder(os.path.basename(path))
        if not os.path.isdir(workdir) or not os.access(workdir, os.X_OK):
            fill('%s/%s' % (made, os.path.basename(path)), order, '0 0', record_of(path, 126, 0))
            answer = put_in_place(made, path) or 'workdir'
        else:
            answer = run(order, made, workdir)
        return answer
    finally:
        # Mostly it is in its place.
        if made is not None and os.path.isdir(made):
            shutil.rmtree(made, ignore_errors=True)


def run(order, made, workdir):
    path = order['path']
    folder = '%s/%s' % (made, os.path.basename(path))
    env = dict(inherited)
    env[b'PWD'] = workdir
    env.update((encoded(name), encoded(value)) for name, value in order['env'].items())
    opened = []
    child = None
    try:
        for name in ('stdout', 'stderr'):
            opened.append(open_log('%s/%s.log' % (folder, name)))
        opened.extend(os.pipe())
        child = hold([encoded(argument) for argument in order['argv']], env, workdir, opened)
        begun = hundredths()
        ticks = ticks_of(child.pid)
        if ticks is None:
            return 'refused'
        fill(folder, order, '%d %s' % (child.pid, ticks), 'not yet')
        found = put_in_place(made, path)
        if found is not None:
            return found
        running[child.pid] = Attempt(path, child, begun)
        try:
            os.write(opened[3], b'\n')
        except OSError:
            # Ended already: by a signal, as it had a number to be reached by.
            pass
        return 'started'
    finally:
        for fd in opened:
            try:
                os.close(fd)
            except OSError:
                # A full disk elsewhere may say so here; there is nothing of ours in these.
                pass
        if child is not None and child.pid not in running:
            # Still held; waited for with the others.
            dropped.add(child.pid)
            child.kill()


# Starts the work as far as the gate. A script of the shell is held by the shell it runs in.
def hold(argv, env, workdir, opened):
    words = [b'/bin/sh', b'-c', gate + b'exec "$@"', b'sh'] + argv
    if argv[:2] == [b'/bin/sh', b'-c'] and len(argv) == 3:
        if len(gate + argv[2]) <= longest_argument:
            words = argv[:2] + [gate + argv[2]]
    return subprocess.Popen(words, env=env, cwd=workdir, stdin=opened[2], stdout=opened[0],
                            stderr=opened[1], start_new_session=True, close_fds=False)


# What of sessions still lives, apart from their leaders. Numbers are given in order: a short run has
# started only what lies between its own and the newest one, the last word of loadavg; after a long
# one they may have begun anew, and all are looked at.
def left_of(sessions, is_short):
    candidates = None
    if is_short:
        newest = int(os.pread(loadavg, 200, 0).split()[-1])
        first = min(sessions)
        if first <= newest <= first + 2000:
            candidates = range(first + 1, newest + 1)
    if candidates is None:
        candidates = [int(entry) for entry in os.listdir('/proc') if entry.isdigit()]
    return [pid for pid in candidates if pid not in sessions and lives_in(pid, sessions)]


def lives_in(pid, sessions):
    try:
        if os.getsid(pid) not in sessions:
            return False
        return stat_of(pid)[:1] not in ([], ['Z'])
    except OSError:
        return False


# What the work left running ends with it, as in a container. The leaders are not waited for before: as
# long as they are there, nobody else gets their numbers. A signal to a group gets past no fork: what is
# born meanwhile has it, too, where one to each never catches up with work that forks without end.
def end_rest(sessions, is_short):
    for turn in range(50):
        left = left_of(sessions, is_short)
        if not left:
            return
        for group in {group_of(pid, sessions) for pid in left} - {None}:
            try:
                os.killpg(group, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.002)


def group_of(pid, sessions):
    try:
        return os.getpgid(pid) if os.getsid(pid) in sessions else None
    except OSError:
        return None


seeing = os.WEXITED | os.WNOHANG | os.WNOWAIT


# One that has ended, or None. What is kept until its end is recorded would be seen again and again.
def next_ended():
    try:
        if not unrecorded:
            return os.waitid(os.P_ALL, 0, seeing)
        for pid in [*running, *dropped]:
            seen = os.waitid(os.P_PID, pid, seeing)
            if seen is not None:
                return seen
    except ChildProcessError:
        pass
    return None


# It and those that have ended, too, by now: after long runs they share the look at all processes, which
# takes longer than to find them.
def with_company(first):
    ended = [first]
    try:
        for pid in running:
            seen = os.waitid(os.P_PID, pid, seeing) if pid != first.si_pid else None
            if seen is not None:
                ended.append(seen)
    except ChildProcessError:
        pass
    return ended


def reap():
    for first in iter(next_ended, None):
        attempt = running.get(first.si_pid)
        if attempt is None:
            dropped.discard(first.si_pid)
            os.waitpid(first.si_pid, 0)
            continue
        is_short = hundredths() - attempt.begun < 100
        ended = [first] if is_short else with_company(first)
        limit = time.monotonic() + patience_for_record
        for seen in ended:
            attempt = running[seen.si_pid]
            attempt.ran = hundredths() - attempt.begun
            attempt.limit = limit
        try:
            end_rest({seen.si_pid for seen in ended}, is_short)
        except (OSError, ValueError):
            pass
        for seen in ended:
            attempt = running.pop(seen.si_pid)
            attempt.code = seen.si_status if seen.si_code == os.CLD_EXITED else 128 + seen.si_status
            attempt.child.returncode = attempt.code
            if not record(attempt):
                # Whoever listens need not wait for that.
                tell_end(attempt)


# With the attempt in it: a file that was used before may have its earlier text again after a power cut.
def record_of(path, code, ran):
    return '2 %d %d 0 %s' % (code, ran, path)


# Until its end is recorded, the process is there, and so it looks as if it ran; only then it is let go
# of. False: it is to be tried again.
def record(attempt):
    line = record_of(attempt.path, attempt.code, attempt.ran)
    is_there = True
    try:
        write_over('%s/tasks/%s/exit_code' % (base, attempt.path), line, record_bytes)
    except FileNotFoundError:
        is_there = False
    except OSError:
        if time.monotonic() < attempt.limit:
            unrecorded.append(attempt)
            return False
    os.waitpid(attempt.child.pid, 0)
    if is_there:
        if len(recorded) >= most_remembered:
            recorded.clear()
        recorded.add(attempt.path)
        tell_end(attempt)
    return True


def tell_end(attempt):
    line = 'exit %s %d %d 0' % (attempt.path, attempt.code, attempt.ran)
    for name in ('stdout', 'stderr'):
        try:
            if os.stat('%s/tasks/%s/%s.log' % (base, attempt.path, name)).st_size > 0:
                line += ' ' + name
        except OSError:
            pass
    # Of a connection that is gone it may not have heard (a computer that sleeps says nothing), but a
    # later one took its directory away.
    if is_connected and not os.path.isdir(stage):
        disconnect()
    if is_connected:
        say(line)
    else:
        tell_others(line)


# Whoever came after the connection of this program has a FIFO.
def tell_others(line):
    try:
        names = os.listdir(base)
    except OSError:
        return
    for name in names:
        if not name.startswith('events-%s-' % core):
            continue
        try:
            # For reading, too: opening for writing alone would fail without a reader.
            fd = os.open('%s/%s' % (base, name), os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                os.write(fd, (line + '\n').encode())
        except OSError:
            pass
        os.close(fd)


def remove(path):
    place = '%s/tasks/%s' % (base, path)
    if path in recorded:
        recorded.discard(path)
        if spare(path) or take_away(place, path):
            return 'removed'
    if not os.path.isdir(place):
        place += '.kept'
        if not os.path.isdir(place):
            return 'removed'
    owner = owner_of(path)
    if owner is not None and owner != own_line:
        return 'foreign'
    has_ended = any(attempt.path == path for attempt in unrecorded)
    if not has_ended and (is_running(place) or not may_go(place)):
        return 'running'
    return 'removed' if take_away(place, path) else 'failed its directory could not be moved'


# Moved first: what is half removed must not look like an attempt. False: it is not there.
def take_away(place, path):
    aside = '%s/%s' % (gone, path.replace('/', '-'))
    try:
        os.rename(place, aside)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY):
            raise
        if not os.path.isdir(place):
            return False
        os.makedirs(gone, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(place, aside)
    # Mostly it has nothing but our files.
    for name in our_files:
        try:
            os.unlink(aside + '/' + name)
        except OSError:
            pass
    try:
        os.rmdir(aside)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
    try:
        os.rmdir(os.path.dirname(place))
    except OSError:
        pass
    return True


def words_of(path):
    try:
        with open(path) as file:
            return file.read().split()
    except (OSError, ValueError):
        return []


def is_running(place):
    record = words_of(place + '/exit_code')
    process = words_of(place + '/pid')
    if record[:1] == ['2'] and len(record) >= 4 or len(process) != 4 or process[2] != boot_id:
        return False
    words = stat_of(process[0])
    # What has ended and was left to process 1 may stay there for good.
    return words[19:20] == process[1:2] and words[:2] != ['Z', '1']


# Whether nothing of it can begin any more: see process-remove.sh.
def may_go(place):
    if place.endswith('.kept') or len(words_of(place + '/exit_code')) >= 4 or words_of(place + '/pid')[:1] not in ([], ['not']):
        return True
    try:
        os.close(os.open(place + '/launched', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return True
    except FileExistsError:
        return time.time() - os.stat(place + '/launched').st_mtime >= 60
    except OSError:
        return True


# What /proc says of a process behind its name; nothing when it is not there.
def stat_of(pid):
    try:
        fd = os.open('/proc/%s/stat' % pid, os.O_RDONLY)
    except OSError:
        return []
    try:
        return os.read(fd, 4096).rpartition(b')')[2].decode().split()
    except OSError:
        return []
    finally:
        os.close(fd)


# When a process began, in ticks since boot; None when it is not there.
def ticks_of(pid):
    words = stat_of(pid)
    return words[19] if len(words) > 19 else None


# False: there is no room for a process just now.
def take(line, is_last):
    path = ''
    try:
        order = json.loads(line.decode())
        path = order.get('remove') or order['path']
        answer = remove(path) if 'remove' in order else launch(order)
    except OSError as error:
        is_scarce = error.errno in scarce
        if is_scarce and not is_last:
            return False
        answer = 'refused' if is_scarce or not os.path.isdir(stage) else reason(error)
    except ValueError as error:
        answer = 'failed ' + str(error).replace('\n', ' ')
    except MemoryError:
        answer = 'refused'
    say('answer %s %s' % (path, answer))
    return True


# One order at a time, and none once the input has ended: whoever gave it is gone, and looks first when
# it comes back.
def serve():
    orders = bytearray()
    has_input = True
    next_records = 0
    # Since when the first order waits for a process, and until when it is left.
    held_since, held_until = None, 0
    while has_input or running or unrecorded:
        now = time.monotonic()
        pauses = [1] if unrecorded else []
        if b'\n' in orders:
            pauses.append(max(0, held_until - now))
        if waiting and not is_full:
            pauses.append(max(0, due(b'\n' in orders) - now))
        reads = [woken] + ([0] if has_input else [])
        writes = [1] if is_full else []
        readable, writable, _ = select.select(reads, writes, [], min(pauses) if pauses else None)
        if woken in readable:
            os.read(woken, 4096)
        reap()
        now = time.monotonic()
        if writable or waiting and not is_full and due(b'\n' in orders) <= now:
            flush()
        if unrecorded and now >= next_records:
            next_records = now + 1
            again, unrecorded[:] = list(unrecorded), []
            for attempt in again:
                record(attempt)
        if 0 in readable:
            chunk = os.read(0, 1 << 16)
            if not chunk:
                has_input = False
                orders = bytearray()
                disconnect()
            orders += chunk
            continue
        if b'\n' in orders and now >= held_until:
            line, _, rest = orders.partition(b'\n')
            is_last = held_since is not None and now - held_since > patience_for_process
            if take(line, is_last):
                orders, held_since = rest, None
            else:
                held_since, held_until = held_since or now, now + 0.2


os.umask(0o077)
os.closerange(3, 256)
# By this name it is found, and not among the user's own programs.
with open('/proc/self/comm', 'w') as file:
    file.write('kohakuriver')
null = os.open('/dev/null', os.O_RDWR)
loadavg = os.open('/proc/loadavg', os.O_RDONLY)
woken, wakes = os.pipe()
os.set_blocking(woken, False)
os.set_blocking(wakes, False)
os.set_blocking(1, False)
signal.set_wakeup_fd(wakes)
# Handlers instead of «ignore»: ignored signals are inherited by the work, handlers are not.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1,
               signal.SIGUSR2, signal.SIGALRM, signal.SIGCHLD, signal.SIGIO):
    signal.signal(number, lambda *_: None)
os.makedirs(base + '/tasks', exist_ok=True)
os.chdir('/')
os.mkdir(stage)
say('root ' + base)
say('ready')
serve()
for name in (stage, gone):
    shutil.rmtree(name, ignore_errors=True)
