// A value that can be watched as the contract's feeds are: a snapshot, then numbered changes.
import { AsyncIteratorClass } from '@orpc/contract';
import type { FeedItem } from '../../../src-main/contract/procedures.ts';

/** Something that calls listeners; the fake's own tiny emitter. */
export class FakeSignal<T> {
  readonly #listeners = new Set<(value: T) => void>();

  listen(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }
}

interface FeedSource<S, C> {
  snapshot: () => S;
  /** Called with where to put changes; returns what stops them. */
  subscribe: (push: (change: C) => void) => () => void;
  signal: AbortSignal | undefined;
}

async function* items<S, C>(source: FeedSource<S, C>): AsyncGenerator<FeedItem<S, C>, void, void> {
  const queue: C[] = [];
  let wake: () => void = () => undefined;
  const stop = source.subscribe((change) => {
    queue.push(change);
    wake();
  });
  const onAbort = () => wake();
  source.signal?.addEventListener('abort', onAbort);
  try {
    yield { kind: 'snapshot', value: source.snapshot() };
    let seq = 0;
    while (source.signal?.aborted !== true) {
      const value = queue.shift();
      if (value === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      yield { kind: 'change', seq: (seq += 1), value };
    }
  } finally {
    stop();
    source.signal?.removeEventListener('abort', onAbort);
  }
}

/** Opens a feed on a source. Ends when the signal aborts. */
export function fakeFeed<S, C>(
  source: FeedSource<S, C>,
): AsyncIteratorClass<FeedItem<S, C>, unknown, void> {
  const generator = items(source);
  return new AsyncIteratorClass<FeedItem<S, C>, unknown, void>(
    () => generator.next(),
    async () => {
      // The generator ends by its signal: waiting for it here would wait for the next change.
    },
  );
}
