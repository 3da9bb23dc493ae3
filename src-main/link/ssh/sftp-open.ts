import type { ClientChannel } from 'ssh2';
import type { Timers } from '../../domain/clock.ts';
import {
  bounded,
  ChannelRefusedError,
  CommandFailedError,
  isLinkError,
  type LinkError,
} from '../errors.ts';
import type { SshConnection } from './connection.ts';
import { execGuarded } from './guarded-exec.ts';
import { SftpSession } from './sftp/session.ts';

interface Waiting {
  timeoutMs: number;
  timers: Timers;
}

/** Where the usual systems keep OpenSSH's SFTP server. */
const serverText = `for f in "$(command -v sftp-server)" /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/libexec/sftp-server /usr/lib/ssh/sftp-server /usr/lib/sftp-server /usr/local/libexec/sftp-server; do test -x "$f" && exec "$f"; done; exit 127`;

/**
 * Opens SFTP. sshd starts it through the login shell, so start-up files that print break it: then
 * its server is started behind a mark that skips what they print. Throws CommandFailedError
 * `link/shell-hangs` when they hang, ChannelRefusedError when there is no SFTP.
 */
export async function openSftp(connection: SshConnection, waiting: Waiting): Promise<SftpSession> {
  try {
    return await greeted(await connection.sftpChannel(), connection, waiting);
  } catch (error) {
    if (!isLinkError(error) || error.details['step'] !== 'request') throw error;
    return openGuarded(connection, waiting, error);
  }
}

async function openGuarded(
  connection: SshConnection,
  waiting: Waiting,
  firstError: LinkError,
): Promise<SftpSession> {
  const { channel } = await execGuarded(connection, { body: serverText, ...waiting });
  try {
    return await greeted(channel, connection, waiting);
  } catch (error) {
    // There is no server to be found: the refusal of the usual way says more.
    throw isLinkError(error) && error.details['step'] === 'request' ? firstError : error;
  }
}

/** Waits for the server's hello, for as long as start-up files may take. */
async function greeted(
  channel: ClientChannel,
  connection: SshConnection,
  { timeoutMs, timers }: Waiting,
): Promise<SftpSession> {
  const host = connection.description;
  const stopped = Promise.withResolvers<never>();
  const timer = timers.after(timeoutMs, () => {
    const message = `SFTP on ${host} did not become ready within ${timeoutMs / 1000} s. Something in the login shell's start-up files waits, or takes too long.`;
    const details = { host, timeoutMs };
    stopped.reject(
      new CommandFailedError('link/shell-hangs', message, { retry: 'after-user-action', details }),
    );
  });
  const closed = connection.onDidClose(() => stopped.reject(connection.lostReason()));
  channel.stderr.resume();
  try {
    return await Promise.race([SftpSession.open(channel), stopped.promise]);
  } catch (error) {
    channel.close();
    throw isLinkError(error) ? error : noServer(host, error);
  } finally {
    timer[Symbol.dispose]();
    closed[Symbol.dispose]();
  }
}

function noServer(host: string, cause: unknown): ChannelRefusedError {
  const reason = bounded(cause instanceof Error ? cause.message : String(cause));
  return new ChannelRefusedError(
    'link/channel-refused',
    `${host} refused to open SFTP (${reason}). It may not exist, or the SSH server forbids it.`,
    { cause, retry: 'later', details: { host, what: 'SFTP', reason, step: 'request' } },
  );
}
