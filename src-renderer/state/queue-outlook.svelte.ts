// What the queue looks like beside its tasks: shares, reservations and kept room, kept by a feed.
import type { QueueOutlook } from '../../src-main/contract/queue.ts';
import type { CoreClient } from '../lib/client.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

export class QueueOutlookState {
  readonly #client: CoreClient;
  #value = $state.raw<QueueOutlook | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);

  constructor(client: CoreClient) {
    this.#client = client;
  }

  /** Undefined until the first answer. */
  get value(): QueueOutlook | undefined {
    return this.#value;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Follows the feed until disposed. */
  start(): () => void {
    const take = (outlook: QueueOutlook): void => {
      this.#problem = undefined;
      this.#value = outlook;
    };
    const feed = this.#client.feed<QueueOutlook, QueueOutlook>(
      (api, signal) => api.queue.watch(undefined, { signal }),
      {
        onSnapshot: take,
        onChange: take,
        onError: (error) => (this.#problem = toProblem(error)),
      },
    );
    return () => feed[Symbol.dispose]();
  }
}
