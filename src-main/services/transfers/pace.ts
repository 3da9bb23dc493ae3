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

/** One rate for all who ask for it, which may be set anew at any time. */
export class SharedPace {
  readonly #parts: { clock: Pick<Clock, 'monotonic'>; timers: Timers };
  #current: { readonly bytesPerSecond: number; readonly pace: BytePace } | undefined;

  constructor(parts: { clock: Pick<Clock, 'monotonic'>; timers: Timers }) {
    this.#parts = parts;
  }

  /** Undefined where there is no limit. */
  at(bytesPerSecond: number | null): BytePace | undefined {
    if (bytesPerSecond === null) this.#current = undefined;
    else if (this.#current?.bytesPerSecond !== bytesPerSecond) {
      this.#current = { bytesPerSecond, pace: new BytePace({ ...this.#parts, bytesPerSecond }) };
    }
    return this.#current?.pace;
  }
}
