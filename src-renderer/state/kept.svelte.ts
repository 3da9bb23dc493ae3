// Views and templates people keep; the core has them, so every window has the same.
import type { KeptChange, KeptItem, KeptKind, KeptThing } from '../../src-main/contract/kept.ts';
import type { CoreClient } from '../lib/client.ts';

export type KeptOf<K extends KeptKind> = Omit<KeptItem, 'thing'> & {
  thing: Extract<KeptThing, { kind: K }>;
};

function isOf<K extends KeptKind>(item: KeptItem, kind: K): item is KeptItem & KeptOf<K> {
  return item.thing.kind === kind;
}

export class Kept {
  readonly #client: CoreClient;
  #list = $state.raw<readonly KeptItem[]>([]);

  constructor(client: CoreClient) {
    this.#client = client;
  }

  /** Those of a kind, by name. */
  of<K extends KeptKind>(kind: K): readonly KeptOf<K>[] {
    return this.#list.filter((item) => isOf(item, kind));
  }

  /** Follows the core until what it returns is called. */
  start(onError: (error: unknown) => void): () => void {
    const feed = this.#client.feed((api, signal) => api.kept.watch(undefined, { signal }), {
      onSnapshot: (list: KeptItem[]) => (this.#list = list),
      onChange: (change: KeptChange) => {
        const gone = 'removed' in change ? change.removed : change.upsert.id;
        const rest = this.#list.filter(({ id }) => id !== gone);
        this.#list =
          'removed' in change
            ? rest
            : [...rest, change.upsert].sort((a, b) => a.name.localeCompare(b.name));
      },
      onError,
    });
    return () => feed[Symbol.dispose]();
  }

  /** Throws what the core answers, `conflict/name-taken` unless it may replace. */
  save(name: string, thing: KeptThing, replace: boolean): Promise<KeptItem> {
    return this.#client.api.kept.save({ name, thing, replace });
  }

  /** Throws what the core answers. */
  async remove(id: number): Promise<void> {
    await this.#client.api.kept.remove({ id });
  }
}
