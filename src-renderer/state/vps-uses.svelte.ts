// What VPSes use, measured by the core while a page follows it.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { VpsUse } from '../../src-main/contract/vps.ts';
import type { CoreClient } from '../lib/client.ts';

/** Measurements of a turn come one after the other: drawn together. */
const gatherMs = 100;

export class VpsUses {
  #byId = $state.raw<ReadonlyMap<TaskId, VpsUse>>(new Map());
  #pending = new Map<TaskId, VpsUse>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  of(id: TaskId): VpsUse | undefined {
    return this.#byId.get(id);
  }

  /** Follows the feed until disposed. A problem with it is told by the list of VPSes beside it. */
  start(client: CoreClient): () => void {
    const feed = client.feed<VpsUse[], VpsUse>(
      (api, signal) => api.vps.watchUse(undefined, { signal }),
      {
        onSnapshot: (list) => (this.#byId = new Map(list.map((use) => [use.id, use]))),
        onChange: (use) => this.#gather(use),
        onError: () => (this.#byId = new Map()),
      },
    );
    return () => {
      feed[Symbol.dispose]();
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #gather(use: VpsUse): void {
    this.#pending.set(use.id, use);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#byId = new Map([...this.#byId, ...this.#pending]);
      this.#pending = new Map();
    }, gatherMs);
  }
}
