// The logs of tasks: one journal file for each attempt, under `logs/<task>/<attempt>.log`, written
// as output arrives and read in parts. The database knows only how long they are.
import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { taskId as taskIdSchema, type TaskId } from '../../contract/ids.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import { codeOf, StoreError, toStoreError } from '../errors.ts';
import { inspectJournal, type JournalPaths } from './journal.ts';
import { openJournal } from './journal-files.ts';
import { scan } from './scan.ts';
import { Selection, type LogEntry, type LogRange, type ReadableJournal } from './selection.ts';
import { SharedSync } from './shared-sync.ts';
import { emptyTally } from './tally.ts';
import { LogWriter } from './writer.ts';

export type { Gap, StreamName } from './frame.ts';
export type { LogEntry, LogRange } from './selection.ts';
export type { GapRecord, LogRecord, LogWriter } from './writer.ts';

/** The log of one attempt. */
export interface LogRef {
  readonly taskId: TaskId;
  readonly attempt: number;
}

export type LogQuery = LogRef & LogRange;

export interface LogSize {
  readonly attempt: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** On disk. */
  readonly fileBytes: number;
}

const keyOf = ({ taskId, attempt }: LogRef): string => `${taskId}/${attempt}`;

/** Every log of a data directory. Bytes come back as they went in; memory stays bounded at any size. */
export class LogStore implements AsyncDisposable {
  readonly #directory: string;
  readonly #writers = new Map<string, LogWriter | Promise<LogWriter>>();
  readonly #folderSync: SharedSync;
  readonly #didAppend = new Emitter<LogRef>();

  /** Readers of this log can see more, or its writer was closed. */
  readonly onDidAppend: Event<LogRef> = this.#didAppend.event;

  constructor(directory: string) {
    this.#directory = directory;
    this.#folderSync = new SharedSync(directory);
  }

  /**
   * Opens a log for appending, made with the first record; it goes on behind the last whole one.
   * The caller closes the writer; only one exists for a log.
   */
  async openWriter(taskId: TaskId, attempt: number): Promise<LogWriter> {
    const ref = { taskId, attempt };
    const key = keyOf(ref);
    if (this.#writers.has(key)) {
      throw new StoreError('conflict/state', `The log of attempt ${key} is being written already.`);
    }
    const opening = this.#open(ref);
    this.#writers.set(key, opening);
    try {
      const writer = await opening;
      this.#writers.set(key, writer);
      return writer;
    } catch (error) {
      this.#writers.delete(key);
      throw error;
    }
  }

  async #open(ref: LogRef): Promise<LogWriter> {
    const opened = await openJournal(this.#paths(ref), this.#folderSync);
    const listener = {
      didWrite: () => this.#didAppend.emit(ref),
      didClose: () => {
        this.#writers.delete(keyOf(ref));
        this.#didAppend.emit(ref);
      },
    };
    return new LogWriter({ ...opened, listener });
  }

  /**
   * What is in a log at the time of the call, in order; nothing when there is no log. Pull slowly
   * and it reads slowly. Payloads are the reader's to keep.
   * @throws StoreError `store/log-corrupt` at a damaged record, after what comes before it.
   */
  async *read(query: LogQuery): AsyncGenerator<LogEntry, void, undefined> {
    const file = await this.#openFile(query);
    if (file === undefined) return;
    try {
      const journal = await this.#readable(query, file);
      const selection = new Selection(query, journal);
      const range = { start: selection.start, end: journal.end.position };
      for await (const batch of chosen(file, selection, range))
        for (const entry of batch) yield entry;
    } finally {
      await file.close();
    }
  }

  /**
   * Like `read`, and then what is appended, until `until` is aborted: what is there by then still
   * comes, and it ends. The log may not exist yet.
   */
  async *follow(query: LogQuery, until: AbortSignal): AsyncGenerator<LogEntry, void, undefined> {
    using changes = this.#changesOf(query, until);
    let selection: Selection | undefined;
    let position = 0;
    for (;;) {
      const isLast = until.aborted;
      const file = await this.#openFile(query);
      try {
        const journal = file === undefined ? emptyJournal : await this.#readable(query, file);
        selection ??= new Selection(query, journal);
        const start = Math.max(position, selection.start);
        position = Math.max(start, journal.end.position);
        const batches = file === undefined ? [] : chosen(file, selection, { start, end: position });
        for await (const batch of batches) for (const entry of batch) yield entry;
      } finally {
        await file?.close();
      }
      if (isLast) return;
      await changes.next();
    }
  }

  /** Of every attempt that has a log, in order. */
  async sizes(taskId: TaskId): Promise<LogSize[]> {
    const attempts = await this.#attempts(taskId);
    return Promise.all(attempts.map((attempt) => this.#size({ taskId, attempt })));
  }

  /** Every task that has logs. */
  async taskIds(): Promise<TaskId[]> {
    const names = await this.#attempt('list the logs', () => readdir(this.#directory));
    return names.flatMap((name) => taskIdSchema.safeParse(name).data ?? []);
  }

  /** Removes the logs of a task; its writers are closed. What is gone already is success. */
  async remove(taskId: TaskId): Promise<void> {
    for (const [key, writer] of this.#writers) {
      if (key.startsWith(`${taskId}/`)) await (await writer).close();
    }
    await this.#attempt('remove a log', () =>
      rm(this.#folder(taskId), { recursive: true, force: true }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#writers.values()].map(async (writer) => (await writer).close()));
  }

  #folder(taskId: TaskId): string {
    // The ID becomes a path: check it again here, whatever its type says.
    return join(this.#directory, taskIdSchema.parse(taskId));
  }

  #paths({ taskId, attempt }: LogRef): JournalPaths {
    const base = join(this.#folder(taskId), String(attempt));
    return { journal: `${base}.log`, index: `${base}.idx` };
  }

  async #openFile(ref: LogRef): Promise<FileHandle | undefined> {
    const { journal } = this.#paths(ref);
    // Before its first record is written there is no file.
    await this.#flushed(ref);
    try {
      return await open(journal, 'r');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw toStoreError(error, `read the log ${journal}`);
    }
  }

  async #readable(ref: LogRef, file: FileHandle): Promise<ReadableJournal> {
    const writer = await this.#flushed(ref);
    return writer?.written ?? inspectJournal(file, this.#paths(ref));
  }

  /** The writer of a log, with nothing waiting in it. */
  async #flushed(ref: LogRef): Promise<LogWriter | undefined> {
    const writer = await this.#writers.get(keyOf(ref));
    // What the disk refused is the writer's trouble; the rest can be read.
    await Promise.allSettled([writer?.flush()]);
    return writer;
  }

  async #size(ref: LogRef): Promise<LogSize> {
    const file = await this.#openFile(ref);
    if (file === undefined)
      return { attempt: ref.attempt, stdoutBytes: 0, stderrBytes: 0, fileBytes: 0 };
    try {
      const { end } = await this.#readable(ref, file);
      return {
        attempt: ref.attempt,
        stdoutBytes: end.stdout.bytes,
        stderrBytes: end.stderr.bytes,
        fileBytes: end.position,
      };
    } finally {
      await file.close();
    }
  }

  async #attempts(taskId: TaskId): Promise<number[]> {
    const folder = this.#folder(taskId);
    let names: string[];
    try {
      names = await readdir(folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw toStoreError(error, `read the folder ${folder}`);
    }
    const found = names.flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? []);
    return found.map(Number).sort((a, b) => a - b);
  }

  #changesOf(ref: LogRef, until: AbortSignal): Changes {
    const key = keyOf(ref);
    return new Changes((changed) => {
      const subscription = this.onDidAppend((appended) => {
        if (keyOf(appended) === key) changed();
      });
      until.addEventListener('abort', changed, { once: true });
      return () => {
        subscription[Symbol.dispose]();
        until.removeEventListener('abort', changed);
      };
    });
  }

  async #attempt<T>(doing: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw toStoreError(error, doing);
    }
  }
}

const emptyJournal: ReadableJournal = { index: [emptyTally], end: emptyTally };

/** The part of a reader that costs once for many records; the reader itself gives them one by one. */
async function* chosen(
  file: FileHandle,
  selection: Selection,
  { start, end }: { readonly start: number; readonly end: number },
): AsyncGenerator<readonly LogEntry[], void, undefined> {
  for await (const batch of scan(file, start, end)) {
    yield batch.flatMap(({ frame }) => selection.choose(frame) ?? []);
  }
}

/** Remembers that something changed until somebody asks, so that no change falls between two waits. */
class Changes implements Disposable {
  #hasChanged = false;
  #wake: (() => void) | undefined;
  readonly #stop: () => void;

  constructor(subscribe: (changed: () => void) => () => void) {
    this.#stop = subscribe(() => {
      this.#hasChanged = true;
      this.#wake?.();
    });
  }

  /** Resolves when something changed since it last did. */
  async next(): Promise<void> {
    if (!this.#hasChanged) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#hasChanged = false;
    this.#wake = undefined;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
