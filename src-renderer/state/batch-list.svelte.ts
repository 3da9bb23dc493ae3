// The newest batches, kept by a feed; more of them are asked for in steps.
import type { BatchView, BatchWindow } from '../../src-main/contract/batches.ts';
import type { CoreClient } from '../lib/client.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

const step = 50;
/** What one window may have. */
const atMost = 200;

export class BatchList {
  readonly #client: CoreClient;
  #rows = $state.raw<readonly BatchView[]>([]);
  #total = $state<number | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);
  #limit = $state(step);
  #isActiveOnly = true;
  #feed: Disposable | undefined;

  constructor(client: CoreClient) {
    this.#client = client;
  }

  get rows(): readonly BatchView[] {
    return this.#rows;
  }
  /** Undefined until the first answer. */
  get total(): number | undefined {
    return this.#total;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  get canShowMore(): boolean {
    return this.#limit < atMost && (this.#total ?? 0) > this.#limit;
  }

  show(isActiveOnly: boolean): void {
    this.#isActiveOnly = isActiveOnly;
    this.#limit = step;
    this.#total = undefined;
    this.#open();
  }

  showMore(): void {
    this.#limit = Math.min(atMost, this.#limit + step);
    this.#open();
  }

  stop(): void {
    this.#feed?.[Symbol.dispose]();
    this.#feed = undefined;
  }

  #open(): void {
    this.stop();
    const query = { activeOnly: this.#isActiveOnly, limit: this.#limit };
    const take = (window: BatchWindow): void => {
      this.#problem = undefined;
      this.#total = window.total;
      this.#rows = window.rows;
    };
    this.#feed = this.#client.feed<BatchWindow, BatchWindow>(
      (api, signal) => api.batches.watchList(query, { signal }),
      {
        onSnapshot: take,
        onChange: take,
        onError: (error) => (this.#problem = toProblem(error)),
      },
    );
  }
}
