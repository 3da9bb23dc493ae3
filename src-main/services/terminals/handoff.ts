/** Hands items from several givers to one taker, one at a time: a giver waits until its item is taken. */
export class Handoff<T> implements AsyncIterable<T> {
  readonly #offered: { item: T; taken: () => void }[] = [];
  #isClosed = false;
  #wake: (() => void) | undefined;

  /** Resolves when it was taken, or never will be. */
  put(item: T): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((taken) => {
      this.#offered.push({ item, taken });
      this.#wake?.();
    });
  }

  /** Nothing more is taken; what waits is let go. */
  close(): void {
    this.#isClosed = true;
    for (const { taken } of this.#offered.splice(0)) taken();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const next = this.#offered.shift();
      if (next !== undefined) {
        next.taken();
        yield next.item;
      } else if (this.#isClosed) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}
