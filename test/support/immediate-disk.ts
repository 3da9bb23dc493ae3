// `node:fs/promises` whose answers are there at once: what a test does with the disk then happens in
// one order only, so that a simulated run can be repeated exactly. For
// `vi.mock('node:fs/promises', () => import('…/immediate-disk.ts'))`. It also remembers what was
// synced, so that a test can cut the power: what nobody forced to the disk is gone then.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Bytes of a file that are surely on the disk, by path. */
const syncedBytes = new Map<string, number>();
/** Names that are surely in a directory, by path. */
const syncedNames = new Map<string, Set<string>>();

/** How often anything was asked; a test may see by it that nothing happens any more. */
export const disk = {
  calls: 0,
  syncs: 0,
  fault: (_call: string, _path: string): void => undefined,
};

function answer<T>(call: string, path: string, action: () => T): Promise<T> {
  disk.calls += 1;
  try {
    disk.fault(call, path);
    return Promise.resolve(action());
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- the rule beside it wants an Error
    return Promise.reject(error as Error);
  }
}

/** A part of some bytes, and where in the file. */
type Span<B> = [bytes: B, offset: number, length: number, position: number | null];

class ImmediateFile {
  readonly #fd: number;
  readonly #path: string;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  read(...[buffer, offset, length, position]: Span<Buffer>) {
    return answer('read', this.#path, () => {
      const bytesRead = fs.readSync(this.#fd, buffer, offset, length, position);
      return { buffer, bytesRead };
    });
  }

  write(...[bytes, offset, length, position]: Span<Uint8Array>) {
    return answer('write', this.#path, () => {
      const from = position ?? 0;
      syncedBytes.set(this.#path, Math.min(syncedBytes.get(this.#path) ?? 0, from));
      return { bytesWritten: fs.writeSync(this.#fd, bytes, offset, length, position) };
    });
  }

  readFile() {
    return answer('read', this.#path, () => fs.readFileSync(this.#fd));
  }

  writeFile(content: string | Uint8Array) {
    return answer('write', this.#path, () => fs.writeFileSync(this.#fd, content));
  }

  stat() {
    return answer('stat', this.#path, () => fs.fstatSync(this.#fd));
  }

  truncate(length: number) {
    return answer('truncate', this.#path, () => {
      fs.ftruncateSync(this.#fd, length);
      syncedBytes.set(this.#path, Math.min(syncedBytes.get(this.#path) ?? 0, length));
    });
  }

  sync() {
    return answer('sync', this.#path, () => this.#sync());
  }

  datasync() {
    return answer('sync', this.#path, () => this.#sync());
  }

  /** The real call is left out: in a test the page cache outlives everything. */
  #sync(): void {
    disk.syncs += 1;
    const found = fs.fstatSync(this.#fd);
    if (found.isDirectory()) syncedNames.set(this.#path, new Set(fs.readdirSync(this.#path)));
    else syncedBytes.set(this.#path, found.size);
  }

  close() {
    return answer('close', this.#path, () => fs.closeSync(this.#fd));
  }
}

export const open = (path: string, flags = 'r', mode = 0o666) =>
  answer('open', path, () => new ImmediateFile(fs.openSync(path, flags, mode), path));
export const mkdir = (path: string, options: fs.MakeDirectoryOptions) =>
  answer('mkdir', path, () => fs.mkdirSync(path, options));
export const rm = (path: string, options: fs.RmOptions) =>
  answer('rm', path, () => {
    fs.rmSync(path, options);
    syncedBytes.delete(path);
  });
export const readdir = (path: string) => answer('readdir', path, () => fs.readdirSync(path));
export const stat = (path: string) => answer('stat', path, () => fs.statSync(path));
export const chmod = (path: string, mode: number) =>
  answer('chmod', path, () => fs.chmodSync(path, mode));
export const rename = (from: string, to: string) =>
  answer('rename', to, () => {
    fs.renameSync(from, to);
    syncedBytes.set(to, syncedBytes.get(from) ?? 0);
  });
export const readFile = (path: string, encoding: BufferEncoding | null = null) =>
  answer('read', path, () => fs.readFileSync(path, { encoding }));
export const writeFile = (path: string, content: string, options?: fs.WriteFileOptions) =>
  answer('write', path, () => fs.writeFileSync(path, content, options));
export const mkdtemp = (prefix: string) => answer('mkdir', prefix, () => fs.mkdtempSync(prefix));

/** What a file has is on the disk, by whatever way it came there. */
export function noteSynced(path: string): void {
  syncedBytes.set(path, fs.statSync(path).size);
}

/** Nothing is remembered of a folder that is removed. */
export function forgetFolder(path: string): void {
  for (const known of [syncedBytes, syncedNames])
    for (const name of known.keys()) if (name.startsWith(path)) known.delete(name);
}

/**
 * Copies a folder as a power cut would leave it: of names nobody synced nothing is there, and of
 * each file what was forced to the disk, and perhaps (`chance`, 0…1) some of what was not.
 */
export function copyAfterPowerCut(from: string, to: string, chance: () => number): void {
  fs.mkdirSync(to, { recursive: true, mode: 0o700 });
  const names = syncedNames.get(from) ?? new Set<string>();
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    if (!names.has(entry.name) && chance() < 0.7) continue;
    noteName(join(to, entry.name));
    if (entry.isDirectory()) copyAfterPowerCut(source, join(to, entry.name), chance);
    else copyFileAfterPowerCut(source, join(to, entry.name), chance);
  }
}

/** Copies a file as a power cut would leave it. */
export function copyFileAfterPowerCut(source: string, target: string, chance: () => number): void {
  const bytes = fs.readFileSync(source);
  const safe = Math.min(syncedBytes.get(source) ?? 0, bytes.length);
  const kept = safe + Math.floor((bytes.length - safe) * chance());
  fs.writeFileSync(target, bytes.subarray(0, kept), { mode: 0o600 });
  // What is found there after the start was on the disk.
  syncedBytes.set(target, kept);
}

function noteName(path: string): void {
  const names = syncedNames.get(dirname(path)) ?? new Set<string>();
  syncedNames.set(dirname(path), names.add(basename(path)));
}

/** Copies a folder as the end of a process leaves it: whatever was written is there. */
export function copyAfterKill(from: string, to: string): void {
  fs.mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyAfterKill(source, target);
    else {
      fs.copyFileSync(source, target);
      syncedBytes.set(target, syncedBytes.get(source) ?? 0);
    }
    if (syncedNames.get(from)?.has(entry.name) === true) noteName(target);
  }
}
