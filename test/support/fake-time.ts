// Time that passes only when a test says so.
import type { Clock, Timers } from '../../src-main/domain/clock.ts';

interface Timer {
  at: number;
  readonly number: number;
  readonly everyMs: number | undefined;
  readonly callback: () => void;
}

/** Lets promises that need no timer come to their end, those of streams too. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++)
    await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A clock and its timers. Nothing happens by itself. */
export class FakeTime implements Clock, Timers {
  #monotonic = 0;
  #offset: number;
  #count = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#offset = startMs;
  }

  now(): number {
    return this.#monotonic + this.#offset;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(delayMs: number, callback: () => void): Disposable {
    return this.#add({ delayMs, everyMs: undefined, callback });
  }

  every(intervalMs: number, callback: () => void): Disposable {
    return this.#add({ delayMs: intervalMs, everyMs: intervalMs, callback });
  }

  /** Passes time, calling back what falls due, in order. Promises come to their end only afterwards. */
  advance(ms: number): void {
    const until = this.#monotonic + ms;
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until))
      this.#fire(timer);
    this.#monotonic = until;
  }

  /** Passes time and lets promises come to their end before and after each timer. */
  async pass(ms: number): Promise<void> {
    const until = this.#monotonic + ms;
    await settle();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#fire(timer);
      await settle();
    }
    this.#monotonic = until;
    await settle();
  }

  /** The wall clock is set, as by a person or NTP; monotonic time goes on. */
  setWallClock(now: number): void {
    this.#offset = now - this.#monotonic;
  }

  /** When the next timer falls due, in monotonic time; undefined when none waits. */
  get nextDue(): number | undefined {
    return this.#next(Infinity)?.at;
  }

  /** Timers that still wait: a test can show that nothing was left running. */
  get pending(): number {
    return this.#timers.size;
  }

  #add(options: {
    delayMs: number;
    everyMs: number | undefined;
    callback: () => void;
  }): Disposable {
    const { delayMs, everyMs, callback } = options;
    const timer: Timer = {
      at: this.#monotonic + Math.max(0, delayMs),
      number: this.#count++,
      everyMs,
      callback,
    };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > until) continue;
      if (
        next === undefined ||
        timer.at < next.at ||
        (timer.at === next.at && timer.number < next.number)
      )
        next = timer;
    }
    return next;
  }

  #fire(timer: Timer): void {
    this.#monotonic = Math.max(this.#monotonic, timer.at);
    if (timer.everyMs === undefined) this.#timers.delete(timer);
    else timer.at += timer.everyMs;
    timer.callback();
  }
}
