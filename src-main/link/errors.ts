// What can go wrong on the way to a node. ssh2's and Node's own errors are translated here, once.
import { AppError, type AppErrorOptions, type ErrorDetails } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/error-codes.ts';
import type { OfflineReason } from '../contract/node.ts';

export type LinkErrorCode = Extract<ErrorCode, `link/${string}`>;

/** Anything that went wrong in reaching a node or doing something over the way to it. */
export class LinkError<Code extends LinkErrorCode = LinkErrorCode> extends AppError<Code> {}

/** Nobody answers there: refused, no route, no such name, or silence. */
export class UnreachableError extends LinkError<
  'link/unreachable' | 'link/refused' | 'link/timeout'
> {}

/** The node answers, and does not let us in; or a key of ours cannot be used. */
export class AuthError extends LinkError<
  'link/auth' | 'link/key-unreadable' | 'link/key-passphrase'
> {}

/** The node shows another key than the one known. Nothing was sent to it. */
export class HostKeyChangedError extends LinkError<
  'link/host-key-changed' | 'link/host-key-revoked'
> {}

/** The node's key was never seen before and nobody accepted it. Nothing was sent to it. */
export class HostKeyUnknownError extends LinkError<'link/host-key-unknown'> {}

/**
 * The node lets us in and refuses this channel: forwarding forbidden, no such socket, no session
 * left. `details.reason` says why, as `administratively prohibited` or `connect failed`.
 */
export class ChannelRefusedError extends LinkError<'link/channel-refused'> {
  /** The channel itself was refused, as when sessions are used up; not just what was asked of it. */
  get isOpenFailure(): boolean {
    return this.details['step'] === 'open';
  }
}

/** The command could not be run to its end. A command that ran and failed is no error: see its exit code. */
export class CommandFailedError extends LinkError<
  'link/command-failed' | 'link/command-timeout' | 'link/shell-hangs'
> {}

/** The way to the node is gone, and whatever was on it. */
export class LinkLostError extends LinkError<'link/lost'> {}

/** `~/.ssh/config`, a key file or a known_hosts file does not make sense. */
export class LinkConfigError extends LinkError<'link/config'> {}

/** What was asked for is not built, or a part for it is missing. */
export class LinkUnsupportedError extends LinkError<'link/unsupported'> {}

/** A file of the node could not be read or written. */
export class FileError extends LinkError<
  | 'link/file-not-found'
  | 'link/file-denied'
  | 'link/file-exists'
  | 'link/disk-full'
  | 'link/file-failed'
> {}

/** Whether this was translated already. */
export function isLinkError(error: unknown): error is LinkError {
  return error instanceof LinkError;
}

const offlineReasons: Partial<Record<ErrorCode, OfflineReason>> = {
  'link/unreachable': 'unreachable',
  'link/refused': 'refused',
  'link/timeout': 'timeout',
  'link/auth': 'auth',
  'link/key-unreadable': 'auth',
  'link/key-passphrase': 'auth',
  'link/host-key-changed': 'host-key',
  'link/host-key-unknown': 'host-key',
  'link/host-key-revoked': 'host-key',
  'link/config': 'config',
  'link/unsupported': 'unsupported',
};

/** Why a node counts as offline after this error, as something a person can act on. */
export function offlineReasonOf(error: unknown): OfflineReason {
  const code = error instanceof AppError ? (error as AppError).code : undefined;
  return (code === undefined ? undefined : offlineReasons[code]) ?? 'lost';
}

/** An error of net.connect, from its `code`. */
export function fromSocketError(error: unknown, host: string): UnreachableError {
  const code = codeOf(error);
  const options: AppErrorOptions = { cause: error, retry: 'later', details: { host, errno: code } };
  switch (code) {
    case 'ECONNREFUSED':
      return new UnreachableError(
        'link/refused',
        `${host} refuses connections. Is the SSH server running there, and is the port right?`,
        options,
      );
    case 'ETIMEDOUT':
      return timeoutError(host, 'connecting', error);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new UnreachableError(
        'link/unreachable',
        `The name of ${host} cannot be resolved. Check the spelling and the network.`,
        options,
      );
    default:
      return new UnreachableError(
        'link/unreachable',
        `${host} cannot be reached (${code}). Check the address and the network.`,
        options,
      );
  }
}

/** @param phase what was waited for, as «connecting», «the SSH handshake». */
export function timeoutError(host: string, phase: string, cause?: unknown): UnreachableError {
  return new UnreachableError(
    'link/timeout',
    `${host} did not answer in time (${phase}). It may be down, or something on the way drops packets.`,
    { ...(cause === undefined ? {} : { cause }), retry: 'later', details: { host, phase } },
  );
}

export function lostError(description: string, cause?: unknown): LinkLostError {
  return new LinkLostError(
    'link/lost',
    `The connection to ${description} was lost. It is tried again by itself.`,
    {
      ...(cause === undefined ? {} : { cause }),
      retry: 'later',
      details: { host: description },
    },
  );
}

/** Where an error of ssh2 came up; decides what it means. */
export interface Ssh2Context {
  phase: 'connect' | 'channel' | 'open';
  /** `user@host:port`. */
  host: string;
  /** For channels: what was being opened, as «a shell» or a socket's path. */
  what?: string;
}

/**
 * The one reader of ssh2's errors: `level` (client-socket, client-timeout, handshake, protocol…),
 * and `reason` of a refused channel (RFC 4254, section 5.1).
 */
export function fromSsh2(error: unknown, context: Ssh2Context): LinkError {
  if (isLinkError(error)) return error;
  const level = isRecord(error) ? error['level'] : undefined;
  if (isRecord(error) && error['reason'] !== undefined) return channelRefused(error, context);
  if (context.phase === 'connect') return fromConnecting(error, level, context.host);
  if (context.phase === 'channel' && (level === undefined || level === 'sftp-protocol')) {
    return channelRefused({ message: messageOf(error) }, context, error);
  }
  return lostError(context.host, error);
}

function fromConnecting(error: unknown, level: unknown, host: string): LinkError {
  if (level === 'client-timeout') return timeoutError(host, 'the SSH handshake', error);
  if (level === 'client-socket') return fromSocketError(error, host);
  const message = messageOf(error);
  if (/no matching/i.test(message)) {
    return new LinkUnsupportedError(
      'link/unsupported',
      `${host} and this app have no encryption method in common. Update the SSH server there.`,
      { cause: error, retry: 'after-user-action', details: { host, reason: bounded(message) } },
    );
  }
  return new UnreachableError(
    'link/unreachable',
    `${host} closed the connection during the SSH handshake. Is it an SSH server, and does it limit connections?`,
    { cause: error, retry: 'later', details: { host, reason: bounded(message) } },
  );
}

/** Reasons of SSH_MSG_CHANNEL_OPEN_FAILURE. */
const openFailures: Record<string, string> = {
  '1': 'administratively prohibited',
  '2': 'connect failed',
  '3': 'unknown channel type',
  '4': 'resource shortage',
};

function channelRefused(
  error: Record<string, unknown>,
  context: Ssh2Context,
  cause: unknown = error,
): ChannelRefusedError {
  const given = error['reason'];
  const reason = typeof given === 'number' || typeof given === 'string' ? String(given) : '';
  const what = context.what ?? 'a channel';
  const why = openFailures[reason] ?? bounded(messageOf(cause));
  const step = reason === '' ? 'request' : 'open';
  const details: ErrorDetails = { host: context.host, what, reason: why, step };
  return new ChannelRefusedError(
    'link/channel-refused',
    `${context.host} refused to open ${what} (${why}). It may not exist, or the SSH server forbids it.`,
    { cause, retry: 'later', details },
  );
}

/** The `code` of a Node error; happy-eyeballs failures carry it on their first part. */
export function codeOf(error: unknown): string {
  if (!isRecord(error)) return 'unknown';
  if (typeof error['code'] === 'string') return error['code'];
  const parts = error['errors'];
  return Array.isArray(parts) && parts.length > 0 ? codeOf(parts[0]) : 'unknown';
}

/** What was thrown, as an Error: a signal's reason may be anything. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Text of the far side is data: one line, no control characters, not long. */
export function bounded(text: string, limit = 200): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must go
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, limit);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
