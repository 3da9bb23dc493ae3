import type { Timers } from '../../domain/clock.ts';

/**
 * Turns many announcements into few wake-ups: `next` resolves once something was announced since the
 * last time, but not more often than every `intervalMs`. For views that are computed anew.
 */
export class Pulse implements Disposable {
  readonly #timers: Timers;
  readonly #intervalMs: number;
  #isDirty = false;
  #isResting = false;
  #isDisposed = false;
  #rest: Disposable | undefined;
  #waiter: (() => void) | undefined;

  constructor(timers: Timers, intervalMs: number) {
    this.#timers = timers;
    this.#intervalMs = intervalMs;
  }

  /** Something changed. */
  announce(): void {
    this.#isDirty = true;
    this.#release();
  }

  /** Resolves at the next wake-up; false when it was disposed or aborted. One caller at a time. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (this.#isOver(signal)) return false;
    const onAbort = () => this.#waiter?.();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
        this.#release();
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return !this.#isOver(signal);
  }

  #isOver(signal: AbortSignal): boolean {
    return signal.aborted || this.#isDisposed;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#rest?.[Symbol.dispose]();
    this.#waiter?.();
  }

  #release(): void {
    if (!this.#isDirty || this.#isResting || this.#waiter === undefined) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#isDirty = false;
    this.#isResting = true;
    this.#rest = this.#timers.after(this.#intervalMs, () => {
      this.#isResting = false;
      this.#release();
    });
    waiter();
  }
}
