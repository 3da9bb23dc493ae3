// One record of a log's journal as bytes. A record is whole or it does not count: its checksum
// covers everything after itself.
//
//   0  u32  CRC-32 of the rest
//   4  u8   kind: 1 stdout, 2 stderr, 3 gap
//   5  u8   flags: 1 = the cursor is behind this record's last byte, so that collection can go on here
//   6  u16  length of the cursor
//   8  u32  length of the payload
//  12  u64  time, nanoseconds since the epoch
//  20  u64  offset in the stream (gap: stdout's)
//  28       cursor (UTF-8), payload (bytes; gap: JSON)
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { StoreError } from '../errors.ts';

export const headBytes = 28;

/** A payload is cut into records of at most this size, so that a reader's memory stays bounded. */
export const maxPayloadBytes = 256 * 1024;
/** A cursor is small text. */
export const maxCursorBytes = 4096;
/** No record is longer; a length that says so is damage. */
export const maxRecordBytes = headBytes + maxCursorBytes + maxPayloadBytes;

export type StreamName = 'stdout' | 'stderr';

/** What is missing from a log, and why. */
export const gap = z.strictObject({
  /** A sentence: `the node kept only the last 100 MB of output`. */
  reason: z.string().max(2000),
  /** Null: of either or both streams. */
  stream: z.enum(['stdout', 'stderr']).nullable(),
  /** Null when nobody knows. */
  lostBytes: z.number().int().nonnegative().nullable(),
});
export type Gap = z.infer<typeof gap>;

interface FrameHead {
  readonly timeNs: bigint;
  /** Bytes of the stream before this record. */
  readonly offset: number;
  /** Null where collection cannot go on right behind this record. */
  readonly cursor: string | null;
}
export type Frame =
  | (FrameHead & { readonly kind: StreamName; readonly bytes: Uint8Array })
  | (FrameHead & { readonly kind: 'gap'; readonly gap: Gap });

const kinds = { stdout: 1, stderr: 2, gap: 3 } as const;
const kindOf: readonly (Frame['kind'] | undefined)[] = [undefined, 'stdout', 'stderr', 'gap'];

/** The record as the parts to write one after the other; the payload is not copied. */
export function encodeFrame(frame: Frame): Uint8Array[] {
  const cursor = Buffer.from(frame.cursor ?? '', 'utf8');
  const payload = frame.kind === 'gap' ? Buffer.from(JSON.stringify(frame.gap)) : frame.bytes;
  const head = Buffer.allocUnsafe(headBytes + cursor.length);
  head.writeUInt8(kinds[frame.kind], 4);
  head.writeUInt8(frame.cursor === null ? 0 : 1, 5);
  head.writeUInt16LE(cursor.length, 6);
  head.writeUInt32LE(payload.byteLength, 8);
  head.writeBigUInt64LE(frame.timeNs, 12);
  head.writeBigUInt64LE(BigInt(frame.offset), 20);
  cursor.copy(head, headBytes);
  head.writeUInt32LE(crc32(payload, crc32(head.subarray(4))), 0);
  return [head, payload];
}

export interface DecodedFrame {
  readonly frame: Frame;
  /** Of the whole record. */
  readonly length: number;
}

/**
 * The record that begins at `at`. `'short'` when the bytes end before it does. Its payload is a
 * view into `bytes`.
 * @throws StoreError `store/log-corrupt` when there is no such record.
 */
export function decodeFrame(bytes: Buffer, at: number): DecodedFrame | 'short' {
  if (bytes.length - at < headBytes) return 'short';
  const kind = kindOf[bytes[at + 4] ?? 0];
  const cursorLength = bytes.readUInt16LE(at + 6);
  const payloadLength = bytes.readUInt32LE(at + 8);
  const length = headBytes + cursorLength + payloadLength;
  if (kind === undefined || length > maxRecordBytes) throw corrupt();
  if (bytes.length - at < length) return 'short';
  if (crc32(bytes.subarray(at + 4, at + length)) !== bytes.readUInt32LE(at)) throw corrupt();
  const payloadStart = at + headBytes + cursorLength;
  const payload = bytes.subarray(payloadStart, at + length);
  const head = {
    timeNs: bytes.readBigUInt64LE(at + 12),
    offset: Number(bytes.readBigUInt64LE(at + 20)),
    cursor:
      (bytes[at + 5] ?? 0) === 0 ? null : bytes.toString('utf8', at + headBytes, payloadStart),
  };
  if (kind !== 'gap') return { frame: { ...head, kind, bytes: payload }, length };
  return { frame: { ...head, kind, gap: gap.parse(JSON.parse(payload.toString())) }, length };
}

function corrupt(): StoreError {
  return new StoreError('store/log-corrupt', 'A record of the log is damaged.');
}
