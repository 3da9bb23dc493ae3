import type { Clock, Timers } from '../../domain/clock.ts';
import { Heap } from '../../domain/planner/heap.ts';

/** Timers cannot count further than 2^31 ms. */
const longestSleepMs = 86_400_000;

interface Deadline<K> {
  readonly key: K;
  /** What it was made for: the same again changes nothing. */
  readonly tag: number;
  /** Monotonic. */
  readonly at: number;
}

/**
 * Many deadlines on one timer. Counted in monotonic time: a wall clock that is set while they run
 * does not move them.
 */
export class Deadlines<K> implements Disposable {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onDue: (key: K) => void;
  readonly #byKey = new Map<K, Deadline<K>>();
  readonly #heap = new Heap<Deadline<K>>((a, b) => a.at - b.at);
  #sleep: Disposable | undefined;
  #wakesAt = Infinity;

  constructor({ clock, timers }: { clock: Clock; timers: Timers }, onDue: (key: K) => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#onDue = onDue;
  }

  /** Calls back once after the delay. One that runs for the same tag goes on as it is. */
  set(key: K, tag: number, delayMs: number): void {
    if (this.#byKey.get(key)?.tag === tag) return;
    const deadline = { key, tag, at: this.#clock.monotonic() + Math.max(0, delayMs) };
    this.#byKey.set(key, deadline);
    this.#heap.push(deadline);
    this.#arrange();
  }

  forget(key: K): void {
    this.#byKey.delete(key);
  }

  [Symbol.dispose](): void {
    this.#sleep?.[Symbol.dispose]();
    this.#byKey.clear();
  }

  #arrange(): void {
    const next = this.#next();
    if (next === undefined || next.at >= this.#wakesAt) return;
    this.#sleep?.[Symbol.dispose]();
    this.#wakesAt = next.at;
    const delayMs = Math.min(longestSleepMs, Math.max(0, next.at - this.#clock.monotonic()));
    this.#sleep = this.#timers.after(delayMs, () => this.#wake());
  }

  #wake(): void {
    this.#wakesAt = Infinity;
    const now = this.#clock.monotonic();
    for (let next = this.#next(); next !== undefined && next.at <= now; next = this.#next()) {
      this.#heap.pop();
      this.#byKey.delete(next.key);
      this.#onDue(next.key);
    }
    this.#arrange();
  }

  /** The first that still counts. */
  #next(): Deadline<K> | undefined {
    for (;;) {
      const top = this.#heap.top;
      if (top === undefined || this.#byKey.get(top.key) === top) return top;
      this.#heap.pop();
    }
  }
}
