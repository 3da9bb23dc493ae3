import type { FeedItem } from '../procedures.ts';

/** What a feed is given to. `S` is the snapshot, `C` one change. */
export interface FeedHandlers<S, C> {
  /** The whole state: at the start, and again after a reconnect, a gap, or when changes were too many. */
  onSnapshot: (value: S) => void;
  onChange: (value: C) => void;
  /** The feed is over for good. */
  onError: (error: unknown) => void;
  /** The core has ended the feed: nothing will change any more. */
  onEnd?: () => void;
}

/**
 * Reads one feed to its end and checks its numbering. Answers `gap` when changes are missing: the
 * feed is then to be opened again.
 */
export async function readFeed<S, C>(
  items: AsyncIterable<FeedItem<S, C>>,
  handlers: Pick<FeedHandlers<S, C>, 'onSnapshot' | 'onChange'>,
): Promise<'ended' | 'gap'> {
  let expected: number | undefined;
  for await (const item of items) {
    if (item.kind === 'snapshot') {
      expected = 1;
      handlers.onSnapshot(item.value);
    } else if (item.seq === expected) {
      expected += 1;
      handlers.onChange(item.value);
    } else {
      return 'gap';
    }
  }
  return 'ended';
}
