import { open, rm, type FileHandle } from 'node:fs/promises';
import { codeOf } from '../errors.ts';
import { decodeTally, emptyTally, encodeTally, tallyBytes, type Tally } from './tally.ts';

/** Bytes of journal between two entries: what a search reads at most before it is there. */
export const indexStepBytes = 1024 * 1024;

/** The sparse index of a journal: tallies at rising positions, the first at its beginning. */
export type JournalIndex = readonly Tally[];

/** The last entry that `isBefore` holds for; it must hold for all before one it holds for. */
export function lastWhere(index: JournalIndex, isBefore: (tally: Tally) => boolean): Tally {
  let low = 0;
  let high = index.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const tally = index[middle];
    if (tally !== undefined && isBefore(tally)) low = middle + 1;
    else high = middle;
  }
  return index[low - 1] ?? emptyTally;
}

/**
 * Reads an index file. Entries beyond what was known to be on disk when they were written are left
 * out: after a power cut the journal may lack what they speak of.
 */
export async function readIndex(path: string, journalSize: number): Promise<Tally[]> {
  const bytes = await readWhole(path);
  const tallies: Tally[] = [emptyTally];
  let synced = 0;
  for (let at = 0; at + tallyBytes <= bytes.length; at += tallyBytes) {
    const entry = decodeTally(bytes.subarray(at, at + tallyBytes));
    if (entry === undefined) break;
    synced = Math.max(synced, entry.syncedTo);
    tallies.push(entry.tally);
  }
  const limit = Math.min(synced, journalSize);
  return tallies.filter(({ position }) => position <= limit);
}

async function readWhole(path: string): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Appends entries to an index file as the journal grows. */
export class IndexWriter {
  readonly #file: FileHandle;
  #position: number;

  private constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** Begins the file anew with these entries. */
  static async create(path: string, index: JournalIndex, syncedTo: number): Promise<IndexWriter> {
    await rm(path, { force: true });
    const file = await open(path, 'wx', 0o600);
    const writer = new IndexWriter(file, 0);
    const known = index.filter(({ position }) => position > 0);
    await writer.#write(known.map((tally) => encodeTally(tally, syncedTo)));
    return writer;
  }

  async append(tally: Tally, syncedTo: number): Promise<void> {
    await this.#write([encodeTally(tally, syncedTo)]);
  }

  async #write(entries: readonly Buffer[]): Promise<void> {
    const bytes = Buffer.concat(entries);
    if (bytes.length === 0) return;
    await this.#file.write(bytes, 0, bytes.length, this.#position);
    this.#position += bytes.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
