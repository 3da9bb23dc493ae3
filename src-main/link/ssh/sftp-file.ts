import type { FileStat, RemoteFile } from '../node-link.ts';
import { sftpCode } from './sftp-errors.ts';
import type { Asked } from './sftp-files.ts';
import { PacketWriter, reply, request, status, type PacketReader } from './sftp/packets.ts';
import { statOf } from './sftp/stat.ts';

/** What a handle needs of the session it belongs to. */
interface Session {
  readonly isOpen: boolean;
  readonly canSync: boolean;
  ask(path: string, asked: Asked): Promise<PacketReader>;
}

export interface SftpFileParts {
  readonly path: string;
  readonly handle: Buffer;
  readonly files: Session;
}

/** OpenSSH takes 256 KiB packets; this leaves room for the header. */
const longestWriteBytes = 255 * 1024;

/** An open file over SFTP. */
export class SftpFile implements RemoteFile {
  readonly #parts: SftpFileParts;

  constructor(parts: SftpFileParts) {
    this.#parts = parts;
  }

  /** Servers may give less than was asked for (OpenSSH gives at most 255 KiB): asks on until all is there. */
  async read(position: number, length: number): Promise<Buffer> {
    const first = await this.#readSome(position, length);
    if (first.length === length || first.length === 0) return first;
    const parts = [first];
    for (let got = first.length; got < length;) {
      const more = await this.#readSome(position + got, length - got);
      if (more.length === 0) break;
      parts.push(more);
      got += more.length;
    }
    return Buffer.concat(parts);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    // A packet larger than the server takes ends the session.
    for (let at = 0; at < bytes.length; at += longestWriteBytes) {
      const part = bytes.subarray(at, at + longestWriteBytes);
      const body = this.#body()
        .u64(position + at)
        .bytes(part);
      await this.#ask({ type: request.write, body, expects: reply.status });
    }
  }

  async stat(): Promise<FileStat> {
    const asked = { type: request.fstat, body: this.#body(), expects: reply.attrs };
    return statOf((await this.#ask(asked)).attributes());
  }

  async sync(): Promise<void> {
    // Not offered by every server: then its own care has to do.
    if (!this.#parts.files.canSync) return;
    const body = new PacketWriter().bytes(Buffer.from('fsync@openssh.com'));
    body.bytes(this.#parts.handle);
    await this.#ask({ type: request.extended, body, expects: reply.status });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A session that is gone has closed its handles.
    if (!this.#parts.files.isOpen) return;
    await this.#ask({ type: request.close, body: this.#body(), expects: reply.status });
  }

  async #readSome(position: number, length: number): Promise<Buffer> {
    const body = this.#body().u64(position).u32(length);
    try {
      const answer = await this.#ask({ type: request.read, body, expects: reply.data });
      // More than was asked for would be written where it does not belong.
      return answer.bytes().subarray(0, length);
    } catch (error) {
      // The end of the file is no error here.
      if (sftpCode(error) === status.eof) return Buffer.alloc(0);
      throw error;
    }
  }

  #body(): PacketWriter {
    return new PacketWriter().bytes(this.#parts.handle);
  }

  #ask(asked: Asked): Promise<PacketReader> {
    return this.#parts.files.ask(this.#parts.path, asked);
  }
}
