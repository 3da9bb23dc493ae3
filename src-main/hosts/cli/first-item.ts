import type { FeedItem } from '../../contract/procedures.ts';

/** The snapshot a feed begins with; the feed is left after it. */
export async function snapshotOf<S>(feed: AsyncIterable<FeedItem<S, unknown>>): Promise<S> {
  for await (const item of feed) {
    if (item.kind === 'snapshot') return item.value;
  }
  throw new Error('A feed of the core ended before its snapshot.');
}
