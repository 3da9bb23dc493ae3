import { feedWindowItems } from './limits.ts';
import { protocolError } from './protocol-error.ts';

type Ending = { error: unknown } | 'ended';
interface Waiter {
  resolve: (result: IteratorResult<unknown, undefined>) => void;
  reject: (error: unknown) => void;
}

/** The receiving half of a feed: an iterator over its items that gives credit back as they are taken. */
export class FeedInbox implements AsyncIterableIterator<unknown, undefined> {
  readonly #options: { more: (items: number) => void; onLeave: () => void };
  readonly #queue: unknown[] = [];
  #granted = feedWindowItems;
  #consumed = 0;
  #ending: Ending | undefined;
  #waiter: Waiter | undefined;

  constructor(options: { more: (items: number) => void; onLeave: () => void }) {
    this.#options = options;
  }

  /** Takes in an item. Throws `core/protocol` when more came than was granted. */
  receive(item: unknown): void {
    if (this.#ending !== undefined) return;
    if (this.#granted === 0) throw protocolError('A feed sent more items than were asked for.');
    this.#granted -= 1;
    this.#queue.push(item);
    this.#serve();
  }

  end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#serve();
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#serve();
    });
  }

  /** Stops reading; works at once, also while a `next` is waiting. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#queue.length = 0;
    if (this.#ending === undefined) {
      this.end('ended');
      this.#options.onLeave();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #serve(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || (this.#queue.length === 0 && this.#ending === undefined)) return;
    this.#waiter = undefined;
    if (this.#queue.length > 0) {
      const value = this.#queue.shift();
      this.#consume();
      waiter.resolve({ done: false, value });
    } else if (this.#ending === 'ended' || this.#ending === undefined) {
      waiter.resolve({ done: true, value: undefined });
    } else {
      waiter.reject(this.#ending.error);
    }
  }

  #consume(): void {
    this.#consumed += 1;
    if (this.#ending !== undefined || this.#consumed < feedWindowItems / 2) return;
    this.#granted += this.#consumed;
    this.#options.more(this.#consumed);
    this.#consumed = 0;
  }
}
