// Tasks that need the same, in their order, and the nodes that could take one of them. The nodes
// are measured once and then only where they changed: a shape that fits nowhere costs nothing until
// a node changes.
import { fitsOn } from './constraints.ts';
import { compareFits, measureFit, type Fit } from './fit.ts';
import { Heap } from './heap.ts';
import type { PlannerPolicy, QueuedTask } from './model.ts';
import { needOf, type Need } from './need.ts';
import type { NodeState } from './node-state.ts';
import { TaskQueue, type Waiting } from './task-queue.ts';

/** A waiting task and its shape. */
export interface Entry extends Waiting {
  readonly shape: Shape;
}

/** The nodes and their changes, as shapes follow them. */
export interface NodeLog {
  readonly policy: PlannerPolicy;
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly byName: ReadonlyMap<string, NodeState>;
  /** Changed nodes, oldest first; the first has position `start`. A node may come several times. */
  readonly changes: readonly NodeState[];
  readonly start: number;
  /** What no node has more of. */
  readonly bounds: () => Bounds;
}

/** The most that is free on any one node that takes work. */
export interface Bounds {
  readonly gpus: number;
  readonly cores: number;
  readonly memoryBytes: number;
}

/** Measures the bounds. Where foreign GPUs may be used, every GPU counts as free. */
export function boundsOf(states: Iterable<NodeState>, policy: PlannerPolicy): Bounds {
  let [gpus, cores, memoryBytes] = [0, 0, 0];
  for (const state of states) {
    if (state.node.state !== 'online' || state.node.drained) continue;
    gpus = Math.max(gpus, policy.useForeignGpus ? state.gpus.length : state.freeGpus);
    cores = Math.max(cores, state.freeCores);
    memoryBytes = Math.max(memoryBytes, state.freeMemoryBytes);
  }
  return { gpus, cores, memoryBytes };
}

export class Shape {
  /** One of its tasks; the others need the same. */
  readonly sample: QueuedTask;
  readonly need: Need;
  readonly queue = new TaskQueue<Entry>();
  #fits = new Heap<Fit>(compareFits);
  /** Position in the log up to which nodes were measured; -1: never. */
  #seen = -1;

  constructor(sample: QueuedTask) {
    this.sample = sample;
    this.need = needOf(sample);
  }

  add(task: QueuedTask): Entry {
    const entry: Entry = { task, shape: this, isGone: false };
    this.queue.add(entry);
    return entry;
  }

  /** The best node for one of its tasks now, or undefined. */
  bestFit(log: NodeLog): Fit | undefined {
    // Measuring every node is what costs; where none can have enough it need not be.
    if (this.#isBehind(log) && this.#isBeyond(log.bounds())) return undefined;
    this.#follow(log);
    for (;;) {
      const fit = this.#fits.top;
      if (fit === undefined) return undefined;
      if (!fit.state.isGone && fit.measuredAt === fit.state.changedAt) return fit;
      this.#fits.pop();
    }
  }

  /** Forget what was measured: something that concerns every node has changed. */
  forgetFits(): void {
    this.#seen = -1;
    this.#fits = new Heap<Fit>(compareFits);
  }

  /** It missed changes that the log no longer has, or more of them than there are nodes. */
  #isBehind(log: NodeLog): boolean {
    const end = log.start + log.changes.length;
    return this.#seen < log.start || end - this.#seen > log.nodes.size;
  }

  /** Named GPUs may be foreign, and count as free in no bounds; but then there is one node to measure. */
  #isBeyond(bounds: Bounds): boolean {
    const { nodeName, home, gpuCount, cores, memoryBytes } = this.need;
    if (nodeName !== null || home !== null) return false;
    return (
      gpuCount > bounds.gpus ||
      cores > bounds.cores ||
      memoryBytes > Math.max(0, bounds.memoryBytes)
    );
  }

  #follow(log: NodeLog): void {
    const end = log.start + log.changes.length;
    if (this.#seen === end) return;
    // Void measurements pile up below the top.
    const isBloated = this.#fits.size > 2 * log.nodes.size + 64;
    if (isBloated || this.#isBehind(log)) this.#measureAll(log);
    else this.#measureChanged(log);
    this.#seen = end;
  }

  #measureAll(log: NodeLog): void {
    const { nodeName, home } = this.need;
    // Where its disk is counts, also when the node has another name since.
    const target = nodeName === null || home !== null ? undefined : log.byName.get(nodeName);
    const isAnywhere = nodeName === null || home !== null;
    const states = isAnywhere ? log.nodes.values() : target === undefined ? [] : [target];
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
