import type { SFTPWrapper } from 'ssh2';
import type { Timers } from '../../domain/clock.ts';
import { CommandFailedError, isLinkError, type LinkError } from '../errors.ts';
import type { SshConnection } from './connection.ts';
import { execGuarded } from './guarded-exec.ts';

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
export async function openSftp(connection: SshConnection, waiting: Waiting): Promise<SFTPWrapper> {
  try {
    return await inTime(connection.sftp(), connection, waiting);
  } catch (error) {
    if (!isLinkError(error) || error.details['step'] !== 'request') throw error;
    return openGuarded(connection, waiting, error);
  }
}

async function openGuarded(
  connection: SshConnection,
  waiting: Waiting,
  firstError: LinkError,
): Promise<SFTPWrapper> {
  const { channel } = await execGuarded(connection, { body: serverText, ...waiting });
  try {
    return await inTime(connection.sftpOver(channel), connection, waiting);
  } catch (error) {
    channel.close();
    // There is no server to be found: the refusal of the usual way says more.
    throw isLinkError(error) && error.details['step'] === 'request' ? firstError : error;
  }
}

async function inTime(
  opening: Promise<SFTPWrapper>,
  connection: SshConnection,
  { timeoutMs, timers }: Waiting,
): Promise<SFTPWrapper> {
  const host = connection.description;
  const late = Promise.withResolvers<never>();
  let isLate = false;
  const timer = timers.after(timeoutMs, () => {
    isLate = true;
    const message = `SFTP on ${host} did not become ready within ${timeoutMs / 1000} s. Something in the login shell's start-up files waits, or takes too long.`;
    const details = { host, timeoutMs };
    late.reject(
      new CommandFailedError('link/shell-hangs', message, { retry: 'after-user-action', details }),
    );
  });
  const closeLate = (sftp: SFTPWrapper) => {
    if (isLate) sftp.end();
  };
  opening.then(closeLate, () => undefined);
  try {
    return await Promise.race([opening, late.promise]);
  } finally {
    timer[Symbol.dispose]();
  }
}
