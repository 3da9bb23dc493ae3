// What can go wrong with plain processes on a node.
import { AppError, type AppErrorOptions } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/error-codes.ts';
import type { AttemptRef } from '../runtime.ts';

/** Base of everything that goes wrong with processes. */
export abstract class ProcessError extends AppError<Extract<ErrorCode, `process/${string}`>> {}

/** A plain process cannot give what the task asks for. */
export class ProcessUnsupportedError extends ProcessError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('process/unsupported', message, { retry: 'after-user-action', ...options });
  }
}

/** The attempt could not be set up or started. */
export class ProcessCreationError extends ProcessError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('process/creation', message, options);
  }
}

/** There is no such attempt of this core on the node. */
export class ProcessNotFoundError extends ProcessError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('process/not-found', message, options);
  }
}

/** The disk of the node's home directory is full. */
export class ProcessDiskFullError extends ProcessError {
  constructor(options: AppErrorOptions = {}) {
    super(
      'process/disk-full',
      "The disk with the home directory is full on the node. Free some space there; the task's files are in ~/.kohakuriver.",
      { retry: 'after-user-action', ...options },
    );
  }
}

/** An attempt is not as it was expected; `what` goes on after its name: `is not on the node`. */
export function notThere(ref: AttemptRef, what: string): ProcessNotFoundError {
  return new ProcessNotFoundError(`Attempt ${String(ref.attempt)} of task ${ref.taskId} ${what}.`, {
    details: { taskId: ref.taskId, attempt: ref.attempt },
  });
}

/** The error behind an answer of one of our scripts that is not success. */
export function failure(answer: string, ref: AttemptRef): Error {
  const details = { taskId: ref.taskId, attempt: ref.attempt };
  if (answer === 'disk-full') return new ProcessDiskFullError({ details });
  if (answer === 'missing') return notThere(ref, 'is not on the node');
  if (answer === 'workdir') {
    return new ProcessCreationError(
      'The working directory of the task is not on the node, or may not be entered.',
      { details },
    );
  }
  if (answer === 'foreign') {
    return new ProcessCreationError(
      `The directory of task ${ref.taskId} on the node belongs to another core. It was left alone.`,
      { details },
    );
  }
  if (answer === 'refused') {
    return new ProcessCreationError(
      'Other connections to the node keep taking the place of this one. Is the same app, with a copy of its data, connected to it?',
      { retry: 'later', details },
    );
  }
  const reason = answer.replace(/^failed ?/, '').slice(0, 300);
  return new ProcessCreationError(`The process could not be set up on the node: ${reason}`, {
    details,
  });
}
