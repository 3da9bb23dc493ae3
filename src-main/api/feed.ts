import type { FeedItem } from '../contract/procedures.ts';
import type { Event } from '../domain/emitter.ts';

export interface FeedSource<S, C> {
  /** The whole state now. May take its time; changes meanwhile are not lost. */
  snapshot: () => S | Promise<S>;
  /**
   * Announces changes. They must be repeatable (the new value of a thing, not a difference): one
   * that comes while a snapshot is made may be in it already.
   */
  onDidChange: Event<C>;
  /**
   * For gauges: a name of what was measured. Of several waiting changes of the same name only the
   * newest is sent. Changes without a name are all sent, in order.
   */
  coalesce?: (change: C) => string | undefined;
  /** More waiting changes than this are replaced by a new snapshot. */
  maxQueued?: number;
  /** Ends the feed when aborted, e.g. the signal of the procedure. */
  signal?: AbortSignal | undefined;
}

/** What a procedure of a feed answers with. */
export type FeedIterator<S, C> = AsyncIteratorObject<FeedItem<S, C>, undefined, void>;

interface Queued<C> {
  change: C;
  key: string | undefined;
}

/**
 * A feed of the contract: a snapshot, then changes numbered from 1. It is pulled, so it waits for
 * a slow reader; what waits is bounded, and one that is too slow gets a new snapshot instead
 * (after which numbering starts again). Listens from the first item until it is left.
 */
export function feedFrom<S, C>(source: FeedSource<S, C>): FeedIterator<S, C> {
  return new Feed(source);
}

class Feed<S, C> implements FeedIterator<S, C> {
  readonly #source: FeedSource<S, C>;
  readonly #maxQueued: number;
  #queue: Queued<C>[] = [];
  #byKey = new Map<string, Queued<C>>();
  #subscription: Disposable | undefined;
  #seq = 0;
  #needsSnapshot = true;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(source: FeedSource<S, C>) {
    this.#source = source;
    this.#maxQueued = source.maxQueued ?? 1000;
    if (source.signal?.aborted === true) this.#isOver = true;
    else source.signal?.addEventListener('abort', this.#leave, { once: true });
  }

  async next(): Promise<IteratorResult<FeedItem<S, C>, undefined>> {
    try {
      return await this.#next();
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  // Not a generator: leaving one waits for the next change, leaving this works at once.
  return(): Promise<IteratorResult<FeedItem<S, C>, undefined>> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    return Promise.resolve();
  }

  async #next(): Promise<IteratorResult<FeedItem<S, C>, undefined>> {
    for (;;) {
      if (this.#isOver) return { done: true, value: undefined };
      if (this.#needsSnapshot) {
        const value = await this.#takeSnapshot();
        if (!this.#isStale()) return { done: false, value };
        continue;
      }
      const queued = this.#queue.shift();
      if (queued === undefined) {
        await this.#change();
        continue;
      }
      if (queued.key !== undefined) this.#byKey.delete(queued.key);
      this.#seq += 1;
      return { done: false, value: { kind: 'change', seq: this.#seq, value: queued.change } };
    }
  }

  async #takeSnapshot(): Promise<FeedItem<S, C>> {
    this.#needsSnapshot = false;
    this.#clear();
    this.#seq = 0;
    if (!this.#hasEnded()) this.#subscription ??= this.#source.onDidChange(this.#receive);
    return { kind: 'snapshot', value: await this.#source.snapshot() };
  }

  readonly #receive = (change: C): void => {
    if (this.#needsSnapshot) return;
    const key = this.#source.coalesce?.(change);
    const waiting = key === undefined ? undefined : this.#byKey.get(key);
    if (waiting !== undefined) {
      waiting.change = change;
      return;
    }
    if (this.#queue.length >= this.#maxQueued) {
      this.#needsSnapshot = true;
      this.#clear();
    } else {
      const queued = { change, key };
      this.#queue.push(queued);
      if (key !== undefined) this.#byKey.set(key, queued);
    }
    this.#wake?.();
  };

  readonly #leave = (): void => {
    this.#isOver = true;
    this.#source.signal?.removeEventListener('abort', this.#leave);
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = undefined;
    this.#clear();
    this.#wake?.();
  };

  #hasEnded(): boolean {
    return this.#isOver;
  }

  /** Whether a snapshot just made is of no use: too much has changed meanwhile, or nobody reads. */
  #isStale(): boolean {
    return this.#needsSnapshot || this.#isOver;
  }

  #clear(): void {
    this.#queue = [];
    this.#byKey = new Map();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
