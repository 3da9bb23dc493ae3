// What is known of a journal up to some byte of it: enough to find an offset, a line or a moment
// without reading what lies before.
import { crc32 } from 'node:zlib';
import type { Frame } from './frame.ts';

/** Bytes and lines of a stream, or of both together as they came. */
export interface StreamTally {
  readonly bytes: number;
  /** Newlines seen. */
  readonly lines: number;
  /** The last byte was no newline. */
  readonly isMidLine: boolean;
}

export interface Tally {
  /** Where in the file this is: right behind a record. */
  readonly position: number;
  /** The latest time of any record before. */
  readonly latestNs: bigint;
  readonly stdout: StreamTally;
  readonly stderr: StreamTally;
  readonly both: StreamTally;
}
export type Stream = 'stdout' | 'stderr' | 'both';

const empty: StreamTally = { bytes: 0, lines: 0, isMidLine: false };
export const emptyTally: Tally = {
  position: 0,
  latestNs: 0n,
  stdout: empty,
  stderr: empty,
  both: empty,
};

const newline = 10;

/** The tally behind a record that came next. */
export function tallied(tally: Tally, frame: Frame, length: number): Tally {
  const next = {
    ...tally,
    position: tally.position + length,
    latestNs: frame.timeNs > tally.latestNs ? frame.timeNs : tally.latestNs,
  };
  if (frame.kind === 'gap' || frame.bytes.length === 0) return next;
  const lines = countNewlines(frame.bytes);
  const grown = (stream: StreamTally): StreamTally => ({
    bytes: stream.bytes + frame.bytes.length,
    lines: stream.lines + lines,
    isMidLine: frame.bytes.at(-1) !== newline,
  });
  return { ...next, [frame.kind]: grown(tally[frame.kind]), both: grown(tally.both) };
}

/** How many lines there are, an unfinished last one included. */
export function lineCount(stream: StreamTally): number {
  return stream.lines + (stream.isMidLine ? 1 : 0);
}

export function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}

/** Where the n-th newline (from 1) is in some bytes; -1 when there are fewer. */
export function indexOfNewline(bytes: Uint8Array, n: number): number {
  let at = -1;
  for (let count = 0; count < n; count += 1) {
    at = bytes.indexOf(newline, at + 1);
    if (at === -1) return -1;
  }
  return at;
}

/** A tally in the index file: fixed length, with a checksum. */
export const tallyBytes = 80;

/** @param syncedTo how much of the journal was known to be on disk when this was written. */
export function encodeTally(tally: Tally, syncedTo: number): Buffer {
  const bytes = Buffer.alloc(tallyBytes);
  const { stdout, stderr, both } = tally;
  const midLines =
    Number(stdout.isMidLine) | (Number(stderr.isMidLine) << 1) | (Number(both.isMidLine) << 2);
  let at = bytes.writeUInt32LE(midLines, 4);
  at = bytes.writeBigUInt64LE(tally.latestNs, at);
  const numbers = [
    tally.position,
    syncedTo,
    ...[stdout, stderr, both].flatMap(({ bytes: n, lines }) => [n, lines]),
  ];
  for (const value of numbers) at = bytes.writeBigUInt64LE(BigInt(value), at);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** Undefined when it is damaged: an index only helps, the journal is the truth. */
export function decodeTally(bytes: Buffer): { tally: Tally; syncedTo: number } | undefined {
  if (bytes.length < tallyBytes || crc32(bytes.subarray(4, tallyBytes)) !== bytes.readUInt32LE(0))
    return undefined;
  const number = (index: number) => Number(bytes.readBigUInt64LE(16 + index * 8));
  const midLines = bytes.readUInt32LE(4);
  const stream = (index: number): StreamTally => ({
    bytes: number(2 + index * 2),
    lines: number(3 + index * 2),
    isMidLine: (midLines & (1 << index)) !== 0,
  });
  const tally: Tally = {
    position: number(0),
    latestNs: bytes.readBigUInt64LE(8),
    stdout: stream(0),
    stderr: stream(1),
    both: stream(2),
  };
  return { tally, syncedTo: number(1) };
}
