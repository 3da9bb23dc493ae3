// Every VPS, kept by its feed while a page shows it.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { VpsListChange, VpsView } from '../../src-main/contract/vps.ts';
import type { CoreClient } from '../lib/client.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

export class VpsList {
  #byId = $state.raw<ReadonlyMap<TaskId, VpsView> | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);

  readonly isLoaded = $derived(this.#byId !== undefined);
  /** Those that run first, then by name. */
  readonly all: readonly VpsView[] = $derived([...(this.#byId?.values() ?? [])].sort(byUse));

  get problem(): Problem | undefined {
    return this.#problem;
  }

  find(ref: string): VpsView | undefined {
    return this.#byId?.get(ref as TaskId) ?? this.all.find(({ name }) => name === ref);
  }

  /** Takes over what a call answered, so that it shows before the feed says it. */
  adopt(view: VpsView): void {
    this.#byId = new Map(this.#byId).set(view.id, view);
  }

  /** Follows the feed until disposed. */
  start(client: CoreClient): () => void {
    const feed = client.feed<VpsView[], VpsListChange>(
      (api, signal) => api.vps.watch(undefined, { signal }),
      {
        onSnapshot: (list) => {
          this.#byId = new Map(list.map((view) => [view.id, view]));
          this.#problem = undefined;
        },
        onChange: (change) => {
          const next = new Map(this.#byId);
          if ('upsert' in change) next.set(change.upsert.id, change.upsert);
          else next.delete(change.removed);
          this.#byId = next;
        },
        onError: (error) => (this.#problem = toProblem(error)),
      },
    );
    return () => feed[Symbol.dispose]();
  }
}

function byUse(a: VpsView, b: VpsView): number {
  const isUp = ({ status }: VpsView): number =>
    status === 'STOPPED' || status === 'FAILED' ? 1 : 0;
  return isUp(a) - isUp(b) || a.name.localeCompare(b.name, 'en', { numeric: true });
}
