// The node's files over SFTP.
import { randomBytes } from 'node:crypto';
import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { FileError, lostError } from '../errors.ts';
import type { FileEntry, FileStat, RemoteFile, RemoteFiles } from '../node-link.ts';
import type { SshConnection } from './connection.ts';
import { fromSftp, isNoSuchFile, sftpCode } from './sftp-errors.ts';

/** OpenSSH takes 256 KiB packets; this leaves room for the header of each request. */
const CHUNK_BYTES = 255 * 1024;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

type Callback<T> = (error: Error | null | undefined, value?: T) => void;

/** Files over one SFTP session. */
export class SftpFiles implements RemoteFiles {
  readonly #sftp: SFTPWrapper;
  readonly #connection: SshConnection;
  /** Requests under way: ssh2 does not answer all of them when the session or the link ends. */
  readonly #pending = new Set<(error: unknown) => void>();
  #isOpen = true;

  constructor(sftp: SFTPWrapper, connection: SshConnection) {
    this.#sftp = sftp;
    this.#connection = connection;
    const onEnd = () => {
      this.#isOpen = false;
      for (const refuse of this.#pending) refuse(new Error('The SFTP session ended.'));
    };
    sftp.on('close', onEnd);
    sftp.on('error', onEnd);
    connection.onDidClose(onEnd);
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#connection.isOpen;
  }

  async open(
    path: string,
    flags: 'r' | 'w' | 'wx' | 'r+' | 'a',
    mode = 0o644,
  ): Promise<RemoteFile> {
    try {
      const handle = await this.#ask<Buffer>(path, (done) =>
        this.#sftp.open(path, flags, mode, done),
      );
      return new SftpFile({ path, handle, files: this, sftp: this.#sftp });
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
    const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
    try {
      await this.#writeWhole(temporary, bytes, mode);
      await this.rename(temporary, path);
    } catch (error) {
      await this.#removeLeftover(temporary);
      throw error;
    }
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      return statOf(await this.#ask<Stats>(path, (done) => this.#sftp.lstat(path, done)));
    } catch (error) {
      if (isNoSuchFile(error)) return undefined;
      throw error;
    }
  }

  async list(path: string): Promise<FileEntry[]> {
    const entries = await this.#ask<FileEntryWithStats[]>(path, (done) =>
      this.#sftp.readdir(path, done),
    );
    return entries
      .filter(({ filename }) => filename !== '.' && filename !== '..')
      .map(({ filename, attrs }) => ({ name: filename, ...statOf(attrs) }));
  }

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    try {
      await this.#ask<undefined>(path, (done) => this.#sftp.mkdir(path, { mode }, done as never));
    } catch (error) {
      await this.#throwIfExists(path, error);
      throw error;
    }
  }

  /** Replaces what is there, in one step where the server can (OpenSSH's posix-rename). */
  async rename(from: string, to: string): Promise<void> {
    await this.#ask<undefined>(from, (done) => {
      try {
        this.#sftp.ext_openssh_rename(from, to, done);
      } catch {
        // Thrown at once by ssh2 when the server has no such extension.
        this.#sftp.rename(from, to, done);
      }
    });
  }

  async remove(path: string): Promise<void> {
    await this.#ask<undefined>(path, (done) => this.#sftp.unlink(path, done));
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#ask<undefined>(path, (done) => this.#sftp.rmdir(path, done));
  }

  async freeBytes(path: string): Promise<number | undefined> {
    const info = await this.#statvfs(path);
    return info === undefined ? undefined : info.f_bavail * info.f_frsize;
  }

  close(): void {
    this.#sftp.end();
  }

  /** @internal One request, with its error translated; a full disk is told from other failures. */
  async ask<T>(path: string, start: (done: Callback<T>) => void): Promise<T> {
    try {
      return await this.#ask(path, start);
    } catch (error) {
      if (sftpCode(error) !== FAILURE) throw error;
      const info = await this.#statvfs(directoryOf(path));
      if (info?.f_bavail !== 0) throw error;
      throw new FileError('link/disk-full', `The disk that has ${path} is full.`, {
        cause: error,
        retry: 'after-user-action',
        details: { path },
      });
    }
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
    if (sftpCode(cause) !== FAILURE || (await this.stat(path)) === undefined) return;
    throw new FileError('link/file-exists', `${path} exists already.`, {
      cause,
      details: { path },
    });
  }

  async #statvfs(path: string): Promise<Statvfs | undefined> {
    try {
      return await this.#ask<Statvfs>(path, (done) => {
        this.#sftp.ext_openssh_statvfs(path, done as never);
      });
    } catch (error) {
      // Servers without the extension cannot tell; ssh2 then throws a plain error.
      if (error instanceof FileError) return undefined;
      throw error;
    }
  }

  #ask<T>(path: string, start: (done: Callback<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown) => {
        this.#pending.delete(refuse);
        reject(this.#connection.lostReason() ?? fromSftp(error, path));
      };
      if (!this.isOpen) {
        refuse(lostError(this.#connection.description));
        return;
      }
      this.#pending.add(refuse);
      try {
        start((error, value) => {
          this.#pending.delete(refuse);
          if (error instanceof Error) refuse(error);
          else resolve(value as T);
        });
      } catch (error) {
        refuse(error);
      }
    });
  }
}

/** SSH_FX_FAILURE: OpenSSH says no more for anything but missing files and permissions. */
const FAILURE = 4;

interface Statvfs {
  f_bavail: number;
  f_frsize: number;
}

interface SftpFileParts {
  path: string;
  handle: Buffer;
  files: SftpFiles;
  sftp: SFTPWrapper;
}

class SftpFile implements RemoteFile {
  readonly #parts: SftpFileParts;

  constructor(parts: SftpFileParts) {
    this.#parts = parts;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const { files, sftp, handle, path } = this.#parts;
    const buffer = Buffer.allocUnsafe(length);
    const size = await files.ask<number>(path, (done) =>
      sftp.read(handle, buffer, 0, length, position, (error, bytesRead) => {
        // The end of the file is no error here.
        if (sftpCode(error) === 1) done(undefined, 0);
        else done(error, bytesRead);
      }),
    );
    return buffer.subarray(0, size);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    const { files, sftp, handle, path } = this.#parts;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await files.ask<undefined>(path, (done) =>
      sftp.write(handle, buffer, 0, buffer.length, position, done),
    );
  }

  async stat(): Promise<FileStat> {
    const { files, sftp, handle, path } = this.#parts;
    return statOf(await files.ask<Stats>(path, (done) => sftp.fstat(handle, done)));
  }

  async sync(): Promise<void> {
    const { files, sftp, handle, path } = this.#parts;
    await files.ask<undefined>(path, (done) => {
      try {
        sftp.ext_openssh_fsync(handle, done as never);
      } catch {
        // Not offered by the server: then its own care has to do.
        done(undefined, undefined);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { files, sftp, handle, path } = this.#parts;
    // A session that is gone has closed its handles.
    if (files.isOpen) await files.ask<undefined>(path, (done) => sftp.close(handle, done));
  }
}

function statOf(stats: Stats): FileStat {
  const { size, mode, uid, gid, mtime } = stats;
  return { kind: kindOf(stats), size, mode: mode & 0o7777, uid, gid, modifiedAt: mtime };
}

function kindOf(stats: Stats): FileStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
