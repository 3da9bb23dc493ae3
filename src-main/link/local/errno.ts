import { shownName } from '../../domain/files/path-text.ts';
import { codeOf, FileError } from '../errors.ts';

/** What the system said of a path of this computer, as the error that every kind of files has. */
export function fromErrno(error: unknown, name: string): FileError {
  const errno = codeOf(error);
  const path = shownName(name);
  const options = { cause: error, details: { path, errno } };
  switch (errno) {
    case 'ENOENT':
      return new FileError('link/file-not-found', `There is no ${path}.`, options);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new FileError('link/file-denied', `You may not do this with ${path}.`, {
        ...options,
        retry: 'after-user-action',
      });
    case 'EEXIST':
      return new FileError('link/file-exists', `${path} exists already.`, options);
    case 'ENOSPC':
    case 'EDQUOT':
      return new FileError('link/disk-full', `The disk that has ${path} is full.`, {
        ...options,
        retry: 'after-user-action',
      });
    default:
      return new FileError(
        'link/file-failed',
        `This cannot be done with ${path} (${errno}).`,
        options,
      );
  }
}
