// One large file, from the last byte that both ends agree on.
import { shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import { mayMoveDelta, moveDelta } from './delta.ts';
import { leastDirectBytes, moveDirect } from './direct.ts';
import { ItemError } from './errors.ts';
import { hashOfStart } from './far-side.ts';
import { readLarge } from './large-reading.ts';
import { unsureBytes, writeLarge } from './large-writing.ts';
import type { Moving } from './small-files.ts';

/** Moves a file to the same path below the other end. */
export async function moveLargeFile(item: Item, moving: Moving): Promise<void> {
  const { from, to, onFile } = moving;
  await moveBytes(item, moving);
  const path = joinPath(from.directory, item.path);
  const after = await from.root.files.stat(path);
  if (after?.size !== item.size || after.modifiedAt !== item.modifiedAt) throw changed(item);
  const target = joinPath(to.directory, item.path);
  await to.root.files.setMode(target, item.mode & 0o7777);
  await to.root.files.setModified(target, item.modifiedAt);
  onFile(item);
}

/** By the first way that does it. */
async function moveBytes(item: Item, moving: Moving): Promise<void> {
  const { onKept } = moving;
  let start = await agreedBytes(item, moving);
  onKept(start);
  for (const way of [straight, byDelta]) {
    const tried = await way(item, moving, start);
    if (tried === 'done') return;
    if (tried === 'not tried') continue;
    // What it moved before it broke off is there too, if it is what it should be.
    const again = await agreedBytes(item, moving);
    onKept(again - start - tried.bytes);
    start = again;
  }
  await through(item, moving, start);
}

/** `bytes`: so many were told to be there before it broke off. */
type Tried = 'done' | 'not tried' | { readonly bytes: number };

/** From node to node, where they reach each other. Once they do not, it is not tried again in this run. */
async function straight(item: Item, moving: Moving, start: number): Promise<Tried> {
  const { from, to, direct, onBytes, hashes, signal } = moving;
  if (direct?.isOpen !== true || item.size - start < leastDirectBytes) return 'not tried';
  let bytes = 0;
  const count = (more: number) => {
    bytes += more;
    void onBytes(more);
  };
  const { timers } = direct;
  const found = await moveDirect({ from, to, item, start, timers, signal, onBytes: count });
  direct.isOpen = found !== undefined;
  if (found === undefined) return { bytes };
  count(item.size - start - bytes);
  hashes?.source.set(item, found.source);
  hashes?.target.set(item, found.target);
  return 'done';
}

/** What differs from the older version that it replaces. Once rsync did not do it, it is not tried again in this run. */
async function byDelta(item: Item, moving: Moving, start: number): Promise<Tried> {
  const { from, to, delta, onBytes, onKept, signal } = moving;
  const older = delta?.older.get(item);
  if (delta?.isOpen !== true || older === undefined) return 'not tried';
  if (!mayMoveDelta(from, to, { item, older })) return 'not tried';
  let told = start;
  const onSize = (size: number) => {
    if (size <= told) return;
    onKept(size - told);
    told = size;
  };
  const count = (bytes: number) => {
    told += bytes;
    return onBytes(bytes);
  };
  const { timers } = delta;
  const outcome = await moveDelta({
    ...{ from, to, item, older, timers, signal },
    ...{ onBytes: count, onSize },
  });
  if (outcome.kind === 'moved') {
    onKept(item.size - told);
    return 'done';
  }
  delta.isOpen = !outcome.isBroken;
  delta.onNote(item, outcome.why);
  return { bytes: told - start };
}

/** As bytes that pass through this computer, without touching its disk. */
async function through(item: Item, moving: Moving, start: number): Promise<void> {
  const { from, to, hashes, signal } = moving;
  const isHashed = hashes !== undefined;
  using reading = readLarge(from, item, { start, isHashed, signal });
  const path = joinPath(to.directory, item.path);
  const { memory } = reading;
  const { mode, size } = item;
  const what = { path, start, size, mode, isHashed, signal, memory };
  const written = await writeLarge(to, what, counted(reading.bytes, moving));
  if (written.end !== item.size) throw changed(item);
  note(hashes?.source, item, await reading.hash());
  note(hashes?.target, item, written.hash);
}

function note(map: Map<Item, string> | undefined, item: Item, hash: string | undefined): void {
  if (hash !== undefined) map?.set(item, hash);
}

function changed(item: Item): ItemError {
  return new ItemError(shownName(item.path), 'It changed while it was read.');
}

/** How much of it lies at the other end already, proven by hashes of both; what is of no use is removed. */
async function agreedBytes(item: Item, { from, to, signal }: Moving): Promise<number> {
  const source = joinPath(from.directory, item.path);
  const target = joinPath(to.directory, item.path);
  const there = await to.root.files.stat(target);
  if (there === undefined) return 0;
  if (there.kind === 'file' && there.size <= item.size) {
    const unsure = unsureBytes(to, target);
    // What is beyond is written over.
    for (const bytes of unsure === 0 ? [there.size] : [there.size, there.size - unsure]) {
      if (bytes <= 0) break;
      const [far, near] = await Promise.all([
        hashOfStart(to, target, { bytes, signal }),
        hashOfStart(from, source, { bytes, signal }),
      ]);
      if (far !== undefined && far === near) return bytes;
    }
  }
  await to.root.files.removeTree(target);
  return 0;
}

async function* counted(
  source: AsyncIterable<Buffer>,
  { onBytes, signal }: Moving,
): AsyncGenerator<Buffer> {
  for await (const part of source) {
    signal.throwIfAborted();
    await onBytes(part.length);
    yield part;
  }
}
