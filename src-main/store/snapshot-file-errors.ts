import type { ErrorCode } from '../contract/error-codes.ts';
import { AppError } from '../contract/errors.ts';

/** A file is no snapshot that can be taken in. */
export class SnapshotFileError extends AppError<Extract<ErrorCode, `snapshot/${string}`>> {}

export function notASnapshot(cause?: unknown): SnapshotFileError {
  return new SnapshotFileError(
    'snapshot/not-ours',
    'This file is not a snapshot of a VPS. One is made with: kohakuriver vps snapshot export',
    { retry: 'after-user-action', cause },
  );
}

export function newerSnapshot(): SnapshotFileError {
  return new SnapshotFileError(
    'snapshot/newer',
    'This snapshot was taken out by a newer version. Update this one to take it in.',
    { retry: 'after-user-action' },
  );
}

export function damagedSnapshot(cause?: unknown): SnapshotFileError {
  return new SnapshotFileError(
    'snapshot/damaged',
    'The file is not whole, or was changed on its way: nothing was kept of it. Copy it again, and import that.',
    { retry: 'after-user-action', cause },
  );
}

/** @param what it holds, e.g. `a part called "../x"` */
export function hostileSnapshot(what: string): SnapshotFileError {
  return new SnapshotFileError(
    'snapshot/hostile',
    `The file holds ${what}, which no snapshot holds: nothing was kept of it.`,
  );
}
