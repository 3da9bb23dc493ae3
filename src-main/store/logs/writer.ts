import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AppError } from '../../contract/errors.ts';
import { syncDirectory } from '../atomic-file.ts';
import { StoreError, toStoreError } from '../errors.ts';
import {
  encodeFrame,
  maxCursorBytes,
  maxPayloadBytes,
  type Frame,
  type Gap,
  type StreamName,
} from './frame.ts';
import { inspectJournal, type JournalPaths, type JournalState } from './journal.ts';
import { IndexWriter, indexStepBytes } from './journal-index.ts';
import { tallied, type Tally } from './tally.ts';

/** Bytes of one stream with what is needed to go on after them. */
export interface LogRecord {
  readonly stream: StreamName;
  /** Handed over: must not change afterwards. */
  readonly bytes: Uint8Array;
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint;
  /** Where collection goes on after these bytes. Small text. */
  readonly cursor: string;
}

export interface GapRecord extends Gap {
  readonly timeNs: bigint;
  /** Null: the cursor stays where it is. */
  readonly cursor: string | null;
}

/** Waiting bytes beyond which `append` makes its caller wait. */
const highWaterBytes = 1024 * 1024;

/** Bytes written between two syncs nobody asked for: what a search of the end may have to read. */
const ownSyncBytes = 64 * 1024 * 1024;

/** Appends to the log of one attempt. One writer exists for a log at a time. Throws StoreError. */
export class LogWriter implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #indexWriter: IndexWriter;
  readonly #onDidWrite: () => void;
  readonly #onDidClose: () => void;
  readonly index: Tally[];
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #flushing: Promise<void> | undefined;
  #cursor: string | null;
  /** With what waits to be written. */
  #ahead: Tally;
  #written: Tally;
  #syncedTo: number;
  #failure: AppError | undefined;

  private constructor(parts: WriterParts) {
    this.#file = parts.file;
    this.#indexWriter = parts.indexWriter;
    this.#onDidWrite = parts.onDidWrite;
    this.#onDidClose = parts.onDidClose;
    this.index = parts.state.index;
    this.#cursor = parts.state.cursor;
    this.#ahead = parts.state.end;
    this.#written = parts.state.end;
    this.#syncedTo = parts.state.end.position;
  }

  /** Opens the journal of an attempt, made if it is not there; what a crash tore off its end is cut. */
  static async open(options: OpenWriterOptions): Promise<LogWriter> {
    const { paths } = options;
    const directory = dirname(paths.journal);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(paths.journal, 'a+', 0o600);
    await file.close();
    return LogWriter.#openFile(options, await open(paths.journal, 'r+'));
  }

  static async #openFile(options: OpenWriterOptions, file: FileHandle): Promise<LogWriter> {
    const { paths } = options;
    try {
      const state = await inspectJournal(file, paths);
      if (state.tornBytes > 0) await file.truncate(state.end.position);
      await file.sync();
      const indexWriter = await IndexWriter.create(paths.index, state.index, state.end.position);
      await syncDirectory(dirname(paths.journal));
      await syncDirectory(dirname(dirname(paths.journal)));
      return new LogWriter({ ...options, file, indexWriter, state });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The cursor of the last record, also of one that is not written yet; null when there is none. */
  get lastCursor(): string | null {
    return this.#cursor;
  }

  get stdoutBytes(): number {
    return this.#ahead.stdout.bytes;
  }

  get stderrBytes(): number {
    return this.#ahead.stderr.bytes;
  }

  /** Size of the file with what waits to be written. */
  get fileBytes(): number {
    return this.#ahead.position;
  }

  /** What readers can see. */
  get written(): Tally {
    return this.#written;
  }

  /**
   * Adds bytes to the log. Resolves at once while little waits to be written; not before the disk
   * caught up otherwise, so await it. Rejects, as all later ones do, when the disk refused: then
   * open a new writer, which goes on behind the last whole record.
   */
  append(record: LogRecord): Promise<void> {
    const { stream: kind, bytes, timeNs, cursor } = record;
    const last = Math.max(0, Math.ceil(bytes.byteLength / maxPayloadBytes) - 1);
    for (let piece = 0; piece <= last; piece += 1) {
      const part = bytes.subarray(piece * maxPayloadBytes, (piece + 1) * maxPayloadBytes);
      const offset = this.#ahead[kind].bytes;
      this.#add({ kind, bytes: part, timeNs, offset, cursor: piece === last ? cursor : null });
    }
    return this.#settle();
  }

  /** Marks that something is missing here. */
  appendGap({ timeNs, cursor, ...gap }: GapRecord): Promise<void> {
    const at = cursor ?? this.#cursor;
    this.#add({ kind: 'gap', gap, timeNs, offset: this.#ahead.stdout.bytes, cursor: at ?? '' });
    return this.#settle();
  }

  #add(frame: Frame): void {
    if (this.#failure !== undefined) return;
    if (frame.cursor !== null) {
      if (Buffer.byteLength(frame.cursor) > maxCursorBytes) throw new RangeError('the cursor is too long');
      this.#cursor = frame.cursor;
    }
    const parts = encodeFrame(frame);
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
    this.#pending.push(...parts);
    this.#pendingBytes += length;
    this.#ahead = tallied(this.#ahead, frame, length);
    if (this.#ahead.position - (this.index.at(-1)?.position ?? 0) >= indexStepBytes) {
      this.#due.push(this.#ahead);
    }
  }
}
