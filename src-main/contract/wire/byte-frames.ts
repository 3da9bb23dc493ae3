// Byte streams as they travel: one byte kind, four bytes stream ID (big endian), payload.
import { z } from 'zod';
import { errorShape, type ErrorShape } from '../errors.ts';
import { maxPayloadBytes } from './limits.ts';
import { protocolError } from './protocol-error.ts';

const headerBytes = 5;
const kinds = { open: 1, data: 2, credit: 3, end: 4, error: 5, cancel: 6 } as const;

export type ByteFrame =
  | { kind: 'open'; id: number; name: string; input: unknown }
  | { kind: 'data'; id: number; bytes: Uint8Array }
  /** The reader has consumed this many bytes more. */
  | { kind: 'credit'; id: number; bytes: number }
  /** The sender has sent all it has. From the side that was asked it ends the whole stream. */
  | { kind: 'end'; id: number }
  /** The sender's side failed: ends the whole stream. */
  | { kind: 'error'; id: number; error: ErrorShape }
  /** The sender neither reads nor writes any more: ends the whole stream. */
  | { kind: 'cancel'; id: number };

const opening = z.strictObject({ name: z.string().min(1).max(200), input: z.unknown().optional() });
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Writes a frame into memory of its own, so that it may be kept or handed over. Throws `core/protocol` when too large. */
export function encodeByteFrame(frame: ByteFrame): Uint8Array {
  const payload = payloadOf(frame);
  if (payload.byteLength > maxPayloadBytes) {
    throw protocolError(`A frame of a byte stream holds at most ${String(maxPayloadBytes)} bytes.`);
  }
  const encoded = new Uint8Array(headerBytes + payload.byteLength);
  encoded[0] = kinds[frame.kind];
  new DataView(encoded.buffer).setUint32(1, frame.id);
  encoded.set(payload, headerBytes);
  return encoded;
}

/** Reads a frame; `data` shares its memory. Throws `core/protocol` on anything not well formed. */
export function decodeByteFrame(encoded: Uint8Array): ByteFrame {
  if (encoded.byteLength < headerBytes || encoded.byteLength > headerBytes + maxPayloadBytes) {
    throw protocolError('A frame of a byte stream was of an impossible size.');
  }
  const id = new DataView(encoded.buffer, encoded.byteOffset).getUint32(1);
  const payload = encoded.subarray(headerBytes);
  switch (encoded[0]) {
    case kinds.open:
      return { kind: 'open', id, ...opened(payload) };
    case kinds.data:
      if (payload.byteLength === 0) throw protocolError('A data frame was empty.');
      return { kind: 'data', id, bytes: payload };
    case kinds.credit:
      return { kind: 'credit', id, bytes: creditOf(payload) };
    case kinds.end:
      return { kind: 'end', id };
    case kinds.error:
      return { kind: 'error', id, error: readJson(errorShape, payload) };
    case kinds.cancel:
      return { kind: 'cancel', id };
    default:
      throw protocolError('A frame of a byte stream was of an unknown kind.');
  }
}

function payloadOf(frame: ByteFrame): Uint8Array {
  switch (frame.kind) {
    case 'open':
      return encoder.encode(JSON.stringify({ name: frame.name, input: frame.input }));
    case 'data':
      return frame.bytes;
    case 'credit': {
      const payload = new Uint8Array(4);
      new DataView(payload.buffer).setUint32(0, frame.bytes);
      return payload;
    }
    case 'error':
      return encoder.encode(JSON.stringify(frame.error));
    case 'end':
    case 'cancel':
      return new Uint8Array(0);
  }
}

function opened(payload: Uint8Array): { name: string; input: unknown } {
  const { name, input } = readJson(opening, payload);
  return { name, input };
}

function creditOf(payload: Uint8Array): number {
  if (payload.byteLength !== 4) throw protocolError('A credit frame was of an impossible size.');
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

function readJson<S extends z.ZodType>(schema: S, payload: Uint8Array): z.infer<S> {
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(payload));
  } catch (error) {
    // Both throw plain errors: SyntaxError for JSON, TypeError for bytes that are not UTF-8.
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw protocolError('A frame of a byte stream was not valid JSON.');
    }
    throw error;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw protocolError('A frame of a byte stream was not of a known form.');
  return parsed.data;
}
