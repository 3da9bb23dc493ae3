// Reading one large file at whatever end it lies: on this computer by itself, elsewhere through a
// program where there is one, else by asking for several parts at once. Its hash is made on the way.
import { hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import { readAhead } from '../files/file-bytes.ts';
import { digestCommand, digestIn, startDigest } from './digests.ts';
import { ItemError } from './errors.ts';
import { isHashedBeside } from './hashing-beside.ts';
import { asItemError, complaintOf, type HashingEnd } from './far-side.ts';
import type { LocalThread } from './here/local-thread.ts';
import { PartMemory } from './part-memory.ts';
import { inParts } from './parts.ts';

export interface Reading extends Disposable {
  /** To be read once, in parts that lie in `memory`. One byte more than there should be tells that the file grew. */
  readonly bytes: AsyncIterable<Buffer>;
  readonly memory: PartMemory;
  /** Of the whole file, when all was read; undefined where it has to be found out otherwise. */
  readonly hash: () => Promise<string> | string | undefined;
}

interface Wanted {
  /** The first byte. */
  readonly start: number;
  readonly isHashed: boolean;
  /** Ends a program that reads, however long it hangs. */
  readonly signal: AbortSignal;
}

/** Of files of this computer: eight packets of SSH. */
const partBytes = 256 * 1024;

/** Nothing is opened before the first byte is asked for. */
export function readLarge(from: HashingEnd, item: Item, wanted: Wanted): Reading {
  const path = joinPath(from.directory, item.path);
  const memory = new PartMemory(from.thread === undefined ? undefined : partBytes);
  const one: One = { from, path, size: item.size, memory, ...wanted };
  if (from.thread !== undefined) return readHere(one, from.thread);
  const canSpawn = from.tools.shell && !hasRawBytes(path);
  return canSpawn ? readByProgram(one) : readByParts(one);
}

interface One extends Wanted {
  readonly from: HashingEnd;
  readonly path: string;
  readonly size: number;
  readonly memory: PartMemory;
}

function readHere(one: One, thread: LocalThread): Reading {
  const isFollowed = one.isHashed && isHashedBeside(one.from, one.size);
  const following = isFollowed
    ? thread.hashes.follow(one.path, one.from.digest, one.signal)
    : undefined;
  return {
    memory: one.memory,
    bytes: openedParts(one, (position) => following?.advance(position)),
    hash: () => following?.finish(one.size),
    [Symbol.dispose]: () => following?.[Symbol.dispose](),
  };
}

/** What was read is hashed here, unless the beginning is missing. */
function readByParts(one: One): Reading {
  const sum = one.isHashed && one.start === 0 ? startDigest(one.from.digest) : undefined;
  return {
    memory: one.memory,
    bytes: openedParts(one, (_position, part) => sum?.update(part)),
    hash: () => sum?.finish(),
    [Symbol.dispose]: () => undefined,
  };
}

async function* openedParts(
  { from, path, start, size, memory }: One,
  onRead: (position: number, part: Buffer) => void,
): AsyncGenerator<Buffer> {
  try {
    await using file = await from.root.files.open(path, 'r');
    let position = start;
    const read = (at: number, length: number) => file.read(at, length, () => memory.take());
    const limits = { end: size + 1, ...(from.thread === undefined ? {} : { partBytes }) };
    for await (const part of readAhead({ read }, start, limits)) {
      position += part.length;
      onRead(position, part);
      yield part;
    }
  } catch (error) {
    throw asItemError(shownName(path), error);
  }
}

/** `dd` only goes to the place: BusyBox's `tail` finds none beyond 2 GiB. */
const readFrom = '{ dd bs=1 skip="$2" count=0 2>/dev/null && cat; } < "$1"';
const unreadable = 'It could not be read.';

/** The node hashes the file by itself meanwhile, and says so on its other stream. */
function readByProgram(one: One): Reading {
  const { from, path, start, size, isHashed, signal, memory } = one;
  const isBeside = isHashed && isHashedBeside(from, size);
  const sum = isBeside ? digestCommand(from.tools, from.digest) : undefined;
  let said = '';
  async function* bytes(): AsyncGenerator<Buffer> {
    const read = start === 0 ? 'cat < "$1"' : readFrom;
    const text = sum === undefined ? read : `${sum} < "$1" >&2 & ${read}; s=$?; wait; exit "$s"`;
    const command = ['sh', '-c', text, 'sh', path, String(start)];
    await using process = await from.root.spawn(command, { isBulk: true, signal });
    process.stdin.on('error', () => undefined);
    process.stdin.end();
    const complaint = complaintOf(process);
    let position = start;
    for await (const part of inParts(process.stdout, memory)) {
      position += part.length;
      yield part;
      // It grew, or never ends.
      if (position > size) return;
    }
    const { exitCode } = await process.ended;
    said = await complaint;
    if (exitCode !== 0) throw new ItemError(shownName(path), shownName(said.trim()) || unreadable);
  }
  return {
    memory: one.memory,
    bytes: bytes(),
    hash: () => digestIn(said, from.digest),
    [Symbol.dispose]: () => undefined,
  };
}
