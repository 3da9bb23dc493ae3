// Many small files in one stream: from a tar program or read one ahead of the other, into a tar
// program or written side by side. What comes is checked against what was asked for, name by name.
import { hash } from 'node:crypto';
import type { Timers } from '../../domain/clock.ts';
import { joinPath } from '../../domain/files/paths.ts';
import { hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import { isPlainName, type Item } from '../../domain/transfers/plan.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { askByArguments, askByList, startArchive } from './archives.ts';
import { asItemError, canTar, type HashingEnd } from './far-side.ts';
import { ItemError } from './errors.ts';
import { changedError } from './here/inbox.ts';
import { packedHere } from './here/local-packing.ts';
import type { LocalThread } from './here/local-thread.ts';
import { LocalUnpacking } from './here/local-unpacking.ts';
import { intoTar } from './into-tar.ts';
import type { LotDigest } from './lot-digest.ts';
import { packed } from './packing.ts';
import { readTar } from './tar.ts';

/** One end; paths of items are below its folder. */
export type End = HashingEnd;

export interface SmallFile {
  readonly item: Item;
  readonly bytes: Buffer;
}

export interface Moving {
  readonly from: End;
  readonly to: End;
  readonly signal: AbortSignal;
  /** Called for every part before it goes on; waits where a rate is set. */
  readonly onBytes: (bytes: number) => Promise<void> | undefined;
  /** Bytes that lie at the other end already and need not go over the way. */
  readonly onKept: (bytes: number) => void;
  readonly onFile: (item: Item) => void;
  readonly onProblem: (item: Item, error: unknown) => void;
  /** Undefined where nothing is compared. */
  readonly hashes: Hashes | undefined;
  /** Of the small files of this lot; undefined where each is hashed by itself, or nothing is compared. */
  readonly together: LotDigest | undefined;
  /** Undefined where large files do not go straight from one node to another. */
  readonly direct: DirectWay | undefined;
  /** Undefined where large files always go as a whole. */
  readonly delta: DeltaWay | undefined;
}

/** Closed when it was found not to be there. */
export interface DirectWay {
  readonly timers: Timers;
  isOpen: boolean;
}

/** Closed when it was found not to work. */
export interface DeltaWay {
  readonly timers: Timers;
  /** What is to be replaced: older versions of the same files, where they lie. */
  readonly older: ReadonlyMap<Item, Older>;
  /** Told why a file goes as a whole. */
  readonly onNote: (item: Item, why: string) => void;
  isOpen: boolean;
}

export interface Older {
  readonly path: string;
  readonly size: number;
}

/** SHA-256 in hexadecimal of what was read of a source, and of what was written: it need not be read again. */
export interface Hashes {
  readonly source: Map<Item, string>;
  readonly target: Map<Item, string>;
}

/** Round trips under way at once where files go one by one. */
const lanes = 24;

const nothing = Buffer.alloc(0);

/** Moves files into folders that are there already. What cannot be read is told, the rest goes on. */
export async function moveSmallFiles(items: readonly Item[], moving: Moving): Promise<void> {
  const { from, to } = moving;
  const isTarThere = to.tools.tar && !hasRawBytes(to.directory);
  if (from.thread !== undefined && isTarThere) {
    await intoTar(packedHere(from.thread, items, moving), moving);
    return;
  }
  let rest = items;
  if (to.thread !== undefined && items.every((item) => isPackedThere(item, from))) {
    rest = await intoHere(items, to.thread, moving);
    if (rest.length === 0) return;
  }
  const source = readSmallFiles(rest, moving);
  if (isTarThere) await intoTar(packed(source, moving.onFile), moving);
  else await intoFiles(source, moving);
}

/** Those that programs of nodes can be told the names of, and the others: each way by itself. */
export function byWay(items: readonly Item[], { from }: Pick<Moving, 'from'>): Item[][] {
  const isPacked = (item: Item) =>
    from.thread === undefined ? isPackedThere(item, from) : isPlainName(item.path);
  const { packed: some = [], single = [] } = Object.groupBy(items, (item) =>
    isPacked(item) ? 'packed' : 'single',
  );
  return [some, single];
}

function isPackedThere(item: Item, { tools, directory }: End): boolean {
  return tools.tar && canTar(item, directory);
}

async function* readSmallFiles(items: readonly Item[], moving: Moving): AsyncGenerator<SmallFile> {
  const isTarred = (item: Item) => isPackedThere(item, moving.from);
  const some = items.filter(isTarred);
  if (some.length > 0) yield* fromTar(some, moving);
  yield* fromFiles(
    items.filter((item) => !isTarred(item)),
    moving,
  );
}

/** In order, several read ahead. */
async function* fromFiles(items: readonly Item[], moving: Moving): AsyncGenerator<SmallFile> {
  const { from, signal, onBytes, onProblem } = moving;
  const waiting: Promise<SmallFile | { item: Item; error: unknown }>[] = [];
  let next = 0;
  const read = async (item: Item) => {
    try {
      const path = joinPath(from.directory, item.path);
      const bytes = await from.root.files.readFile(path, item.size + 1);
      return { item, bytes };
    } catch (error) {
      return { item, error };
    }
  };
  const ask = () => {
    const item = items[next];
    next += 1;
    if (item !== undefined) waiting.push(read(item));
  };
  for (let lane = 0; lane < lanes; lane += 1) ask();
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    const found = await one;
    signal.throwIfAborted();
    ask();
    if ('error' in found) {
      const failure = asItemError(shownName(found.item.path), found.error);
      if (!(failure instanceof ItemError)) throw failure;
      onProblem(found.item, failure);
    } else if (found.bytes.length === found.item.size) {
      await onBytes(found.bytes.length);
      noteRead(found, moving);
      yield found;
    } else {
      onProblem(found.item, changedError(found.item));
    }
  }
}

/** What a tar program gives of these, and those of it that came another way. */
async function* fromTar(items: readonly Item[], moving: Moving): AsyncGenerator<SmallFile> {
  const { from } = moving;
  const wanted = new Map(items.map((item) => [`./${item.path}`, item]));
  yield* fromArchive(askByList(items, from), wanted, moving);
  if (wanted.size === items.length) {
    for (const asking of askByArguments(items, from)) yield* fromArchive(asking, wanted, moving);
  }
  // What a tar does not know how to give, or could not read, is asked for by itself: it says why.
  yield* fromFiles([...wanted.values()], moving);
}

/** Takes out of what is `wanted` what has come. */
async function* fromArchive(
  asking: Parameters<typeof startArchive>[0],
  wanted: Map<string, Item>,
  moving: Moving,
): AsyncGenerator<SmallFile> {
  const { from, signal, onBytes, onProblem } = moving;
  const read: Item[] = [];
  await using process = await startArchive(asking, from, signal);
  for await (const file of readTar(process.stdout as AsyncIterable<Buffer>)) {
    signal.throwIfAborted();
    const item = wanted.get(file.name) ?? wanted.get(`./${file.name}`);
    // Not asked for, or twice: passed over unread.
    if (item === undefined) continue;
    wanted.delete(`./${item.path}`);
    if (file.size !== item.size) {
      onProblem(item, changedError(item));
      continue;
    }
    const parts: Buffer[] = [];
    for await (const part of file.bytes) {
      await onBytes(part.length);
      parts.push(Buffer.from(part));
    }
    const [first = nothing, ...more] = parts;
    const bytes = more.length === 0 ? first : Buffer.concat(parts);
    noteRead({ item, bytes }, moving);
    read.push(item);
    yield { item, bytes };
  }
  await doubt(process, read, moving);
}

/** A tar that complains may have filled up a file that shrank: then what lies at the source is read again. */
async function doubt(
  { ended }: Pick<RemoteProcess, 'ended'>,
  read: readonly Item[],
  { hashes, together }: Moving,
): Promise<void> {
  const { exitCode } = await ended;
  if (exitCode === 0 || read.length === 0) return;
  together?.spoil();
  for (const item of read) hashes?.source.delete(item);
}

/** Archives of the other end into a folder of this computer. Resolves with those that came in none. */
async function intoHere(
  items: readonly Item[],
  thread: LocalThread,
  moving: Moving,
): Promise<Item[]> {
  const { from, signal } = moving;
  using unpacking = new LocalUnpacking(thread, items, moving);
  const take = async (asking: Parameters<typeof startArchive>[0]) => {
    await using process = await startArchive(asking, from, signal);
    await doubt(process, await unpacking.archive(process.stdout), moving);
  };
  await take(askByList(items, from));
  if (unpacking.rest().length === items.length) {
    for (const asking of askByArguments(items, from)) await take(asking);
  }
  await unpacking.finish();
  return unpacking.rest();
}

/** What was read of the source need not be read again to be compared. */
function noteRead({ item, bytes }: SmallFile, { hashes, together }: Moving): void {
  if (together !== undefined) together.take(item, bytes);
  else hashes?.source.set(item, hash('sha256', bytes, 'hex'));
}

async function intoFiles(source: AsyncIterable<SmallFile>, moving: Moving): Promise<void> {
  const underway = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const lane = async (file: SmallFile) => {
    try {
      await writeOne(file, moving);
      moving.onFile(file.item);
    } catch (error) {
      failures.push(error);
    }
  };
  const rethrow = () => {
    if (failures.length > 0) throw failures[0];
  };
  try {
    for await (const file of source) {
      const one: Promise<void> = lane(file).finally(() => underway.delete(one));
      underway.add(one);
      if (underway.size >= lanes) await Promise.race(underway);
      rethrow();
    }
  } finally {
    await Promise.all(underway);
  }
  rethrow();
}

async function writeOne({ item, bytes }: SmallFile, { to }: Moving): Promise<void> {
  const { files } = to.root;
  const path = joinPath(to.directory, item.path);
  // The folder is ours alone: what is there is from a run that was broken off.
  if ((await files.stat(path)) !== undefined) await files.remove(path);
  {
    await using file = await files.open(path, 'wx', item.mode);
    await file.write(0, bytes);
  }
  await files.setMode(path, item.mode & 0o7777);
  await files.setModified(path, item.modifiedAt);
}
