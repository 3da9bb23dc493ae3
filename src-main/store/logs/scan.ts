import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../contract/errors.ts';
import { StoreError } from '../errors.ts';
import { decodeFrame, maxRecordBytes, type DecodedFrame } from './frame.ts';

/** A record and where it lies. Its payload is a view that stays valid. */
export interface ScannedFrame extends DecodedFrame {
  readonly position: number;
}

/** How much is read at once; also what a reader holds at most, beside one record. */
const readBytes = 1024 * 1024;

/**
 * The records of a journal from `start` (the beginning of one) up to `end`, in order. Stops before
 * one that is not all there by `end`.
 * @throws StoreError `store/log-corrupt` with the position of a damaged one.
 */
export async function* scan(file: FileHandle, start: number, end: number): AsyncGenerator<ScannedFrame> {
  let position = start;
  let wanted = readBytes;
  while (position < end) {
    const size = Math.min(wanted, end - position);
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
    position += at;
    const isAtEnd = bytesRead < size || position + bytes.length - at >= end;
    if (at === 0 && (isAtEnd || size >= maxRecordBytes)) return;
    wanted = at === 0 ? maxRecordBytes : readBytes;
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
