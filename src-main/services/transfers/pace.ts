import { sleep, type Clock, type Timers } from '../../domain/clock.ts';

/** Lets so many bytes a second through: whoever is ahead waits. */
export class BytePace {
  readonly #parts: { clock: Pick<Clock, 'monotonic'>; timers: Timers; bytesPerSecond: number };
  /** When the bytes let through so far would have been through at exactly the rate. */
  #paidUntil: number;

  constructor(parts: { clock: Pick<Clock, 'monotonic'>; timers: Timers; bytesPerSecond: number }) {
    this.#parts = parts;
    this.#paidUntil = parts.clock.monotonic();
  }

  async spend(bytes: number, signal: AbortSignal): Promise<void> {
    const { clock, timers, bytesPerSecond } = this.#parts;
    const now = clock.monotonic();
    // What was not used is not saved up beyond a moment.
    const from = Math.max(this.#paidUntil, now - 100);
    this.#paidUntil = from + (bytes / bytesPerSecond) * 1000;
    if (this.#paidUntil > now) await sleep(timers, this.#paidUntil - now, signal);
  }
}
