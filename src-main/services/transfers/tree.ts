// All that lies below a folder in one go, where an end can: round trips for each folder, and for each name a
// line for people (as SFTP has it), take five times as long.
import { hasRawBytes, textOfBytes } from '../../domain/files/path-text.ts';
import { isEntryName } from '../../domain/files/paths.ts';
import { HostileSourceError } from './errors.ts';
import type { HashingEnd } from './far-side.ts';
import type { TreeEntry } from './here/columns.ts';
import { listTreeHere, type TreeOptions } from './here/local-tree.ts';

/**
 * As it comes, folders before what is in them; links are not followed. Undefined where it cannot be had like
 * this, and ends with false where not all of it can: then each folder is to be looked at by itself, which says
 * what is wrong with it.
 * @throws HostileSourceError for what is no listing of a tree
 */
export type ListTree = (
  path: string,
  options: TreeOptions,
) => AsyncGenerator<readonly TreeEntry[], boolean> | undefined;

export function listTreeOf(end: Pick<HashingEnd, 'root' | 'tools' | 'thread'>): ListTree {
  const { thread, tools, root } = end;
  if (thread !== undefined) return (path, options) => listTreeHere(thread, path, options);
  return (path, options) =>
    tools.find && !hasRawBytes(path) ? listByFind(root, path, options) : undefined;
}

/** The whole of it; undefined where not all of it can be had in one go. `onSome` hears of it as it comes. */
export async function wholeTree(
  listTree: ListTree,
  path: string,
  options: TreeOptions & { readonly onSome?: (entries: readonly TreeEntry[]) => void },
): Promise<TreeEntry[] | undefined> {
  const all: TreeEntry[] = [];
  const listing = listTree(path, options);
  if (listing === undefined) return undefined;
  for (;;) {
    const step = await listing.next();
    if (step.done === true) return step.value ? all : undefined;
    for (const entry of step.value) all.push(entry);
    options.onSome?.(step.value);
  }
}

/** One line for each, as GNU find writes it: type, size, mode, time and path; a zero ends it. */
const format = '%y %s %m %T@ %P\\0';
/** Longer than any path and the numbers before it. */
const longestLineBytes = 8192;
/** No program there could be given more (PATH_MAX of Linux). */
const longestPath = 4096;
/** Of a million with names of some hundred letters: what says more is looked at folder by folder. */
const mostBytes = 512 * 1024 * 1024;
const deepest = 512;

async function* listByFind(
  root: Pick<HashingEnd['root'], 'spawn'>,
  path: string,
  { signal, limit }: TreeOptions,
): AsyncGenerator<TreeEntry[], boolean> {
  const command = ['find', path, '-mindepth', '1', '-printf', format];
  await using process = await root.spawn(command, { signal });
  process.stdin.on('error', () => undefined);
  process.stdin.end();
  process.stderr.resume();
  const tree = new Tree();
  let rest: Buffer = Buffer.alloc(0);
  let size = 0;
  for await (const part of process.stdout as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    const bytes = rest.length === 0 ? part : Buffer.concat([rest, part]);
    const end = bytes.lastIndexOf(0) + 1;
    rest = Buffer.from(bytes.subarray(end));
    size += part.length;
    if (rest.length > longestLineBytes || size > mostBytes) return false;
    if (end === 0) continue;
    const entries = entriesIn(bytes.subarray(0, end - 1));
    if (entries === undefined || !tree.take(entries) || tree.count > limit) return false;
    yield entries;
  }
  const { exitCode } = await process.ended;
  return exitCode === 0 && rest.length === 0;
}

/** Undefined when something else is among it. */
function entriesIn(lines: Buffer): TreeEntry[] | undefined {
  const entries: TreeEntry[] = [];
  for (const line of textsIn(lines)) {
    const entry = entryIn(line);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return entries;
}

/** Names are bytes: where some are no text, each is read by itself. */
function textsIn(lines: Buffer): string[] {
  const all = textOfBytes(lines);
  if (!hasRawBytes(all)) return all.split('\0');
  const texts: string[] = [];
  for (let at = 0; at <= lines.length;) {
    const zero = lines.indexOf(0, at);
    const end = zero < 0 ? lines.length : zero;
    texts.push(textOfBytes(lines.subarray(at, end)));
    at = end + 1;
  }
  return texts;
}

const kinds: Readonly<Record<string, TreeEntry['kind']>> = { f: 'file', d: 'directory', l: 'link' };

function entryIn(line: string): TreeEntry | undefined {
  const match = /^([a-zA-Z]) (\d{1,16}) ([0-7]{1,5}) (\d{1,12})(?:\.\d*)? ([^]+)$/.exec(line);
  if (match === null) return undefined;
  const [, type = '', size, mode = '', modifiedAt, path = ''] = match;
  const kind = kinds[type] ?? 'other';
  return {
    ...{ path, kind, size: Number(size) },
    ...{ mode: parseInt(mode, 8) & 0o7777, modifiedAt: Number(modifiedAt) },
  };
}

/** Holds what a node lists to be a tree: nothing twice, and nothing that is not in a folder of it. */
class Tree {
  readonly #seen = new Set<string>();
  readonly #folders = new Set(['']);

  get count(): number {
    return this.#seen.size;
  }

  /** False where it is too deep or a path too long. @throws HostileSourceError */
  take(entries: readonly TreeEntry[]): boolean {
    for (const { path, kind } of entries) {
      const slash = path.lastIndexOf('/');
      const folder = slash < 0 ? '' : path.slice(0, slash);
      if (!this.#folders.has(folder) || !isEntryName(path.slice(slash + 1))) {
        throw new HostileSourceError('it lists what is in none of its folders');
      }
      if (path.length > longestPath) return false;
      if (this.#seen.has(path)) throw new HostileSourceError('it lists a name twice');
      this.#seen.add(path);
      if (kind !== 'directory') continue;
      if (path.split('/').length > deepest) return false;
      this.#folders.add(path);
    }
    return true;
  }
}
