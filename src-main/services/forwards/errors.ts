import { AppError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/error-codes.ts';

export class ForwardError extends AppError<
  Extract<ErrorCode, `forward/${string}` | 'not-found/forward'>
> {}

export class UnknownForwardError extends ForwardError {
  constructor(id: string) {
    super('not-found/forward', `There is no forward ${id}. See the list of forwards.`, {
      details: { forward: id },
    });
  }
}

export function portTaken(bind: string, port: number, cause: unknown): ForwardError {
  return new ForwardError(
    'forward/port-taken',
    `Port ${String(port)} of ${bind} is taken on this computer. Choose another one, or leave it out and a free one is found.`,
    { cause, retry: 'after-user-action', details: { bind, port } },
  );
}

/** The SSH server of the node forbids forwarding. */
export function forwardingForbidden(node: string, cause: unknown): ForwardError {
  return new ForwardError(
    'forward/forbidden',
    `The SSH server of ${node} forbids forwarding. Set AllowTcpForwarding yes in its sshd_config, or ask whoever runs it.`,
    { cause, retry: 'after-user-action', details: { node } },
  );
}

/** SSH carries no datagrams: something on the node has to send them. */
export function noUdpHelper(node: string): ForwardError {
  return new ForwardError(
    'forward/no-udp',
    `UDP needs perl or python3 on ${node}, and neither is there. Install one, such as with «apt-get install perl» or «apk add perl», and try again.`,
    { retry: 'after-user-action', details: { node } },
  );
}

export function cannotForward(message: string, place: string): ForwardError {
  return new ForwardError('forward/unsupported', message, { details: { place } });
}

export function sshConfigFailed(
  { config, userConfig }: { config: string; userConfig: string },
  cause: unknown,
): ForwardError {
  return new ForwardError(
    'forward/ssh-config',
    `What OpenSSH reads could not be written. Look at who may write ${config} and ${userConfig}.`,
    { cause, retry: 'after-user-action', details: { config, userConfig } },
  );
}
