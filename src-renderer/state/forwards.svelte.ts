// The forwards of the core, and the wish to add one.
import type { ForwardChange, ForwardId, ForwardView } from '../../src-main/contract/forwards.ts';
import type { CoreClient } from '../lib/client.ts';
import { isOf, type ForwardPlace } from '../lib/forward-words.ts';

export class Forwards {
  #byId = $state.raw<ReadonlyMap<ForwardId, ForwardView> | undefined>(undefined);
  /** The dialog that adds one is open. */
  isAdding = $state(false);
  /** The place it begins with. */
  place = $state.raw<ForwardPlace | undefined>(undefined);

  readonly all: readonly ForwardView[] = $derived([...(this.#byId?.values() ?? [])]);
  /** Those that should let something through and do not. */
  readonly broken: number = $derived(
    this.all.filter(({ state }) => state === 'waiting' || state === 'failed').length,
  );

  of(place: ForwardPlace): readonly ForwardView[] {
    return this.all.filter((view) => isOf(view, place));
  }

  /** Opens the dialog, with a place chosen where one is given. */
  ask(place?: ForwardPlace): void {
    this.place = place;
    this.isAdding = true;
  }

  /** Takes over what a call answered, so that it shows before the feed says it. */
  adopt(view: ForwardView): void {
    this.#byId = new Map(this.#byId).set(view.id, view);
  }

  /** Follows the feed until disposed. */
  start(client: CoreClient, onError: (error: unknown) => void): () => void {
    const feed = client.feed<ForwardView[], ForwardChange>(
      (api, signal) => api.forwards.watch(undefined, { signal }),
      {
        onSnapshot: (list) => (this.#byId = new Map(list.map((view) => [view.id, view]))),
        onChange: (change) => {
          if ('upsert' in change) this.adopt(change.upsert);
          else this.#remove(change.removed);
        },
        onError,
      },
    );
    return () => feed[Symbol.dispose]();
  }

  #remove(id: ForwardId): void {
    const next = new Map(this.#byId);
    next.delete(id);
    this.#byId = next;
  }
}
