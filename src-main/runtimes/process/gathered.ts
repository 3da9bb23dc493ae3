import { sleep, type Timers } from '../../domain/clock.ts';

interface Waiting<T, A> {
  readonly item: T;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

export interface Gathering {
  /**
   * How long others may still come along, in milliseconds; 0: those of this turn of the loop; null:
   * those of the same moment, for orders that somebody may wait for.
   */
  readonly pauseMs: number | null;
  /** Orders in one call: enough to share its cost, few enough that the first does not wait for long. */
  readonly most: number;
}

/**
 * Gathers orders that come at about the same time into one call. One call runs at a time; what comes
 * meanwhile goes with the next. An order whose call fails fails with it.
 */
export class Gathered<T, A = string> {
  readonly #call: (items: readonly T[]) => Promise<(item: T) => A>;
  readonly #timers: Timers;
  readonly #gathering: Gathering;
  #waiting: Waiting<T, A>[] = [];
  #isWorking = false;

  /** `call` runs all and tells what to answer to each. */
  constructor(
    timers: Timers,
    gathering: Gathering,
    call: (items: readonly T[]) => Promise<(item: T) => A>,
  ) {
    this.#timers = timers;
    this.#gathering = gathering;
    this.#call = call;
  }

  ask(item: T): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#isWorking) return;
      this.#isWorking = true;
      // Not at once: what one commit has set free comes together.
      const { pauseMs } = this.#gathering;
      if (pauseMs === null) queueMicrotask(() => void this.#work());
      else this.#timers.after(pauseMs, () => void this.#work());
    });
  }

  async #work(): Promise<void> {
    const { pauseMs, most } = this.#gathering;
    while (this.#waiting.length > 0) {
      const round = this.#waiting.slice(0, most);
      this.#waiting = this.#waiting.slice(most);
      try {
        const answerTo = await this.#call(round.map(({ item }) => item));
        for (const { item, resolve } of round) resolve(answerTo(item));
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
      if (pauseMs !== null && pauseMs > 0) await sleep(this.#timers, pauseMs);
    }
    this.#isWorking = false;
  }
}
