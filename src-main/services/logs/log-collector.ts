// Copies the log of an attempt from its node into the store, from where it left off, until the
// attempt has ended and all of it is here and on disk.
import type { TaskId } from '../../contract/ids.ts';
import { isAppError, type AppError } from '../../contract/errors.ts';
import { sleep, type Clock, type Timers } from '../../domain/clock.ts';
import { letGoBytes, type AttemptRef, type Runtime } from '../../runtimes/runtime.ts';
import type { LogStore, LogWriter } from '../../store/logs/log-store.ts';
import { isOutOfReach } from '../attempts/attempt-driver.ts';
import type { Logger } from '../logger.ts';
import { LogKeeper } from './log-keeper.ts';

/** A log the node refuses to give is asked for again after these times; then the rest of it is a gap. */
const RETRY_MS = [100, 1000, 5000];
/** How often the sizes people see are brought up to date while a log grows. */
const SIZES_EVERY_MS = 500;

export interface LogCollectorParts {
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly maxBytesPerTask: () => number;
  readonly setLogBytes: (id: TaskId, bytes: { stdout: number; stderr: number }) => void;
  readonly log: Logger;
}

export class LogCollector {
  readonly #parts: LogCollectorParts;

  constructor(parts: LogCollectorParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the whole log is safely stored. Rejects when the node is out of reach or nothing
   * can be stored here; calling it again continues. What the node cannot give any more leaves a gap.
   */
  async collect(runtime: Runtime, ref: AttemptRef, signal: AbortSignal): Promise<void> {
    const writer = await this.#parts.logs.openWriter(ref.taskId, ref.attempt);
    try {
      await this.#collectInto(writer, { runtime, ref, signal });
    } finally {
      // What the disk refused is told as that, also where a lost link came first: nobody is helped by
      // an error that says only that another was suppressed.
      await writer.close();
    }
  }

  async #collectInto(
    writer: LogWriter,
    { runtime, ref, signal }: Pick<Copy, 'runtime' | 'ref' | 'signal'>,
  ): Promise<void> {
    const { setLogBytes } = this.#parts;
    using sizes = new Sizes(this.#parts.timers, () =>
      setLogBytes(ref.taskId, { stdout: writer.stdoutBytes, stderr: writer.stderrBytes }),
    );
    const keeper = new LogKeeper(writer, this.#parts.maxBytesPerTask);
    try {
      await this.#copy({ runtime, ref, signal, writer, keeper, sizes });
    } finally {
      // Also when the link is gone: what was dropped is not asked for again.
      await keeper.finish();
    }
    await writer.sync();
    if (writer.stdoutBytes + writer.stderrBytes > 0) sizes.tell();
  }

  /** What the node refuses is asked for again a few times, from where it stopped. */
  async #copy(copy: Copy): Promise<void> {
    const { runtime, ref, signal, writer, keeper, sizes } = copy;
    let takenBytes = 0;
    for (let tries = 0; ; tries += 1) {
      try {
        for await (const chunk of runtime.logs(ref, writer.lastCursor, signal)) {
          await keeper.keep(chunk);
          sizes.note();
          tries = 0;
          takenBytes += chunk.bytes.byteLength;
          if (takenBytes < letGoBytes) continue;
          takenBytes = 0;
          await this.#letGo(copy, chunk.cursor);
        }
        return;
      } catch (error) {
        if (signal.aborted || isOutOfReach(error) || !isNodesFault(error)) throw error;
        const pauseMs = RETRY_MS[tries];
        if (pauseMs === undefined) {
          await this.#markEnd(writer, error);
          return;
        }
        await sleep(this.#parts.timers, pauseMs, signal);
      }
    }
  }

  /** Only of what is on the disk here, or dropped for good. That it cannot is no reason to collect no more. */
  async #letGo({ runtime, ref, writer }: Copy, cursor: string): Promise<void> {
    if (runtime.letGoOfLog === undefined) return;
    await writer.sync();
    try {
      await runtime.letGoOfLog(ref, cursor);
    } catch (error) {
      if (!isAppError(error)) throw error;
      this.#parts.log.debug({ err: error, ...ref }, 'the node did not let go of a stored log');
    }
  }

  #markEnd(writer: LogWriter, error: AppError): Promise<void> {
    const timeNs = BigInt(Math.floor(this.#parts.clock.now())) * 1_000_000n;
    const nothing = { stream: null, lostBytes: null, cursor: null };
    return writer.appendGap({ reason: error.message, timeNs, ...nothing });
  }
}

interface Copy {
  readonly runtime: Runtime;
  readonly ref: AttemptRef;
  readonly signal: AbortSignal;
  readonly writer: LogWriter;
  readonly keeper: LogKeeper;
  readonly sizes: Sizes;
}

/** Tells the sizes people see: a while after the log has grown, so that a quiet one costs nothing. */
class Sizes implements Disposable {
  readonly #timers: Timers;
  readonly #tell: () => void;
  #due: Disposable | undefined;
  /** What the store said to a timer, for whoever grows the log next. */
  #failure: Error | undefined;

  constructor(timers: Timers, tell: () => void) {
    this.#timers = timers;
    this.#tell = tell;
  }

  /** The log has grown. Throws StoreError when its size could not be written. */
  note(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#due ??= this.#timers.after(SIZES_EVERY_MS, () => {
      this.#due = undefined;
      try {
        this.#tell();
      } catch (error) {
        this.#failure = error as Error;
      }
    });
  }

  tell(): void {
    this[Symbol.dispose]();
    this.#tell();
  }

  [Symbol.dispose](): void {
    this.#due?.[Symbol.dispose]();
    this.#due = undefined;
  }
}

function isNodesFault(error: unknown): error is AppError {
  return isAppError(error) && /^(docker|process|link)\//.test(error.code);
}
