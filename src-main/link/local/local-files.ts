// This computer's files behind the interface that nodes' files have.
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { homedir } from 'node:os';
import { textOfBytes } from '../../domain/files/path-text.ts';
import { joinPath, parentPath } from '../../domain/files/paths.ts';
import { FileError } from '../errors.ts';
import type { DiskUse, FileEntry, FileStat, RemoteFile, RemoteFiles } from '../node-link.ts';
import { fromErrno } from './errno.ts';
import { localPath, statOf } from './local-path.ts';

/** Entries looked at together; each costs a call into the system. */
const batchEntries = 256;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

export class LocalFiles implements RemoteFiles {
  async open(
    path: string,
    flags: 'r' | 'w' | 'wx' | 'r+' | 'a',
    mode = 0o644,
  ): Promise<RemoteFile> {
    const handle = await translated(path, () => fs.open(localPath(path), flags, mode));
    return new LocalFile(path, handle);
  }

  async readFile(path: string, maxBytes = DEFAULT_MAX_BYTES): Promise<Buffer> {
    await using file = await this.open(path, 'r');
    const chunks: Buffer[] = [];
    for (let position = 0; position < maxBytes;) {
      const chunk = await file.read(position, Math.min(1024 * 1024, maxBytes - position));
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
      await fs.rm(localPath(temporary), { force: true });
      throw error;
    }
  }

  async stat(path: string, { follow = false } = {}): Promise<FileStat | undefined> {
    try {
      const look = () => (follow ? fs.stat(localPath(path)) : fs.lstat(localPath(path)));
      return statOf(await translated(path, look));
    } catch (error) {
      if (error instanceof FileError && error.code === 'link/file-not-found') return undefined;
      throw error;
    }
  }

  async list(path: string): Promise<FileEntry[]> {
    const entries: FileEntry[] = [];
    for await (const batch of this.listInBatches(path)) entries.push(...batch);
    return entries;
  }

  async *listInBatches(path: string): AsyncGenerator<FileEntry[]> {
    // Its types know no buffers as encoding; Node does (fs.opendir, option `encoding`).
    const options = { encoding: 'buffer' as BufferEncoding };
    const directory = await translated(path, () => fs.opendir(localPath(path), options));
    let names: string[] = [];
    for await (const { name } of directory) {
      names.push(typeof name === 'string' ? name : textOfBytes(name));
      if (names.length < batchEntries) continue;
      yield await this.#entries(path, names);
      names = [];
    }
    if (names.length > 0) yield await this.#entries(path, names);
  }

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    await translated(path, () => fs.mkdir(localPath(path), { mode }));
  }

  async rename(from: string, to: string): Promise<void> {
    await translated(from, () => fs.rename(localPath(from), localPath(to)));
  }

  async remove(path: string): Promise<void> {
    await translated(path, () => fs.unlink(localPath(path)));
  }

  async removeDirectory(path: string): Promise<void> {
    await translated(path, () => fs.rmdir(localPath(path)));
  }

  async removeTree(path: string): Promise<void> {
    await translated(path, () => fs.rm(localPath(path), { recursive: true, force: true }));
  }

  async setMode(path: string, mode: number): Promise<void> {
    await translated(path, () => fs.chmod(localPath(path), mode));
  }

  async setModified(path: string, modifiedAt: number): Promise<void> {
    await translated(path, () => fs.utimes(localPath(path), modifiedAt, modifiedAt));
  }

  async makeLink(path: string, target: string): Promise<void> {
    await translated(path, () => fs.symlink(localPath(target), localPath(path)));
  }

  async readLink(path: string): Promise<string> {
    const look = () => fs.readlink(localPath(path), { encoding: 'buffer' });
    return textOfBytes(await translated(path, look));
  }

  async realPath(path: string): Promise<string> {
    const start = path === '.' ? homedir() : path;
    const look = () => fs.realpath(localPath(start), { encoding: 'buffer' });
    return textOfBytes(await translated(path, look));
  }

  async diskUse(path: string): Promise<DiskUse | undefined> {
    const look = () => fs.statfs(localPath(path));
    const { bavail, blocks, bsize } = await translated(path, look);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  }

  async #entries(path: string, names: readonly string[]): Promise<FileEntry[]> {
    const entries = await Promise.all(
      names.map(async (name) => ({ name, stat: await this.stat(joinPath(path, name)) })),
    );
    // What vanished since is not there.
    return entries.flatMap(({ name, stat }) => (stat === undefined ? [] : [{ name, ...stat }]));
  }

  async #writeWhole(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    await using file = await this.open(path, 'wx', mode);
    await file.write(0, bytes);
    await file.sync();
  }
}

class LocalFile implements RemoteFile {
  readonly #path: string;
  readonly #handle: fs.FileHandle;

  constructor(path: string, handle: fs.FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  async read(
    position: number,
    length: number,
    memory: () => Buffer = () => Buffer.allocUnsafe(length),
  ): Promise<Buffer> {
    const buffer = memory();
    const { bytesRead } = await translated(this.#path, () =>
      this.#handle.read(buffer, 0, length, position),
    );
    return buffer.subarray(0, bytesRead);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const rest = bytes.subarray(written);
      const { bytesWritten } = await translated(this.#path, () =>
        this.#handle.write(rest, 0, rest.length, position + written),
      );
      written += bytesWritten;
    }
  }

  async stat(): Promise<FileStat> {
    return statOf(await translated(this.#path, () => this.#handle.stat()));
  }

  async sync(): Promise<void> {
    await translated(this.#path, () => this.#handle.sync());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await translated(this.#path, () => this.#handle.close());
  }
}

async function translated<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw fromErrno(error, path);
  }
}
