// Errors as they are inside the core (AppError) and as they leave it (ErrorShape).
// Each subsystem has its own base class in its own errors.ts; all extend AppError.
import { z } from 'zod';
import { errorCodes, type ErrorCode } from './error-codes.ts';

/** When trying again can help: never as it stands, later by itself, or after a person did something. */
export type RetryHint = 'never' | 'later' | 'after-user-action';
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface AppErrorOptions {
  cause?: unknown;
  retry?: RetryHint;
  /** Small typed facts for the user interface and scripts; never a secret. */
  details?: ErrorDetails;
}

/** An error with a code, a hint whether to retry, small details, and its cause. */
export abstract class AppError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly retry: RetryHint;
  readonly details: ErrorDetails;

  /** @param message one sentence for a person: what happened, and what to do about it. */
  constructor(code: Code, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retry = options.retry ?? 'never';
    this.details = options.details ?? {};
  }
}

/** Whether something thrown is one of ours. (`instanceof` alone would make its code `any`.) */
export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError;
}

/** A request that cannot be carried out as it was asked: wrong value, no such thing, wrong state. */
export class RequestError extends AppError {}

const errorCause = z.object({ code: z.string(), message: z.string() });

/** What crosses a process boundary instead of an Error: no stack, no foreign text. */
export const errorShape = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  retry: z.enum(['never', 'later', 'after-user-action']),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  causes: z.array(errorCause).max(4),
  /** Finds the full story (stack, foreign causes) in the core's log. */
  incident: z.string().optional(),
});
export type ErrorShape = z.infer<typeof errorShape>;

/** An error that came from the core, rebuilt on the client's side from its shape. */
export class RemoteError extends AppError {
  readonly causes: ErrorShape['causes'];
  readonly incident: string | undefined;

  constructor(shape: ErrorShape) {
    super(shape.code, shape.message, { retry: shape.retry, details: shape.details });
    this.causes = shape.causes;
    this.incident = shape.incident;
  }
}

/** The chain of causes below an error, outermost first, at most `limit` of them. */
function causesOf(error: Error, limit: number): ErrorShape['causes'] {
  const causes: ErrorShape['causes'] = [];
  let current: unknown = error.cause;
  while (isAppError(current) && causes.length < limit) {
    causes.push({ code: current.code, message: current.message });
    current = current.cause;
  }
  return causes;
}

/**
 * Turns anything thrown into the shape that may leave the core. What is not an AppError becomes
 * `internal/unexpected` without its text; `incident` should then name the log entry that has it.
 */
export function toErrorShape(error: unknown, incident?: string): ErrorShape {
  if (isAppError(error)) {
    return {
      code: error.code,
      message: error.message,
      retry: error.retry,
      details: error.details,
      causes: causesOf(error, 4),
      ...(incident === undefined ? {} : { incident }),
    };
  }
  return {
    code: 'internal/unexpected',
    message: 'Something unexpected went wrong inside the core; its log has the full story.',
    retry: 'never',
    details: {},
    causes: [],
    ...(incident === undefined ? {} : { incident }),
  };
}
