// One large file, from the last byte that both ends agree on.
import { createHash, type Hash } from 'node:crypto';
import { hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import { readAhead, writeFrom } from '../files/file-service.ts';
import { ItemError, TransferError } from './errors.ts';
import { asItemError, complaintOf, hashOfStart } from './far-side.ts';
import type { End, Moving } from './small-files.ts';

/** Moves a file to the same path below the other end. */
export async function moveLargeFile(item: Item, moving: Moving): Promise<void> {
  const { from, to, onFile, onKept, hashes } = moving;
  const target = joinPath(to.directory, item.path);
  const start = await agreedBytes(item, moving);
  onKept(start);
  const hash = start === 0 && hashes !== undefined ? createHash('sha256') : undefined;
  const source = counted(readFrom(from, item, start), moving, hash);
  const end = await write(to, { target, start, mode: item.mode }, source);
  const after = await from.root.files.stat(joinPath(from.directory, item.path));
  if (end !== item.size || after?.modifiedAt !== item.modifiedAt) {
    throw new ItemError(shownName(item.path), 'It changed while it was read.');
  }
  if (hash !== undefined) hashes?.set(item, hash.digest('hex'));
  await to.root.files.setMode(target, item.mode & 0o7777);
  await to.root.files.setModified(target, item.modifiedAt);
  onFile(item);
}

/** How much of it lies at the other end already, proven by hashes of both; what is more is cut off. */
async function agreedBytes(item: Item, { from, to }: Moving): Promise<number> {
  const target = joinPath(to.directory, item.path);
  const there = await to.root.files.stat(target);
  if (there === undefined) return 0;
  const bytes = there.size;
  if (there.kind === 'file' && bytes > 0 && bytes <= item.size) {
    const [far, near] = await Promise.all([
      hashOfStart(to, target, bytes),
      hashOfStart(from, joinPath(from.directory, item.path), bytes),
    ]);
    if (far !== undefined && far === near) return bytes;
  }
  await to.root.files.removeTree(target);
  return 0;
}

/** Containers give bytes through a program; everything else is asked for in parts, several at once. */
async function* readFrom(from: End, item: Item, start: number): AsyncGenerator<Buffer> {
  const path = joinPath(from.directory, item.path);
  const name = shownName(item.path);
  try {
    if (from.root.place.kind === 'task' && !hasRawBytes(path)) {
      yield* throughTail(from, path, start);
      return;
    }
    await using file = await from.root.files.open(path, 'r');
    // One byte more: a file that grew is noticed.
    yield* readAhead(file, start, item.size + 1);
  } catch (error) {
    throw asItemError(name, error);
  }
}

async function* throughTail(from: End, path: string, start: number): AsyncGenerator<Buffer> {
  const command = ['tail', '-c', `+${String(start + 1)}`, path];
  await using process = await from.root.spawn(command);
  process.stdin.end();
  const complaint = complaintOf(process);
  yield* process.stdout as AsyncIterable<Buffer>;
  const { exitCode } = await process.ended;
  if (exitCode !== 0) throw new ItemError(shownName(path), shownName((await complaint).trim()));
}

async function* counted(
  source: AsyncIterable<Buffer>,
  { onBytes, signal }: Moving,
  hash: Hash | undefined,
): AsyncGenerator<Buffer> {
  for await (const part of source) {
    signal.throwIfAborted();
    await onBytes(part.length);
    hash?.update(part);
    yield part;
  }
}

interface Target {
  readonly target: string;
  readonly start: number;
  readonly mode: number;
}

/** Resolves with the size it then has. */
async function write(to: End, what: Target, source: AsyncIterable<Buffer>): Promise<number> {
  const { root, tools } = to;
  if (root.nodeId !== undefined && tools.shell && !hasRawBytes(what.target)) {
    return throughCat(to, what, source);
  }
  await using file = await root.files.open(what.target, what.start === 0 ? 'w' : 'r+', 0o600);
  const end = await writeFrom(file, what.start, source);
  await file.sync();
  return end;
}

/** Appends: what is there after a break is the beginning of the file, without holes. */
async function throughCat(
  { root }: End,
  { target, start }: Target,
  source: AsyncIterable<Buffer>,
): Promise<number> {
  const text = 'umask 077; exec cat >> "$1"';
  await using process = await root.spawn(['sh', '-c', text, 'sh', target], { isBulk: true });
  const complaint = complaintOf(process);
  process.stdout.resume();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  process.stdin.on('error', (error: Error) => failure.reject(error));
  process.ended.then(
    () => failure.reject(new Error('cat ended early')),
    (error: unknown) => failure.reject(error as Error),
  );
  let end = start;
  try {
    for await (const part of source) {
      end += part.length;
      if (process.stdin.write(part)) continue;
      const drained = new Promise((resolve) => process.stdin.once('drain', resolve));
      await Promise.race([drained, failure.promise]);
    }
  } catch (error) {
    const isOver = error instanceof Error && error.message === 'cat ended early';
    throw isOver ? catFailed(target, await complaint) : error;
  }
  process.stdin.end();
  const { exitCode } = await process.ended;
  if (exitCode !== 0) throw catFailed(target, await complaint);
  return end;
}

function catFailed(target: string, said: string): TransferError {
  const isFull = /No space left|quota/i.test(said);
  return new TransferError(
    isFull ? 'transfer/disk-full' : 'transfer/failed',
    isFull
      ? 'The disk at the other end is full. What was moved so far is kept to go on from.'
      : `${shownName(target)} could not be written (${shownName(said.trim().slice(0, 300))}).`,
    { retry: 'after-user-action' },
  );
}
