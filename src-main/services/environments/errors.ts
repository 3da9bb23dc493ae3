import { AppError, RequestError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/error-codes.ts';

export class EnvironmentError extends AppError<
  Extract<ErrorCode, `environment/${string}` | 'not-found/environment'>
> {}

export class UnknownEnvironmentError extends EnvironmentError {
  constructor(name: string) {
    super(
      'not-found/environment',
      `There is no environment ${name}. See the list of environments.`,
      {
        details: { environment: name },
      },
    );
  }
}

/** There is no such version. */
export function unknownVersion(environment: string, what: string): EnvironmentError {
  return new EnvironmentError(
    'not-found/environment',
    `${environment} has no version ${what}. Save it first, or look at its versions.`,
    { details: { environment, version: what } },
  );
}

/** Something is made from it, or is about to be. */
export function environmentInUse(environment: string, users: readonly string[]): EnvironmentError {
  const some = users.slice(0, 5).join(', ');
  const more = users.length > 5 ? ` and ${String(users.length - 5)} more` : '';
  return new EnvironmentError(
    'environment/in-use',
    `${environment} is in use by ${some}${more}. Remove or change those first.`,
    { retry: 'after-user-action', details: { environment, users: users.length } },
  );
}

export function noBuild(environment: string): EnvironmentError {
  return new EnvironmentError(
    'environment/no-build',
    `${environment} is not being made anywhere. Begin it again with an image or a Dockerfile.`,
    { retry: 'after-user-action', details: { environment } },
  );
}

export function notReady(environment: string, why: string): EnvironmentError {
  return new EnvironmentError('environment/not-ready', `${environment} is not ready: ${why}`, {
    retry: 'later',
    details: { environment },
  });
}

/** The node cannot be asked now, or has no Docker. */
export function nodeNotThere(node: string, why: string): RequestError {
  return new RequestError('link/unreachable', `${node} cannot be used now: ${why}`, {
    retry: 'later',
    details: { node },
  });
}

export function notDelivered(message: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('environment/not-delivered', message, {
    retry: 'later',
    ...(cause === undefined ? {} : { cause }),
  });
}
