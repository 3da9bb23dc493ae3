import type { FileHandle } from 'node:fs/promises';
import { StoreError } from '../errors.ts';
import { indexStepBytes, readIndex } from './journal-index.ts';
import { scan } from './scan.ts';
import { emptyTally, tallied, type Tally } from './tally.ts';

/** A journal as it lies on disk. */
export interface JournalState {
  /** Tallies about every `indexStepBytes`. */
  readonly index: Tally[];
  /** Behind the last record after which collection can go on. */
  readonly end: Tally;
  /** Of that record; null for an empty journal. */
  readonly cursor: string | null;
  /** More was in the file, but not whole: what a crash tore, or pieces without a cursor. */
  readonly tornBytes: number;
}

export interface JournalPaths {
  readonly journal: string;
  readonly index: string;
}

/**
 * Finds the end of a journal nobody is writing. Reads from an entry of its index that is known to
 * be on disk, so this costs about the same however long the log is.
 */
export async function inspectJournal(file: FileHandle, paths: JournalPaths): Promise<JournalState> {
  const size = (await file.stat()).size;
  const index = await readIndex(paths.index, size);
  // The cursor to go on from may lie before the last entry, seldom far before.
  for (let back = 1; back < index.length; back *= 4) {
    const state = await tailFrom(file, { index: index.slice(0, -back), size });
    if (state.cursor !== null) return state;
  }
  return tailFrom(file, { index: [emptyTally], size });
}

interface Tail {
  readonly index: readonly Tally[];
  readonly size: number;
}

async function tailFrom(file: FileHandle, { index, size }: Tail): Promise<JournalState> {
  const grown = [...index];
  const start = index.at(-1) ?? emptyTally;
  let tally = start;
  let end = start;
  let cursor: string | null = null;
  try {
    for await (const batch of scan(file, start.position, size)) {
      for (const { frame, length } of batch) {
        tally = tallied(tally, frame, length);
        if (frame.cursor === null) continue;
        cursor = frame.cursor;
        end = tally;
        if (end.position - (grown.at(-1)?.position ?? 0) >= indexStepBytes) grown.push(end);
      }
    }
  } catch (error) {
    // Behind the last sync a power cut may leave any bytes: the log ends before them.
    if (!(error instanceof StoreError)) throw error;
  }
  return { index: grown, end, cursor, tornBytes: size - end.position };
}
