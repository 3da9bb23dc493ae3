// Copies the log of an attempt from its node into the store, from where it left off, until the
// attempt has ended and all of it is here and on disk.
import type { TaskId } from '../../contract/ids.ts';
import { isAppError, type AppError } from '../../contract/errors.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import type { AttemptRef, LogChunk, Runtime } from '../../runtimes/runtime.ts';
import type { LogStore, LogWriter } from '../../store/logs/log-store.ts';
import { isOutOfReach } from '../attempts/attempt-driver.ts';

/** How often the sizes people see are brought up to date while a log grows. */
const SIZES_EVERY_MS = 500;

export interface LogCollectorParts {
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly maxBytesPerTask: () => number;
  readonly setLogBytes: (id: TaskId, bytes: { stdout: number; stderr: number }) => void;
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
    const { logs, timers, clock } = this.#parts;
    await using writer = await logs.openWriter(ref.taskId, ref.attempt);
    let hasGrown = true;
    using _sizes = timers.every(SIZES_EVERY_MS, () => {
      if (hasGrown) this.#reportSizes(ref.taskId, writer);
      hasGrown = false;
    });
    try {
      for await (const chunk of runtime.logs(ref, writer.lastCursor, signal)) {
        await this.#keep(writer, chunk);
        hasGrown = true;
      }
    } catch (error) {
      if (signal.aborted || isOutOfReach(error) || !isNodesFault(error)) throw error;
      const timeNs = BigInt(clock.now()) * 1_000_000n;
      await writer.appendGap({
        reason: error.message,
        stream: null,
        lostBytes: null,
        timeNs,
        cursor: null,
      });
    }
    await writer.sync();
    this.#reportSizes(ref.taskId, writer);
  }

  async #keep(writer: LogWriter, chunk: LogChunk): Promise<void> {
    const room = this.#parts.maxBytesPerTask() - writer.stdoutBytes - writer.stderrBytes;
    if (chunk.bytes.byteLength <= room) {
      await writer.append(chunk);
    } else {
      // What is dropped is still read, so that the work is not held up by a full pipe.
      const { stream, timeNs, cursor, bytes } = chunk;
      const reason = 'The log reached its size limit here; what followed was not kept.';
      await writer.appendGap({ reason, stream, lostBytes: bytes.byteLength, timeNs, cursor });
    }
  }

  #reportSizes(id: TaskId, writer: LogWriter): void {
    this.#parts.setLogBytes(id, { stdout: writer.stdoutBytes, stderr: writer.stderrBytes });
  }
}

function isNodesFault(error: unknown): error is AppError {
  return isAppError(error) && /^(docker|process|link)\//.test(error.code);
}
