// Requests and replies of one SFTP session. What they mean is in ../sftp-files.ts.
import type { Duplex } from 'node:stream';
import {
  PacketAssembler,
  PacketReader,
  PacketWriter,
  reply,
  request,
  SftpProtocolError,
  status,
} from './packets.ts';

/** The server's answer to a request that it did not carry out. `code` is one of SSH_FX_…. */
export class SftpStatusError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message === '' ? `SFTP status ${String(code)}` : message);
    this.code = code;
  }
}

interface Waiting {
  readonly expects: number;
  readonly resolve: (reader: PacketReader) => void;
  readonly reject: (error: unknown) => void;
}

const version = 3;

/** A session over a channel on which an SFTP server listens. */
export class SftpSession {
  readonly #channel: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  readonly #extensions = new Set<string>();
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #ended = Promise.withResolvers<undefined>();
  #nextId = 0;
  #isOpen = true;

  /** Resolves when the server has said hello. Rejects when what answers is no SFTP server. */
  static async open(channel: Duplex): Promise<SftpSession> {
    const session = new SftpSession(channel);
    await session.#ready.promise;
    return session;
  }

  private constructor(channel: Duplex) {
    this.#channel = channel;
    this.#ready.promise.catch(() => undefined);
    const packets = new PacketAssembler();
    channel.on('data', (chunk: Buffer) => {
      if (!this.#isOpen) return;
      try {
        packets.push(chunk, (packet) => this.#receive(packet));
      } catch (error) {
        this.end(error);
      }
    });
    const onEnd = () => this.end(new Error('The SFTP session ended.'));
    channel.on('end', onEnd);
    channel.on('close', onEnd);
    channel.on('error', (error: Error) => this.end(error));
    // Whoever opened it may have paused it to look for where the server begins to speak.
    channel.resume();
    this.#send(new PacketWriter().u32(version).packet(request.init, undefined));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves once the session is over, whatever ended it. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  /** Whether the server offers this extension (`posix-rename@openssh.com`…). */
  offers(extension: string): boolean {
    return this.#extensions.has(extension);
  }

  /**
   * Sends one request and resolves with its reply, which must be of the type expected. Rejects with
   * SftpStatusError when the server says no, or with what ended the session.
   */
  ask(type: number, body: PacketWriter, expects: number): Promise<PacketReader> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new Error('The SFTP session ended.'));
        return;
      }
      const id = this.#nextId;
      this.#nextId = (id + 1) >>> 0;
      this.#waiting.set(id, { expects, resolve, reject });
      this.#send(body.packet(type, id));
    });
  }

  /** Everything under way rejects; the channel is closed. */
  end(reason: unknown = new Error('The SFTP session was closed.')): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ready.reject(reason);
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    this.#channel.end();
    this.#channel.destroy();
    this.#ended.resolve(undefined);
  }

  #send(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.#channel.write(part);
  }

  #receive(packet: Buffer): void {
    const reader = new PacketReader(packet);
    const type = reader.u8();
    if (type === reply.version) {
      this.#greet(reader);
      return;
    }
    const id = reader.u32();
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new SftpProtocolError('a reply answers no request');
    this.#waiting.delete(id);
    this.#settle(waiting, type, reader);
  }

  #settle(waiting: Waiting, type: number, reader: PacketReader): void {
    if (type === reply.status) {
      const code = reader.u32();
      // Version 3 servers before 2001 send no text.
      const message = reader.isAtEnd ? '' : reader.bytes().toString('utf8');
      if (code === status.ok && waiting.expects === reply.status) waiting.resolve(reader);
      else waiting.reject(new SftpStatusError(code, message));
    } else if (type === waiting.expects) {
      waiting.resolve(reader);
    } else {
      const error = new SftpProtocolError('a reply is of the wrong type');
      waiting.reject(error);
      throw error;
    }
  }

  #greet(reader: PacketReader): void {
    if (reader.u32() < version) throw new SftpProtocolError('the server is too old');
    while (!reader.isAtEnd) {
      this.#extensions.add(reader.bytes().toString('latin1'));
      reader.bytes();
    }
    this.#ready.resolve(undefined);
  }
}
