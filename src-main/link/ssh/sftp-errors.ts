import { shownName } from '../../domain/files/path-text.ts';
import { bounded, FileError } from '../errors.ts';
import { status } from './sftp/packets.ts';
import { SftpStatusError } from './sftp/session.ts';

/** The status code of an SFTP failure, also below an error of ours (draft-ietf-secsh-filexfer-02, section 7). */
export function sftpCode(error: unknown): number | undefined {
  if (error instanceof FileError) return sftpCode(error.cause);
  return error instanceof SftpStatusError ? error.code : undefined;
}

/** Whether it was about a file that is not there. */
export function isNoSuchFile(error: unknown): boolean {
  return error instanceof FileError && error.code === 'link/file-not-found';
}

/** The one reader of SFTP's status codes. */
export function fromSftp(error: unknown, path: string): FileError {
  const shown = shownName(path);
  const options = { cause: error, details: { path: shown } };
  switch (sftpCode(error)) {
    case status.noSuchFile:
      return new FileError('link/file-not-found', `There is no ${shown}.`, options);
    case status.denied:
      return new FileError('link/file-denied', `The login user may not do this with ${shown}.`, {
        ...options,
        retry: 'after-user-action',
      });
    default: {
      const why = bounded(error instanceof Error ? error.message : String(error));
      return new FileError(
        'link/file-failed',
        `The node could not do this with ${shown} (${why}).`,
        { ...options, details: { path: shown, reason: why } },
      );
    }
  }
}
