// The files of a journal that is being written. They come into being with the first byte: most of
// the time of a short task's log would otherwise go into files that stay empty.
import { existsSync } from 'node:fs';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../atomic-file.ts';
import { codeOf, toStoreError } from '../errors.ts';
import { inspectJournal, type JournalPaths, type JournalState } from './journal.ts';
import { IndexWriter, type JournalIndex } from './journal-index.ts';
import type { SharedSync } from './shared-sync.ts';
import { emptyTally, type Tally } from './tally.ts';

export interface OpenedJournal {
  readonly files: JournalFiles;
  readonly state: JournalState;
}

/** Opens the journal of an attempt for writing; what a crash tore off its end is cut. Throws StoreError. */
export async function openJournal(
  paths: JournalPaths,
  folderSync: SharedSync,
): Promise<OpenedJournal> {
  try {
    const file = await openExisting(paths.journal);
    if (file === undefined) return { files: new JournalFiles(paths, folderSync), state: nothing() };
    return await goOn({ file, paths, folderSync }).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
  } catch (error) {
    throw toStoreError(error, `open the log ${paths.journal}`);
  }
}

function nothing(): JournalState {
  return { index: [emptyTally], end: emptyTally, cursor: null, tornBytes: 0 };
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  // Asked on this thread: a way through another one costs ten times as much, and short tasks have none.
  if (!existsSync(path)) return undefined;
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

interface Existing {
  readonly file: FileHandle;
  readonly paths: JournalPaths;
  readonly folderSync: SharedSync;
}

async function goOn({ file, paths, folderSync }: Existing): Promise<OpenedJournal> {
  const state = await inspectJournal(file, paths);
  if (state.tornBytes > 0) await file.truncate(state.end.position);
  // Whoever wrote it may have been ended before it was on disk, names and all.
  await file.sync();
  const files = new JournalFiles(paths, folderSync, file);
  await files.syncNames();
  await files.beginIndex(state.index, state.end.position);
  return { files, state };
}

/** Throws what the file system throws. */
export class JournalFiles {
  readonly #paths: JournalPaths;
  readonly #folderSync: SharedSync;
  #journal: FileHandle | undefined;
  #index: IndexWriter | undefined;
  #hasUnsyncedNames = false;

  constructor(paths: JournalPaths, folderSync: SharedSync, journal?: FileHandle) {
    this.#paths = paths;
    this.#folderSync = folderSync;
    this.#journal = journal;
  }

  get hasIndex(): boolean {
    return this.#index !== undefined;
  }

  /** Writes all of it at a place. */
  async write(bytes: Buffer, position: number): Promise<void> {
    const file = (this.#journal ??= await this.#create());
    // A write may take less than it was given, for instance just before the disk is full.
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.length - done;
      done += (await file.write(bytes, done, rest, position + done)).bytesWritten;
    }
  }

  async #create(): Promise<FileHandle> {
    const { journal, index } = this.#paths;
    await mkdir(dirname(journal), { recursive: true, mode: 0o700 });
    // An index that outlived its journal would speak of another one.
    await rm(index, { force: true });
    this.#hasUnsyncedNames = true;
    return open(journal, 'wx', 0o600);
  }

  /** Writes the index anew, or removes it where it would be empty: the first entry makes it again. */
  async beginIndex(index: JournalIndex, syncedTo: number): Promise<void> {
    if (index.length > 1)
      this.#index = await IndexWriter.create(this.#paths.index, index, syncedTo);
    else await rm(this.#paths.index, { force: true });
  }

  async addToIndex(tally: Tally, syncedTo: number): Promise<void> {
    this.#index ??= await IndexWriter.create(this.#paths.index, [], syncedTo);
    await this.#index.append(tally, syncedTo);
  }

  /** Forces the journal to the disk, with its name. */
  async sync(): Promise<void> {
    await this.#journal?.datasync();
    if (this.#hasUnsyncedNames) await this.syncNames();
    this.#hasUnsyncedNames = false;
  }

  /** Its own name, and that of its folder. */
  async syncNames(): Promise<void> {
    await Promise.all([syncDirectory(dirname(this.#paths.journal)), this.#folderSync.sync()]);
  }

  async close(): Promise<void> {
    await this.#index?.close();
    await this.#journal?.close();
  }
}
