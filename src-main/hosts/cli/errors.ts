// What the command line itself can say no to. What the core refuses arrives as a RemoteError.
import { AppError, type AppErrorOptions } from '../../contract/errors.ts';

export class CliError<
  Code extends
    | 'input/invalid'
    | 'core/unavailable'
    | 'conflict/state'
    | 'auth/required'
    | 'link/host-key-unknown'
    | 'link/host-key-changed' =
    | 'input/invalid'
    | 'core/unavailable'
    | 'conflict/state'
    | 'auth/required'
    | 'link/host-key-unknown'
    | 'link/host-key-changed',
> extends AppError<Code> {}

/** The words on the command line make no sense. */
export class UsageError extends CliError<'input/invalid'> {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('input/invalid', message, options);
  }
}

/** No core can be talked to. */
export class NoCoreError extends CliError<'core/unavailable'> {
  constructor(message: string, cause?: unknown) {
    super('core/unavailable', message, {
      retry: 'later',
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** The core does not let this client in. */
export class RefusedError extends CliError<'auth/required'> {
  constructor(message: string, cause?: unknown) {
    super('auth/required', message, {
      retry: 'after-user-action',
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** The core is there and is not one that this command may be used on. */
export class WrongCoreError extends CliError<'conflict/state'> {
  constructor(message: string) {
    super('conflict/state', message, { retry: 'after-user-action' });
  }
}

/** A host's key is not trusted, and nobody was there to ask or they said no. */
export class HostKeyRefusedError extends CliError<
  'link/host-key-unknown' | 'link/host-key-changed'
> {}

/** A person, or the system, wants the command to end. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('interrupted');
    this.name = 'Interruption';
    this.exitCode = exitCode;
  }
}

/** Whoever read the output has left (`… | head`). */
export class ReaderGone extends Error {
  constructor() {
    super('the reader of the output is gone');
    this.name = 'ReaderGone';
  }
}
