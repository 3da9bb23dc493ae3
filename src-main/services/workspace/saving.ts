// A text that goes back to where it was read, unless that is no longer what was read.
import type { SaveAnswer, SaveFileInput } from '../../contract/workspace.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { joinPath, parentPath } from '../../domain/files/paths.ts';
import { FileError } from '../../link/errors.ts';
import type { FileStat, RemoteFiles } from '../../link/node-link.ts';
import { IncompleteUploadError } from '../files/errors.ts';
import { writeFrom } from '../files/file-bytes.ts';
import { infoOf } from '../files/file-service.ts';

export interface Saving {
  readonly files: RemoteFiles;
  /** Absolute. */
  readonly path: string;
  readonly newName: () => string;
}

/**
 * Writes it beside the file and puts it in its place, so that a reader sees the old or the new. Where that
 * would change whose file it is, or cannot be done in its folder, the file itself is written.
 */
export async function save(
  { files, path, newName }: Saving,
  input: SaveFileInput,
  bytes: AsyncIterable<Uint8Array>,
): Promise<SaveAnswer> {
  const { basis, text } = await received(path, input, bytes);
  const before = await files.stat(path, { follow: true });
  if (before !== undefined && before.kind !== 'file') throw noFile(path);
  // A link stays one: what it leads to is written.
  const target = before === undefined ? path : await files.realPath(path);
  const temporary = joinPath(parentPath(target), `.kohakuriver-${newName()}.part`);
  let isBeside = false;
  try {
    isBeside = await putBeside(files, { temporary, text, before });
    // As late as can be: what is written between this and the next step is lost.
    const refusal = input.isForced ? undefined : await differenceOf(files, target, basis);
    if (refusal !== undefined) return { outcome: refusal };
    if (isBeside && (await isPut(files, { temporary, target, before }))) isBeside = false;
    else await putInside(files, target, text);
  } finally {
    if (isBeside) await files.remove(temporary).catch(() => undefined);
  }
  return { outcome: 'saved', info: await infoOf(files, path) };
}

interface Beside {
  readonly temporary: string;
  readonly text: Buffer;
  readonly before: FileStat | undefined;
}

/** Both parts of what comes up. @throws IncompleteUploadError */
async function received(
  path: string,
  { basisBytes, size }: SaveFileInput,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ basis: Buffer; text: Buffer }> {
  const parts: Uint8Array[] = [];
  const expected = basisBytes + size;
  let came = 0;
  for await (const part of bytes) {
    came += part.length;
    if (came > expected) break;
    parts.push(Buffer.from(part));
  }
  if (came !== expected) throw new IncompleteUploadError(shownName(path), { expected, came });
  const all = Buffer.concat(parts);
  return { basis: all.subarray(0, basisBytes), text: all.subarray(basisBytes) };
}

/** What became of the file since it was read; undefined where it is the same. */
async function differenceOf(
  files: RemoteFiles,
  target: string,
  basis: Buffer,
): Promise<'changed' | 'gone' | undefined> {
  try {
    const now = await files.readFile(target, basis.length + 1);
    return now.equals(basis) ? undefined : 'changed';
  } catch (error) {
    if (error instanceof FileError && error.code === 'link/file-not-found') return 'gone';
    throw error;
  }
}

/** False where the file itself has to be written; nothing is left then. */
async function putBeside(files: RemoteFiles, part: Beside): Promise<boolean> {
  try {
    if (await writeBeside(files, part)) return true;
  } catch (error) {
    await files.removeTree(part.temporary).catch(() => undefined);
    // One may be allowed to write the file, and not to make another beside it.
    const isDenied = error instanceof FileError && error.code === 'link/file-denied';
    if (isDenied && part.before !== undefined) return false;
    throw error;
  }
  await files.removeTree(part.temporary);
  return false;
}

/** False, and nothing written, where it would belong to somebody else than the file does. */
async function writeBeside(
  files: RemoteFiles,
  { temporary, text, before }: Beside,
): Promise<boolean> {
  await using file = await files.open(temporary, 'wx', before?.mode ?? 0o644);
  const made = await file.stat();
  const { uid, gid, mode } = before ?? made;
  if (made.uid !== uid || made.gid !== gid) return false;
  await writeFrom(file, { from: 0 }, once(text));
  await file.sync();
  // What is made gets less than is asked for where the far side's umask says so.
  if (made.mode !== mode) await files.setMode(temporary, mode);
  return true;
}

/** False where nothing can be put in its place: it is a mount, or the server replaces no files. */
async function isPut(
  files: RemoteFiles,
  { temporary, target, before }: { temporary: string; target: string; before: Beside['before'] },
): Promise<boolean> {
  try {
    await files.rename(temporary, target);
    return true;
  } catch (error) {
    const isRefused = error instanceof FileError && error.code === 'link/file-failed';
    if (isRefused && before !== undefined) return false;
    throw error;
  }
}

async function putInside(files: RemoteFiles, target: string, text: Buffer): Promise<void> {
  await using file = await files.open(target, 'w');
  await writeFrom(file, { from: 0 }, once(text));
  await file.sync();
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}

function noFile(path: string): FileError {
  return new FileError('link/file-failed', `${shownName(path)} is no file that could be written.`, {
    details: { path: shownName(path) },
  });
}
