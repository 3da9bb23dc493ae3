// The node's files over SFTP.
import { randomBytes } from 'node:crypto';
import { isEntryName, joinPath, parentPath } from '../../domain/files/paths.ts';
import { FileError, lostError, type LinkError } from '../errors.ts';
import { removeTreeOf } from '../file-trees.ts';
import type { DiskUse, FileEntry, FileStat, RemoteFile, RemoteFiles } from '../node-link.ts';
import type { SshConnection } from './connection.ts';
import { fromSftp, isNoSuchFile, sftpCode } from './sftp-errors.ts';
import { SftpFile } from './sftp-file.ts';
import {
  PacketWriter,
  reply,
  request,
  SftpProtocolError,
  status,
  type PacketReader,
} from './sftp/packets.ts';
import type { SftpSession } from './sftp/session.ts';
import { openFlags, statOf } from './sftp/stat.ts';

/** OpenSSH takes 256 KiB packets; this leaves room for the header of each request. */
const CHUNK_BYTES = 255 * 1024;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Files over one SFTP session. */
export class SftpFiles implements RemoteFiles {
  readonly #session: SftpSession;
  readonly #connection: SshConnection;

  constructor(session: SftpSession, connection: SshConnection) {
    this.#session = session;
    this.#connection = connection;
    connection.onDidClose(() => session.end(connection.lostReason()));
  }

  get isOpen(): boolean {
    return this.#session.isOpen && this.#connection.isOpen;
  }

  async open(
    path: string,
    flags: 'r' | 'w' | 'wx' | 'r+' | 'a',
    mode = 0o644,
  ): Promise<RemoteFile> {
    const body = new PacketWriter().path(path).u32(openFlags[flags]).attributes({ mode });
    try {
      const opened = await this.ask(path, { type: request.open, body, expects: reply.handle });
      return new SftpFile({ path, handle: Buffer.from(opened.bytes()), files: this });
    } catch (error) {
      if (flags === 'wx') await this.#throwIfExists(path, error);
      throw error;
    }
  }

  async readFile(path: string, maxBytes = DEFAULT_MAX_BYTES): Promise<Buffer> {
    await using file = await this.open(path, 'r');
    const chunks: Buffer[] = [];
    for (let position = 0; position < maxBytes;) {
      const chunk = await file.read(position, Math.min(CHUNK_BYTES, maxBytes - position));
      if (chunk.length === 0) break;
      chunks.push(chunk);
      position += chunk.length;
    }
    return Buffer.concat(chunks);
  }

  async writeFileAtomically(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
    // Not the name and something: a name may be as long as names can be.
    const temporary = joinPath(parentPath(path), `.${randomBytes(8).toString('hex')}.part`);
    try {
      await this.#writeWhole(temporary, bytes, mode);
      await this.rename(temporary, path);
    } catch (error) {
      await this.#removeLeftover(temporary);
      throw error;
    }
  }

  async stat(path: string, { follow = false } = {}): Promise<FileStat | undefined> {
    const type = follow ? request.stat : request.lstat;
    try {
      const body = new PacketWriter().path(path);
      return statOf((await this.ask(path, { type, body, expects: reply.attrs })).attributes());
    } catch (error) {
      if (isNoSuchFile(error)) return undefined;
      throw error;
    }
  }

  async list(path: string): Promise<FileEntry[]> {
    const entries: FileEntry[] = [];
    for await (const batch of this.listInBatches(path)) entries.push(...batch);
    return entries;
  }

  async *listInBatches(path: string): AsyncGenerator<FileEntry[]> {
    const body = new PacketWriter().path(path);
    const opened = await this.ask(path, { type: request.opendir, body, expects: reply.handle });
    const handle = Buffer.from(opened.bytes());
    try {
      for (;;) {
        const batch = await this.#readDirectory(path, handle);
        if (batch === undefined) return;
        if (batch.length > 0) yield batch;
      }
    } finally {
      if (this.isOpen) await this.#order(path, request.close, new PacketWriter().bytes(handle));
    }
  }

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    try {
      await this.#order(path, request.mkdir, new PacketWriter().path(path).attributes({ mode }));
    } catch (error) {
      await this.#throwIfExists(path, error);
      throw error;
    }
  }

  /** In one step where the server can (OpenSSH's posix-rename). */
  async rename(from: string, to: string): Promise<void> {
    const isPosix = this.#session.offers(extension.rename);
    const body = new PacketWriter();
    if (isPosix) body.bytes(Buffer.from(extension.rename));
    body.path(from).path(to);
    await this.#order(from, isPosix ? request.extended : request.rename, body);
  }

  async remove(path: string): Promise<void> {
    await this.#order(path, request.remove, new PacketWriter().path(path));
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#order(path, request.rmdir, new PacketWriter().path(path));
  }

  removeTree(path: string, signal?: AbortSignal): Promise<void> {
    return removeTreeOf(this, path, signal);
  }

  async setMode(path: string, mode: number): Promise<void> {
    await this.#order(path, request.setstat, new PacketWriter().path(path).attributes({ mode }));
  }

  async setModified(path: string, modifiedAt: number): Promise<void> {
    const body = new PacketWriter().path(path).attributes({ modifiedAt });
    await this.#order(path, request.setstat, body);
  }

  /** The order of the two is OpenSSH's, not the draft's; other servers have followed it. */
  async makeLink(path: string, target: string): Promise<void> {
    try {
      await this.#order(path, request.symlink, new PacketWriter().path(target).path(path));
    } catch (error) {
      await this.#throwIfExists(path, error);
      throw error;
    }
  }

  readLink(path: string): Promise<string> {
    return this.#nameOf(path, request.readlink);
  }

  realPath(path: string): Promise<string> {
    return this.#nameOf(path, request.realpath);
  }

  async diskUse(path: string): Promise<DiskUse | undefined> {
    if (!this.#session.offers(extension.statvfs)) return undefined;
    try {
      const body = new PacketWriter().bytes(Buffer.from(extension.statvfs)).path(path);
      const info = await this.#ask(path, {
        type: request.extended,
        body,
        expects: reply.extended,
      });
      info.u64();
      const [fragment, blocks] = [info.u64(), info.u64()];
      info.u64();
      return { totalBytes: blocks * fragment, freeBytes: info.u64() * fragment };
    } catch (error) {
      if (error instanceof FileError && error.code === 'link/file-failed') return undefined;
      throw error;
    }
  }

  close(): void {
    this.#session.end();
  }

  /** @internal One request, with its error translated; a full disk is told from other failures. */
  async ask(path: string, asked: Asked): Promise<PacketReader> {
    try {
      return await this.#ask(path, asked);
    } catch (error) {
      if (sftpCode(error) !== status.failure) throw error;
      const use = await this.diskUse(parentPath(path));
      if (use?.freeBytes !== 0) throw error;
      throw new FileError('link/disk-full', `The disk that has ${path} is full.`, {
        cause: error,
        retry: 'after-user-action',
        details: { path },
      });
    }
  }

  /** @internal Whether the server can be asked to write through to its disk. */
  get canSync(): boolean {
    return this.#session.offers(extension.fsync);
  }

  async #readDirectory(path: string, handle: Buffer): Promise<FileEntry[] | undefined> {
    const body = new PacketWriter().bytes(handle);
    try {
      const names = await this.ask(path, { type: request.readdir, body, expects: reply.name });
      return entriesOf(names);
    } catch (error) {
      if (sftpCode(error) === status.eof) return undefined;
      throw error;
    }
  }

  async #nameOf(path: string, type: number): Promise<string> {
    const body = new PacketWriter().path(path);
    const names = await this.ask(path, { type, body, expects: reply.name });
    names.u32();
    return names.path();
  }

  async #order(path: string, type: number, body: PacketWriter): Promise<void> {
    await this.ask(path, { type, body, expects: reply.status });
  }

  async #writeWhole(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    await using file = await this.open(path, 'wx', mode);
    for (let position = 0; position < bytes.length; position += CHUNK_BYTES) {
      await file.write(position, bytes.subarray(position, position + CHUNK_BYTES));
    }
    await file.sync();
  }

  async #removeLeftover(path: string): Promise<void> {
    try {
      await this.remove(path);
    } catch (error) {
      // The failure that brought us here is the one to tell; with the link gone nothing can be removed.
      if (!(error instanceof Error)) throw error;
    }
  }

  async #throwIfExists(path: string, cause: unknown): Promise<void> {
    if (sftpCode(cause) !== status.failure || (await this.stat(path)) === undefined) return;
    throw new FileError('link/file-exists', `${path} exists already.`, {
      cause,
      details: { path },
    });
  }

  async #ask(path: string, { type, body, expects }: Asked): Promise<PacketReader> {
    if (!this.isOpen) throw this.#gone();
    try {
      return await this.#session.ask(type, body, expects);
    } catch (error) {
      if (this.#hasEnded() && !(error instanceof SftpProtocolError)) throw this.#gone(error);
      throw fromSftp(error, path);
    }
  }

  /** Asked anew after a wait. */
  #hasEnded(): boolean {
    return !this.isOpen;
  }

  #gone(cause?: unknown): LinkError {
    return this.#connection.lostReason() ?? lostError(this.#connection.description, cause);
  }
}

/** One request and the type of its answer. */
export interface Asked {
  readonly type: number;
  readonly body: PacketWriter;
  readonly expects: number;
}

const extension = {
  rename: 'posix-rename@openssh.com',
  statvfs: 'statvfs@openssh.com',
  fsync: 'fsync@openssh.com',
} as const;

/** What a server lists under a name no entry can have is left out: it could only lead elsewhere. */
function entriesOf(names: PacketReader): FileEntry[] {
  const entries: FileEntry[] = [];
  for (let left = names.u32(); left > 0; left -= 1) {
    const name = names.path();
    names.bytes();
    const stat = statOf(names.attributes());
    if (isEntryName(name)) entries.push({ name, ...stat });
  }
  return entries;
}
