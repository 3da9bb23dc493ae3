// Small files of this computer as one archive, made in its thread.
import type { Item } from '../../../domain/transfers/plan.ts';
import type { Moving } from '../small-files.ts';
import { columnsOf } from './columns.ts';
import { failureOf, Inbox, tellOf } from './inbox.ts';
import type { LocalThread } from './local-thread.ts';
import type { Digests } from './orders.ts';

/** How what goes by is hashed. */
export function digestsFor({ hashes, together }: Pick<Moving, 'hashes' | 'together'>): Digests {
  if (together !== undefined) {
    const kind = together.form === 'archive' ? 'archive' : 'together';
    return { kind, digest: together.digest };
  }
  return { kind: hashes === undefined ? 'none' : 'each' };
}

/** The archive in parts. What cannot be read, or is no longer as it was, is told and not in it. */
export async function* packedHere(
  thread: LocalThread,
  items: readonly Item[],
  moving: Moving,
): AsyncGenerator<Buffer> {
  const { from, signal, onBytes, onFile, onProblem, hashes, together } = moving;
  const { directory } = from;
  const digests = digestsFor(moving);
  const packed: Item[] = [];
  using inbox = new Inbox(signal);
  using job = thread.begin({ kind: 'pack', directory, items: columnsOf(items), digests }, inbox);
  for (;;) {
    const answer = await inbox.next();
    if (answer.kind === 'failed') throw failureOf(answer);
    if (answer.kind === 'ended') {
      if (answer.hash !== null) together?.takeMade(packed, answer.hash);
      return;
    }
    if (answer.kind !== 'packed') continue;
    const { bytes, passed } = answer;
    const done = tellOf(passed, { items, directory, onProblem });
    for (const [at, item] of done.entries()) {
      packed.push(item);
      const hash = passed.hashes[at];
      if (hash !== undefined) hashes?.source.set(item, hash);
    }
    await onBytes(passed.content);
    yield Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
    for (const item of done) onFile(item);
    job.post({ kind: 'more' });
  }
}
