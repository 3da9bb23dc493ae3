// What a terminal's byte stream is made of, both ways: one byte kind, four bytes length (big
// endian), payload. Sizes travel among the bytes, so that each holds for exactly what follows it.
import { z } from 'zod';
import { protocolError } from './wire/protocol-error.ts';

const headerBytes = 5;
/** A snapshot holds a screen and its scrollback with all colours. */
const longestFrameBytes = 64 * 1024 * 1024;

const kinds = {
  data: 1,
  snapshot: 2,
  resized: 3,
  ended: 4,
  stderr: 5,
  input: 16,
  resize: 17,
  watching: 18,
  eof: 19,
} as const;
type Kind = keyof typeof kinds;
const kindOf = new Map<number, Kind>(
  Object.entries(kinds).map(([kind, number]) => [number, kind as Kind]),
);

export interface Cells {
  readonly columns: number;
  readonly rows: number;
}

/** How a program ended: `reason` is a sentence when it was not by itself. */
export interface TerminalEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
}

export type TerminalFrame =
  /** Output, in order, without a gap since the last snapshot. */
  | { kind: 'data'; bytes: Uint8Array }
  /** The whole terminal as output that draws it: start from an empty one of this size. */
  | ({ kind: 'snapshot'; bytes: Uint8Array } & Cells)
  /** From here on the output is meant for this size. */
  | ({ kind: 'resized' } & Cells)
  | { kind: 'ended'; end: TerminalEnd }
  /** Only of programs without a terminal. */
  | { kind: 'stderr'; bytes: Uint8Array }
  /** Keys, from the viewer. */
  | { kind: 'input'; bytes: Uint8Array }
  | ({ kind: 'resize' } & Cells)
  /** Whether anybody looks: one who does not is not waited for, and gets a snapshot later. */
  | { kind: 'watching'; isWatching: boolean }
  /** Nothing more is typed (programs without a terminal). */
  | { kind: 'eof' };

const cells = z.object({
  columns: z.number().int().min(2).max(1000),
  rows: z.number().int().min(1).max(500),
});
const terminalEnd = z.object({
  exitCode: z.number().int().nullable(),
  signal: z.string().max(32).nullable(),
  reason: z.string().max(2000).nullable(),
});

/** Writes a frame into memory of its own. */
export function encodeTerminalFrame(frame: TerminalFrame): Uint8Array {
  const payload = payloadOf(frame);
  const length = payload.reduce((sum, part) => sum + part.byteLength, 0);
  const encoded = new Uint8Array(headerBytes + length);
  encoded[0] = kinds[frame.kind];
  new DataView(encoded.buffer).setUint32(1, length);
  let at = headerBytes;
  for (const part of payload) {
    encoded.set(part, at);
    at += part.byteLength;
  }
  return encoded;
}

/** Cuts a byte stream into frames, whatever its chunks are. */
export class TerminalFrames {
  #rest = new Uint8Array(0);

  /** The frames completed by these bytes. Throws `core/protocol` on anything not well formed. */
  push(chunk: Uint8Array): TerminalFrame[] {
    const bytes = this.#rest.byteLength === 0 ? chunk : joined(this.#rest, chunk);
    const frames: TerminalFrame[] = [];
    let at = 0;
    while (bytes.byteLength - at >= headerBytes) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(1);
      if (length > longestFrameBytes) throw protocolError('A frame of a terminal was too long.');
      const end = at + headerBytes + length;
      if (bytes.byteLength < end) break;
      frames.push(decoded(bytes[at] ?? 0, bytes.slice(at + headerBytes, end)));
      at = end;
    }
    this.#rest = bytes.slice(at);
    return frames;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(first);
  both.set(second, first.byteLength);
  return both;
}

function payloadOf(frame: TerminalFrame): Uint8Array[] {
  switch (frame.kind) {
    case 'data':
    case 'stderr':
    case 'input':
      return [frame.bytes];
    case 'snapshot':
      return [sizeBytes(frame), frame.bytes];
    case 'resized':
    case 'resize':
      return [sizeBytes(frame)];
    case 'ended':
      return [new TextEncoder().encode(JSON.stringify(frame.end))];
    case 'watching':
      return [Uint8Array.of(frame.isWatching ? 1 : 0)];
    case 'eof':
      return [];
  }
}

function sizeBytes({ columns, rows }: Cells): Uint8Array {
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, columns);
  view.setUint16(2, rows);
  return bytes;
}

function decoded(number: number, payload: Uint8Array): TerminalFrame {
  const kind = kindOf.get(number);
  switch (kind) {
    case 'data':
    case 'stderr':
    case 'input':
      return { kind, bytes: payload };
    case 'snapshot':
      return { kind, ...readSize(payload), bytes: payload.subarray(4) };
    case 'resized':
    case 'resize':
      return { kind, ...readSize(payload) };
    case 'ended':
      return { kind, end: readEnd(payload) };
    case 'watching':
      return { kind, isWatching: payload[0] === 1 };
    case 'eof':
      return { kind };
    case undefined:
      throw protocolError('A frame of a terminal was of an unknown kind.');
  }
}

function readSize(payload: Uint8Array): Cells {
  if (payload.byteLength < 4) throw protocolError('A size of a terminal was cut short.');
  const view = new DataView(payload.buffer, payload.byteOffset);
  const read = cells.safeParse({ columns: view.getUint16(0), rows: view.getUint16(2) });
  if (!read.success) throw protocolError('A size of a terminal was out of range.');
  return read.data;
}

function readEnd(payload: Uint8Array): TerminalEnd {
  try {
    return terminalEnd.parse(JSON.parse(new TextDecoder().decode(payload)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) {
      throw protocolError('The end of a terminal was not of a known form.');
    }
    throw error;
  }
}
