// The core's queue of transfers, kept by its feed.
import type {
  TransferId,
  TransferStatus,
  TransferView,
} from '../../src-main/contract/transfers.ts';
import type { CoreClient } from '../lib/client.ts';

type Change = { upsert: TransferView } | { removed: TransferId };

const ended: ReadonlySet<TransferStatus> = new Set(['DONE', 'FAILED', 'CANCELLED']);
const tellsOf: ReadonlySet<TransferStatus> = new Set(['DONE', 'FAILED', 'ASKING']);

export interface TransferListener {
  /** One is done, failed, or asks, while we look. */
  readonly news: (view: TransferView) => void;
  readonly error: (error: unknown) => void;
}

export class Transfers {
  #views = $state.raw<readonly TransferView[]>([]);

  /** What is under way first, in the order of the queue; then what has ended, the newest first. */
  readonly views: readonly TransferView[] = $derived([
    ...this.#views.filter(({ status }) => !ended.has(status)),
    ...this.#views
      .filter(({ status }) => ended.has(status))
      .sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0)),
  ]);
  /** How many are not over. */
  readonly active = $derived(this.#views.filter(({ status }) => !ended.has(status)).length);

  /** Follows until what it returns is called. */
  start(client: CoreClient, on: TransferListener): () => void {
    const feed = client.feed<TransferView[], Change>(
      (api, signal) => api.transfers.watch(undefined, { signal }),
      {
        onSnapshot: (views) => (this.#views = views),
        onChange: (change) => {
          const before = this.#views;
          this.#views = withChange(before, change);
          if (!('upsert' in change)) return;
          const { id, status } = change.upsert;
          const known = before.find((view) => view.id === id);
          if (known?.status !== status && tellsOf.has(status)) {
            on.news(change.upsert);
          }
        },
        onError: on.error,
      },
    );
    return () => feed[Symbol.dispose]();
  }
}

function withChange(views: readonly TransferView[], change: Change): readonly TransferView[] {
  if ('removed' in change) return views.filter(({ id }) => id !== change.removed);
  const { upsert } = change;
  const isKnown = views.some(({ id }) => id === upsert.id);
  return isKnown
    ? views.map((view) => (view.id === upsert.id ? upsert : view))
    : [...views, upsert];
}
