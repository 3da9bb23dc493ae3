// Starting something through the login shell, whatever that shell is and whatever its start-up files do.
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { Timers } from '../../domain/clock.ts';
import { CommandFailedError, lostError, type LinkError } from '../errors.ts';
import type { PtySize, SshConnection } from './connection.ts';

export interface GuardedChannel {
  readonly channel: ClientChannel;
  /** Of the program, which leads a session and a process group of its own. */
  readonly pid: number;
}

export interface GuardedExecOptions {
  /** Shell text, read by `sh` from its input and so in nobody's argument list. Ends in an `exec`. */
  body: string;
  pty?: PtySize | undefined;
  /** How long the login shell's start-up files may take. */
  timeoutMs: number;
  timers: Timers;
}

/** What start-up files may print before we give up on them. */
const MAX_PRELUDE_BYTES = 1024 * 1024;

/**
 * Runs `body` in a fresh `sh`. sshd hands every command to the login shell, which may run start-up
 * files first: what those print is skipped up to a random mark (sent in two halves, so that a shell
 * that traces its commands does not print it), and nothing is sent before the mark is seen, so that
 * they cannot eat it. Throws CommandFailedError `link/shell-hangs` when the mark does not come.
 */
export async function execGuarded(
  connection: SshConnection,
  options: GuardedExecOptions,
): Promise<GuardedChannel> {
  const halves = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')] as const;
  const pty = options.pty === undefined ? {} : { pty: options.pty };
  const channel = await connection.exec(bootstrap(halves), pty);
  const mark = halves.join('');
  // On a terminal both streams are one.
  const onStderr =
    options.pty === undefined ? skipUntil(channel.stderr, `${mark};`) : Promise.resolve('');
  const both = Promise.all([skipUntil(channel, `${mark} `, ';'), onStderr]);
  try {
    const [pid] = await withinTime(both, { connection, ...options });
    channel.write(`${options.body}\n${halves[0]}.\n`);
    return { channel, pid: Number(pid) };
  } catch (error) {
    // OpenSSH obeys this for every user but root (session_signal_req, up to 9.2 at least).
    channel.signal('KILL');
    channel.close();
    channel.resume();
    channel.stderr.resume();
    throw error;
  }
}

/**
 * The same words for every shell there is (POSIX, fish, csh): one single-quoted argument without
 * quotes, backslash-quotes or newlines in it. A terminal is made raw meanwhile, so that it neither
 * echoes the body nor cuts its lines.
 */
function bootstrap([first, second]: readonly [string, string]): string {
  const script = [
    't=; if test -t 0; then t=$(stty -g) && stty raw -echo; fi',
    `printf "%s%s %s;" ${first} ${second} $$`,
    `test -t 2 || printf "%s%s;" ${first} ${second} >&2`,
    'n=$(printf "\\nx"); n=${n%x}; s=; e=',
    'while IFS= read -r l',
    `do if test "$l" = ${first}.; then e=1; break; fi`,
    's="$s$l$n"',
    'done',
    'test -n "$e" || exit 1',
    'if test -n "$t"; then stty "$t"; fi',
    'unset t n l e',
    'eval "$s"',
  ].join('; ');
  return `exec sh -c '${script}'`;
}

/**
 * Reads and drops until the mark, puts back what follows it, and resolves with the text between
 * the mark and `end`.
 */
function skipUntil(stream: Readable, mark: string, end = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    let total = 0;
    const stop = () => {
      stream.off('data', onData).off('end', onEnd);
      stream.pause();
    };
    const onEnd = () => {
      stop();
      reject(new PreludeEnded(seen.toString('utf8').slice(-400)));
    };
    const onData = (chunk: Buffer) => {
      total += chunk.length;
      seen = Buffer.concat([seen, chunk]);
      const at = seen.indexOf(mark);
      const from = at + mark.length;
      const to = at < 0 ? -1 : seen.indexOf(end, from);
      if (to >= 0) {
        stop();
        const rest = seen.subarray(to + end.length);
        if (rest.length > 0) stream.unshift(rest);
        resolve(seen.toString('latin1', from, to));
      } else if (total > MAX_PRELUDE_BYTES) {
        stop();
        reject(new PreludeEnded('it prints without end'));
      } else if (at < 0) {
        seen = seen.subarray(-Math.max(mark.length, 400));
      }
    };
    stream.on('data', onData).on('end', onEnd);
  });
}

/** The shell ended, or never stopped talking, before our mark came. */
class PreludeEnded extends Error {}

interface Waiting {
  connection: SshConnection;
  timeoutMs: number;
  timers: Timers;
}

async function withinTime<T>(
  marks: Promise<T>,
  { connection, timeoutMs, timers }: Waiting,
): Promise<T> {
  const host = connection.description;
  const hangs = Promise.withResolvers<never>();
  const timer = timers.after(timeoutMs, () => {
    const message = `The login shell on ${host} did not become ready within ${timeoutMs / 1000} s. Something in its start-up files (.bashrc, .profile…) waits or takes too long.`;
    const details = { host, timeoutMs };
    hangs.reject(
      new CommandFailedError('link/shell-hangs', message, { retry: 'after-user-action', details }),
    );
  });
  const closed = connection.onDidClose(() =>
    hangs.reject(connection.lostReason() ?? lostError(host)),
  );
  try {
    return await Promise.race([marks, hangs.promise]);
  } catch (error) {
    throw error instanceof PreludeEnded ? noShell(host, error) : error;
  } finally {
    timer[Symbol.dispose]();
    closed[Symbol.dispose]();
  }
}

function noShell(host: string, cause: PreludeEnded): LinkError {
  return new CommandFailedError(
    'link/command-failed',
    `The login shell on ${host} starts no POSIX sh: its start-up files may end it, or the account has no shell.`,
    { cause, retry: 'after-user-action', details: { host } },
  );
}
