import { eventIterator } from '@orpc/contract';
import { z } from 'zod';

/**
 * A feed: one snapshot, then changes numbered from 1. After a reconnect or a gap the client opens
 * it again and gets a new snapshot; there is no second way to catch up.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what is answered is inferred from both
export function feedOf<S extends z.ZodType, C extends z.ZodType>(snapshot: S, change: C) {
  return eventIterator(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('snapshot'), value: snapshot }),
      z.object({ kind: z.literal('change'), seq: z.number().int().positive(), value: change }),
    ]),
  );
}
export type FeedItem<S, C> =
  | { kind: 'snapshot'; value: S }
  | { kind: 'change'; seq: number; value: C };
