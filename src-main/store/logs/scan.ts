import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../contract/errors.ts';
import { StoreError } from '../errors.ts';
import { decodeFrame, type DecodedFrame } from './frame.ts';

/** A record and where it lies. Its payload is a view that stays valid. */
export interface ScannedFrame extends DecodedFrame {
  readonly position: number;
}

/**
 * How much is read at once, which is also what a reader holds. More than any record has, so that
 * each step gets on by one at least.
 */
const readBytes = 1024 * 1024;

/**
 * The records of a journal from `start` (the beginning of one) up to `end`, in order. Stops before
 * one that is not all there by `end`.
 * @throws StoreError `store/log-corrupt` with the position of a damaged one.
 */
export async function* scan(
  file: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<ScannedFrame, void, undefined> {
  let position = start;
  while (position < end) {
    const size = Math.min(readBytes, end - position);
    // A fresh buffer each time: consumers keep views of the payloads.
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
    const bytes = buffer.subarray(0, bytesRead);
    let at = 0;
    for (;;) {
      const decoded = decodeAt(bytes, at, position + at);
      if (decoded === 'short') break;
      yield { ...decoded, position: position + at };
      at += decoded.length;
    }
    if (at === 0) return;
    position += at;
  }
}

function decodeAt(bytes: Buffer, at: number, position: number): DecodedFrame | 'short' {
  try {
    return decodeFrame(bytes, at);
  } catch (error) {
    throw new StoreError(
      'store/log-corrupt',
      `The log is damaged at byte ${position} of its file; what comes before can be read.`,
      { cause: error instanceof AppError ? undefined : error, details: { position } },
    );
  }
}
