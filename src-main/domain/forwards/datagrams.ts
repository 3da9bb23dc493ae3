// Datagrams on a stream, between the core and the relay on a node: one byte kind, four bytes flow, two
// bytes length (big endian), payload. A flow is one program here that sends to the forward.

const headerBytes = 7;
/** As many as the length of a frame can say; a datagram over IPv4 has 65,507 at most. */
export const longestDatagram = 65_535;

const kinds = { open: 1, datagram: 2, close: 3, failed: 4 } as const;
type Kind = keyof typeof kinds;
const kindOf = new Map<number, Kind>(
  Object.entries(kinds).map(([kind, number]) => [number, kind as Kind]),
);

export type DatagramFrame =
  /** To the relay: where what this flow sends goes, as the node sees it. */
  | { readonly kind: 'open'; readonly flow: number; readonly host: string; readonly port: number }
  | { readonly kind: 'datagram'; readonly flow: number; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly flow: number }
  /** From the relay: nothing gets there any more. */
  | { readonly kind: 'failed'; readonly flow: number };

export function encodeDatagramFrame(frame: DatagramFrame): Uint8Array {
  const payload = payloadOf(frame);
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kinds[frame.kind]);
  view.setUint32(1, frame.flow);
  view.setUint16(5, payload.length);
  bytes.set(payload, headerBytes);
  return bytes;
}

function payloadOf(frame: DatagramFrame): Uint8Array {
  if (frame.kind === 'datagram') return frame.bytes;
  if (frame.kind === 'open') {
    return new TextEncoder().encode(`${frame.host} ${String(frame.port)}`);
  }
  return new Uint8Array(0);
}

/** Takes a relay's output apart. What it says is a node's word: anything but datagrams and failures is `wrong`. */
export class RelayedFrames {
  #rest: Uint8Array = new Uint8Array(0);

  /** The frames that are complete now, or `wrong` for what no relay of ours would say. */
  push(chunk: Uint8Array): DatagramFrame[] | 'wrong' {
    const bytes = joined(this.#rest, chunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frames: DatagramFrame[] = [];
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const kind = kindOf.get(view.getUint8(at));
      if (kind !== 'datagram' && kind !== 'failed') return 'wrong';
      const end = at + headerBytes + view.getUint16(at + 5);
      if (end > bytes.length) break;
      const flow = view.getUint32(at + 1);
      const payload = bytes.subarray(at + headerBytes, end);
      frames.push(kind === 'failed' ? { kind, flow } : { kind, flow, bytes: payload });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

function joined(rest: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (rest.length === 0) return chunk;
  const bytes = new Uint8Array(rest.length + chunk.length);
  bytes.set(rest);
  bytes.set(chunk, rest.length);
  return bytes;
}
