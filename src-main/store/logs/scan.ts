import type { FileHandle } from 'node:fs/promises';
import { StoreError } from '../errors.ts';
import { decodeFrame, type DecodedFrame } from './frame.ts';

/**
 * How much is read at once, which is also what a reader holds. More than any record has, so that
 * each step gets on by one at least.
 */
const readBytes = 1024 * 1024;

/**
 * The records of a journal from `start` (the beginning of one) up to `end`, in order, as many at
 * once as were read. Stops before one that is not all there by `end`. Payloads are views that stay
 * valid.
 * @throws StoreError `store/log-corrupt` with the position of a damaged one, after those before it.
 */
export async function* scan(
  file: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<readonly DecodedFrame[], void, undefined> {
  let position = start;
  while (position < end) {
    const size = Math.min(readBytes, end - position);
    // A fresh buffer each time: consumers keep views of the payloads.
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
    const { frames, length, damage } = decodeAll(buffer.subarray(0, bytesRead));
    yield frames;
    position += length;
    if (damage !== undefined) throw damageAt(position, damage);
    if (length === 0) return;
  }
}

interface Decoded {
  readonly frames: readonly DecodedFrame[];
  /** Of all of them. */
  readonly length: number;
  /** What is wrong with the bytes behind them. */
  readonly damage?: unknown;
}

function decodeAll(bytes: Buffer): Decoded {
  const frames: DecodedFrame[] = [];
  let length = 0;
  try {
    for (;;) {
      const decoded = decodeFrame(bytes, length);
      if (decoded === 'short') return { frames, length };
      frames.push(decoded);
      length += decoded.length;
    }
  } catch (damage) {
    return { frames, length, damage };
  }
}

function damageAt(position: number, cause: unknown): StoreError {
  return new StoreError(
    'store/log-corrupt',
    `The log is damaged at byte ${position} of its file; what comes before can be read.`,
    { cause, details: { position } },
  );
}
