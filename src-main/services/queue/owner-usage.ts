// Who used how much: counted when something that was held is given back, in the transaction that
// gives it back, and faded with time. What runs is counted in from when it was placed.
import type { Instant, TaskId } from '../../contract/ids.ts';
import { accrued, decayed } from '../../domain/decay.ts';
import type { Task } from '../../domain/task.ts';
import type { QueueRepository, StoredUsage } from '../../store/queue-repository.ts';
import type { TaskBook, TaskChange } from '../tasks/task-book.ts';

export interface OwnerUsageParts {
  readonly book: TaskBook;
  readonly records: Pick<QueueRepository, 'usage' | 'saveUsage'>;
  readonly settings: () => { readonly halfLifeHours: number; readonly gpuWeight: number };
}

export interface Used {
  readonly gpuSeconds: number;
  readonly coreSeconds: number;
}

const nothing: Used = { gpuSeconds: 0, coreSeconds: 0 };

export class OwnerUsage implements Disposable {
  readonly #parts: OwnerUsageParts;
  readonly #listening: Disposable;
  /** Tasks that hold something. */
  readonly #holders = new Map<TaskId, Task>();
  #stored = new Map<string, StoredUsage>();

  constructor(parts: OwnerUsageParts) {
    this.#parts = parts;
    this.reload();
    for (const task of parts.book.all()) this.#watch(task.id, task);
    this.#listening = parts.book.onDidChange((change) => this.#onChange(change));
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  /** Takes the store's word again, after a commit that failed. */
  reload(): void {
    const { records } = this.#parts;
    this.#stored = new Map(records.usage().map((usage) => [usage.owner, usage]));
  }

  /** By owner, what runs counted in. */
  used(): Map<string, Used> {
    const now = this.#parts.book.now();
    const all = new Map<string, Used>();
    for (const owner of this.#stored.keys()) all.set(owner, this.#faded(owner, now));
    for (const task of this.#holders.values()) {
      const part = this.#usedBy(task, now);
      if (part !== undefined) all.set(task.owner, sum(all.get(task.owner) ?? nothing, part));
    }
    return all;
  }

  /** In core-seconds, with a GPU's weight, as the planner compares them. */
  scores(): Map<string, number> {
    const { gpuWeight } = this.#parts.settings();
    return new Map(
      [...this.used()].map(([owner, { gpuSeconds, coreSeconds }]) => [
        owner,
        gpuSeconds * gpuWeight + coreSeconds,
      ]),
    );
  }

  #onChange({ before, after, kind }: TaskChange): void {
    const id = (after ?? before)?.id;
    if (kind === 'progress' || id === undefined) return;
    this.#watch(id, after);
    // What is read again from the store was counted when it was written.
    if (kind === 'reloaded' || before === undefined || !('kill' in before.state)) return;
    const isStillHeld =
      after !== undefined && 'kill' in after.state && after.attempt === before.attempt;
    if (!isStillHeld) this.#settle(before);
  }

  #watch(id: TaskId, task: Task | undefined): void {
    if (task !== undefined && 'kill' in task.state) this.#holders.set(id, task);
    else this.#holders.delete(id);
  }

  #settle(task: Task): void {
    const now = this.#parts.book.now();
    const part = this.#usedBy(task, now);
    if (part === undefined) return;
    const { owner } = task;
    const total = { owner, ...sum(this.#faded(owner, now), part), countedAt: now };
    this.#parts.records.saveUsage(total);
    this.#stored.set(owner, total);
  }

  #faded(owner: string, now: Instant): Used {
    const stored = this.#stored.get(owner);
    if (stored === undefined) return nothing;
    const fade = (amount: number) => decayed(amount, now - stored.countedAt, this.#halfLifeMs);
    return { gpuSeconds: fade(stored.gpuSeconds), coreSeconds: fade(stored.coreSeconds) };
  }

  get #halfLifeMs(): number {
    return this.#parts.settings().halfLifeHours * 3_600_000;
  }

  /** What the newest attempt used up to now. */
  #usedBy({ state }: Task, now: Instant): Used | undefined {
    if (!('kill' in state)) return undefined;
    const seconds = accrued(now - state.assignedAt, this.#halfLifeMs);
    const { gpus, cores } = state.place;
    return { gpuSeconds: gpus.length * seconds, coreSeconds: cores * seconds };
  }
}

function sum(a: Used, b: Used): Used {
  return {
    gpuSeconds: a.gpuSeconds + b.gpuSeconds,
    coreSeconds: a.coreSeconds + b.coreSeconds,
  };
}
