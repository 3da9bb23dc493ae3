// Files and folders of a place as one archive (tar), for whoever takes them away: the browser's
// downloads. Small files are read ahead of each other; nothing is left out without a word.
import { shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import { smallFileBytes, type Item } from '../../domain/transfers/plan.ts';
import { readAhead } from '../files/file-bytes.ts';
import type { Root } from '../files/places.ts';
import { ItemError } from './errors.ts';
import { mostItems, scan, type Source } from './scan.ts';
import { tarEnd, tarFolder, tarHeader, tarLink, tarPadding } from './tar.ts';

/** Round trips under way at once. */
const lanes = 16;

export interface ArchiveOrder {
  readonly root: Root;
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
}

/** The archive as it is read. A file that cannot be read ends it with ItemError. */
export async function* archiveOf({ root, paths, signal }: ArchiveOrder): AsyncGenerator<Buffer> {
  const { sources, problems } = await scan({
    root,
    paths,
    recursive: true,
    signal,
    limit: mostItems,
    onFound: () => undefined,
  });
  const failed = problems.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) throw new ItemError(shownName(failed.path), failed.message);
  for (const source of sources) yield* entriesOf(root, source, signal);
  yield tarEnd;
}

async function* entriesOf(
  root: Root,
  { directory, items }: Source,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const waiting: Promise<Buffer[]>[] = [];
  let next = 0;
  const ask = () => {
    const item = items[next];
    next += 1;
    if (item === undefined) return;
    const start = startOf(root, directory, item);
    start.catch(() => undefined);
    waiting.push(start);
  };
  for (let lane = 0; lane < lanes; lane += 1) ask();
  for (const item of items) {
    signal.throwIfAborted();
    yield* (await waiting.shift()) ?? [];
    ask();
    if (isLarge(item)) yield* bytesOf(root, joinPath(directory, item.path), item);
  }
}

function isLarge({ kind, size }: Item): boolean {
  return kind === 'file' && size > smallFileBytes;
}

/** All of an entry, but of a large file only what stands before its bytes. */
async function startOf(root: Root, directory: string, item: Item): Promise<Buffer[]> {
  const path = joinPath(directory, item.path);
  const head = { ...item, name: item.path };
  if (item.kind === 'directory') return [tarFolder(head)];
  if (item.kind === 'link') return [tarLink(head, await root.files.readLink(path))];
  if (isLarge(item)) return [tarHeader(head)];
  const bytes = await root.files.readFile(path, item.size + 1);
  if (bytes.length !== item.size) throw changed(item);
  return [tarHeader(head), bytes, tarPadding(item.size)];
}

async function* bytesOf(root: Root, path: string, item: Item): AsyncGenerator<Buffer> {
  await using file = await root.files.open(path, 'r');
  let read = 0;
  for await (const part of readAhead(file, 0, { end: item.size })) {
    read += part.length;
    yield part;
  }
  if (read !== item.size) throw changed(item);
  yield tarPadding(item.size);
}

function changed(item: Item): ItemError {
  return new ItemError(shownName(item.path), 'It changed while it was read.');
}
