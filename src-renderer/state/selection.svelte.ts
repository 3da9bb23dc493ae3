// Which tasks are chosen for an order to many, by ID so that moving rows stay chosen.
import type { TaskId } from '../../src-main/contract/ids.ts';

export class Selection {
  #ids = $state.raw<ReadonlySet<TaskId>>(new Set());
  /** Where a range with Shift begins. */
  #anchor: number | undefined;

  get ids(): ReadonlySet<TaskId> {
    return this.#ids;
  }
  get size(): number {
    return this.#ids.size;
  }
  has(id: TaskId): boolean {
    return this.#ids.has(id);
  }

  clear(): void {
    this.#ids = new Set();
    this.#anchor = undefined;
  }

  setAll(ids: Iterable<TaskId>): void {
    this.#ids = new Set(ids);
  }

  /** Switches one row, or with `range` everything from the row switched before. */
  toggle(at: number, range: boolean, idAt: (at: number) => TaskId | undefined): void {
    const next = new Set(this.#ids);
    const id = idAt(at);
    if (id === undefined) return;
    if (range && this.#anchor !== undefined) {
      const [from, to] = this.#anchor < at ? [this.#anchor, at] : [at, this.#anchor];
      for (let i = from; i <= to; i += 1) {
        const each = idAt(i);
        if (each !== undefined) next.add(each);
      }
    } else if (next.has(id)) {
      next.delete(id);
    } else {
      next.add(id);
    }
    this.#anchor = at;
    this.#ids = next;
  }
}
