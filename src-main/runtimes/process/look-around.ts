// Looking at all attempts of a node now and then, for all who wait for the end of one: for ends that
// nobody tells of (the script around the work was killed). One look for a thousand attempts costs the
// node about as much as one each for ten.
import type { Clock, Timers } from '../../domain/clock.ts';
import { AppError } from '../../contract/errors.ts';
import type { RuntimeLog } from '../log.ts';

export interface LookAroundOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly timers: Timers;
  readonly log: RuntimeLog;
  /** How long after the last look, or since somebody waits, to look. Milliseconds. */
  readonly pauseMs: () => number;
  /** `TASK/ATTEMPT` of all that are on the node and have not ended. */
  readonly living: () => Promise<ReadonlySet<string>>;
}

/** So few look by themselves. */
const few = 4;

export class LookAround {
  readonly #options: LookAroundOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  #timer: Disposable | undefined;
  #dueAt = Infinity;
  #isLooking = false;

  constructor(options: LookAroundOptions) {
    this.#options = options;
  }

  /** Calls back whenever it seems that the attempt does not live any more, until disposed. */
  wait(path: string, callback: () => void): Disposable {
    const callbacks = this.#waiting.get(path) ?? new Set();
    this.#waiting.set(path, callbacks.add(callback));
    this.#arm();
    return {
      [Symbol.dispose]: () => {
        callbacks.delete(callback);
        if (callbacks.size > 0 || this.#waiting.get(path) !== callbacks) return;
        this.#waiting.delete(path);
        if (this.#waiting.size === 0) this.#disarm();
      },
    };
  }

  #arm(): void {
    if (this.#isLooking || this.#waiting.size === 0) return;
    const { clock, timers, pauseMs } = this.#options;
    const delayMs = pauseMs();
    const at = clock.monotonic() + delayMs;
    if (at >= this.#dueAt) return;
    this.#disarm();
    this.#dueAt = at;
    this.#timer = timers.after(delayMs, () => void this.#look());
  }

  #disarm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#dueAt = Infinity;
  }

  async #look(): Promise<void> {
    this.#disarm();
    this.#isLooking = true;
    // Those that come while the node is asked need not be in its answer.
    const asked = [...this.#waiting].map(([path, callbacks]) => ({
      path,
      callbacks: [...callbacks],
    }));
    try {
      const living = asked.length <= few ? new Set<string>() : await this.#options.living();
      for (const { path, callbacks } of asked) {
        if (!living.has(path)) for (const callback of callbacks) callback();
      }
    } catch (error) {
      const level = error instanceof AppError ? 'debug' : 'warn';
      this.#options.log[level]({ error }, 'the processes of a node could not be looked at');
    } finally {
      this.#isLooking = false;
      this.#arm();
    }
  }
}
