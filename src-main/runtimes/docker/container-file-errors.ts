import { shownName } from '../../domain/files/path-text.ts';
import { bounded, FileError } from '../../link/errors.ts';

/** The words of the system (errno in the C locale, the same in every libc) and what they mean here. */
const meanings = [
  [/No such file or directory/, 'link/file-not-found', 'There is no PATH in the container.'],
  [
    /Permission denied|Operation not permitted|Read-only file system/,
    'link/file-denied',
    "The container's user may not do this with PATH.",
  ],
  [/File exists/, 'link/file-exists', 'PATH exists already.'],
  [/No space left on device|quota exceeded/i, 'link/disk-full', 'The disk that has PATH is full.'],
] as const;

/** What the script in a container complained of, as an error. */
export function fileErrorOf(complaint: string, path: string): FileError {
  const shown = shownName(path);
  const reason = bounded(complaint.trim());
  for (const [pattern, code, sentence] of meanings) {
    if (!pattern.test(complaint)) continue;
    const needsPerson = code === 'link/file-denied' || code === 'link/disk-full';
    return new FileError(
      code,
      sentence.replace('PATH', () => shown),
      {
        retry: needsPerson ? 'after-user-action' : 'never',
        details: { path: shown, reason },
      },
    );
  }
  return new FileError(
    'link/file-failed',
    `The container could not do this with ${shown} (${reason === '' ? 'it said no more' : reason}).`,
    { details: { path: shown, reason } },
  );
}
