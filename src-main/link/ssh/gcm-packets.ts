// Reading packets of AES-GCM without memory of their own. ssh2 takes fresh memory of 32 KiB for each
// packet that does not lie in one part of what came in: together with the memory of those parts it takes
// as long to get and to clear it, and to find out that nobody needs it any more, as to decrypt.

/** What of ssh2 reads such packets, where it has its compiled part. No part of what it promises. */
export interface GcmReader {
  readonly _instance: { decrypt(packet: Uint8Array, length: number, tag: Uint8Array): void };
  /** Set anew while keys are exchanged. False when the rest is for another reader. */
  readonly _onPayload: (payload: Buffer) => number | false | undefined;
  inSeqno: number;
  decrypt: (bytes: Buffer, from: number, end: number) => number | undefined;
}

const lengthBytes = 4;
const tagBytes = 16;
const blockBytes = 16;
/** As ssh2 has it: length and tag included. */
const longestBytes = 256 * 1024;
/** The message whose content is handed on while it is read; of all others, ssh2 keeps parts. */
const channelData = 94;
/** The first message of a key exchange. */
const keyExchange = 20;

/** Whether this is ssh2's reader for AES-GCM as it is known, and has read nothing yet. */
export function isFreshGcmReader(reader: unknown): reader is GcmReader {
  if (typeof reader !== 'object' || reader === null) return false;
  const known = reader as Record<string, unknown>;
  const instance = known['_instance'] as { decrypt?: unknown } | undefined;
  return (
    typeof instance?.decrypt === 'function' &&
    typeof known['_onPayload'] === 'function' &&
    typeof known['decrypt'] === 'function' &&
    typeof known['inSeqno'] === 'number' &&
    Buffer.isBuffer(known['_tag']) &&
    known['_lenBytes'] === 0
  );
}

/**
 * Has the reader decrypt packets where they lie, or gather them in memory of its own. What it is given
 * may be used again when `decrypt` returns; whoever takes the content of a channel must not keep it.
 * @param onKeyExchange called when other keys, and a reader that knows nothing of this, are to come:
 *   before the part that brings them
 */
export function readInPlace(reader: GcmReader, onKeyExchange: () => void): void {
  const packets = new PacketGathering();
  reader.decrypt = (bytes, from, end) => {
    let at = from;
    for (;;) {
      at = packets.take(bytes, at, end);
      const { packet } = packets;
      if (packet === undefined) return undefined;
      const payload = opened(reader, packet);
      if (payload[0] === keyExchange) onKeyExchange();
      const answer = reader._onPayload(payload[0] === channelData ? payload : Buffer.from(payload));
      if (answer !== undefined) return answer === false ? at : answer;
    }
  };
}

/** Decrypts a packet, which throws where it was altered, and gives what is in it. */
function opened(reader: GcmReader, packet: Buffer): Buffer {
  const length = packet.length - lengthBytes - tagBytes;
  const content = packet.subarray(lengthBytes, lengthBytes + length);
  reader._instance.decrypt(content, length, packet.subarray(lengthBytes + length));
  reader.inSeqno = (reader.inSeqno + 1) >>> 0;
  const padding = content[0] ?? 0;
  if (padding >= length) throw new Error('Bad packet padding');
  return content.subarray(1, length - padding);
}

/** Whole packets, with their length and tag, out of parts that end anywhere. */
class PacketGathering {
  /** The one that was taken last, until the next is; undefined when more has to come. */
  packet: Buffer | undefined;
  /** The beginning of one that is not all there. */
  #memory: Buffer | undefined;
  #held = 0;

  /** Takes one packet, or all that is there; answers where it stopped. */
  take(bytes: Buffer, from: number, end: number): number {
    if (this.#held > 0) return this.#gather(bytes, from, end);
    const there = end - from;
    const size = there < lengthBytes ? Infinity : sizeAt(bytes, from);
    if (size <= there) {
      this.packet = bytes.subarray(from, from + size);
      return from + size;
    }
    this.packet = undefined;
    return this.#hold(bytes, from, end);
  }

  #gather(bytes: Buffer, from: number, end: number): number {
    let at = from;
    if (this.#held < lengthBytes)
      at = this.#hold(bytes, at, Math.min(end, at + lengthBytes - this.#held));
    const memory = this.#memory;
    this.packet = undefined;
    if (memory === undefined || this.#held < lengthBytes) return at;
    const size = sizeAt(memory, 0);
    at = this.#hold(bytes, at, Math.min(end, at + size - this.#held));
    if (this.#held < size) return at;
    this.packet = memory.subarray(0, size);
    this.#held = 0;
    return at;
  }

  #hold(bytes: Buffer, from: number, end: number): number {
    if (end <= from) return from;
    this.#memory ??= Buffer.allocUnsafeSlow(longestBytes);
    this.#held += bytes.copy(this.#memory, this.#held, from, end);
    return end;
  }
}

function sizeAt(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  const size = lengthBytes + length + tagBytes;
  if (size > longestBytes || length < blockBytes || length % blockBytes !== 0) {
    throw new Error(`Bad packet length: ${length}`);
  }
  return size;
}
