import { feedWindowItems } from '../../contract/wire/limits.ts';
import { protocolError } from '../../contract/wire/protocol-error.ts';

/** The sending half of a feed: takes from its source only what the far side has asked for. */
export class FeedOutbox {
  readonly #source: AsyncIterator<unknown>;
  #credit = feedWindowItems;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(source: AsyncIterator<unknown>) {
    this.#source = source;
  }

  /** The far side has consumed something. Throws `core/protocol` when that was never sent. */
  grant(items: number): void {
    if (this.#credit + items > feedWindowItems) {
      throw protocolError('More items of a feed were acknowledged than were sent.');
    }
    this.#credit += items;
    this.#wake?.();
  }

  /** Nobody reads any more: closes the source, also while it is being waited for. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#wake?.();
    await this.#source.return?.();
  }

  /** Sends item by item until the source ends or `stop`. Throws what the source or `send` throws. */
  async run(send: (item: unknown) => void): Promise<'ended' | 'stopped'> {
    for (;;) {
      while (this.#credit === 0 && !this.#isStopped) await this.#change();
      if (this.#isStopped) return 'stopped';
      const step = await this.#source.next();
      if (this.#stopped()) return 'stopped';
      if (step.done === true) return 'ended';
      this.#credit -= 1;
      send(step.value);
    }
  }

  #stopped(): boolean {
    return this.#isStopped;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
