import type { ErrorCode } from '../../contract/error-codes.ts';
import { AppError } from '../../contract/errors.ts';

export type FilesErrorCode = Extract<ErrorCode, `files/${string}`>;

/** Files that cannot be reached or handled as asked, for reasons that are not the file system's own. */
export class FilesError<Code extends FilesErrorCode = FilesErrorCode> extends AppError<Code> {}

/** The node is not online, or the container does not run. */
export class PlaceUnavailableError extends FilesError<'files/unavailable'> {
  constructor(message: string, place: string) {
    super('files/unavailable', message, { retry: 'later', details: { place } });
  }
}

/** Something is there already, and was not to be replaced. */
export class FileTakenError extends FilesError<'files/taken'> {
  constructor(path: string) {
    super('files/taken', `${path} exists already. Choose another name, or replace it.`, {
      retry: 'after-user-action',
      details: { path },
    });
  }
}

/** What came was not what had been announced; nothing was put in place. */
export class IncompleteUploadError extends FilesError<'files/incomplete'> {
  constructor(path: string, sizes: { expected: number; came: number }) {
    super(
      'files/incomplete',
      `${path} was not put in place: ${String(sizes.came)} of ${String(sizes.expected)} bytes came. Send it again.`,
      { retry: 'later', details: { path, ...sizes } },
    );
  }
}
