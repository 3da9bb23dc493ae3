import type { Timers } from '../../domain/clock.ts';

interface Waiting<T> {
  readonly item: T;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: unknown) => void;
}

/** Orders in one call: enough to share its cost, few enough that the first does not wait for long. */
const mostAtOnce = 32;

/**
 * Gathers orders that come at about the same time into one call. One call runs at a time; what comes
 * meanwhile goes with the next. An order whose call fails fails with it.
 */
export class Gathered<T> {
  readonly #call: (items: readonly T[]) => Promise<(item: T) => string>;
  readonly #timers: Timers;
  #waiting: Waiting<T>[] = [];
  #isWorking = false;

  constructor(
    timers: Timers,
    /** Runs all and tells what to answer to each. */
    call: (items: readonly T[]) => Promise<(item: T) => string>,
  ) {
    this.#timers = timers;
    this.#call = call;
  }

  ask(item: T): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#isWorking) return;
      this.#isWorking = true;
      // After this turn of the loop: what one commit has set free comes together.
      this.#timers.after(0, () => void this.#work());
    });
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const round = this.#waiting.slice(0, mostAtOnce);
      this.#waiting = this.#waiting.slice(mostAtOnce);
      try {
        const answerTo = await this.#call(round.map(({ item }) => item));
        for (const { item, resolve } of round) resolve(answerTo(item));
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    this.#isWorking = false;
  }
}
