// What can go wrong with plain processes on a node.
import { AppError, type AppErrorOptions } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/error-codes.ts';

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
