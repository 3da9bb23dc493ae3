// Memory for what comes in, used again for every part: the other half of packet-memory.ts.
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import type { Taker } from '../node-link.ts';
import { collecting } from './collecting.ts';
import { isFreshGcmReader, readInPlace } from './gcm-packets.ts';

/** Eight packets of the largest size. The system gives memory only for as much as is ever used of it. */
const readBytes = 256 * 1024;

/** Whether what comes in is given on where it lies, to be used before the next comes. */
interface Reading {
  isInPlace: boolean;
}

const readings = new WeakMap<Duplex, Reading>();

/** As `connect` of node:net; what comes in can be read in place, once `shareReceived` has said so. */
export function connectReading(options: TcpNetConnectOpts): Socket {
  const reading: Reading = { isInPlace: false };
  const memory = Buffer.allocUnsafeSlow(readBytes);
  const socket = connect({
    ...options,
    onread: {
      buffer: memory,
      callback: (length) => {
        const part = memory.subarray(0, length);
        socket.emit('data', reading.isInPlace ? part : Buffer.from(part));
        return true;
      },
    },
  });
  readings.set(socket, reading);
  return socket;
}

type Handler = (protocol: unknown, recipient: number, data: Buffer) => void;

/** What ssh2 reads with; it has a new reader after every key exchange. No part of what it promises. */
interface Protocol {
  readonly _decipher?: unknown;
  readonly _handlers?: { CHANNEL_DATA?: Handler };
}

/**
 * What a connection that has not begun receives: packets of AES-GCM are read where they lie, in memory
 * that is used again, and copied for whoever keeps them. Where the socket, ssh2 or the cipher is
 * another, everything is as ssh2 has it.
 */
export class Received {
  readonly #client: Client;
  readonly #reading: Reading | undefined;
  readonly #takers = new Map<number, Taker>();
  readonly #note = collecting();
  #handle: Handler | undefined;

  constructor(client: Client, socket: Duplex) {
    this.#client = client;
    this.#reading = readings.get(socket);
    if (this.#reading !== undefined) client.on('handshake', () => this.#adopt());
    socket.on('data', ({ length }: Buffer) => {
      if (this.#reading?.isInPlace !== true) this.#note(length);
    });
  }

  /**
   * From now on, what comes on the channel goes to the taker whenever that is ready. Answers what has
   * the far side send again after the taker had enough.
   */
  divert(channel: ClientChannel, taker: Taker): () => void {
    const { incoming } = channel as unknown as { incoming?: { id?: number } };
    const id = incoming?.id;
    if (id === undefined || this.#reading?.isInPlace !== true) return () => undefined;
    this.#takers.set(id, taker);
    channel.once('close', () => this.#takers.delete(id));
    const push = channel.push.bind(channel);
    // As of a stream: what ssh2 is told is whether the far side may send more.
    channel.push = (part: Buffer | null) =>
      part === null || !taker.isReady() ? push(part) : taker.take(part);
    return () => channel._read(0);
  }

  #adopt(): void {
    const reading = this.#reading;
    const { _protocol: protocol } = this.#client as unknown as { _protocol?: Protocol };
    const reader = protocol?._decipher;
    if (reading === undefined || !isFreshGcmReader(reader)) return;
    if (!this.#copiesForStreams(protocol?._handlers)) return;
    readInPlace(reader, () => (reading.isInPlace = false));
    reading.isInPlace = true;
  }

  /** Streams keep what comes until somebody reads it. False where that cannot be seen to. */
  #copiesForStreams(handlers: Protocol['_handlers']): boolean {
    const handle = handlers?.CHANNEL_DATA;
    if (handlers === undefined || typeof handle !== 'function') return false;
    if (handle === this.#handle) return true;
    this.#handle = (protocol, recipient, data) => {
      const isTaken = this.#takers.get(recipient)?.isReady() === true;
      if (!isTaken) this.#note(data.length);
      handle(protocol, recipient, isTaken ? data : Buffer.from(data));
    };
    handlers.CHANNEL_DATA = this.#handle;
    return true;
  }
}
