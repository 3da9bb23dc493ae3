// Many small files in one stream: from a tar program or read one ahead of the other, into a tar
// program or written side by side. What comes is checked against what was asked for, name by name.
import { hash } from 'node:crypto';
import type { Timers } from '../../domain/clock.ts';
import { joinPath } from '../../domain/files/paths.ts';
import { bytesOfText, hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { asItemError, canTar, complaintOf, type HashingEnd } from './far-side.ts';
import { ItemError, TransferError } from './errors.ts';
import { given } from './parts.ts';
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
  const source = readSmallFiles(items, moving);
  const { to } = moving;
  if (to.tools.tar && !hasRawBytes(to.directory)) await intoTar(source, moving);
  else await intoFiles(source, moving);
}

async function* readSmallFiles(items: readonly Item[], moving: Moving): AsyncGenerator<SmallFile> {
  const { from } = moving;
  const isTar = (item: Item) => from.tools.tar && canTar(item, from.directory);
  const byTar = items.filter(isTar);
  if (byTar.length > 0) yield* fromTar(byTar, moving);
  yield* fromFiles(
    items.filter((item) => !isTar(item)),
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
      onProblem(found.item, changed(found.item));
    }
  }
}

async function* fromTar(items: readonly Item[], moving: Moving): AsyncGenerator<SmallFile> {
  const { from } = moving;
  const wanted = new Map(items.map((item) => [`./${item.path}`, item]));
  const text = 'cd "$1" && LC_ALL=C exec tar -c -f - -T -';
  const names = items.map(({ path }) => `./${path}\n`).join('');
  const command = ['sh', '-c', text, 'sh', from.directory];
  yield* fromArchive({ command, input: names }, wanted, moving);
  if (wanted.size === items.length) yield* fromTarByArguments(items, wanted, moving);
  // What a tar does not know how to give, or could not read, is asked for by itself: it says why.
  yield* fromFiles([...wanted.values()], moving);
}

/** Far below what a system gives to one command (128 KiB for one word of Linux, where it goes by SSH). */
const argumentBytes = 48 * 1024;

/** A small tar (BusyBox's) reads no list of names: it is given them as its arguments, many at a time. */
async function* fromTarByArguments(
  items: readonly Item[],
  wanted: Map<string, Item>,
  moving: Moving,
): AsyncGenerator<SmallFile> {
  const text = 'cd "$1" && shift && LC_ALL=C exec tar -c -f - "$@"';
  let names: string[] = [];
  let size = 0;
  for (const [at, { path }] of items.entries()) {
    names.push(`./${path}`);
    // Each may be quoted on its way.
    size += 2 * bytesOfText(path).length + 8;
    if (size < argumentBytes && at < items.length - 1) continue;
    const command = ['sh', '-c', text, 'sh', moving.from.directory, ...names];
    yield* fromArchive({ command, input: '' }, wanted, moving);
    names = [];
    size = 0;
  }
}

/** What a tar program gives of what is `wanted`; takes out of that what has come. */
async function* fromArchive(
  { command, input }: { command: readonly string[]; input: string },
  wanted: Map<string, Item>,
  moving: Moving,
): AsyncGenerator<SmallFile> {
  const { from, signal, onBytes, onProblem, hashes, together } = moving;
  const read: Item[] = [];
  await using process = await from.root.spawn(command, { signal });
  process.stderr.resume();
  process.stdin.on('error', () => undefined);
  process.stdin.end(Buffer.from(bytesOfText(input)));
  for await (const file of readTar(process.stdout as AsyncIterable<Buffer>)) {
    signal.throwIfAborted();
    const item = wanted.get(file.name) ?? wanted.get(`./${file.name}`);
    // Not asked for, or twice: passed over unread.
    if (item === undefined) continue;
    wanted.delete(`./${item.path}`);
    if (file.size !== item.size) {
      onProblem(item, changed(item));
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
  // One that complains may have filled up a file that shrank: then what lies there is read again.
  const { exitCode } = await process.ended;
  if (exitCode === 0) return;
  together?.spoil();
  for (const item of read) hashes?.source.delete(item);
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

async function intoTar(source: AsyncIterable<SmallFile>, moving: Moving): Promise<void> {
  const { to, signal, onFile } = moving;
  const text = 'cd "$1" && umask 077 && LC_ALL=C exec tar -x -o -p -f -';
  const process = await to.root.spawn(['sh', '-c', text, 'sh', to.directory], { signal });
  try {
    const complaint = complaintOf(process);
    process.stdout.resume();
    const broken = new Promise<never>((_resolve, reject) => {
      process.stdin.once('error', reject);
      process.ended.then(
        () => reject(new Error('tar ended early')),
        (error: unknown) => reject(error as Error),
      );
    });
    broken.catch(() => undefined);
    try {
      for await (const part of packed(source, onFile)) {
        await given(process.stdin, part, { broken });
      }
    } catch (error) {
      const said = await Promise.race([complaint, settled(process)]);
      throw typeof said === 'string' && said.trim() !== '' ? tarFailed(said, error) : error;
    }
    process.stdin.end();
    const [{ exitCode }, said] = await Promise.all([process.ended, complaint]);
    if (exitCode !== 0) throw tarFailed(said, undefined);
  } finally {
    await process[Symbol.asyncDispose]();
  }
}

async function settled(process: RemoteProcess): Promise<undefined> {
  await process.ended.catch(() => undefined);
  return undefined;
}

function tarFailed(said: string, cause: unknown): TransferError {
  const isFull = /No space left|quota/i.test(said);
  const why = said.trim().split('\n')[0]?.slice(0, 300) ?? '';
  return new TransferError(
    isFull ? 'transfer/disk-full' : 'transfer/failed',
    isFull
      ? 'The disk at the other end is full. What was moved so far is kept to go on from.'
      : `The other end could not take the files (${shownName(why)}).`,
    { ...(cause === undefined ? {} : { cause }), retry: 'after-user-action' },
  );
}

function changed(item: Item): ItemError {
  return new ItemError(shownName(item.path), 'It changed while it was read.');
}
