// The bytes of one file in order, several parts under way at once.
import type { RemoteFile } from '../../link/node-link.ts';

/** Bytes read or written at once: as many as OpenSSH's server takes and gives in one answer. */
const readBytes = 255 * 1024;
/** Under way at once: together as much as the window of an SSH channel has room for (2 MiB). */
const readsAhead = 8;
const writesAhead = 8;

/** Asks for several parts at once and gives them in order. */
export async function* readAhead(
  file: Pick<RemoteFile, 'read'>,
  from: number,
  { end = Infinity, partBytes = readBytes }: { end?: number; partBytes?: number } = {},
): AsyncGenerator<Buffer> {
  const waiting: Promise<Buffer>[] = [];
  let next = from;
  const ask = () => {
    if (next >= end) return;
    const length = Math.min(partBytes, end - next);
    const part = file.read(next, length);
    part.catch(() => undefined);
    waiting.push(part);
    next += length;
  };
  try {
    while (waiting.length < readsAhead && next < end) ask();
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const bytes = await part;
      if (bytes.length === 0) return;
      ask();
      yield bytes;
    }
  } finally {
    // The file must not be closed under a request.
    await Promise.allSettled(waiting);
  }
}

interface WritingOptions {
  readonly from: number;
  /** Parts under way at once. */
  readonly ahead?: number | undefined;
  readonly onWritten?: ((position: number) => void) | undefined;
  readonly onTaken?: ((part: Uint8Array) => void) | undefined;
}

/**
 * Writes what comes from a position on, several parts at once. Resolves with where it ended.
 * @param onWritten told up to where everything is written
 * @param onTaken told of every part that is not needed any more
 */
export async function writeFrom(
  file: Pick<RemoteFile, 'write'>,
  { from, ahead = writesAhead, onWritten, onTaken = () => undefined }: WritingOptions,
  bytes: AsyncIterable<Uint8Array>,
): Promise<number> {
  let position = from;
  const underway = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let inOrder = Promise.resolve();
  const put = (part: Uint8Array) => {
    const writing: Promise<void> = file.write(position, part).catch((error: unknown) => {
      failures.push(error);
    });
    position += part.length;
    underway.add(writing);
    void writing.then(() => {
      underway.delete(writing);
      onTaken(part);
    });
    if (onWritten === undefined) return;
    const end = position;
    inOrder = inOrder
      .then(() => writing)
      .then(() => {
        if (failures.length === 0) onWritten(end);
      });
  };
  try {
    for await (const part of gathered(bytes, onTaken)) {
      put(part);
      if (underway.size >= ahead) await Promise.race(underway);
      if (failures.length > 0) throw failures[0];
    }
  } finally {
    await Promise.all(underway);
  }
  // A write that failed last is seen here only.
  if (failures.length > 0) throw failures[0];
  return position;
}

/** So much is worth a write of its own, where to put it together with others would be to copy it. */
const worthWriting = 64 * 1024;

/**
 * Small parts together, each as large as what is written at once or nearly so, but the last. What lies
 * one after the other in memory is put together without being copied.
 * @param onDone told of every part that is not needed any more, or whose memory another one stands for
 */
async function* gathered(
  source: AsyncIterable<Uint8Array>,
  onDone: (part: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let held = 0;
  const together = () => {
    const [only] = parts;
    const all = only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
    if (all !== only) parts.forEach((part) => onDone(part));
    parts = [];
    held = 0;
    return all;
  };
  for await (const part of source) {
    const last = parts.at(-1);
    const joined = last === undefined ? undefined : joinedParts(last, part);
    if (joined === undefined) {
      if (held >= worthWriting) yield together();
      parts.push(part);
    } else {
      parts[parts.length - 1] = joined;
      onDone(part);
    }
    held += part.length;
    if (held >= readBytes) yield together();
  }
  if (held > 0) yield together();
}

/** Two parts as one, when the second lies right behind the first. */
function joinedParts(first: Uint8Array, second: Uint8Array): Uint8Array | undefined {
  const { buffer, byteOffset, length } = first;
  if (second.buffer !== buffer || second.byteOffset !== byteOffset + length) return undefined;
  return Buffer.from(buffer, byteOffset, length + second.length);
}
