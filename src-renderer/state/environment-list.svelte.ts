// Every environment, kept by its feed while a page shows it.
import type { EnvironmentChange, EnvironmentView } from '../../src-main/contract/environments.ts';
import type { CoreClient } from '../lib/client.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

export class EnvironmentList {
  #byName = $state.raw<ReadonlyMap<string, EnvironmentView> | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);

  readonly isLoaded = $derived(this.#byName !== undefined);
  readonly all: readonly EnvironmentView[] = $derived(
    [...(this.#byName?.values() ?? [])].sort((a, b) => a.name.localeCompare(b.name, 'en')),
  );

  get problem(): Problem | undefined {
    return this.#problem;
  }

  find(name: string): EnvironmentView | undefined {
    return this.#byName?.get(name);
  }

  /** Takes over what a call answered, so that it shows before the feed says it. */
  adopt(view: EnvironmentView): void {
    this.#byName = new Map(this.#byName).set(view.name, view);
  }

  #remove(name: string): void {
    const next = new Map(this.#byName);
    next.delete(name);
    this.#byName = next;
  }

  /** Follows the feed until disposed. */
  start(client: CoreClient): () => void {
    const feed = client.feed<EnvironmentView[], EnvironmentChange>(
      (api, signal) => api.environments.watch(undefined, { signal }),
      {
        onSnapshot: (list) => {
          this.#byName = new Map(list.map((view) => [view.name, view]));
          this.#problem = undefined;
        },
        onChange: (change) => {
          if ('upsert' in change) this.adopt(change.upsert);
          else this.#remove(change.removed);
        },
        onError: (error) => (this.#problem = toProblem(error)),
      },
    );
    return () => feed[Symbol.dispose]();
  }
}
