// Memory for the packets of a connection. ssh2 takes fresh memory for each packet of
// 32 KiB: to get it, to clear it and to find out that nobody needs it any more takes longer than to
// encrypt what is in it (512 MiB: 2.8 s of a core, and 1.0 s with memory that is used again).
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';

/** Smaller packets cost little, and are of many sizes. */
const leastBytes = 16 * 1024;
/** As much as a channel may have under way (2 MiB). More is left to the collector. */
const mostKept = 64;
/** Of length and padding: the beginning of every packet of one size. */
const headBytes = 5;

/** What ssh2 makes packets with; it has a new one after every key exchange. No part of what it promises. */
interface PacketMaker {
  allocPacket?: (payloadBytes: number) => Buffer;
}

/**
 * Packets of the largest size are made in memory of ones that were sent. What a packet is padded with is
 * then what is there: bytes of one that was encrypted. Where ssh2 does not make packets as it is known to,
 * nothing is changed.
 */
export function reusePackets(client: Client, socket: Duplex): void {
  const memory = new PacketMemory();
  watchSent(socket, memory);
  const adopt = () => {
    const { _protocol: protocol } = client as unknown as { _protocol?: { _cipher?: PacketMaker } };
    const maker = protocol?._cipher;
    const make = maker?.allocPacket;
    if (maker === undefined || typeof make !== 'function') return;
    memory.forget();
    maker.allocPacket = (bytes) => memory.take(bytes, (size) => make.call(maker, size));
  };
  adopt();
  client.on('handshake', adopt);
}

/** The socket is asked to tell when a packet is out; whoever writes something else to it sees no difference. */
function watchSent(socket: Duplex, memory: PacketMemory): void {
  const write = socket.write.bind(socket) as (...words: unknown[]) => boolean;
  const watched = (...words: unknown[]): boolean => {
    const [packet] = words;
    const isOurs = words.length === 1 && Buffer.isBuffer(packet) && memory.owns(packet);
    return isOurs ? write(packet, () => memory.giveBack(packet)) : write(...words);
  };
  socket.write = watched as typeof socket.write;
}

export class PacketMemory {
  #payloadBytes = leastBytes - 1;
  #head: Buffer = Buffer.alloc(0);
  #free: Buffer[] = [];
  /** Those of the size that is kept, sent or not. */
  #known = new WeakSet<Buffer>();

  /** A packet for so much, by `make` where none is free. */
  take(payloadBytes: number, make: (payloadBytes: number) => Buffer): Buffer {
    if (payloadBytes < this.#payloadBytes || payloadBytes < leastBytes) return make(payloadBytes);
    const used = payloadBytes === this.#payloadBytes ? this.#free.pop() : undefined;
    if (used !== undefined) {
      used.set(this.#head);
      return used;
    }
    const packet = make(payloadBytes);
    if (payloadBytes > this.#payloadBytes) this.#keepOnly(payloadBytes, packet);
    this.#known.add(packet);
    return packet;
  }

  owns(packet: Buffer): boolean {
    return this.#known.has(packet);
  }

  giveBack(packet: Buffer): void {
    if (this.#known.has(packet) && this.#free.length < mostKept) this.#free.push(packet);
  }

  /** Others are made from now on. */
  forget(): void {
    this.#payloadBytes = leastBytes - 1;
    this.#free = [];
    this.#known = new WeakSet();
  }

  #keepOnly(payloadBytes: number, packet: Buffer): void {
    this.#payloadBytes = payloadBytes;
    this.#free = [];
    this.#known = new WeakSet();
    this.#head = Buffer.from(packet.subarray(0, headBytes));
  }
}
