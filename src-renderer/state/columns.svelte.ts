// Which columns a table shows in this browser.

/** A choice of columns that is remembered under `key`. Where nothing can be stored it lasts as long as the page. */
export class ColumnChoice<Id extends string> {
  readonly #key: string;
  readonly #known: (names: readonly string[]) => Id[];
  #chosen = $state.raw<readonly Id[]>([]);

  constructor(key: string, defaults: readonly Id[], known: (names: readonly string[]) => Id[]) {
    this.#key = `kohakuriver.columns.${key}`;
    this.#known = known;
    this.#chosen = this.#stored() ?? defaults;
  }

  get chosen(): readonly Id[] {
    return this.#chosen;
  }

  set(next: readonly string[]): void {
    this.#chosen = this.#known(next);
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#chosen));
    } catch (error) {
      // A full or forbidden storage costs only the memory of it.
      if (!(error instanceof DOMException)) throw error;
    }
  }

  toggle(id: Id): void {
    const others = this.#chosen.filter((each) => each !== id);
    this.set(others.length === this.#chosen.length ? [...others, id] : others);
  }

  #stored(): readonly Id[] | undefined {
    try {
      const value: unknown = JSON.parse(localStorage.getItem(this.#key) ?? 'null');
      return Array.isArray(value) ? this.#known(value.map(String)) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof DOMException) return undefined;
      throw error;
    }
  }
}
