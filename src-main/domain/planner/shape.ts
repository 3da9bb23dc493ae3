// Tasks that need the same, in their order, and the nodes that could take one of them. The nodes
// are measured once and then only where they changed: a shape that fits nowhere costs nothing until
// a node changes.
import { compareIds } from '../snowflake.ts';
import { fitsOn } from './constraints.ts';
import { compareFits, measureFit, type Fit } from './fit.ts';
import { Heap } from './heap.ts';
import type { PlannerPolicy, QueuedTask } from './model.ts';
import type { Need } from './need.ts';
import type { NodeState } from './node-state.ts';

/** A task's place in its shape's queue. */
export interface Entry {
  readonly task: QueuedTask;
  readonly shape: Shape;
  /** Placed, killed, changed: to be skipped. */
  isGone: boolean;
}

/** Order of the queue: priority, then submission (IDs rise with time). */
export function compareQueued(
  a: Pick<QueuedTask, 'priority' | 'id'>,
  b: Pick<QueuedTask, 'priority' | 'id'>,
): number {
  return b.priority - a.priority || compareIds(a.id, b.id);
}

/** The nodes and their changes, as shapes follow them. */
export interface NodeLog {
  readonly policy: PlannerPolicy;
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly byName: ReadonlyMap<string, NodeState>;
  /** Changed nodes, oldest first; the first has position `start`. A node may come several times. */
  readonly changes: readonly NodeState[];
  readonly start: number;
}

export class Shape {
  readonly key: string;
  readonly need: Need;
  /** Ordered unless `#isSorted` is false; what is before `#head`, or marked gone, is over. */
  #entries: Entry[] = [];
  #head = 0;
  #live = 0;
  #isSorted = true;
  #fits = new Heap<Fit>(compareFits);
  /** Position in the log up to which nodes were measured; -1: never. */
  #seen = -1;

  constructor(key: string, need: Need) {
    this.key = key;
    this.need = need;
  }

  get isEmpty(): boolean {
    return this.#live === 0;
  }

  add(task: QueuedTask): Entry {
    const entry: Entry = { task, shape: this, isGone: false };
    const last = this.#entries.at(-1);
    if (last !== undefined && compareQueued(last.task, task) > 0) this.#isSorted = false;
    this.#entries.push(entry);
    this.#live += 1;
    return entry;
  }

  remove(entry: Entry): void {
    if (entry.isGone) return;
    entry.isGone = true;
    this.#live -= 1;
  }

  /** The first of its tasks, or undefined when none waits. */
  head(): Entry | undefined {
    this.#tidy();
    return this.#entries[this.#head];
  }

  /** How many of its tasks come before the given one. */
  countBefore(task: Pick<QueuedTask, 'priority' | 'id'>): number {
    this.#tidy();
    const all = this.#entries;
    let count = 0;
    for (let at = this.#head; at < all.length; at += 1) {
      const entry = all[at];
      if (entry === undefined || compareQueued(entry.task, task) >= 0) break;
      if (!entry.isGone) count += 1;
    }
    return count;
  }

  #tidy(): void {
    // Mostly gone entries would make sorting and counting slow.
    if (!this.#isSorted || this.#entries.length > 2 * this.#live + 64) {
      this.#entries = this.#entries.slice(this.#head).filter((entry) => !entry.isGone);
      this.#head = 0;
    }
    if (!this.#isSorted) this.#entries.sort((a, b) => compareQueued(a.task, b.task));
    this.#isSorted = true;
    while (this.#entries[this.#head]?.isGone === true) this.#head += 1;
  }

  /** The best node for one of its tasks now, or undefined. */
  bestFit(log: NodeLog): Fit | undefined {
    this.#follow(log);
    for (;;) {
      const fit = this.#fits.top;
      if (fit === undefined || (!fit.state.isGone && fit.measuredAt === fit.state.changedAt)) return fit;
      this.#fits.pop();
    }
  }

  /** Forget what was measured: something that concerns every node has changed. */
  forgetFits(): void {
    this.#seen = -1;
    this.#fits = new Heap<Fit>(compareFits);
  }

  #follow(log: NodeLog): void {
    const end = log.start + log.changes.length;
    if (this.#seen === end) return;
    const isBehind = this.#seen < log.start || end - this.#seen > log.nodes.size;
    // Void measurements pile up below the top.
    const isBloated = this.#fits.size > 2 * log.nodes.size + 64;
    if (isBehind || isBloated) this.#measureAll(log);
    else this.#measureChanged(log);
    this.#seen = end;
  }

  #measureAll(log: NodeLog): void {
    const { nodeName } = this.need;
    const target = nodeName === null ? undefined : log.byName.get(nodeName);
    const states = nodeName === null ? log.nodes.values() : target === undefined ? [] : [target];
    const fits: Fit[] = [];
    for (const state of states) {
      if (fitsOn(this.need, state, log.policy)) fits.push(measureFit(this.need, state, log.policy));
    }
    this.#fits = new Heap(compareFits, fits);
  }

  #measureChanged(log: NodeLog): void {
    const end = log.start + log.changes.length;
    for (let position = this.#seen; position < end; position += 1) {
      const state = log.changes[position - log.start];
      // Only the newest change of a node matters.
      if (state === undefined || state.isGone || state.changedAt !== position) continue;
      if (fitsOn(this.need, state, log.policy)) {
        this.#fits.push(measureFit(this.need, state, log.policy));
      }
    }
  }
}

