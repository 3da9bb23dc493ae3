import type { ErrorCode } from '../../contract/error-codes.ts';
import { AppError } from '../../contract/errors.ts';

export type WorkspaceErrorCode = Extract<ErrorCode, `workspace/${string}`>;

/** What an editor asks of a place that the place cannot do as asked. */
export class WorkspaceError<
  Code extends WorkspaceErrorCode = WorkspaceErrorCode,
> extends AppError<Code> {}

/** The pattern is none that `grep` understands. `reason` is what it says of it. */
export class BadPatternError extends WorkspaceError<'workspace/pattern'> {
  constructor(reason: string) {
    super('workspace/pattern', `This is no regular expression that grep understands: ${reason}`, {
      retry: 'after-user-action',
      details: { reason },
    });
  }
}

/** A program that is needed for it is not there, or cannot be run. */
export class MissingToolError extends WorkspaceError<'workspace/missing-tool'> {
  constructor(place: string, what: string) {
    super('workspace/missing-tool', `${what} on ${place}.`, {
      retry: 'never',
      details: { place },
    });
  }
}

/** It began, and could not go on. */
export class BrokenOffError extends WorkspaceError<'workspace/broken-off'> {
  constructor(what: string, reason: string) {
    super('workspace/broken-off', `${what}${reason === '' ? '' : ` (${reason})`}.`, {
      retry: 'later',
      details: { reason },
    });
  }
}
