// SFTP version 3 on the wire (draft-ietf-secsh-filexfer-02, and OpenSSH's PROTOCOL for extensions).
// Paths are bytes here; ssh2's own client takes and gives them as UTF-8 only, and so loses names.
import { bytesOfText, textOfBytes } from '../../../domain/files/path-text.ts';

export const request = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

export const reply = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 201,
} as const;

/** SSH_FX_… */
export const status = { ok: 0, eof: 1, noSuchFile: 2, denied: 3, failure: 4 } as const;

/** Larger than anything OpenSSH or our own requests make (256 KiB and a header). */
export const longestPacketBytes = 512 * 1024;

const longestCopiedBytes = 8 * 1024;

/** What the server said does not follow the protocol. */
export class SftpProtocolError extends Error {}

export interface Attributes {
  size?: number;
  uid?: number;
  gid?: number;
  mode?: number;
  modifiedAt?: number;
}

const has = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x80000000 } as const;

/** Builds the fields of one request. */
export class PacketWriter {
  readonly #parts: Uint8Array[] = [];

  u32(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(value >>> 0);
    this.#parts.push(bytes);
    return this;
  }

  u64(value: number): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(BigInt(value));
    this.#parts.push(bytes);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.u32(value.length);
    this.#parts.push(value);
    return this;
  }

  path(value: string): this {
    return this.bytes(bytesOfText(value));
  }

  attributes({ mode, modifiedAt }: Pick<Attributes, 'mode' | 'modifiedAt'>): this {
    this.u32((mode === undefined ? 0 : has.mode) | (modifiedAt === undefined ? 0 : has.times));
    if (mode !== undefined) this.u32(mode);
    // Access and modification; what the access was nobody asks.
    if (modifiedAt !== undefined) this.u32(modifiedAt).u32(modifiedAt);
    return this;
  }

  /** The whole packet: fields in one piece, as each would travel by itself, and large payloads uncopied. */
  packet(type: number, id: number | undefined): Uint8Array[] {
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const head = Buffer.allocUnsafe(id === undefined ? 5 : 9);
    head.writeUInt32BE(length + head.length - 4, 0);
    head.writeUInt8(type, 4);
    if (id !== undefined) head.writeUInt32BE(id, 5);
    const pieces: Uint8Array[] = [];
    let fields: Uint8Array[] = [head];
    for (const part of this.#parts) {
      if (part.length <= longestCopiedBytes) {
        fields.push(part);
        continue;
      }
      pieces.push(Buffer.concat(fields), part);
      fields = [];
    }
    return fields.length === 0 ? pieces : [...pieces, Buffer.concat(fields)];
  }
}

/** Reads the fields of one reply. Throws SftpProtocolError beyond its end. */
export class PacketReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    return this.#take(1).readUInt8();
  }

  u32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** Sizes beyond what a number holds exactly are a lie. */
  u64(): number {
    const value = this.#take(8).readBigUInt64BE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new SftpProtocolError('a size is absurd');
    return Number(value);
  }

  bytes(): Buffer {
    return this.#take(this.u32());
  }

  path(): string {
    return textOfBytes(this.bytes());
  }

  attributes(): Attributes {
    const flags = this.u32();
    const found: Attributes = {};
    if ((flags & has.size) !== 0) found.size = this.u64();
    if ((flags & has.owner) !== 0) {
      found.uid = this.u32();
      found.gid = this.u32();
    }
    if ((flags & has.mode) !== 0) found.mode = this.u32();
    if ((flags & has.times) !== 0) {
      this.u32();
      found.modifiedAt = this.u32();
    }
    if ((flags & has.extended) !== 0) this.#skipExtended();
    return found;
  }

  #skipExtended(): void {
    for (let left = this.u32(); left > 0; left -= 1) {
      this.bytes();
      this.bytes();
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new SftpProtocolError('a packet is shorter than it says');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** Cuts what arrives into packets, each copied once. */
export class PacketAssembler {
  readonly #head = Buffer.alloc(4);
  #headBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;

  /** Throws SftpProtocolError for a length no server has reason for (start-up files that print, say). */
  push(chunk: Buffer, onPacket: (packet: Buffer) => void): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#body === undefined) {
        at += this.#takeHead(chunk, at);
        continue;
      }
      const taken = chunk.copy(this.#body, this.#bodyBytes, at);
      this.#bodyBytes += taken;
      at += taken;
      if (this.#bodyBytes < this.#body.length) continue;
      const packet = this.#body;
      this.#body = undefined;
      this.#headBytes = 0;
      onPacket(packet);
    }
  }

  #takeHead(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#head, this.#headBytes, at, at + 4 - this.#headBytes);
    this.#headBytes += taken;
    if (this.#headBytes < 4) return taken;
    const length = this.#head.readUInt32BE();
    if (length === 0 || length > longestPacketBytes) {
      throw new SftpProtocolError(`a packet claims ${String(length)} bytes`);
    }
    this.#body = Buffer.allocUnsafe(length);
    this.#bodyBytes = 0;
    return taken;
  }
}
