// What is the same for every kind of files, built on the few things each can do.
import { joinPath } from '../domain/files/paths.ts';
import { FileError } from './errors.ts';
import type { RemoteFiles } from './node-link.ts';

type Removing = Pick<RemoteFiles, 'stat' | 'listInBatches' | 'remove' | 'removeDirectory'>;

/** Requests under way at once; each waits for a round trip. */
const atOnce = 32;
/** Deeper than any tree that can be named (PATH_MAX is 4096): a file system that loops. */
const deepest = 2048;

/** Removes whatever is there, depth first, without following links. */
export async function removeTreeOf(
  files: Removing,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const stat = await files.stat(path);
  if (stat === undefined) return;
  if (stat.kind === 'directory') await removeDirectoryTree(files, path, { depth: 0, signal });
  else await files.remove(path);
}

interface Walk {
  readonly depth: number;
  readonly signal: AbortSignal | undefined;
}

async function removeDirectoryTree(files: Removing, path: string, walk: Walk): Promise<void> {
  if (walk.depth > deepest) throw tooDeep(path);
  walk.signal?.throwIfAborted();
  for await (const batch of files.listInBatches(path)) {
    const directories = batch.filter(({ kind }) => kind === 'directory');
    const others = batch.filter(({ kind }) => kind !== 'directory');
    await eachOf(others, atOnce, ({ name }) => removeIfThere(files, joinPath(path, name)));
    for (const { name } of directories) {
      const below = { depth: walk.depth + 1, signal: walk.signal };
      await removeDirectoryTree(files, joinPath(path, name), below);
    }
  }
  await files.removeDirectory(path);
}

async function removeIfThere(files: Removing, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if (!(error instanceof FileError && error.code === 'link/file-not-found')) throw error;
  }
}

function tooDeep(path: string): FileError {
  return new FileError('link/file-failed', `The folders below ${path.slice(0, 200)} never end.`, {
    details: { path: path.slice(0, 200), reason: 'too deep' },
  });
}

/** Runs `work` for each, so many at once. The first failure is thrown when what runs has ended. */
export async function eachOf<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, lane);
  const outcomes = await Promise.allSettled(lanes);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
