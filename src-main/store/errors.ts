// Everything that can go wrong with what we keep, and the one place that reads SQLite's and the
// file system's codes.
import { AppError, type AppErrorOptions, type RetryHint } from '../contract/errors.ts';

export type StoreErrorCode =
  | 'store/locked'
  | 'store/newer-database'
  | 'store/corrupt'
  | 'store/disk-full'
  | 'store/failed'
  | 'store/log-corrupt'
  | 'conflict/state'
  | 'conflict/name-taken'
  | 'input/invalid';

/** The database, the log files or the data directory could not do what was asked. */
export class StoreError extends AppError<StoreErrorCode> {}

/** The settings file cannot be read or written as it is; `details` has line and column where known. */
export class ConfigFileError extends AppError<'settings/file'> {}

/** Secrets cannot be kept or read: locked, unavailable here, or not what was written. */
export class VaultError extends AppError<
  'vault/locked' | 'vault/unreadable' | 'vault/unavailable'
> {}

interface Translation {
  readonly code: StoreErrorCode;
  readonly retry: RetryHint;
  readonly advice: string;
}

const diskFull: Translation = {
  code: 'store/disk-full',
  retry: 'after-user-action',
  advice: 'the disk is full; make room and try again',
};
const denied: Translation = {
  code: 'store/failed',
  retry: 'after-user-action',
  advice: 'it may not be written to; check the owner and permissions of the data directory',
};
const corrupt: Translation = {
  code: 'store/corrupt',
  retry: 'after-user-action',
  advice: 'the file is damaged; restore a backup of the data directory',
};

/** Codes of Node's fs and of SQLite (https://www.sqlite.org/rescode.html), by their beginning. */
const translations: readonly (readonly [prefix: string, translation: Translation])[] = [
  ['ENOSPC', diskFull],
  ['EDQUOT', diskFull],
  ['EFBIG', diskFull],
  ['SQLITE_FULL', diskFull],
  ['EACCES', denied],
  ['EPERM', denied],
  ['EROFS', denied],
  ['SQLITE_READONLY', denied],
  ['SQLITE_CANTOPEN', denied],
  ['SQLITE_CORRUPT', corrupt],
  ['SQLITE_NOTADB', corrupt],
  [
    'SQLITE_BUSY',
    {
      code: 'store/failed',
      retry: 'later',
      advice: 'another program holds the database; close it and try again',
    },
  ],
];

function isAppError(error: unknown): error is AppError {
  return error instanceof AppError;
}

/** The `code` of a Node or SQLite error; an empty text for anything else. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/**
 * Translates what SQLite or the file system threw. `doing` completes «Could not …». An AppError
 * passes through unchanged.
 */
export function toStoreError(
  error: unknown,
  doing: string,
  options: AppErrorOptions = {},
): AppError {
  if (isAppError(error)) return error;
  const code = codeOf(error);
  const found = translations.find(([prefix]) => code.startsWith(prefix))?.[1];
  const text = error instanceof Error ? error.message : String(error);
  return new StoreError(
    found?.code ?? 'store/failed',
    `Could not ${doing}: ${found?.advice ?? text}.`,
    { retry: found?.retry ?? 'never', ...options, cause: error },
  );
}
