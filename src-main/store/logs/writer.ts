import type { AppError } from '../../contract/errors.ts';
import { toStoreError } from '../errors.ts';
import {
  encodeFrame,
  maxCursorBytes,
  maxPayloadBytes,
  type Frame,
  type Gap,
  type StreamName,
} from './frame.ts';
import type { JournalState } from './journal.ts';
import type { JournalFiles } from './journal-files.ts';
import { indexStepBytes } from './journal-index.ts';
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

/** A mark that something is missing at this place. */
export interface GapRecord extends Gap {
  readonly timeNs: bigint;
  /** Null: collection goes on where it would without the mark. */
  readonly cursor: string | null;
}

/** Waiting bytes beyond which `append` makes its caller wait. */
const highWaterBytes = 1024 * 1024;

/** Bytes written between two syncs nobody asked for: what finding the end after a crash may have to read. */
const ownSyncBytes = 64 * 1024 * 1024;

interface WriterParts {
  readonly files: JournalFiles;
  readonly state: JournalState;
  readonly listener: WriterListener;
}

export interface WriterListener {
  /** Readers can see more. */
  didWrite(): void;
  didClose(): void;
}

/** Appends to the log of one attempt. Throws StoreError. */
export class LogWriter implements AsyncDisposable {
  readonly #files: JournalFiles;
  readonly #listener: WriterListener;
  readonly #index: Tally[];
  #cursor: string | null;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #due: Tally[] = [];
  /** Gaps before the first cursor: they go to disk with the record that has it. */
  #held: Frame[] = [];
  /** With what waits to be written. */
  #ahead: Tally;
  #written: Tally;
  #syncedTo: number;
  #flushing: Promise<void> | undefined;
  #failure: AppError | undefined;
  #isOpen = true;

  constructor({ files, listener, state }: WriterParts) {
    this.#files = files;
    this.#listener = listener;
    this.#index = state.index;
    this.#cursor = state.cursor;
    this.#ahead = state.end;
    this.#written = state.end;
    this.#syncedTo = state.end.position;
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

  /** Size of the file with what waits to be written; a little more than both streams. */
  get fileBytes(): number {
    return this.#ahead.position;
  }

  /** For readers: the end of what is in the file, and tallies on the way there. */
  get written(): { readonly end: Tally; readonly index: readonly Tally[] } {
    return { end: this.#written, index: this.#index };
  }

  /**
   * Adds bytes to the log. Resolves at once while little waits to be written, and otherwise when
   * the disk caught up: await it. Rejects, as all later ones do, when the disk refused: close this
   * writer then and open another, which goes on behind the last whole record.
   */
  append({ stream, bytes, timeNs, cursor }: LogRecord): Promise<void> {
    const lastPiece = Math.max(0, Math.ceil(bytes.byteLength / maxPayloadBytes) - 1);
    for (const frame of this.#held.splice(0)) this.#add(frame);
    for (let piece = 0; piece <= lastPiece; piece += 1) {
      this.#add({
        kind: stream,
        bytes: bytes.subarray(piece * maxPayloadBytes, (piece + 1) * maxPayloadBytes),
        timeNs,
        offset: this.#ahead[stream].bytes,
        cursor: piece === lastPiece ? cursor : null,
      });
    }
    return this.#settle();
  }

  /** Marks that something is missing here. Resolves and rejects like `append`. */
  appendGap({ timeNs, cursor, ...gap }: GapRecord): Promise<void> {
    const goOnAt = cursor ?? this.#cursor;
    const offset = this.#ahead.stdout.bytes;
    const frame: Frame = { kind: 'gap', gap, timeNs, offset, cursor: goOnAt };
    if (goOnAt === null) this.#held.push(frame);
    else this.#add(frame);
    return this.#settle();
  }

  #add(frame: Frame): void {
    if (frame.cursor !== null) {
      if (Buffer.byteLength(frame.cursor) > maxCursorBytes) throw new RangeError('cursor too long');
      this.#cursor = frame.cursor;
    }
    const parts = encodeFrame(frame);
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
    this.#pending.push(...parts);
    this.#pendingBytes += length;
    this.#ahead = tallied(this.#ahead, frame, length);
    const lastIndexed = this.#due.at(-1) ?? this.#index.at(-1);
    if (this.#ahead.position - (lastIndexed?.position ?? 0) >= indexStepBytes) {
      this.#due.push(this.#ahead);
    }
  }

  async #settle(): Promise<void> {
    this.#flushing ??= this.#flush();
    if (this.#failure === undefined && this.#pendingBytes <= highWaterBytes) return;
    await this.flush();
  }

  /** Resolves when readers can see everything appended so far. It is not safe from a power cut then: see `sync`. */
  async flush(): Promise<void> {
    if (this.#pending.length > 0) this.#flushing ??= this.#flush();
    await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when everything appended so far is on disk, so that the source of it may be removed. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#guarded(() => this.#syncFile());
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Never rejects: what went wrong is in `#failure`. */
  async #flush(): Promise<void> {
    // Small appends of one turn of the loop become one write.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    await this.#guarded(async () => {
      while (this.#pending.length > 0) await this.#writePending();
    });
    this.#flushing = undefined;
  }

  async #writePending(): Promise<void> {
    const bytes = Buffer.concat(this.#pending, this.#pendingBytes);
    const due = this.#due;
    const ahead = this.#ahead;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#due = [];
    await this.#files.write(bytes, this.#written.position);
    this.#written = ahead;
    for (const tally of due) {
      this.#index.push(tally);
      await this.#files.addToIndex(tally, this.#syncedTo);
    }
    this.#listener.didWrite();
    if (ahead.position - this.#syncedTo >= ownSyncBytes) await this.#syncFile();
  }

  async #syncFile(): Promise<void> {
    const written = this.#written;
    if (written.position === this.#syncedTo) return;
    await this.#files.sync();
    this.#syncedTo = written.position;
    // A short journal has no index: reading it whole is as quick.
    if (this.#files.hasIndex) await this.#files.addToIndex(written, this.#syncedTo);
  }

  async #guarded(action: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await action();
    } catch (error) {
      this.#failure = toStoreError(error, 'write a task log');
      this.#pending = [];
      this.#pendingBytes = 0;
    }
  }

  /** Writes what waits and closes the file. Does not sync. Throws when something could not be written. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.flush();
    } finally {
      this.#listener.didClose();
      await this.#files.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
