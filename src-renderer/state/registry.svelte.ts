// Lists that areas of the app add to, so that the shell knows none of them: commands of the palette,
// items of the status bar, tabs of the bottom panel, dialogs that belong to no page.

export interface Registered {
  readonly id: string;
  /** Lower comes first; equal ones stay in the order they came. */
  readonly order?: number;
}

export class Registry<T extends Registered> {
  #items = $state.raw<readonly T[]>([]);

  get items(): readonly T[] {
    return this.#items;
  }

  /** Adds items until what it returns is called. Throws when an id is taken: ids name one thing. */
  add(...items: readonly T[]): () => void {
    const next = [...this.#items];
    for (const item of items) {
      if (next.some(({ id }) => id === item.id))
        throw new Error(`«${item.id}» is registered already.`);
      next.push(item);
    }
    this.#items = next.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
    return () => (this.#items = this.#items.filter((item) => !items.includes(item)));
  }
}
