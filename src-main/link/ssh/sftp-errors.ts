import { bounded, FileError } from '../errors.ts';

/** The status code of an SFTP failure, also below an error of ours (draft-ietf-secsh-filexfer-02, section 7). */
export function sftpCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof FileError) return sftpCode(error.cause);
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' ? code : undefined;
}

/** Whether it was about a file that is not there. */
export function isNoSuchFile(error: unknown): boolean {
  return error instanceof FileError && error.code === 'link/file-not-found';
}

/** The one reader of SFTP's status codes. */
export function fromSftp(error: unknown, path: string): FileError {
  const options = { cause: error, details: { path } };
  switch (sftpCode(error)) {
    case 2:
      return new FileError('link/file-not-found', `There is no ${path}.`, options);
    case 3:
      return new FileError('link/file-denied', `The login user may not do this with ${path}.`, {
        ...options,
        retry: 'after-user-action',
      });
    default: {
      const why = bounded(error instanceof Error ? error.message : String(error));
      return new FileError(
        'link/file-failed',
        `The node could not do this with ${path} (${why}).`,
        {
          ...options,
          details: { path, reason: why },
        },
      );
    }
  }
}
