// What people do with files one at a time: look, make, rename, remove, read and write. Moving many
// of them is services/transfers.
import type {
  FileEntryView,
  FileInfo,
  FileLocation,
  FilePlace,
  WriteFileInput,
} from '../../contract/files.ts';
import { RequestError } from '../../contract/errors.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { baseName, joinPath, parentPath, trimSlashes } from '../../domain/files/paths.ts';
import { FileError } from '../../link/errors.ts';
import type { DiskUse, FileStat, RemoteFiles } from '../../link/node-link.ts';
import { FileTakenError, IncompleteUploadError } from './errors.ts';
import { readAhead, writeFrom } from './file-bytes.ts';
import type { Places, Root } from './places.ts';

export interface FileServiceParts {
  readonly places: Places;
  /** A name nothing else has. */
  readonly newName: () => string;
}

/** A place that is open, and an absolute path there. */
interface Found {
  readonly root: Root;
  readonly path: string;
}

export interface RemoveResult {
  path: string;
  ok: boolean;
  message: string | null;
}

export class FileService {
  readonly #parts: FileServiceParts;

  constructor(parts: FileServiceParts) {
    this.#parts = parts;
  }

  async home(place: FilePlace): Promise<{ path: string }> {
    const { files } = await this.#parts.places.open(place);
    return { path: await files.realPath('.') };
  }

  async info(location: FileLocation): Promise<FileInfo> {
    const { root, path } = await this.#find(location);
    return infoOf(root.files, path);
  }

  async diskUse(location: FileLocation): Promise<DiskUse | null> {
    const { root, path } = await this.#find(location);
    return (await root.files.diskUse(path)) ?? null;
  }

  /** Entries as they come. Leaving the loop ends the listing at its source. */
  async *list(location: FileLocation): AsyncGenerator<FileEntryView[]> {
    const { root, path } = await this.#find(location);
    yield* root.files.listInBatches(path);
  }

  async makeDirectory(location: FileLocation, { parents }: { parents: boolean }) {
    const { root, path } = await this.#find(location);
    if (parents) await makeDirectories(root.files, path);
    else await root.files.makeDirectory(path);
    return { path };
  }

  async makeFile(location: FileLocation): Promise<{ path: string }> {
    const { root, path } = await this.#find(location);
    await (await root.files.open(path, 'wx'))[Symbol.asyncDispose]();
    return { path };
  }

  /** @throws FileTakenError when something is there and is not to be replaced. */
  async rename(order: { place: FilePlace; from: string; to: string; overwrite: boolean }) {
    const { root, path: from } = await this.#find({ place: order.place, path: order.from });
    const to = await absolute(root.files, order.to);
    if (!order.overwrite && (await root.files.stat(to)) !== undefined) {
      throw new FileTakenError(shownName(to));
    }
    await root.files.rename(from, to);
    return { path: to };
  }

  /** Each on its own: one that fails does not keep the others. */
  async remove(order: {
    place: FilePlace;
    paths: readonly string[];
    recursive: boolean;
  }): Promise<RemoveResult[]> {
    const { files } = await this.#parts.places.open(order.place);
    const results: RemoveResult[] = [];
    for (const given of order.paths) {
      const path = await absolute(files, given);
      try {
        await removeOne(files, path, order.recursive);
        results.push({ path, ok: true, message: null });
      } catch (error) {
        if (!(error instanceof FileError || error instanceof RequestError)) throw error;
        results.push({ path, ok: false, message: error.message });
      }
    }
    return results;
  }

  async setMode(location: FileLocation, mode: number): Promise<FileInfo> {
    const { root, path } = await this.#find(location);
    await root.files.setMode(path, mode);
    return infoOf(root.files, path);
  }

  /** The bytes of a file from a position, as fast as they are taken. */
  async *read(
    location: FileLocation,
    { position, length }: { position: number; length?: number | undefined },
  ): AsyncGenerator<Buffer> {
    const { root, path } = await this.#find(location);
    // To open a pipe waits for whoever writes into it, and with it everything else of the same session.
    if ((await root.files.stat(path, { follow: true }))?.kind === 'other') throw unreadable(path);
    await using file = await root.files.open(path, 'r');
    const end = length === undefined ? Infinity : position + length;
    yield* readAhead(file, position, { end });
  }

  /**
   * Takes a file in: under another name until all of it is there, then under its own.
   * @throws FileTakenError, IncompleteUploadError
   */
  async write(
    input: WriteFileInput,
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<{ path: string; size: number }> {
    const { root, path } = await this.#find(input);
    const { files } = root;
    const before = await replaceable(files, path, input.overwrite);
    if (input.parents) await makeDirectories(files, parentPath(path));
    const temporary = joinPath(parentPath(path), `.kohakuriver-${this.#parts.newName()}.part`);
    try {
      const size = await writeAll(files, temporary, { bytes, mode: input.mode ?? before?.mode });
      signal.throwIfAborted();
      const { size: expected = size, modifiedAt } = input;
      if (expected !== size) {
        throw new IncompleteUploadError(shownName(path), { expected, came: size });
      }
      if (modifiedAt !== undefined) await files.setModified(temporary, modifiedAt);
      // A link stays one: what it leads to is replaced.
      const target = before === undefined ? path : await files.realPath(path);
      await this.#put(files, { temporary, target, overwrite: input.overwrite });
      return { path, size };
    } catch (error) {
      await files.removeTree(temporary).catch(() => undefined);
      throw error;
    }
  }

  async #put(
    files: RemoteFiles,
    what: { temporary: string; target: string; overwrite: boolean },
  ): Promise<void> {
    // Somebody may have made it while the bytes came.
    if (!what.overwrite && (await files.stat(what.target)) !== undefined) {
      throw new FileTakenError(shownName(what.target));
    }
    await files.rename(what.temporary, what.target);
  }

  async #find({ place, path }: FileLocation): Promise<Found> {
    const root = await this.#parts.places.open(place);
    return { root, path: await absolute(root.files, path) };
  }
}

/** What is there and may be replaced. @throws FileTakenError for what may not. */
async function replaceable(
  files: RemoteFiles,
  path: string,
  overwrite: boolean,
): Promise<FileStat | undefined> {
  const before = await files.stat(path, { follow: true });
  const isTaken = before !== undefined && !overwrite;
  if (isTaken || before?.kind === 'directory') throw new FileTakenError(shownName(path));
  return before;
}

/** The path with `~` resolved and without slashes at its end. */
export async function absolute(files: RemoteFiles, path: string): Promise<string> {
  if (path !== '~' && !path.startsWith('~/')) return trimSlashes(path);
  return trimSlashes(joinPath(await files.realPath('.'), path.slice(2)));
}

/** Makes a directory and what is missing above it. One that is there is success. */
export async function makeDirectories(files: RemoteFiles, path: string): Promise<void> {
  const stat = await files.stat(path, { follow: true });
  if (stat?.kind === 'directory') return;
  if (stat !== undefined) throw new FileTakenError(shownName(path));
  if (path !== parentPath(path)) await makeDirectories(files, parentPath(path));
  try {
    await files.makeDirectory(path);
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof FileError && error.code === 'link/file-exists')) throw error;
  }
}

/** Everything about what is there. @throws FileError where nothing is */
export async function infoOf(files: RemoteFiles, path: string): Promise<FileInfo> {
  const stat = await files.stat(path);
  if (stat === undefined) {
    throw new FileError('link/file-not-found', `There is no ${shownName(path)}.`, {
      details: { path: shownName(path) },
    });
  }
  const name = baseName(path);
  if (stat.kind !== 'link') return { ...stat, name, path, linkTarget: null, targetKind: null };
  const target = await files.stat(path, { follow: true });
  const linkTarget = await files.readLink(path);
  return { ...stat, name, path, linkTarget, targetKind: target?.kind ?? null };
}

async function removeOne(files: RemoteFiles, path: string, recursive: boolean): Promise<void> {
  if (path === '/') throw invalid('The root of a file system is not removed.');
  const stat = await files.stat(path);
  if (stat === undefined) {
    throw new FileError('link/file-not-found', `There is no ${shownName(path)}.`);
  }
  if (stat.kind !== 'directory') await files.remove(path);
  else if (recursive) await files.removeTree(path);
  else throw invalid(`${shownName(path)} is a folder: it is removed only with all that is in it.`);
}

function unreadable(path: string): FileError {
  return new FileError('link/file-failed', `${shownName(path)} is no file that could be read.`, {
    details: { path: shownName(path) },
  });
}

function invalid(message: string): RequestError {
  return new RequestError('input/invalid', message);
}

async function writeAll(
  files: RemoteFiles,
  path: string,
  { bytes, mode }: { bytes: AsyncIterable<Uint8Array>; mode: FileStat['mode'] | undefined },
): Promise<number> {
  await using file = await files.open(path, 'wx', mode);
  const size = await writeFrom(file, { from: 0 }, bytes);
  await file.sync();
  return size;
}
