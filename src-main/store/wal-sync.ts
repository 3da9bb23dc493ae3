// Forcing what was committed to the disk, beside the main thread. SQLite writes a commit into the
// write-ahead log and returns (synchronous=NORMAL); the log is forced to the disk here, and only then
// a commit counts as durable (docs/decisions/group-commit.md).
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './atomic-file.ts';
import { toStoreError } from './errors.ts';

/** A file whose bytes can be forced to the disk. */
export interface Syncable {
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the write-ahead log, which must be there; its name is on the disk when this resolves. Throws StoreError. */
export async function openWal(file: string): Promise<Syncable> {
  try {
    // For writing: elsewhere than on Linux only such a handle may force anything.
    const handle = await open(file, 'r+');
    await syncDirectory(dirname(file));
    return handle;
  } catch (error) {
    throw toStoreError(error, `open ${file}`);
  }
}

export interface WalSyncOptions {
  readonly wal: Syncable;
  /** How many commits there were: what has been forced since the last one need not be again. */
  readonly commits: () => number;
  /**
   * Copies the log into the database and forces that to the disk, on this thread. For after a failed
   * sync: Linux then forgets which pages were not written, and a second sync would say yes.
   */
  readonly checkpoint: () => void;
}

interface Run {
  /** Commits that are safe once it has ended. */
  readonly upTo: number;
  readonly done: Promise<void>;
}

/** Syncs for many who ask at about the same time; one sync runs at a time. */
export class WalSync implements AsyncDisposable {
  readonly #options: WalSyncOptions;
  #safe = 0;
  #running: Run | undefined;
  #next: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: WalSyncOptions) {
    this.#options = options;
  }

  /** Resolves when everything committed before the call is on disk. Throws StoreError. */
  sync(): Promise<void> {
    const wanted = this.#options.commits();
    if (this.#safe >= wanted) return Promise.resolve();
    if (this.#running !== undefined && this.#running.upTo >= wanted) return this.#running.done;
    this.#next ??= this.#after(this.#running?.done);
    return this.#next;
  }

  async #after(earlier: Promise<void> | undefined): Promise<void> {
    // Whoever waited for the earlier one was told of its error.
    await earlier?.catch(() => undefined);
    const upTo = this.#options.commits();
    const done = this.#force(upTo);
    this.#running = { upTo, done };
    this.#next = undefined;
    try {
      await done;
    } finally {
      if (this.#running.done === done) this.#running = undefined;
    }
  }

  async #force(upTo: number): Promise<void> {
    try {
      if (this.#hasFailed) this.#options.checkpoint();
      else await this.#options.wal.datasync();
      this.#hasFailed = false;
      this.#safe = upTo;
    } catch (error) {
      this.#hasFailed = true;
      throw toStoreError(error, 'force the database to the disk');
    }
  }

  /** Forces what is left, and closes. Throws StoreError. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#options.wal.close();
    }
  }
}
